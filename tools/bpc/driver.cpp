#include "tools/bpc/driver.h"

#include <algorithm>
#include <filesystem>

#include "backend/interpreter/interpreter.h"
#include "frontend/format/docs.h"
#include "ir/part.h"
#include "ir/pipeline.h"
#include "support/internal_error.h"
#include "tools/bpc/code_generator.h"
#include "tools/bpc/nan_check.h"

namespace bpc::tool {

namespace {

using runtime::Tensor;

void run_passes(Session& session, ir::Module& module, std::span<const std::string_view> passes, const char* stage) {
  session.begin(stage);
  ir::run_passes(module, passes, session.diagnostics, false);
}

// The arguments of a function: what was given, else the initial value.
std::optional<std::vector<Tensor>> gather(Session& session, const ir::Function& function, const std::map<std::string, Tensor>& given,
                                          const std::map<std::string, Tensor>& initial) {
  std::vector<Tensor> arguments;
  for (const ir::Parameter& parameter : function.parameters) {
    if (auto found = given.find(parameter.path); found != given.end()) {
      std::optional<Tensor> fitted = fit(session, found->second, function.type(parameter.value), parameter.path);
      if (!fitted) return std::nullopt;
      arguments.push_back(std::move(*fitted));
    } else if (auto start = initial.find(parameter.path); start != initial.end()) {
      arguments.push_back(start->second);
    } else {
      throw InternalError("driver", fmt::format("`{}` has no value", parameter.path));
    }
  }
  return arguments;
}

// A failure inside the prelude belongs to the author's call: its labels name the call sites, innermost first.
Diagnostic in_user_code(Diagnostic diagnostic, const SourceMap& sources) {
  if (!sources.is_in_prelude(diagnostic.span)) return diagnostic;
  std::erase_if(diagnostic.labels, [&](const Label& label) { return sources.is_in_prelude(label.span); });
  if (!diagnostic.labels.empty()) {
    diagnostic.span = diagnostic.labels.front().span;
    diagnostic.labels.erase(diagnostic.labels.begin());
  }
  return diagnostic;
}

// Whether the value of --validation is that of a file: it is there, or has an ending.
bool is_file(const std::string& value) {
  std::error_code ignored;
  const bool is_letter_after_dot = std::filesystem::path(value).extension().string().size() > 1 &&
                                   std::isalpha(static_cast<unsigned char>(std::filesystem::path(value).extension().string()[1]));
  return std::filesystem::exists(value, ignored) || (is_letter_after_dot && value.find("==") == std::string::npos);
}

// The flags that stand for settings of `train`, as a block: one a line, so that a message shows the one that is wrong.
FileId settings_source(Session& session) {
  if (session.options.settings.empty()) return kNoFile;
  std::string text = "train {\n";
  for (const auto& [name, value] : session.options.settings) {
    // Patterns and files may stand there as shells hand them over.
    const frontend::SettingKind kind = frontend::find_setting(name)->kind;
    const bool is_path = kind == frontend::SettingKind::share && is_file(value);
    const bool is_bare = (kind == frontend::SettingKind::paths || is_path) && !value.starts_with('"') && !value.starts_with('[');
    text += fmt::format("  {} = {}\n", name, is_bare ? frontend::quote(value) : value);
  }
  return session.sources.add("the command line", text + "}\n");
}

}  // namespace

std::optional<Tensor> fit(Session& session, const Tensor& tensor, const Type& type, const std::string& path) {
  const bool fills_columns =
      type.rank() > 2 && tensor.type().rank() == 2 && tensor.type().size(0) == type.size(0) && tensor.count() == type.count();
  if (!(same_shape(tensor.type(), type) || fills_columns) || is_real(tensor.type().element) != is_real(type.element)) {
    session.diagnostics.error(Code::E0504, {},
                              fmt::format("`{}` is {}, but the value given for it is {}", path, type_text(type), type_text(tensor.type())));
    return std::nullopt;
  }
  Tensor fitted = tensor.as(type.element);
  fitted.set_type(type);
  return fitted;
}

std::optional<frontend::Program> load_script(Session& session, FileId file) {
  session.begin("parse, resolve names");
  auto program = frontend::load(session.sources, file, read_text, session.diagnostics, settings_source(session));
  if (program && !session.options.real) session.real = frontend::declared_real(*program).value_or(session.real);
  return program;
}

frontend::LowerOptions lower_options(const Session& session, const Bindings& bindings) {
  frontend::LowerOptions options;
  options.real = session.real;
  options.dims = bindings.dims;
  options.classes = bindings.classes;
  options.unread = bindings.unread;
  options.seed = session.options.seed;
  for (const auto& [name, tensor] : bindings.tensors) options.bound[name] = tensor.type();
  return options;
}

std::optional<Script> lower_script(Session& session, frontend::Program program, DataNeed need, frontend::Training* training) {
  if (session.diagnostics.has_errors()) need = std::max(need, DataNeed::types);  // it will not run; the rest is checked all the same
  session.begin("bind data");
  Bindings bindings = bind_data(session, program, need);
  session.begin("types, shapes, IR");
  frontend::LowerOptions options = lower_options(session, bindings);
  options.training = training;
  options.stand_in_dims = need == DataNeed::available || session.diagnostics.has_errors();
  std::optional<ir::Module> module = frontend::lower(program, options, session.diagnostics);
  if (module) check_given_names(session, program, *module, bindings);
  if (!module || session.diagnostics.has_errors()) return std::nullopt;
  return Script{std::move(program), std::move(bindings), std::move(*module)};
}

std::optional<Script> lower_script(Session& session, const std::string& path, DataNeed need, frontend::Training* training) {
  std::optional<FileId> file = read_source(session, path);
  std::optional<frontend::Program> program = file ? load_script(session, *file) : std::nullopt;
  return program ? lower_script(session, std::move(*program), need, training) : std::nullopt;
}

bool has_print(const ir::Function& function) {
  for (std::uint32_t block = 0; block < function.block_count(); ++block)
    for (ir::OpId id : function.block(ir::BlockId{block}).ops)
      if (function.op(id).code == ir::Opcode::print) return true;
  return false;
}

bool expand_gradients(Session& session, ir::Module& module) {
  std::vector<std::string_view> passes{"vectorise", "hoist"};
  if (session.options.checkpoint == Checkpoint::automatic) passes.push_back("checkpoint");
  if (session.options.checkpoint == Checkpoint::all) passes.push_back("checkpoint_all");
  passes.push_back("adjoint");
  run_passes(session, module, passes, "gradients");
  return !session.diagnostics.has_errors();
}

bool optimize(Session& session, ir::Module& module) {
  if (session.options.optimization > 0) run_passes(session, module, ir::optimizing_passes(), "simplify, cse, dce");
  return !session.diagnostics.has_errors();
}

std::unique_ptr<runtime::Executable> make_executable(const Session& session, const ir::Function& function, bool times) {
  switch (session.options.backend) {
    case Backend::jit:
      return code_generator().compile(function, {session.options.optimization, session.options.no_cache ? "" : code_folder(), times});
    case Backend::interp:
      return backend::interpret(function);
  }
  throw InternalError("driver", "no such backend");
}

runtime::RunOptions run_options(const Options& options, std::function<void(std::string_view)> print) {
  return {std::move(print), options.full, options.max_iterations, options.max_memory};
}

std::optional<std::vector<Tensor>> execute(Session& session, runtime::Executable& executable, std::span<const Tensor> arguments,
                                           const runtime::RunOptions& options) {
  runtime::RunResult result = executable.run(arguments, options);
  if (!succeeded(session, std::move(result.failure))) return std::nullopt;
  return std::move(result.outputs);
}

bool succeeded(Session& session, std::optional<runtime::Failure> failure) {
  if (!failure) return true;
  if (!failure->interrupted) session.diagnostics.add(in_user_code(std::move(failure->diagnostic), session.sources));
  return false;
}

std::optional<std::vector<Tensor>> make_arguments(Session& session, const Script& script, const ir::Function& function) {
  session.begin("initial values");
  // Initialisers run once: interpreting them is quicker than compiling them.
  const ir::Function& init = script.module.initial;
  auto init_arguments = gather(session, init, script.bindings.tensors, {});
  if (!init_arguments) return std::nullopt;
  auto outputs = execute(session, *backend::interpret(init), *init_arguments, run_options(session.options, {}));
  if (!outputs) return std::nullopt;
  std::map<std::string, Tensor> initial;
  for (std::size_t i = 0; i < outputs->size(); ++i) initial[init.outputs[i].path] = std::move((*outputs)[i]);
  return gather(session, function, script.bindings.tensors, initial);
}

std::optional<ScriptResult> run_script(Session& session, Script script, Wanted wanted, const runtime::RunOptions& options) {
  script.module.main = ir::part(script.module.main, wanted);
  if (!expand_gradients(session, script.module)) return std::nullopt;
  // --check-nan looks at the program as it was written: interpreted, before any simplification.
  if (!session.options.check_nan && !optimize(session, script.module)) return std::nullopt;
  const ir::Function& main = script.module.main;
  session.report();  // warnings come before what the script prints
  auto arguments = make_arguments(session, script, main);
  if (!arguments) return std::nullopt;
  session.begin("compile");
  std::unique_ptr<runtime::Executable> executable =
      session.options.check_nan ? interpret_checking_nan(main, session.sources) : make_executable(session, main);
  session.begin("run");
  std::optional<std::vector<Tensor>> outputs = execute(session, *executable, *arguments, options);
  session.begin("show");
  if (!outputs) return std::nullopt;
  ScriptResult result;
  for (std::size_t i = 0; i < outputs->size(); ++i) {
    auto& list = main.outputs[i].kind == ir::Output::Kind::value ? result.values : result.gradients;
    list.push_back({main.outputs[i].path, std::move((*outputs)[i])});
  }
  return result;
}

}  // namespace bpc::tool
