// The explanation for programs: what the page reads.
#include <cmath>
#include <nlohmann/json.hpp>

#include "explain/formula.h"
#include "explain/phrases.h"
#include "explain/render.h"
#include "runtime/number_text.h"

namespace bpc::explain {

namespace {

using Json = nlohmann::ordered_json;
using runtime::Tensor;

constexpr std::int64_t kMostElements = 4096;  // of a tensor, whose numbers are then all there

Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

// A number as `bpc run --json` writes it: the shortest decimal of its type.
Json element(const Tensor& tensor, std::int64_t at) {
  const double value = tensor.real_at(at);
  if (!std::isfinite(value) || !is_real(tensor.type().element))
    return is_real(tensor.type().element) ? number(value) : Json(tensor.int_at(at));
  return std::stod(runtime::element_text(tensor, at));
}

Json nested(const Tensor& tensor, std::size_t axis, std::int64_t& at) {
  if (axis == tensor.type().rank()) return element(tensor, at++);
  Json list = Json::array();
  for (std::int64_t i = 0; i < tensor.type().size(axis); ++i) list.push_back(nested(tensor, axis + 1, at));
  return list;
}

Json value(const Tensor& tensor) {
  if (tensor.raw() == nullptr && tensor.type().rank() == 0) return nullptr;  // not known
  std::int64_t at = 0;
  if (tensor.count() <= kMostElements) return nested(tensor, 0, at);
  double low = INFINITY, high = -INFINITY;
  for (std::int64_t i = 0; i < tensor.count(); ++i) low = std::min(low, tensor.real_at(i)), high = std::max(high, tensor.real_at(i));
  return {{"norm", number(norm_of(tensor))}, {"min", number(low)}, {"max", number(high)}};
}

Json place(const Span& span, const SourceMap& sources) {
  if (!span.valid() || span.file >= sources.size()) return nullptr;
  return {{"file", sources.file(span.file).path},
          {"line", span.line},
          {"column", span.column},
          {"end_line", span.end_line},
          {"end_column", span.end_column}};
}

const char* kind_name(Quantity::Kind kind) {
  switch (kind) {
    case Quantity::Kind::input:
      return "input";
    case Quantity::Kind::param:
      return "param";
    case Quantity::Kind::given:
      return "given";
    case Quantity::Kind::computed:
      return "computed";
  }
  return "";
}

const char* kind_name(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::operation:
      return "operation";
    case Step::Kind::statement:
      return "statement";
    case Step::Kind::call:
      return "call";
    case Step::Kind::loop:
      return "loop";
    case Step::Kind::turns:
      return "turns";
    case Step::Kind::derivative:
      return "derivative";
  }
  return "";
}

Json formula(const std::optional<Formula>& formula) {
  if (!formula) return nullptr;
  return {{"text", text_of(*formula)}, {"latex", latex_of(*formula)}};
}

}  // namespace

Json to_json(const Explanation& e, const SourceMap& sources) {
  const auto id = [](QuantityId quantity) { return quantity == kNoQuantity ? Json() : Json(quantity); };
  Json json{{"version", 1}, {"of", id(e.of)}, {"by", e.xs}, {"along", id(e.along)}};
  Json& quantities = json["values"] = Json::array();
  for (const Quantity& quantity : e.quantities) {
    Json one{{"name", quantity.name}, {"kind", kind_name(quantity.kind)}, {"place", place(quantity.place, sources)}};
    one["shape"] = quantity.value.type().sizes();
    one["value"] = value(quantity.value);
    one["gradient"] = quantity.derivative ? value(*quantity.derivative) : Json();
    if (quantity.turn) one["turn"] = *quantity.turn;
    quantities.push_back(std::move(one));
  }
  Json& steps = json["steps"] = Json::array();
  for (std::size_t i = 0; i < e.steps.size(); ++i) {
    const Step& step = e.steps[i];
    Json one{{"kind", kind_name(step.kind)},
             {"place", place(step.place, sources)},
             {"expression", step.expression},
             {"text", step_text(e, step)}};
    if (!step.function.empty()) one["function"] = step.function;
    if (!step.numbers.empty()) one["numbers"] = step.numbers;
    if (!step.numbered.empty()) {
      one["numbered"] = step.numbered;
      Json& read = one["read"] = Json::array();
      for (const Tensor& number : step.read) read.push_back(value(number));
    }
    one["formula"] = formula(step.formula);
    one["results"] = step.results;
    one["inputs"] = step.inputs;
    one["given"] = step.given;
    one["parent"] = step.parent == SIZE_MAX ? Json() : Json(step.parent);
    one["shown"] = std::find(e.visible.begin(), e.visible.end(), i) != e.visible.end();
    if (step.kind == Step::Kind::turns) one["turns"] = {step.first_turn, step.last_turn};
    steps.push_back(std::move(one));
  }
  Json& contributions = json["contributions"] = Json::array();
  for (const Contribution& each : e.contributions) {
    Json one{{"step", e.visible[each.step]},
             {"from", id(each.from)},
             {"to", id(each.to)},
             {"part", formula(each.part)},
             {"factor", formula(each.factor)}};
    if (!each.notation.empty()) one["notation"] = each.notation;
    if (!each.why.empty()) one["why"] = each.why;
    one["factor_value"] = each.factor ? value(each.factor_value) : Json();
    one["value"] = value(each.value);
    contributions.push_back(std::move(one));
  }
  json["backward"] = shown(e, "").walk;
  Json& chains = json["chains"] = Json::array();
  for (const Chain& chain : e.chains) {
    Json one{{"of", chain.of}, {"paths", chain.paths}};
    if (!chain.why_zero.empty()) one["why_zero"] = chain.why_zero;
    if (chain.check)
      one["check"] = {{"of", chain.check->name},
                      {"step", chain.check->step},
                      {"predicted", number(chain.check->predicted)},
                      {"measured", number(chain.check->measured)}};
    chains.push_back(std::move(one));
  }
  Json& loops = json["loops"] = Json::array();
  for (const LoopSummary& loop : e.loops) {
    Json one{{"step", loop.step == SIZE_MAX ? Json() : Json(loop.step)}, {"turns", loop.turns}, {"values", Json::array()}};
    for (const History& history : loop.histories) {
      Json sizes = Json::array(), derivatives = Json::array();
      for (double size : history.values) sizes.push_back(number(size));
      for (double size : history.derivatives) derivatives.push_back(number(size));
      one["values"].push_back({{"name", history.name},
                               {"norm", !history.is_scalar},
                               {"sizes", sizes},
                               {"gradients", derivatives},
                               {"one_walk", history.is_one_walk},
                               {"trend", trend_text(e, history)}});
    }
    loops.push_back(std::move(one));
  }
  Json& branches = json["branches"] = Json::array();
  for (const Decision& decision : e.decisions) {
    branches.push_back({{"place", place(decision.place, sources)},
                        {"condition", decision.condition},
                        {"numbers", decision.numbers},
                        {"taken", decision.taken},
                        {"turn", decision.turn ? Json(*decision.turn) : Json()}});
    if (decision.each.count() == 0) continue;
    branches.back()["taken"] = nullptr;
    branches.back()["shape"] = decision.each.type().sizes();
    branches.back()["each"] = value(decision.each);
  }
  if (!e.element.empty()) {
    Json& way = json["element"] = Json::array();
    for (const ElementStep& step : e.element) {
      Json one{{"element", step.element},
               {"value", number(step.value)},
               {"gradient", number(step.cotangent)},
               {"terms", Json::array()},
               {"more", step.more}};
      for (const ElementTerm& term : step.terms)
        one["terms"].push_back({{"element", term.element}, {"local", number(term.local)}, {"gradient", number(term.cotangent)}});
      way.push_back(std::move(one));
    }
  }
  if (e.cost)
    json["cost"] = {{"forward", e.cost->forward},
                    {"with_gradients", e.cost->both},
                    {"parameters", e.cost->params},
                    {"bumping", 2 * e.cost->params * e.cost->forward}};
  json["other_derivatives"] = e.others;
  return json;
}

}  // namespace bpc::explain
