// What the command line says: the flags of every subcommand in one value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/textbook.h"
#include "support/type.h"

namespace CLI {
class App;
}

namespace bpc::tool {

enum class Backend : std::uint8_t { jit, interp };
enum class Color : std::uint8_t { automatic, always, never };
enum class MessageForm : std::uint8_t { human, json };
enum class Checkpoint : std::uint8_t { automatic, all, none };  // which long loops the gradient computes again by segments

struct Options {
  std::vector<std::string> files;  // "-" is standard input; of `rules`, names of operators and functions

  // Common to every command that takes a script.
  Backend backend = Backend::jit;
  std::optional<Element> real;  // what it is in spite of the script
  int optimization = 2;         // -O0 to -O3
  Checkpoint checkpoint = Checkpoint::automatic;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> sets;  // "name=value"
  std::vector<std::string> data;  // "FILE" or "name=FILE[selector]"
  std::string params;             // a .safetensors file, or empty
  bool check_nan = false;
  std::size_t max_memory = 0;        // bytes, of a run; larger files are read to a disk; 0: no limit
  std::uint64_t max_iterations = 0;  // of each loop; 0: no limit
  double max_seconds = 0;            // of the command; 0: no limit
  bool no_cache = false;
  int threads = 0;  // 0: as many as the machine has. Results never depend on it.

  // How to talk.
  Color color = Color::automatic;
  MessageForm messages = MessageForm::human;
  bool quiet = false, verbose = false;

  // run, bench
  bool json = false, full = false;
  bool grads = false;  // the gradients of the loss, besides what the script prints
  // check, emit
  bool grad = false;
  // emit
  std::string format = "ir";
  std::string stage;                   // "lowered", "optimized", or empty: what suits the format
  ir::Style style = ir::Style::steps;  // of a derivative as a script
  // explain
  std::string of, param, at;              // a derivative, a value that it is taken by, an element of one: by name, or empty
  std::optional<std::int64_t> iteration;  // of loops: the turn to show
  std::vector<std::string> unfold;        // functions, or "all"
  // play
  int port = 0;  // 0: any that is free
  // opt
  std::vector<std::string> passes;
  // bench
  bool count = false;
  bool profile = false;
  int repeats = 0;  // 0: as many as take about a second
  // fmt
  bool check_only = false, diff = false;
  // predict
  std::vector<std::string> outputs;  // values of the script, by name; none: those that the command chooses
  std::string output_file;           // .csv, .json or .npy, or empty: standard output
  bool with_inputs = false;          // the columns of the inputs before those of the outputs
  // rules
  bool markdown = false;
  // train
  std::vector<std::pair<std::string, std::string>> settings;  // of the `train` block, in place of the script's
  std::string save;                                           // a folder; empty: beside the script
  std::string log;                                            // a file of the epochs, .csv or .jsonl, or empty
  std::string plot;                                           // a .svg or .png file of the curves, or empty
  std::string tensorboard;                                    // a folder for an event file, or empty
  int keep = 1;                                               // how many of the last checkpoints stay
  bool resume = false;
};

// Declare the flags of a subcommand, writing into `options`.
void add_run_flags(CLI::App& command, Options& options);
void add_check_flags(CLI::App& command, Options& options);
void add_emit_flags(CLI::App& command, Options& options);
void add_explain_flags(CLI::App& command, Options& options);
void add_play_flags(CLI::App& command, Options& options);
void add_opt_flags(CLI::App& command, Options& options);
void add_fmt_flags(CLI::App& command, Options& options);
void add_test_flags(CLI::App& command, Options& options);
void add_bench_flags(CLI::App& command, Options& options);
void add_train_flags(CLI::App& command, Options& options);
void add_predict_flags(CLI::App& command, Options& options);
void add_eval_flags(CLI::App& command, Options& options);
void add_summary_flags(CLI::App& command, Options& options);
void add_rules_flags(CLI::App& command, Options& options);

}  // namespace bpc::tool
