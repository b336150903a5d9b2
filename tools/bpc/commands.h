// The subcommands, one table: a new one is its function and its row.
#pragma once

#include <span>
#include <string_view>

#include "tools/bpc/options.h"

namespace bpc::tool {

// Exit codes of every command.
enum Exit : int {
  kOk = 0,
  kWrong = 1,          // the program is wrong, or a check failed
  kUsage = 2,          // the command line, a file, given data, or results that cannot be written
  kInternal = 3,       // a bug in bpc
  kInterrupted = 130,  // Ctrl-C
};

struct Command {
  std::string_view name;
  std::string_view help;
  void (*add_flags)(CLI::App& command, Options& options);
  int (*run)(const Options& options);  // null: part of the language, not implemented yet
};
std::span<const Command> all_commands();

int run_command(const Options& options);
int check_command(const Options& options);
int emit_command(const Options& options);
int explain_command(const Options& options);
int play_command(const Options& options);
int opt_command(const Options& options);
int fmt_command(const Options& options);
int test_command(const Options& options);
int bench_command(const Options& options);
int rules_command(const Options& options);
int train_command(const Options& options);
int predict_command(const Options& options);
int eval_command(const Options& options);
int summary_command(const Options& options);

}  // namespace bpc::tool
