// `bpc run`: what the script prints; or, if it prints nothing, its values and the gradients of its loss.
#include <nlohmann/json.hpp>

#include "runtime/io/json_value.h"
#include "runtime/number_text.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

namespace {

// `W = [[1, 2],` with later rows under the first.
void show(const std::string& name, const runtime::Tensor& tensor, bool full) {
  const std::string indent(code_point_count(name) + 3, ' ');
  const std::string text = runtime::tensor_text(tensor, full);
  std::string_view rows = text;
  print("{} = ", name);
  for (std::size_t end = 0; (end = rows.find('\n')) != std::string_view::npos; rows.remove_prefix(end + 1))
    print("{}\n{}", rows.substr(0, end), indent);
  print("{}\n", rows);
}

void show(const ScriptResult& result, const std::string& loss, bool full) {
  for (const RunValue& value : result.values) show(value.path, value.tensor, full);
  if (!result.gradients.empty()) put("\n");
  for (const RunValue& gradient : result.gradients) show(fmt::format("d{}/d{}", loss, gradient.path), gradient.tensor, full);
}

int run_json(Session& session, Script script) {
  std::vector<std::string> lines;
  auto options = run_options(session.options, [&](std::string_view line) { lines.emplace_back(line); });
  std::optional<ScriptResult> result = run_script(session, std::move(script), {}, options);
  if (!result) return session.finish();
  auto object = [](const std::vector<RunValue>& values) {
    std::string text;
    for (const RunValue& value : values)
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", nlohmann::json(value.path).dump(), runtime::json_text(value.tensor));
    return "{" + text + "}";
  };
  print("{{\"values\": {}, \"grads\": {}, \"prints\": {}}}\n", object(result->values), object(result->gradients),
        nlohmann::json(lines).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return session.finish();
}

}  // namespace

int run_command(const Options& options) {
  Session session(options);
  std::optional<Script> script = lower_script(session, options.files.front(), DataNeed::values);
  if (!script) return session.finish();
  if (options.json) return run_json(session, std::move(*script));
  const ir::Function& main = script->module.main;
  bool prints = has_print(main);
  std::string loss = main.loss;
  auto print_line = [](std::string_view line) {
    put(line);
    put("\n");
  };
  std::optional<ScriptResult> result =
      run_script(session, std::move(*script), {!prints, !prints || options.grads}, run_options(options, print_line));
  if (result) show(*result, loss, options.full);
  return session.finish();
}

}  // namespace bpc::tool
