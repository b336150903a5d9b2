#include "tools/bpc/commands.h"

namespace bpc::tool {

namespace {

constexpr Command kCommands[] = {
    {"run", "Run a script: what it prints, or its values and gradients", add_run_flags, run_command},
    {"check", "Check names, types and shapes; with --grad, every gradient", add_check_flags, check_command},
    {"emit", "Write a script as IR, LLVM, assembly, or as the script of its gradient", add_emit_flags, emit_command},
    {"explain", "Show how a gradient comes about: each value, each step back, the chain rule", add_explain_flags, explain_command},
    {"play", "Edit a script in the browser, where its page follows", add_play_flags, play_command},
    {"opt", "Run passes on IR text", add_opt_flags, opt_command},
    {"fmt", "Format scripts", add_fmt_flags, fmt_command},
    {"test", "Run scripts and compare with their `# expect` comments", add_test_flags, test_command},
    {"bench", "Time a script's value and its gradient, or count their operations", add_bench_flags, bench_command},
    {"rules", "Show operators and functions, with their shapes and derivatives", add_rules_flags, rules_command},
    {"train", "Learn the params of a script from data", add_train_flags, train_command},
    {"predict", "Compute values of new data with params that were learned", add_predict_flags, predict_command},
    {"eval", "Judge learned params by the loss and metrics of data", add_eval_flags, eval_command},
    {"summary", "Show the layers of a script: params, shapes, operations, bytes", add_summary_flags, summary_command},
    {"build", "", nullptr, nullptr},
    {"repl", "", nullptr, nullptr},
    {"lsp", "", nullptr, nullptr},
};

}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

}  // namespace bpc::tool
