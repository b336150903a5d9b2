// The command line: which subcommand, which flags; and the one place that catches a bug in bpc.
#include <pthread.h>

#include "runtime/executable.h"
#include "runtime/pool.h"
#include "support/internal_error.h"
#include "tools/bpc/code_generator.h"
#include "tools/bpc/command_line.h"
#include "tools/bpc/guard.h"
#include "tools/bpc/session.h"

namespace {

using namespace bpc;
using namespace bpc::tool;

std::string usage() {
  std::string text =
      "bpc compiles .bp scripts and their gradients.\n\n"
      "Usage: bpc COMMAND FILE [flags]\n\n"
      "Commands:\n";
  for (const Command& command : all_commands())
    if (command.run) text += fmt::format("  {:<7} {}\n", command.name, command.help);
  text +=
      "\nA first try:\n"
      "  bpc run examples/tutorial.bp\n"
      "  bpc COMMAND --help          the flags of a command\n"
      "  bpc --version\n";
  return text;
}

std::string version() {
  return fmt::format("bpc {}\nLLVM {}\n", BPC_VERSION, code_generator().host_text());
}

int dispatch(const Command& command, int count, char** words) {
  Options options;
  if (std::optional<int> code = parse_command_line(command, count, words, options)) return *code;
  report_failed_writes_as(options);
  guard(options);
  runtime::set_threads(options.threads);
  return command.run(options);
}

int run(int count, char** words) {
  if (count < 2) {
    say(usage());
    return kUsage;
  }
  std::string_view word = words[1];
  if (word == "--help" || word == "-h" || word == "help") {
    put(usage());
    return kOk;
  }
  if (word == "--version") {
    put(version());
    return kOk;
  }
  for (const Command& command : all_commands()) {
    if (command.name != word) continue;
    if (command.run) return dispatch(command, count - 1, words + 1);
    Diagnostics diagnostics;
    diagnostics.error(Code::E0199, {}, fmt::format("the command `{}` is not implemented yet", word));
    write_diagnostic(diagnostics.all().front(), {}, {});
    return kUsage;
  }
  return unknown_command(count - 1, words + 1);
}

constexpr const char* kReport = "This is a bug in bpc. Please report it with the script.\n";

int guarded_run(int count, char** words) {
  int code = kInternal;
  try {
    code = run(count, words);
  } catch (const InternalError& error) {
    std::string place = error.span().valid() ? fmt::format(" (line {}, column {})", error.span().line, error.span().column) : "";
    say(fmt::format("internal error in {}{}: {}\n{}", error.stage(), place, error.what(), kReport));
  } catch (const std::bad_alloc&) {
    end_without_memory();
  } catch (const std::exception& error) {
    say(fmt::format("internal error: {}\n{}", error.what(), kReport));
  }
  flush_results();
  return runtime::interrupt_requested ? static_cast<int>(kInterrupted) : code;
}

// Nesting is limited to what this much stack holds, and `ulimit -s` may leave the main thread less.
constexpr std::size_t kStackBytes = std::size_t{64} << 20;

struct Work {
  int count;
  char** words;
  int code;
};

}  // namespace

int main(int count, char** words) {
  hold_closed_streams();
  Work work{count, words, kInternal};
  auto do_work = [](void* given) -> void* {
    Work& work = *static_cast<Work*>(given);
    work.code = guarded_run(work.count, work.words);
    return nullptr;
  };
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, do_work, &work) == 0)
    pthread_join(thread, nullptr);
  else
    do_work(&work);
  return work.code;
}
