#include "tools/bpc/options.h"

#include <CLI/CLI.hpp>

#include "ir/pipeline.h"
#include "tools/bpc/emitters.h"

namespace bpc::tool {

namespace {

template <class T>
void add_choice(CLI::App& command, const char* flag, T& into, std::map<std::string, T> choices, const char* help) {
  std::string names;
  for (const auto& [name, value] : choices) names += (names.empty() ? "" : "|") + name;
  command.add_option(flag, into, help)->transform(CLI::CheckedTransformer(std::move(choices)).description(""))->type_name(names);
}

void add_file(CLI::App& command, Options& options, const char* help) {
  command.add_option("FILE", options.files, help)->required()->expected(1)->type_name(" ");
}

void add_files(CLI::App& command, Options& options, const char* help) {
  command.add_option("FILE", options.files, help)->required()->expected(-1)->type_name(" ");
}

void add_message_flags(CLI::App& command, Options& options) {
  add_choice<Color>(command, "--color", options.color, {{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}},
                    "Colour messages (auto: on a terminal)");
  add_choice<MessageForm>(command, "--diagnostics", options.messages, {{"human", MessageForm::human}, {"json", MessageForm::json}},
                          "Form of messages on standard error; json is one object a line");
  command.add_flag("-q,--quiet", options.quiet, "No warnings");
  command.add_flag("-v,--verbose", options.verbose, "Say what each stage took");
}

void add_script_flags(CLI::App& command, Options& options) {
  add_choice<Element>(command, "--real", options.real, {{"f32", Element::f32}, {"f64", Element::f64}}, "The program's default float");
  command.add_option("-O", options.optimization, "Optimisation level")->check(CLI::Range(0, 3).description(""))->type_name("0..3");
  add_choice<Checkpoint>(command, "--checkpoint", options.checkpoint,
                         {{"auto", Checkpoint::automatic}, {"all", Checkpoint::all}, {"none", Checkpoint::none}},
                         "Loops whose turns gradients compute again instead of keeping them (auto: where that would take much memory)");
  command.add_option("--seed", options.seed, "Seed of the random streams (overrides `seed`)")->type_name("N");
  command.add_option("--set", options.sets, "Give a dim, an input or a param a value: a number or a JSON array")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--data", options.data, "Feed inputs from a file: FILE, or NAME=FILE[SELECTOR]")
      ->type_name("DATA")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--params", options.params, "Take params from a .safetensors file")->type_name("FILE");
  add_message_flags(command, options);
}

// Flags of commands that run what they compile.
void add_execution_flags(CLI::App& command, Options& options) {
  add_choice<Backend>(command, "--backend", options.backend, {{"jit", Backend::jit}, {"interp", Backend::interp}},
                      "Compiled code (jit), or the interpreter");
  command.add_option("--max-memory", options.max_memory, "Stop a run that needs more memory, such as 500M")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->type_name("BYTES");
  command.add_option("--max-iterations", options.max_iterations, "Stop a `while` that runs more often")->type_name("N");
  command.add_option("--threads", options.threads, "Threads to use; results do not depend on it")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
}

void add_nan_flag(CLI::App& command, Options& options) {
  command.add_flag("--check-nan", options.check_nan, "Name the first operation that makes a NaN or infinity");
}

}  // namespace

void add_run_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_flag("--json", options.json, "Print one JSON object with every value, gradient and printed line");
  command.add_flag("--full", options.full, "Print tensors whole");
  command.add_flag("--grads", options.grads, "Show the gradients of the loss after what the script prints");
  add_nan_flag(command, options);
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_check_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_flag("--grad", options.grad, "Compare every gradient with central differences in f64");
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_emit_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_option("--as", options.format, "What to write (ir): a format below")->type_name("FORMAT");
  std::string formats = "Formats:";
  for (const Emitter& emitter : all_emitters())
    if (emitter.write) formats += fmt::format("\n  {:<26}{}", emitter.name, emitter.help);
  command.footer(formats);
  command.add_flag("--grad", options.grad, "The generated gradient program");
  command.add_option("--stage", options.stage, "Before or after the optimising passes")
      ->check(CLI::IsMember({"lowered", "optimized"}).description(""))
      ->type_name("lowered|optimized");
  add_script_flags(command, options);
}

void add_opt_flags(CLI::App& command, Options& options) {
  add_file(command, options, "IR text; `-` is standard input");
  command.add_option("--passes", options.passes, "Passes to run in order, separated by commas")->delimiter(',')->type_name("A,B,C");
  std::string passes = "Passes:";
  for (const ir::PassInfo& pass : ir::all_passes()) passes += fmt::format("\n  {:<26}{}", pass.name, pass.help);
  command.footer(passes);
  add_message_flags(command, options);
}

void add_fmt_flags(CLI::App& command, Options& options) {
  add_files(command, options, "Scripts to format in place; `-` reads standard input and writes standard output");
  command.add_flag("--check", options.check_only, "Change nothing; exit 1 if a file is not formatted");
  command.add_flag("--diff", options.diff, "Change nothing; show what would change");
  add_message_flags(command, options);
}

void add_test_flags(CLI::App& command, Options& options) {
  add_files(command, options, "Scripts with `# expect` comments");
  add_nan_flag(command, options);
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_bench_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_flag("--count", options.count, "Count scalar operations and the most bytes held, on the interpreter, instead of timing");
  command.footer(
      "What is measured: the loss; then the loss and its gradients (every value, where there is no loss). Printing is left out.\n"
      "One operation is an element of an elementwise result, an element reduced, a multiply-add of a contraction, or an\n"
      "element pushed, popped or accumulated. Moving data is none.");
  command.add_flag("--json", options.json, "Print one JSON object; times in seconds");
  command.add_option("--repeats", options.repeats, "How often to measure (as often as takes about a second)")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N");
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_rules_flags(CLI::App& command, Options& options) {
  command.add_option("NAME", options.files, "Operators or functions, such as `tanh` or `+` (all)");
  command.add_flag("--markdown", options.markdown, "Print all of them as a page");
  add_message_flags(command, options);
}

}  // namespace bpc::tool
