#include "tools/bpc/page.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "backend/llvm/wasm.h"
#include "backend/plan/plan.h"
#include "explain/phrases.h"
#include "explain/render.h"
#include "support/xml.h"
#include "tools/bpc/code_generator.h"
#include "tools/bpc/graphviz.h"
#include "tools/bpc/guard.h"

namespace bpc {
extern const char *const kPageHtml, *const kPageCss, *const kPageJs, *const kThemeCss;
}  // namespace bpc

namespace bpc::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = 16 << 20;      // of the numbers that a page works with
constexpr std::size_t kMostOps = 30'000;          // whose code is then about a megabyte
constexpr std::uint64_t kMostTurns = 10'000'000;  // of a loop, before a page takes it for endless

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t bits = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::string base64(const void* data, std::size_t bytes) {
  return base64(std::string_view(static_cast<const char*>(data), bytes));
}

std::size_t bytes_of(const Type& type) {
  return static_cast<std::size_t>(type.count()) * element_size(type.element);
}

// Why a run stops there, in the few words that a page has room for.
std::string stop_text(const backend::Site& site) {
  struct Words {
    std::string operator()(const backend::Elsewhere&) const { return "the loop takes too many turns"; }
    std::string operator()(const backend::Indexing&) const { return "an index is outside"; }
    std::string operator()(const backend::Assertion& assertion) const {
      return assertion.message.empty() ? "what is asserted does not hold" : assertion.message;
    }
    std::string operator()(const backend::Division&) const { return "an integer is divided by 0"; }
    std::string operator()(const backend::Factorization&) const { return "the matrix cannot be factorised"; }
    std::string operator()(const backend::PrintedLine&) const { return ""; }
  };
  return std::visit(Words(), site.what);
}

Json port(const runtime::Port& port) {
  return {{"path", port.name}, {"element", element_name(port.type.element)}, {"shape", port.type.sizes()}};
}

// The quantity that the parameter is, by the output that shows its value.
Json quantity_of(const ir::Function& function, ir::ValueId parameter) {
  static constexpr std::string_view kValues = "/values/", kValue = "/value";
  for (const ir::Output& output : function.outputs)
    if (output.value == parameter && output.path.starts_with(kValues) && output.path.ends_with(kValue))
      return std::stoull(output.path.substr(kValues.size()));
  return nullptr;
}

// The program of the numbers, compiled; or why it is not there.
Json live_json(Session& session, const explain::Live& live, const ir::Module& module, std::string& why_not) {
  why_not = live.why_not;
  std::size_t bytes = 0;
  for (const ir::Parameter& parameter : live.function.parameters) bytes += bytes_of(live.function.type(parameter.value));
  for (const ir::Output& output : live.function.outputs) bytes += bytes_of(live.function.type(output.value));
  if (bytes > kMostBytes) why_not = fmt::format("they take {} MiB, and a page works with {} at most", bytes >> 20, kMostBytes >> 20);
  if (live.function.op_count() > kMostOps)
    why_not = fmt::format("they take {} operations, and a page works with {} at most", live.function.op_count(), kMostOps);
  if (!why_not.empty()) return nullptr;

  session.begin("code of the page");
  ir::Module program{module.files, module.real, module.seed, live.function};
  if (!optimize(session, program)) return nullptr;
  backend::WasmModule wasm;
  try {
    wasm = code_generator().compile_to_wasm(program.main, std::max(session.options.optimization, 1));
  } catch (const backend::NoLinker& error) {
    end_with_error(Code::E0502, error.what(), "it is the package lld-19");
  }
  if (!wasm.missing.empty()) {
    why_not = fmt::format("a page has no {}", fmt::join(wasm.missing, ", "));
    return nullptr;
  }
  Json json{{"code", base64(wasm.code)},
            {"arena", wasm.arena_bytes},
            {"alignment", plan::kAlignment},
            {"most_turns", session.options.max_iterations ? std::min(session.options.max_iterations, kMostTurns) : kMostTurns}};
  Json inputs = Json::array(), outputs = Json::array(), constants = Json::array(), guards = Json::array(), sites = Json::array();
  for (std::size_t i = 0; i < wasm.signature.inputs.size(); ++i) {
    Json one = port(wasm.signature.inputs[i]);
    const ir::Parameter& parameter = live.function.parameters[i];
    if (parameter.path.find('#') == std::string::npos) {
      one["name"] = parameter.path;
      one["kind"] = parameter.kind == ir::Parameter::Kind::param ? "param" : "input";
      one["quantity"] = quantity_of(live.function, parameter.value);
    }
    one["data"] = base64(live.arguments[i].raw(), bytes_of(live.arguments[i].type()));
    inputs.push_back(std::move(one));
  }
  for (const runtime::Port& each : wasm.signature.outputs) outputs.push_back(port(each));
  for (const std::vector<std::byte>& constant : wasm.constants) constants.push_back(base64(constant.data(), constant.size()));
  for (const explain::Live::Guard& guard : live.guards) guards.push_back({{"line", guard.place.line}, {"value", guard.value}});
  for (const backend::Site& site : wasm.sites)
    sites.push_back({{"line", site.calls.empty() ? site.span.line : site.calls.back().line}, {"text", stop_text(site)}});
  json["inputs"] = std::move(inputs);
  json["outputs"] = std::move(outputs);
  json["constants"] = std::move(constants);
  json["guards"] = std::move(guards);
  json["sites"] = std::move(sites);
  return json;
}

constexpr const char* kTooLarge = "<p>It is too large to be drawn. What stands in a function of the script is one step of it.</p>";

// Without the lines that make it a document of its own.
std::string drawing(const std::string& svg) {
  const std::size_t start = svg.find("<svg");
  return start == std::string::npos ? svg : svg.substr(start);
}

}  // namespace

std::string filled(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& by) {
  std::string result;
  while (!text.empty()) {
    const std::size_t at = text.find('@');
    result += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    const auto found = std::find_if(by.begin(), by.end(), [&](const auto& each) { return text.starts_with(each.first); });
    result += found == by.end() ? "@" : found->second;
    text.remove_prefix(found == by.end() ? 1 : found->first.size());
  }
  return result;
}

std::string script_text(const Json& data) {
  std::string json = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (std::size_t at = 0; (at = json.find('<', at)) != std::string::npos;) json.replace(at, 1, "\\u003c");
  return json;
}

std::string page_of(Session& session, const Explained& explained, const ir::Module& module) {
  const explain::Explanation& e = explained.explanation;
  Json model = explain::to_json(e, session.sources);
  for (std::size_t i = 0; i < e.contributions.size(); ++i) {
    model["contributions"][i]["term"] = explain::term_text(e, e.contributions[i], explain::Symbols::text);
    if (e.contributions[i].factor) model["contributions"][i]["symbol"] = explain::factor_of(e.contributions[i], explain::Symbols::text);
  }
  for (std::size_t i = 0; i < e.quantities.size(); ++i) model["values"][i]["gradient_name"] = explain::derivative_name(e, i);
  const std::string& file = session.options.files.front();
  const std::string title = file == "-" ? "standard input" : std::filesystem::path(file).filename().string();
  Json page{{"title", title}, {"sources", Json::array()}};
  for (FileId id = 0; id < session.sources.size(); ++id)
    if (const SourceMap::File& source = session.sources.file(id); !source.is_prelude)
      page["sources"].push_back({{"path", source.path}, {"text", source.text}});
  if (e.cost) page["cost"] = explain::cost_text(e);
  std::string why_not;
  page["live"] = live_json(session, explained.live, module, why_not);
  if (!why_not.empty()) page["why_not"] = fmt::format("The numbers are those of one run and cannot be changed here: {}.", why_not);

  model["page"] = std::move(page);
  session.begin("draw");
  return filled(kPageHtml, {{"@title@", xml_text(title)},
                            {"@walk@", explain::walk_name(e)},
                            {"@theme@", kThemeCss},
                            {"@style@", kPageCss},
                            {"@graph@", e.quantities.size() > kMostDrawn ? kTooLarge : drawing(svg_of(explain::to_dot(e)))},
                            {"@model@", script_text(model)},
                            {"@script@", kPageJs}});
}

}  // namespace bpc::tool
