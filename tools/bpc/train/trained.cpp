#include "tools/bpc/train/trained.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "frontend/format/format.h"
#include "frontend/syntax/parse.h"
#include "ir/part.h"
#include "runtime/io/read_file.h"
#include "runtime/io/safetensors.h"
#include "tools/bpc/train/categories.h"

namespace bpc::tool {

namespace {

using frontend::DataRequest;
using ir::Function;

// What a script computes, in one form: without comments, blank lines, what it prints, and how it is trained.
std::string essence(frontend::Ast ast, const SourceMap& sources) {
  std::erase_if(ast.top, [&](frontend::StmtId id) {
    const frontend::StmtNode& node = ast.stmt(id).node;
    return std::holds_alternative<frontend::TrainStmt>(node) || std::holds_alternative<frontend::PrintStmt>(node);
  });
  ast.comments.clear();
  std::string text = frontend::format(ast, sources);
  for (std::size_t at; (at = text.find("\n\n")) != std::string::npos;) text.erase(at, 1);
  return text;
}

void warn_of_another_script(Session& session, const frontend::Program& program) {
  const std::string& file = session.options.params;
  Diagnostics ignored;
  const auto text = file.ends_with(".safetensors") ? runtime::read_file(file, ignored) : std::nullopt;
  if (!text) return;
  const runtime::Remarks said = runtime::read_remarks(*text);
  const auto script = said.find("script");
  SourceMap sources;
  const auto then = script == said.end() ? std::nullopt : frontend::parse(sources, sources.add("", script->second), ignored);
  if (!then || essence(*then, sources) == essence(*program.asts[0], session.sources)) return;
  session.diagnostics
      .warning(Code::W0504, {}, fmt::format("{} has changed since {} was learned with it", session.options.files.front(), file))
      .with_help("what the params were learned for may be something else now: train again, or take them where it is not");
}

// Which inputs each value of a script needs, those of initial values included.
class Needs {
 public:
  explicit Needs(const ir::Module& module) : module_(module) {
    for (const ir::Parameter& parameter : module.main.parameters)
      reached_.emplace(parameter.path, ir::computed_from(module.main, std::span(&parameter.value, 1)));
  }

  std::set<std::string> of(const ir::Output& output) const {
    std::set<std::string> paths;
    for (const auto& [path, reached] : reached_)
      if (reached[output.value.index]) add(paths, path);
    return paths;
  }

 private:
  void add(std::set<std::string>& paths, const std::string& path) const {
    if (!paths.insert(path).second) return;
    const Function& init = module_.initial;
    const auto start = std::ranges::find(init.outputs, path, &ir::Output::path);
    if (start == init.outputs.end()) return;
    for (const ir::Parameter& parameter : init.parameters)
      if (ir::computed_from(init, std::span(&parameter.value, 1))[start->value.index]) add(paths, parameter.path);
  }

  const ir::Module& module_;
  std::map<std::string, std::vector<bool>> reached_;  // by path: the values of main that are computed from it
};

class Asker {
 public:
  Asker(Session& session, frontend::Entry entry, const Choose& choose) : session_(session), entry_(entry), choose_(choose) {}

  std::optional<Trained> run() {
    auto file = read_source(session_, session_.options.files.front());
    auto program = file ? load_script(session_, *file) : std::nullopt;
    if (!program) return std::nullopt;
    session_.begin("bind data");
    Bindings bindings = bind_data(session_, *program, DataNeed::possible);
    if (session_.diagnostics.has_errors() || !choose(*program, bindings)) return std::nullopt;
    for (const std::string& name : needed_)
      if (auto why = bindings.why_missing.find(name); why != bindings.why_missing.end()) say_why(bindings, why->second);
    if (session_.diagnostics.has_errors()) return std::nullopt;
    return lower(std::move(*program), std::move(bindings));
  }

 private:
  // Where two inputs want the same file, what is wrong with it was said to the first.
  void say_why(const Bindings& bindings, const Diagnostics& own) {
    if (own.has_errors()) {
      for (const Diagnostic& each : own.all()) session_.diagnostics.add(each);
    } else if (!session_.diagnostics.has_errors()) {
      for (const auto& [name, said] : bindings.why_missing)
        for (const Diagnostic& each : said.all()) session_.diagnostics.add(each);
    }
  }

  // Which outputs are wanted, and what these need; of a script with errors, everything, so that they are said.
  bool choose(const frontend::Program& program, const Bindings& bindings) {
    Diagnostics silent;
    frontend::Training training;
    frontend::LowerOptions options = lower_options(session_, bindings);
    for (const DataRequest& request : frontend::data_requests(program, silent)) {
      if (request.is_param) continue;
      needed_.insert(request.name);
      if (!request.element.empty()) options.bound.erase(request.name);
      if (!bindings.tensors.contains(request.name)) options.unread.insert(request.name);
    }
    options.entry = entry_;
    options.training = &training;
    options.stand_in_dims = true;
    std::optional<ir::Module> module = frontend::lower(program, options, silent);
    if (!module) return true;
    add_comparison(*module, training);
    const Needs needs(*module);
    const Sketch sketch{*module, training, [&](const ir::Output& output) {
                          return std::ranges::none_of(needs.of(output),
                                                      [&](const std::string& path) { return bindings.why_missing.contains(path); });
                        }};
    wanted_ = choose_(sketch);
    if (!wanted_) return false;
    std::set<std::string> needed;
    for (const ir::Output& output : module->main.outputs)
      if (is_wanted(output)) needed.merge(needs.of(output));
    std::erase_if(needed_, [&](const std::string& name) { return !needed.contains(name); });
    return true;
  }

  bool is_wanted(const ir::Output& output) const {
    return output.kind == ir::Output::Kind::value && (!wanted_ || std::ranges::find(*wanted_, output.path) != wanted_->end());
  }

  std::optional<Trained> lower(frontend::Program program, Bindings bindings) {
    session_.begin("types, shapes, IR");
    std::set<std::string> gone;
    for (const DataRequest& request : frontend::data_requests(program, session_.diagnostics)) {
      if (request.is_param || needed_.contains(request.name)) continue;
      gone.insert(request.name);
      bindings.unread.insert(request.name);
      bindings.tensors.erase(request.name);
    }
    Trained trained;
    frontend::LowerOptions options = lower_options(session_, bindings);
    options.entry = entry_;
    options.training = &trained.training;
    std::optional<ir::Module> module = frontend::lower(program, options, session_.diagnostics);
    if (module) check_given_names(session_, program, *module, bindings);
    if (!module || session_.diagnostics.has_errors()) return std::nullopt;
    add_comparison(*module, trained.training);
    if (!choose_again(*module, trained.training)) return std::nullopt;
    const ClassNames classes(module->main, trained.training.comparisons, bindings);
    for (const ir::Output& output : module->main.outputs)
      if (is_wanted(output)) trained.names[output.path] = {classes.of_codes(output.value), classes.of_last_axis(output.value)};
    module->main = ir::without_parameters(ir::part(module->main, [&](const ir::Output& output) { return is_wanted(output); }), gone);
    const auto is_started = [&](const ir::Output& output) {
      return !gone.contains(output.path) && !bindings.tensors.contains(output.path);
    };
    module->initial = ir::without_parameters(ir::part(module->initial, is_started), gone);
    if (!check_params(*module, bindings)) return std::nullopt;
    warn_of_another_script(session_, program);
    trained.script = {std::move(program), std::move(bindings), std::move(*module)};
    return trained;
  }

  void add_comparison(ir::Module& module, const frontend::Training& training) {
    if (entry_ != frontend::Entry::evaluate) return;
    for (auto each = training.comparisons.rbegin(); each != training.comparisons.rend(); ++each) {
      if (each->function != "cross_entropy" && each->function != "bce_with_logits") continue;
      module.main.outputs.push_back({ir::Output::Kind::value, kScores, each->output});
      module.main.outputs.push_back({ir::Output::Kind::value, kLabels, each->target});
      return;
    }
  }

  // Of a script that could not be sketched.
  bool choose_again(const ir::Module& module, const frontend::Training& training) {
    if (!wanted_) wanted_ = choose_({module, training, [](const ir::Output&) { return true; }});
    return wanted_.has_value();
  }

  bool check_params(const ir::Module& module, const Bindings& bindings) {
    const Needs needs(module);
    std::set<std::string> needed;
    for (const ir::Output& output : module.main.outputs) needed.merge(needs.of(output));
    for (const ir::Parameter& parameter : module.main.parameters) {
      if (parameter.kind == ir::Parameter::Kind::input || !needed.contains(parameter.path) || bindings.tensors.contains(parameter.path))
        continue;
      const Span place = module.main.origin(parameter.origin).span;
      const std::string script = session_.options.files.front(), &file = session_.options.params;
      if (file.empty())
        session_.diagnostics
            .error(Code::E0513, place,
                   fmt::format("`{}` has no learned value: there is no {}", parameter.path, training_folder(script) + "/" + kLastParams))
            .with_help(fmt::format("`bpc train {}` learns it; `--params FILE` names another file", script));
      else
        session_.diagnostics.error(Code::E0513, place, fmt::format("`{}` has no learned value in {}", parameter.path, file))
            .with_help("the script was trained without it: train it again");
      return false;
    }
    return true;
  }

  Session& session_;
  frontend::Entry entry_;
  const Choose& choose_;
  std::optional<std::vector<std::string>> wanted_;
  std::set<std::string> needed_;  // inputs
};

}  // namespace

std::optional<Trained> lower_trained(Session& session, frontend::Entry entry, const Choose& choose) {
  return Asker(session, entry, choose).run();
}

namespace {

// The precision that a training had; nullopt of what is no file of one.
std::optional<Element> element_of_params(const std::string& file) {
  Diagnostics ignored;
  const auto text = file.ends_with(".safetensors") ? runtime::read_file(file, ignored) : std::nullopt;
  const auto tensors = text ? runtime::read_safetensors(*text, file, ignored) : std::nullopt;
  if (!tensors) return std::nullopt;
  for (const auto& [name, tensor] : *tensors)
    if (is_real(tensor.type().element)) return tensor.type().element;
  return std::nullopt;
}

}  // namespace

Options with_params(const Options& options) {
  Options with = options;
  if (with.params.empty()) {
    const std::string beside = params_file(training_folder(options.files.front()));
    std::error_code ignored;
    if (std::filesystem::exists(beside, ignored) && beside.ends_with(".safetensors")) with.params = beside;
  } else {
    with.params = params_file(with.params);
  }
  if (!with.real) with.real = element_of_params(with.params);
  return with;
}

std::optional<std::vector<runtime::Tensor>> run_trained(Session& session, Trained& trained) {
  ir::Module& module = trained.script.module;
  if (!expand_gradients(session, module) || !optimize(session, module)) return std::nullopt;
  session.report();  // warnings come before results
  auto arguments = make_arguments(session, trained.script, module.main);
  if (!arguments) return std::nullopt;
  session.begin("compile");
  const auto executable = make_executable(session, module.main);
  session.begin("run");
  return execute(session, *executable, *arguments, run_options(session.options, {}));
}

}  // namespace bpc::tool
