#include "tools/bpc/options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "frontend/builtins/settings.h"
#include "ir/pipeline.h"
#include "tools/bpc/emitters.h"

namespace bpc::tool {

namespace {

// What a flag takes is said once, by the text that --help shows and a wrong value is answered with.
std::string takes(const std::string& what, const std::string& given) {
  return fmt::format("takes {}, not `{}`", what, given);
}

template <class T>
void add_choice(CLI::App& command, const char* flag, auto& into, std::map<std::string, T> choices, const char* help) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) names.push_back(name);
  command.add_option_function<std::string>(
             flag, [&into, choices](const std::string& name) { into = choices.at(name); }, help)
      ->check([names](const std::string& given) {
        return std::find(names.begin(), names.end(), given) != names.end() ? "" : takes(fmt::format("{}", fmt::join(names, " or ")), given);
      })
      ->type_name(fmt::format("{}", fmt::join(names, "|")));
}

// A whole number from `least` to `most`, digits alone.
template <class T>
CLI::Option* add_number(CLI::App& command, const char* flag, std::uint64_t least, std::uint64_t most, T& into, const char* help) {
  const std::string what = fmt::format("a whole number from {} to {}", least, most);
  return command.add_option(flag, into, help)->check([=](const std::string& given) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
    const bool fits = error == std::errc() && end == given.data() + given.size() && number >= least && number <= most;
    return fits ? "" : takes(what, given);
  });
}

// "500M": a number of bytes, with a unit of powers of 1024.
std::optional<std::size_t> bytes(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
  for (std::string_view ending : {"IB", "B"})
    if (unit.size() > ending.size() - 1 && unit.ends_with(ending)) unit.resize(unit.size() - ending.size());
  const std::size_t power = std::string_view("KMGT").find(unit);
  if (error != std::errc() || number == 0 || unit.size() > 1 || power == std::string_view::npos) return std::nullopt;
  const std::size_t factor = unit.empty() ? 1 : std::size_t{1} << (10 * (power + 1));
  return __builtin_mul_overflow(number, factor, &number) ? std::nullopt : std::optional(number);
}

void add_file(CLI::App& command, Options& options, const char* help) {
  command.add_option("FILE", options.files, help)->required()->expected(1)->type_name(" ");
}

void add_files(CLI::App& command, Options& options, const char* help) {
  command.add_option("FILE", options.files, help)->required()->expected(-1)->type_name(" ");
}

// Of every command that reads a file.
void add_reading_flags(CLI::App& command, Options& options) {
  command
      .add_option_function<std::string>(
          "--max-memory", [&options](const std::string& text) { options.max_memory = *bytes(text); },
          "Stop what needs more memory, such as 500M; larger tables and .npy files are read to a disk")
      ->check([](const std::string& given) { return bytes(given) ? "" : takes("a number of bytes, such as 500M", given); })
      ->type_name("BYTES");
  command.add_option("--max-seconds", options.max_seconds, "End the command when it takes longer, whatever it is doing")
      ->check([](const std::string& given) {
        double seconds = 0;
        const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), seconds);
        const bool fits = error == std::errc() && end == given.data() + given.size() && seconds > 0 && seconds <= 1e9;
        return fits ? "" : takes("a number of seconds above 0, such as 1.5", given);
      })
      ->type_name("SECONDS");
}

void add_message_flags(CLI::App& command, Options& options) {
  add_choice<Color>(command, "--color", options.color, {{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}},
                    "Colour messages (auto: on a terminal)");
  add_choice<MessageForm>(command, "--diagnostics", options.messages, {{"human", MessageForm::human}, {"json", MessageForm::json}},
                          "Form of messages on standard error; json is one object a line");
  command.add_flag("-q,--quiet", options.quiet, "No warnings")->disable_flag_override();
  command.add_flag("-v,--verbose", options.verbose, "Say what each stage took")->disable_flag_override();
}

void add_script_flags(CLI::App& command, Options& options) {
  add_choice<Element>(command, "--real", options.real, {{"f32", Element::f32}, {"f64", Element::f64}},
                      "The program's default float (overrides `real f64`)");
  add_number(command, "-O", 0, 3, options.optimization, "Optimisation level")->type_name("0..3");
  add_choice<Checkpoint>(command, "--checkpoint", options.checkpoint,
                         {{"auto", Checkpoint::automatic}, {"all", Checkpoint::all}, {"none", Checkpoint::none}},
                         "Loops whose turns gradients compute again instead of keeping them (auto: where that would take much memory)");
  add_number(command, "--seed", 0, UINT64_MAX, options.seed, "Seed of the random streams (overrides `seed`)")->type_name("N");
  command.add_option("--set", options.sets, "Give a dim, an input or a param a value: a number or a JSON array")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--data", options.data, "Feed inputs from a file: FILE, or NAME=FILE[SELECTOR]")
      ->type_name("DATA")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--params", options.params, "Take params from a .safetensors file")->type_name("FILE");
  add_reading_flags(command, options);
  add_message_flags(command, options);
}

// Flags of commands that run what they compile.
void add_execution_flags(CLI::App& command, Options& options) {
  add_choice<Backend>(command, "--backend", options.backend, {{"jit", Backend::jit}, {"interp", Backend::interp}},
                      "Compiled code (jit), or the interpreter");
  command.add_flag("--no-cache", options.no_cache, "Neither use nor keep code that was compiled before")->disable_flag_override();
  add_number(command, "--max-iterations", 1, UINT64_MAX, options.max_iterations, "Stop a loop that makes more than N turns")
      ->type_name("N");
  add_number(command, "--threads", 1, 1024, options.threads, "Threads to use; results do not depend on it")->type_name("N");
}

void add_nan_flag(CLI::App& command, Options& options) {
  command.add_flag("--check-nan", options.check_nan, "Name the first operation that makes a NaN or infinity")->disable_flag_override();
}

// Which derivative of a script is explained, and how much of it is shown.
void add_unfolding_flags(CLI::App& command, Options& options) {
  command.add_option("--of", options.of, "Explain a derivative that the script takes, by the name of its result (that of the loss)")
      ->type_name("NAME");
  add_number(command, "--iteration", 0, INT32_MAX, options.iteration,
             "The turn of loops to show (the last one; the first one of a loop that trains)")
      ->type_name("K");
  command.add_option("--unfold", options.unfold, "Show the inside of a function; `all` of all")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

void add_run_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_flag("--json", options.json, "Print one JSON object with every value, gradient and printed line")->disable_flag_override();
  command.add_flag("--full", options.full, "Print tensors whole")->disable_flag_override();
  command.add_flag("--grads", options.grads, "Show the gradients of the loss after what the script prints")->disable_flag_override();
  add_nan_flag(command, options);
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_train_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_option("--save", options.save, "The folder of what is learned (beside the script: NAME.model)")->type_name("FOLDER");
  command.add_flag("--resume", options.resume, "Go on where the training that wrote to the folder ended")->disable_flag_override();
  command.add_option("--log", options.log, "Write what is known of each epoch to a .csv or .jsonl file")->type_name("FILE");
  command.add_option("--plot", options.plot, "Draw the curves of the loss and the metrics into a .svg or .png file")->type_name("FILE");
  command.add_option("--tensorboard", options.tensorboard, "Write what is known of each epoch to a folder that TensorBoard shows")
      ->type_name("FOLDER");
  add_number(command, "--keep", 1, 1000, options.keep, "How many of the last checkpoints stay (1)")->type_name("N");
  for (const frontend::SettingInfo& setting : frontend::all_settings())
    command
        .add_option_function<std::string>(
            fmt::format("--{}", setting.name),
            [&options, name = std::string(setting.name)](const std::string& value) { options.settings.emplace_back(name, value); },
            std::string(setting.sentence))
        ->type_name(std::string(setting.value))
        ->group("Settings, in place of those of the `train` block");
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_predict_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_option("--out", options.outputs, "Which values to compute (all that have rows and whose inputs are there)")
      ->delimiter(',')
      ->type_name("A,B,C");
  command.add_option("-o", options.output_file, "Write to a .csv, .json or .npy file")->type_name("FILE");
  command.add_flag("--with-inputs", options.with_inputs, "The columns of the inputs, before those of the outputs")->disable_flag_override();
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_eval_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_flag("--json", options.json, "Print one JSON object")->disable_flag_override();
  command
      .add_option_function<std::string>(
          "--metrics", [&options](const std::string& value) { options.settings.emplace_back("metrics", value); },
          std::string(frontend::find_setting("metrics")->sentence))
      ->type_name("NAMES");
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_summary_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_flag("--json", options.json, "Print one JSON object")->disable_flag_override();
  add_script_flags(command, options);
}

void add_check_flags(CLI::App& command, Options& options) {
  add_files(command, options, "Scripts; `-` is standard input");
  command.add_flag("--grad", options.grad, "Compare every gradient with central differences in f64")->disable_flag_override();
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_emit_flags(CLI::App& command, Options& options) {
  add_file(command, options, "The script; `-` is standard input");
  command.add_option("--as", options.format, "What to write (ir): a format below")->type_name("FORMAT");
  std::string formats = "Formats:";
  for (const Emitter& emitter : all_emitters())
    if (emitter.is_there()) formats += fmt::format("\n  {:<26}{}", emitter.name, emitter.help);
  command.footer(formats);
  command.add_flag("--grad", options.grad, "The generated gradient program")->disable_flag_override();
  add_choice<std::string>(command, "--stage", options.stage, {{"lowered", "lowered"}, {"optimized", "optimized"}},
                          "Before or after the optimising passes");
  add_choice<ir::Style>(command, "--style", options.style, {{"steps", ir::Style::steps}, {"short", ir::Style::brief}},
                        "How a gradient script is written: one operation a line, or as a person would");
  add_unfolding_flags(command, options);
  add_script_flags(command, options);
}

void add_explain_flags(CLI::App& command, Options& options) {
  options.format = "text";
  command
      .add_option("FILE", options.files,
                  "The script, `-` for standard input; or a code such as E0201; or a function, and a script that uses it")
      ->required()
      ->expected(1, 2)
      ->type_name(" ");
  add_choice<std::string>(command, "--as", options.format,
                          {{"text", "text"}, {"json", "json"}, {"md", "md"}, {"latex", "latex"}, {"html", "html"}}, "What to write (text)");
  command.add_option("--param", options.param, "Show the chain rule of one param alone")->type_name("NAME");
  command.add_option("--at", options.at, "Follow one element of a param: 'W[3, 7]'")->type_name("ELEMENT");
  add_unfolding_flags(command, options);
  add_number(command, "--max-iterations", 1, UINT64_MAX, options.max_iterations, "Stop a loop that makes more than N turns")
      ->type_name("N");
  add_script_flags(command, options);
}

void add_play_flags(CLI::App& command, Options& options) {
  command.add_option("FILE", options.files, "The script to begin with; without one, an example")->expected(0, 1)->type_name(" ");
  add_number(command, "--port", 1, 65535, options.port, "The port of this machine to listen on (a free one)")->type_name("N");
  add_message_flags(command, options);
}
void add_opt_flags(CLI::App& command, Options& options) {
  add_file(command, options, "IR text; `-` is standard input");
  command.add_option("--passes", options.passes, "Passes to run in order, separated by commas")->delimiter(',')->type_name("A,B,C");
  std::string passes = "Passes:";
  for (const ir::PassInfo& pass : ir::all_passes()) passes += fmt::format("\n  {:<26}{}", pass.name, pass.help);
  command.footer(passes);
  add_reading_flags(command, options);
  add_message_flags(command, options);
}

void add_fmt_flags(CLI::App& command, Options& options) {
  add_files(command, options, "Scripts to format in place; `-` reads standard input and writes standard output");
  command.add_flag("--check", options.check_only, "Change nothing; exit 1 if a file is not formatted")->disable_flag_override();
  command.add_flag("--diff", options.diff, "Change nothing; show what would change")->disable_flag_override();
  add_reading_flags(command, options);
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
  command.add_flag("--count", options.count, "Count scalar operations and the most bytes held, on the interpreter, instead of timing")
      ->disable_flag_override();
  command.add_flag("--profile", options.profile, "Time each step of the compiled code, and name the lines that it comes from")
      ->disable_flag_override()
      ->excludes("--count");
  command.footer(
      "What is measured: the loss; then the loss and its gradients (every value, where there is no loss). Printing is left out.\n"
      "One operation is an element of an elementwise result, an element reduced, a multiply-add of a contraction, or an\n"
      "element pushed, popped or accumulated. Moving data is none.");
  command.add_flag("--json", options.json, "Print one JSON object; times in seconds")->disable_flag_override();
  add_number(command, "--repeats", 1, 1000000, options.repeats, "How often to measure (as often as takes about a second)")->type_name("N");
  add_execution_flags(command, options);
  add_script_flags(command, options);
}

void add_rules_flags(CLI::App& command, Options& options) {
  command.add_option("NAME", options.files, "Operators or functions, such as `tanh` or `+` (all)");
  command.add_flag("--markdown", options.markdown, "Print all of them as a page")->disable_flag_override();
  add_message_flags(command, options);
}

}  // namespace bpc::tool
