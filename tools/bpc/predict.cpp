// `bpc predict`: values of new data, by params that were learned.
#include <algorithm>

#include "runtime/io/npy.h"
#include "runtime/io/write_file.h"
#include "runtime/number_text.h"
#include "tools/bpc/train/columns.h"
#include "tools/bpc/train/trained.h"

namespace bpc::tool {

namespace {

// E0505 for one that the script does not give.
bool check_names(Session& session, const std::vector<std::string>& names, const ir::Function& main) {
  std::vector<std::string> known;
  for (const ir::Output& output : main.outputs)
    if (output.kind == ir::Output::Kind::value) known.push_back(output.path);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string near = closest_match(name, known);
    session.diagnostics.error(Code::E0505, {}, fmt::format("`--out` names `{}`, which is no value that the script assigns", name))
        .with_help(!near.empty() ? fmt::format("did you mean `{}`?", near) : fmt::format("it assigns {}", fmt::join(known, ", ")));
    return false;
  }
  return true;
}

std::optional<std::vector<std::string>> choose(Session& session, const Sketch& sketch) {
  const ir::Function& main = sketch.module.main;
  const std::vector<std::string>& asked = session.options.outputs;
  if (!asked.empty()) return check_names(session, asked, main) ? std::optional(asked) : std::nullopt;
  std::vector<std::string> chosen;
  for (const ir::Output& output : main.outputs) {
    const bool fits = sketch.training.rows.empty() || sketch.training.counts_rows(main.type(output.value));
    if (output.kind == ir::Output::Kind::value && fits && sketch.is_there(output)) chosen.push_back(output.path);
  }
  if (!chosen.empty()) return chosen;
  session.diagnostics.error(Code::E0510, {}, "the script assigns no value with a row for each row of the data that has its inputs")
      .with_help("`--out NAME` says what to compute");
  return std::nullopt;
}

std::vector<std::string> numbered(const std::string& name, const runtime::Categories& classes) {
  std::vector<std::string> names;
  for (const std::string& each : classes) names.push_back(name + "_" + each);
  return names;
}

std::vector<Result> input_results(const Trained& trained) {
  const Script& script = trained.script;
  std::vector<Result> results;
  for (const ir::Parameter& parameter : script.module.main.parameters) {
    const Type& type = script.module.main.type(parameter.value);
    if (parameter.kind != ir::Parameter::Kind::input || !trained.training.counts_rows(type)) continue;
    const auto given = script.bindings.tensors.find(parameter.path);
    if (given == script.bindings.tensors.end()) continue;  // a default
    Result result{parameter.path, given->second, true, {}, {}};
    if (const auto codes = script.bindings.categories.find(parameter.path); codes != script.bindings.categories.end())
      if (codes->second.size() == 1 && is_integer(type.element)) result.codes = codes->second[0];
    if (const auto columns = script.bindings.columns.find(parameter.path); columns != script.bindings.columns.end()) {
      if (type.rank() == 1 && columns->second.size() == 1) result.name = columns->second[0];
      if (type.rank() == 2 && columns->second.size() == static_cast<std::size_t>(type.size(1))) result.last_axis = columns->second;
    }
    results.push_back(std::move(result));
  }
  return results;
}

// In the order of --out.
void sort_as_asked(std::vector<Result>& results, const std::vector<std::string>& asked) {
  const auto place = [&](const Result& result) { return std::ranges::find(asked, result.name) - asked.begin(); };
  if (!asked.empty()) std::ranges::stable_sort(results, {}, place);
}

void show(const Result& result, bool full) {
  const std::string indent(code_point_count(result.name) + 3, ' ');
  std::string text = runtime::tensor_text(result.tensor, full);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 1 + indent.size()) text.insert(at + 1, indent);
  print("{} = {}\n", result.name, text);
}

// Or says why not in the session.
void write(Session& session, const std::vector<Result>& results) {
  const std::string& file = session.options.output_file;
  const auto without_rows = std::ranges::find(results, false, &Result::has_rows);
  const bool are_rows = without_rows == results.end();
  if (file.empty() && std::ranges::none_of(results, &Result::has_rows)) {
    for (const Result& result : results) show(result, session.options.full);
    return;
  }
  if (!are_rows && !file.ends_with(".json") && !file.ends_with(".npy")) {
    session.diagnostics
        .error(Code::E0510, {}, fmt::format("`{}` has no row for each row of the data, and a table has nothing else", without_rows->name))
        .with_help("`-o FILE.json` holds values of every shape");
    return;
  }
  if (file.empty()) {
    put(csv_text(results));
    return;
  }
  if (file.ends_with(".npy") && results.size() != 1) {
    std::vector<std::string> names;
    for (const Result& result : results) names.push_back(result.name);
    session.diagnostics
        .error(Code::E0510, {}, fmt::format("a .npy file holds one array, and these are {}: {}", names.size(), fmt::join(names, ", ")))
        .with_help(fmt::format("`--out {}` chooses one", names.back()));
    return;
  }
  const std::string text = file.ends_with(".npy")    ? runtime::npy_text(results[0].tensor)
                           : file.ends_with(".json") ? json_text(results)
                                                     : csv_text(results);
  runtime::write_file(file, text, session.diagnostics);
}

}  // namespace

int predict_command(const Options& given) {
  const Options options = with_params(given);
  Session session(options);
  const std::string& file = options.output_file;
  if (!file.empty() && !file.ends_with(".csv") && !file.ends_with(".json") && !file.ends_with(".npy")) {
    session.diagnostics.error(Code::E0510, {}, fmt::format("`-o {}` names no .csv, .json or .npy file", file));
    return session.finish();
  }
  auto trained = lower_trained(session, frontend::Entry::predict, [&](const Sketch& sketch) { return choose(session, sketch); });
  if (!trained) return session.finish();
  std::vector<Result> results;
  for (const ir::Output& output : trained->script.module.main.outputs) {
    const OutputNames& names = trained->names.at(output.path);
    results.push_back({output.path,
                       {},
                       trained->training.counts_rows(trained->script.module.main.type(output.value)),
                       names.codes,
                       numbered(output.path, names.last_axis)});
  }
  std::vector<Result> inputs = options.with_inputs ? input_results(*trained) : std::vector<Result>{};
  auto outputs = run_trained(session, *trained);
  if (!outputs) return session.finish();
  for (std::size_t i = 0; i < results.size(); ++i) results[i].tensor = std::move((*outputs)[i]);
  sort_as_asked(results, options.outputs);
  results.insert(results.begin(), std::make_move_iterator(inputs.begin()), std::make_move_iterator(inputs.end()));
  write(session, results);
  return session.finish();
}

}  // namespace bpc::tool
