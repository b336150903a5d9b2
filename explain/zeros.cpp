#include "explain/zeros.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bpc::explain {

namespace {

constexpr std::size_t kMostCauses = 3, kDeepest = 8;

const Step& step_of(const Explanation& e, const Contribution& contribution) {
  return e.steps[e.visible[contribution.step]];
}

std::string line_of(const Step& step) {
  return step.place.valid() ? fmt::format(" (line {})", step.place.line) : "";
}

bool is_relu(const Step& step) {
  return step.function == "relu";
}

// The values that a formula multiplies, as factors or as parts of a power.
void collect_factors(const Formula& formula, std::vector<std::string>& names) {
  switch (formula.kind) {
    case Formula::Kind::name:
      names.push_back(formula.text);
      return;
    case Formula::Kind::negative:
    case Formula::Kind::product:
    case Formula::Kind::matmul:
    case Formula::Kind::transpose:
      for (const Formula& part : formula.parts) collect_factors(part, names);
      return;
    case Formula::Kind::quotient:
    case Formula::Kind::power:
      return collect_factors(formula.parts[0], names);
    case Formula::Kind::number:
    case Formula::Kind::sum:
    case Formula::Kind::call:
    case Formula::Kind::other:
      return;
  }
}

// Why a value is zero: by a relu that is off, by a factor that is zero, or because it was given so. Empty where nothing more is to say
// than that it is.
std::string why_value(const Explanation& e, QuantityId id, std::size_t depth) {
  const Quantity& quantity = e.quantities[id];
  if (quantity.kind == Quantity::Kind::param || quantity.kind == Quantity::Kind::input) return "as it was given";
  for (std::size_t visible : e.visible) {
    const Step& step = e.steps[visible];
    if (step.results != std::vector<QuantityId>{id} || step.kind != Step::Kind::operation) continue;
    if (is_relu(step) && step.inputs.size() == 1) {
      const runtime::Tensor& input = e.quantities[step.inputs[0]].value;
      const std::string& entering = e.quantities[step.inputs[0]].name;
      const std::string reason = is_scalar(input) ? fmt::format("{} = {} ≤ 0", entering, number_text(input.real_at(0)))
                                                  : fmt::format("nothing in {} is > 0", entering);
      return fmt::format("since relu is off: {}{}", reason, line_of(step));
    }
    std::vector<std::string> factors;
    if (step.formula) collect_factors(*step.formula, factors);
    for (QuantityId input = 0; input < e.quantities.size() && depth < kDeepest; ++input) {
      const bool is_factor = std::find(factors.begin(), factors.end(), e.quantities[input].name) != factors.end();
      if (!is_factor || input == id || !is_zero(e.quantities[input].value)) continue;
      const std::string why = why_value(e, input, depth + 1);
      return fmt::format("since {} = 0{}{}", e.quantities[input].name, line_of(step), why.empty() ? "" : ", " + why);
    }
  }
  return "";
}

// Of a step that reads one scalar: "100". Else empty.
std::string only_input(const Explanation& e, const Step& step) {
  const bool is_one = step.inputs.size() == 1 && step.given.empty() && is_scalar(e.quantities[step.inputs[0]].value);
  return is_one ? number_text(e.quantities[step.inputs[0]].value.real_at(0)) : "";
}

std::string cause_of(const Explanation& e, const Contribution& contribution) {
  const Step& step = step_of(e, contribution);
  const std::string& to = e.quantities[input_of(e, contribution)].name;
  if (!contribution.why.empty()) return contribution.why;
  const bool is_flat = contribution.part && contribution.part->is_number(0) && !contribution.factor;
  if (is_flat) return fmt::format("`{}` goes in steps, and is flat between them", step.expression);
  if (contribution.factor && contribution.factor->is(Formula::Kind::number)) return "the factor is 0";
  if (contribution.factor) {
    std::vector<std::string> factors;
    collect_factors(*contribution.factor, factors);
    for (const std::string& name : factors)
      for (QuantityId id = 0; id < e.quantities.size(); ++id) {
        if (e.quantities[id].name != name || !is_zero(e.quantities[id].value)) continue;
        const std::string why = why_value(e, id, 0);
        return fmt::format("{} = 0{}", name, why.empty() ? "" : ", " + why);
      }
  }
  if (!step.function.empty() && !contribution.notation.empty()) {
    const std::string at = only_input(e, step);
    if (!at.empty() && step.numbers.find(',') == std::string::npos) return fmt::format("{} is flat at {} = {}", step.function, to, at);
    return fmt::format("{} does not move with {}", step.numbers.empty() ? step.expression : step.numbers, to);
  }
  if (contribution.factor) return text_of(*contribution.factor) + " = 0";
  return "";
}

// "relu'(z1) = 0, since -3 ≤ 0 (line 7)"
std::string zero_reason(const Explanation& e, const Contribution& contribution) {
  const Step& step = step_of(e, contribution);
  const std::string &result = e.quantities[result_of(e, contribution)].name, &input = e.quantities[input_of(e, contribution)].name;
  const std::string cause = cause_of(e, contribution);
  const std::string partial = fmt::format("∂{}/∂{}", result, input);
  if (!contribution.why.empty() && !contribution.notation.empty())
    return fmt::format("{} = 0, since {}{}", contribution.notation, cause, line_of(step));
  const std::string factor = contribution.factor ? text_of(*contribution.factor) : "";
  if (contribution.factor && contribution.factor->is(Formula::Kind::number)) return fmt::format("{} = 0{}", partial, line_of(step));
  const bool is_named = contribution.factor && cause.find(" = 0") != std::string::npos && cause != factor + " = 0";
  if (is_named) return fmt::format("{} = {}{}, and {}", partial, factor, line_of(step), cause);
  if (!contribution.notation.empty())
    return fmt::format("{} = 0{}{}", contribution.notation, line_of(step), cause.empty() ? "" : ": " + cause);
  if (contribution.factor) return fmt::format("{} = {} = 0{}", partial, factor, line_of(step));
  if (!cause.empty()) return fmt::format("{}{}", cause, line_of(step));
  return fmt::format("nothing of what {} passes on reaches {}{}", e.quantities[contribution.from].name, e.quantities[contribution.to].name,
                     line_of(step));
}

bool arrives(const Explanation& e, const Contribution& contribution) {
  return contribution.from != kNoQuantity && e.quantities[contribution.from].derivative &&
         !is_zero(*e.quantities[contribution.from].derivative);
}

}  // namespace

std::string why_lost(const Explanation& e, const Contribution& contribution) {
  return arrives(e, contribution) && is_zero(contribution.value) ? cause_of(e, contribution) : "";
}

std::string why_zero(const Explanation& e, QuantityId x) {
  std::set<QuantityId> seen{x};
  std::vector<QuantityId> open{x};
  std::vector<std::string> causes;
  const auto say = [&](std::string cause) {
    if (std::find(causes.begin(), causes.end(), cause) == causes.end()) causes.push_back(std::move(cause));
  };
  while (!open.empty()) {
    const QuantityId at = open.back();
    open.pop_back();
    const std::vector<std::size_t> parts = contributions_to(e, at);
    if (std::any_of(parts.begin(), parts.end(), [&](std::size_t each) { return !is_zero(e.contributions[each].value); })) {
      say(fmt::format("the parts of {} add up to 0", derivative_name(e, at)));
      continue;
    }
    for (std::size_t each : parts) {
      const Contribution& contribution = e.contributions[each];
      if (arrives(e, contribution) && is_zero(contribution.value))
        say(zero_reason(e, contribution));
      else if (contribution.from != kNoQuantity && seen.insert(contribution.from).second)
        open.push_back(contribution.from);
    }
  }
  if (causes.empty()) return "every way from " + (is_forward(e) ? e.quantities[e.xs[0]].name + " to it" : "it to " + e.y) + " is flat";
  const bool is_much = causes.size() > kMostCauses;
  if (is_much) causes.resize(kMostCauses);
  return fmt::format("{}{}", fmt::join(causes, "; "), is_much ? "; …" : "");
}

std::string why_stuck(const Explanation& e, std::size_t visible, double element) {
  const Step& step = e.steps[e.visible[visible]];
  if (step.function.empty())
    return fmt::format("`{}` does not move with it{}: it reads other elements, or multiplies this one by 0", step.expression,
                       line_of(step));
  const bool has_step = std::any_of(e.contributions.begin(), e.contributions.end(),
                                    [&](const Contribution& each) { return each.step == visible && !each.why.empty(); });
  const std::string why = has_step ? fmt::format(": {} ≤ 0", number_text(element)) : "";
  return fmt::format("{} lets nothing of it through{}{}", step.function, why, line_of(step));
}

}  // namespace bpc::explain
