#include "explain/phrases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "explain/zeros.h"

namespace bpc::explain {

using runtime::Tensor;

namespace {

constexpr std::size_t kLongestPart = 56, kMostTerms = 4;
constexpr std::int64_t kStrip = 12;
constexpr double kRounding = 1e-13;  // a change that is no more than this is none

const Quantity& of(const Explanation& e, QuantityId id) {
  return e.quantities[id];
}

std::string name_in(const std::string& name, Symbols symbols) {
  return symbols == Symbols::text ? name : latex_name(name);
}
std::string formula_in(const Formula& formula, Symbols symbols) {
  return symbols == Symbols::text ? text_of(formula) : latex_of(formula);
}
std::string times(Symbols symbols) {
  return symbols == Symbols::text ? " · " : " \\cdot ";
}

// relu'(z1) as LaTeX.
std::string notation_in(const std::string& notation, Symbols symbols) {
  if (symbols == Symbols::text) return notation;
  const std::size_t bracket = notation.find("'(");
  const auto function = [](std::string name) {
    for (std::size_t at = 0; (at = name.find('_', at)) != std::string::npos; at += 2) name.insert(at, "\\");
    return fmt::format("\\operatorname{{{}}}", name);
  };
  if (bracket != std::string::npos)
    return fmt::format("{}'\\left({}\\right)", function(notation.substr(0, bracket)),
                       latex_name(notation.substr(bracket + 2, notation.size() - bracket - 3)));
  const std::string sign = "∂";
  const std::size_t slash = notation.find("/" + sign);
  if (slash == std::string::npos) return notation;
  return fmt::format("\\frac{{\\partial {}}}{{\\partial {}}}", function(notation.substr(sign.size(), slash - sign.size())),
                     latex_name(notation.substr(slash + 1 + sign.size())));
}

// A number as a factor or a term.
std::string bracketed(double number, Symbols symbols) {
  const std::string text = symbols == Symbols::text ? number_text(number) : latex_of(Formula::number(number));
  return number < 0 ? fmt::format("({})", text) : text;
}

}  // namespace

std::string factor_of(const Contribution& contribution, Symbols symbols) {
  if (!contribution.notation.empty()) return notation_in(contribution.notation, symbols);
  return symbols == Symbols::text ? factor_text(*contribution.factor) : latex_factor(*contribution.factor);
}

namespace {

std::string partial(const Explanation& e, const Contribution& contribution, Symbols symbols) {
  const auto within = [](const std::string& name) { return name.find('/') == std::string::npos ? name : fmt::format("({})", name); };
  const std::string result = within(of(e, result_of(e, contribution)).name), input = within(of(e, input_of(e, contribution)).name);
  if (symbols == Symbols::latex) return fmt::format("\\frac{{\\partial {}}}{{\\partial {}}}", latex_name(result), latex_name(input));
  return fmt::format("∂{}/∂{}", result, input);
}

std::string derivative_in(const Explanation& e, QuantityId id, Symbols symbols) {
  return name_in(derivative_name(e, id), symbols);
}

// What stands for a part that no formula says.
std::string through(const Explanation& e, const Contribution& contribution, Symbols symbols) {
  const Step& step = e.steps[e.visible[contribution.step]];
  std::string what = step.function;
  if (step.kind == Step::Kind::turns)
    what = step.first_turn == step.last_turn ? fmt::format("turn {}", step.first_turn)
                                             : fmt::format("turns {}…{}", step.first_turn, step.last_turn);
  if (step.kind == Step::Kind::loop) what = "the loop";
  if (what.empty()) what = "line " + std::to_string(step.place.line);
  if (symbols == Symbols::latex) {
    for (std::size_t at = 0; (at = what.find('_', at)) != std::string::npos; at += 2) what.insert(at, "\\");
    return contribution.from == kNoQuantity ? fmt::format("\\text{{through {}}}", what)
                                            : fmt::format("{} \\text{{ through {}}}", derivative_in(e, contribution.from, symbols), what);
  }
  return contribution.from == kNoQuantity ? fmt::format("[{}]", what)
                                          : fmt::format("{} [{}]", derivative_in(e, contribution.from, symbols), what);
}

}  // namespace

std::string term_text(const Explanation& e, const Contribution& contribution, Symbols symbols) {
  if (contribution.from == kNoQuantity) return through(e, contribution, symbols);
  const bool is_product = contribution.factor || !contribution.notation.empty();
  if (is_product && (contribution.factor || !contribution.part || width_of(text_of(*contribution.part)) > kLongestPart))
    return derivative_in(e, contribution.from, symbols) + times(symbols) + factor_of(contribution, symbols);
  if (contribution.part && width_of(text_of(*contribution.part)) <= kLongestPart) return formula_in(*contribution.part, symbols);
  return through(e, contribution, symbols);
}

namespace {

std::string term_numbers(const Explanation& e, const Contribution& contribution, Symbols symbols) {
  if (contribution.from == kNoQuantity || !contribution.factor || !is_scalar(contribution.factor_value) ||
      !of(e, contribution.from).derivative || !is_scalar(*of(e, contribution.from).derivative))
    return bracketed(contribution.value.real_at(0), symbols);
  return bracketed(of(e, contribution.from).derivative->real_at(0), symbols) + times(symbols) +
         bracketed(contribution.factor_value.real_at(0), symbols);
}

std::string joined(const std::vector<std::string>& texts, const char* between) {
  return fmt::format("{}", fmt::join(texts, between));
}

// Terms, of which some may be negative.
std::string sum_of(const std::vector<std::string>& terms, Symbols symbols) {
  const char* minus = symbols == Symbols::text ? " − " : " - ";
  std::string text;
  for (const std::string& term : terms) {
    const bool is_negative = !text.empty() && term.starts_with('-');
    text += text.empty() ? term : is_negative ? minus + term.substr(1) : " + " + term;
  }
  return text;
}

}  // namespace

// ---- what is shown ----

namespace {

// The values on the way from some to where their derivatives come from.
std::set<QuantityId> on_way_of(const Explanation& e, QuantityId of,
                               const std::function<const std::vector<QuantityId>&(const Step&)>& next) {
  std::set<QuantityId> on_way;
  std::vector<QuantityId> open{of};
  while (!open.empty()) {
    const QuantityId at = open.back();
    open.pop_back();
    if (!on_way.insert(at).second) continue;
    for (std::size_t each : contributions_to(e, at)) {
      const std::vector<QuantityId>& more = next(e.steps[e.visible[e.contributions[each].step]]);
      open.insert(open.end(), more.begin(), more.end());
    }
  }
  return on_way;
}

// Forward mode has one way.
Shown shown_forward(const Explanation& e) {
  Shown result;
  const std::set<QuantityId> on_way = on_way_of(e, e.of, [](const Step& step) -> const std::vector<QuantityId>& { return step.inputs; });
  for (std::size_t i = 0; i < e.chains.size(); ++i) result.chains.push_back(i);
  result.walk = e.xs;
  for (std::size_t i = 0; i < e.visible.size(); ++i) {
    result.steps.push_back(i);
    for (QuantityId id : e.steps[e.visible[i]].results)
      if (on_way.contains(id) && std::ranges::find(result.walk, id) == result.walk.end()) result.walk.push_back(id);
  }
  return result;
}

}  // namespace

Shown shown(const Explanation& e, const std::string& only) {
  if (is_forward(e)) return shown_forward(e);
  Shown result;
  std::set<QuantityId> on_way;
  for (std::size_t i = 0; i < e.chains.size(); ++i) {
    if (!only.empty() && of(e, e.chains[i].of).name != only) continue;
    result.chains.push_back(i);
    on_way.merge(on_way_of(e, e.chains[i].of, [](const Step& step) -> const std::vector<QuantityId>& { return step.results; }));
  }
  std::vector<QuantityId> order;
  for (std::size_t i = 0; i < e.visible.size(); ++i) {
    const Step& step = e.steps[e.visible[i]];
    const bool is_on_way =
        only.empty() || std::any_of(step.results.begin(), step.results.end(), [&](QuantityId id) { return on_way.contains(id); });
    if (!is_on_way) continue;
    result.steps.push_back(i);
    for (QuantityId id : step.results)
      if (id != e.of && on_way.contains(id)) order.push_back(id);
  }
  // The walk goes back over the steps; what enters a step and comes from none follows the step that read it first.
  const std::set<QuantityId> made(order.begin(), order.end());
  std::set<QuantityId> listed;
  for (std::size_t i = result.steps.size(); i-- > 0;) {
    const Step& step = e.steps[e.visible[result.steps[i]]];
    for (std::size_t k = step.results.size(); k-- > 0;)
      if (made.contains(step.results[k]) && listed.insert(step.results[k]).second) result.walk.push_back(step.results[k]);
    for (QuantityId id : step.inputs) {
      const bool is_last =
          std::none_of(result.steps.begin(), result.steps.begin() + static_cast<std::ptrdiff_t>(i), [&](std::size_t other) {
            const std::vector<QuantityId>& inputs = e.steps[e.visible[other]].inputs;
            return std::find(inputs.begin(), inputs.end(), id) != inputs.end();
          });
      if (is_last && !made.contains(id) && id != e.of && on_way.contains(id) && listed.insert(id).second) result.walk.push_back(id);
    }
  }
  return result;
}

std::string step_text(const Explanation& e, const Step& step) {
  std::vector<std::string> names;
  for (QuantityId id : step.results) names.push_back(of(e, id).name);
  const std::string results = names.empty() ? "" : joined(names, ", ") + " = ";
  switch (step.kind) {
    case Step::Kind::operation:
    case Step::Kind::statement:
    case Step::Kind::call:
      return results + step.expression;
    case Step::Kind::loop:
      return results + step.expression;
    case Step::Kind::turns:
      if (step.first_turn == step.last_turn) return fmt::format("{}turn {} of {}", results, step.first_turn, step.expression);
      return fmt::format("{}turns {}…{} of {}", results, step.first_turn, step.last_turn, step.expression);
    case Step::Kind::derivative:
      return results + step.expression;
  }
  return {};
}

std::vector<LocalText> local_texts(const Explanation& e, std::size_t visible, Symbols symbols) {
  std::vector<LocalText> texts;
  const Step& step = e.steps[e.visible[visible]];
  for (QuantityId input : step.inputs) {
    std::vector<const Contribution*> uses;
    for (const Contribution& each : e.contributions)
      if (each.step == visible && each.from != kNoQuantity && input_of(e, each) == input) uses.push_back(&each);
    if (uses.empty() || step.kind != Step::Kind::operation) continue;
    const bool has_factors = std::all_of(uses.begin(), uses.end(), [](const Contribution* use) { return use->factor.has_value(); });
    LocalText local{partial(e, *uses[0], symbols), uses[0]->why};
    const bool is_long = std::any_of(uses.begin(), uses.end(),
                                     [](const Contribution* use) { return use->factor && width_of(text_of(*use->factor)) > kLongestPart; });
    if (is_long) {
      if (uses.size() > 1 || uses[0]->notation.empty()) continue;
      local.text += " = " + notation_in(uses[0]->notation, symbols);
    } else if (has_factors) {
      std::vector<std::string> formulas;
      double sum = 0;
      bool is_number = true, is_in_numbers = true;
      for (const Contribution* use : uses) {
        const bool is_negative = use->factor->is(Formula::Kind::negative) && use->factor->parts[0].is(Formula::Kind::number);
        const bool is_literal = use->factor->is(Formula::Kind::number) || is_negative;
        formulas.push_back(formula_in(*use->factor, symbols));
        is_number = is_number && is_literal && uses.size() == 1;
        is_in_numbers = is_in_numbers && is_scalar(use->factor_value);
        if (is_scalar(use->factor_value)) sum += use->factor_value.real_at(0);
      }
      const std::string number = symbols == Symbols::text ? number_text(sum) : latex_of(Formula::number(sum));
      const bool is_decided = !local.why.empty() && is_in_numbers;
      if (!is_decided) local.text += " = " + sum_of(formulas, symbols);
      if (is_in_numbers && !is_number) local.text += " = " + number;
    } else if (uses.size() == 1 && uses[0]->part && width_of(text_of(*uses[0]->part)) <= kLongestPart) {
      const std::string arriving = derivative_name(e, uses[0]->from);
      std::string formula = formula_in(*uses[0]->part, symbols);
      const std::string written = name_in(arriving, symbols), dots = symbols == Symbols::text ? "…" : "\\dots ";
      for (const std::string& each : {written, arriving})  // a text that is no formula names it as it is
        for (std::size_t at = 0; (at = formula.find(each, at)) != std::string::npos; at += dots.size())
          formula.replace(at, each.size(), dots);
      local.text += (symbols == Symbols::text ? ": " : ":\\ ") + formula;
    } else {
      continue;
    }
    texts.push_back(std::move(local));
  }
  return texts;
}

std::string walk_name(const Explanation& e) {
  return is_forward(e) ? "Forward mode" : "Backward";
}

WalkText walk_text(const Explanation& e, QuantityId quantity, Symbols symbols, Detail detail) {
  WalkText text{derivative_in(e, quantity, symbols), "", "", "", ""};
  const std::vector<std::size_t> parts = contributions_to(e, quantity);
  std::vector<std::string> symbolic, numbers;
  const bool is_in_numbers = is_scalar(of(e, quantity).value);
  for (std::size_t i = 0; i < std::min(parts.size(), kMostTerms); ++i) {
    const Contribution& each = e.contributions[parts[i]];
    symbolic.push_back(term_text(e, each, symbols));
    if (is_in_numbers) numbers.push_back(term_numbers(e, each, symbols));
    const bool is_zero_in_all = !of(e, quantity).derivative || is_zero(*of(e, quantity).derivative);
    if (const std::string why = is_zero_in_all ? why_lost(e, each) : ""; !why.empty()) text.why = why;
  }
  if (parts.size() > kMostTerms) {
    symbolic.push_back(symbols == Symbols::text ? "…" : "\\dots");
    if (is_in_numbers) numbers.push_back(symbolic.back());
  }
  const bool is_start = is_forward(e) && quantity == e.xs[0];
  if (parts.empty()) symbolic.push_back(is_start ? name_in(of(e, e.along).name, symbols) : "0");
  text.symbolic = joined(symbolic, " + ");
  text.numbers = joined(numbers, " + ");
  const Tensor value = of(e, quantity).derivative.value_or(Tensor::zeros(of(e, quantity).value.type()));
  text.result = symbols == Symbols::latex && is_scalar(value) ? latex_of(Formula::number(value.real_at(0))) : value_text(value, detail);
  if (text.numbers == text.result || text.numbers == fmt::format("({})", text.result) || parts.empty()) text.numbers.clear();
  return text;
}

namespace {

// All places where the step of a contribution reads the same value.
std::vector<std::size_t> uses_of(const Explanation& e, std::size_t contribution) {
  std::vector<std::size_t> uses;
  const Contribution& one = e.contributions[contribution];
  for (std::size_t i = 0; i < e.contributions.size(); ++i)
    if (e.contributions[i].step == one.step && input_of(e, e.contributions[i]) == input_of(e, one)) uses.push_back(i);
  return uses;
}

}  // namespace

std::string equation(const std::string& of, const std::vector<std::string>& sides) {
  std::string text = of;
  for (const std::string& side : sides) text += side.empty() ? "" : " = " + side;
  return text;
}

std::optional<ChainText> chain_text(const Explanation& e, const Chain& chain, Symbols symbols) {
  if (chain.paths.empty()) return std::nullopt;
  std::vector<std::string> symbolic, numbers;
  for (const std::vector<std::size_t>& path : chain.paths) {
    std::vector<std::string> factors, values;
    for (std::size_t each : path) {
      const std::vector<std::size_t> uses = uses_of(e, each);
      std::vector<std::string> summands;
      double sum = 0;
      for (std::size_t use : uses) {
        summands.push_back(factor_of(e.contributions[use], symbols));
        sum += e.contributions[use].factor_value.real_at(0);
      }
      if (uses.size() == 1 && e.contributions[each].notation.empty() && e.contributions[each].factor->is_number(1)) continue;
      factors.push_back(uses.size() == 1 ? summands[0] : fmt::format("({})", joined(summands, " + ")));
      values.push_back(bracketed(sum, symbols));
    }
    if (is_forward(e)) {
      factors.push_back(derivative_in(e, e.xs[0], symbols));
      values.push_back(bracketed(of(e, e.along).value.real_at(0), symbols));
    }
    if (factors.empty()) factors.push_back("1"), values.push_back("1");
    symbolic.push_back(joined(factors, times(symbols).c_str()));
    numbers.push_back(joined(values, times(symbols).c_str()));
  }
  const Quantity& x = of(e, chain.of);
  const double gradient = x.derivative ? x.derivative->real_at(0) : 0;
  ChainText text{joined(symbolic, " + "), joined(numbers, " + "),
                 symbols == Symbols::text ? number_text(gradient) : latex_of(Formula::number(gradient))};
  if (text.numbers == text.result || text.numbers == fmt::format("({})", text.result)) text.numbers.clear();
  if (text.symbolic == text.result) text.symbolic.clear();
  return text;
}

// ---- sentences ----

std::string check_text(const Explanation& e, const FiniteCheck& check) {
  const auto moved = [](double by) { return fmt::format("{} by about {:.2g}", by < 0 ? "falls" : "rises", std::fabs(by)); };
  const std::string raise = fmt::format("Raise {} by {} and {} ", check.name, number_text(check.step), e.y);
  // The two sides of a smooth function differ by no more than its curve does over the step.
  const double sides = std::fabs(check.measured + check.lowered), size = std::max(std::fabs(check.measured), std::fabs(check.lowered));
  const double off = std::fabs(check.measured - check.predicted);
  const bool is_even = std::isfinite(sides) && std::fabs(check.measured - check.lowered) < 0.5 * size && check.measured * check.lowered > 0;
  if (check.predicted == 0 && is_even && size > kRounding)
    return raise + fmt::format("{} by {:.2g}, and about as much when it is lowered: the {} of a curve, or a corner.",
                               check.measured < 0 ? "falls" : "rises", std::fabs(check.measured), check.measured < 0 ? "top" : "bottom");
  if (std::isfinite(sides) && sides > 0.1 * size && off > 0.1 * size && size > kRounding)
    return raise + fmt::format("changes by {:.5g}, lower it and it changes by {:.5g}: there is a corner within this step, or much curve.",
                               check.measured, check.lowered);
  if (check.predicted == 0)
    return raise + fmt::format("stays as it is; it changes by {:.5g}.", std::fabs(check.measured) < kRounding ? 0.0 : check.measured);
  const double share = check.measured / check.predicted;
  const bool agrees = share > 0.5 && share < 2;
  return raise + fmt::format("{}; {}: {:.5g}.", moved(check.predicted), agrees ? "it does" : "in fact it changes by",
                             agrees ? std::fabs(check.measured) : check.measured);
}

std::string cost_text(const Explanation& e) {
  const Cost& cost = *e.cost;
  const auto operations = [](std::uint64_t n) { return fmt::format("{} operation{}", n, n == 1 ? "" : "s"); };
  const std::string ratio =
      cost.forward == 0 ? "" : fmt::format(" ({:.1f} ×)", static_cast<double>(cost.both) / static_cast<double>(cost.forward));
  return fmt::format("forward {}, with {} {}{}; by bumping each parameter: {} forward passes, {}.", operations(cost.forward),
                     cost.params == 1 ? "the gradient" : fmt::format("all {} gradients", cost.params), cost.both, ratio, 2 * cost.params,
                     operations(2 * cost.params * cost.forward));
}

std::string decision_text(const Decision& decision) {
  const std::string turn = decision.turn ? fmt::format("turn {}, ", *decision.turn) : "";
  const std::string numbers =
      decision.numbers.empty() || decision.numbers == decision.condition ? "" : fmt::format(": {}", decision.numbers);
  if (decision.each.count() == 0)
    return fmt::format("{}`if {}` is {}{}", turn, decision.condition, decision.taken ? "true" : "false", numbers);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < decision.each.count(); ++i) count += decision.each.int_at(i);
  return fmt::format("{}`if {}` is true for {} of {}", turn, decision.condition, count, decision.each.count());
}

std::string trend_text(const Explanation& e, const History& history) {
  if (history.derivatives.size() < 3 || !history.is_one_walk) return "";
  constexpr double kMuch = 100;
  double first = std::fabs(history.derivatives.front()), last = std::fabs(history.derivatives.back());
  const std::string way = is_forward(e) ? "on the way" : "on the way back", end = is_forward(e) ? "last" : "first";
  if (is_forward(e)) std::swap(first, last);  // the last turn is where the walk ends
  if (first == 0 && last == 0) return "";
  if (first * kMuch < last)
    return first == 0 ? "vanishes " + way : fmt::format("vanishes {}: {:.2g} × smaller at the {} turn", way, last / first, end);
  if (first > last * kMuch) return last == 0 ? "" : fmt::format("explodes {}: {:.2g} × larger at the {} turn", way, first / last, end);
  return "";
}

std::string strip_text(const std::vector<double>& sizes) {
  static const char* const kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double largest = 0;
  for (double size : sizes) largest = std::max(largest, std::isfinite(size) ? std::fabs(size) : 0);
  std::string text;
  for (double size : sizes) {
    if (!std::isfinite(size)) {
      text += "!";
    } else if (size == 0) {
      text += "·";
    } else {
      text += kBlocks[std::min(7, static_cast<int>(std::fabs(size) / largest * 8))];
    }
  }
  return text;
}

std::string value_text(const Tensor& tensor, Detail detail) {
  if (is_scalar(tensor)) return number_text(tensor.real_at(0));
  if (tensor.count() == 0) return shape_text(Type::of_sizes(Element::f32, tensor.type().sizes()).dims) + " empty";
  double low = INFINITY, high = -INFINITY;
  bool has_nan = false;
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    has_nan = has_nan || std::isnan(tensor.real_at(i));
    if (std::isnan(tensor.real_at(i))) continue;
    low = std::min(low, tensor.real_at(i)), high = std::max(high, tensor.real_at(i));
  }
  const std::int64_t cells = std::min<std::int64_t>(tensor.count(), detail == Detail::brief ? kStrip / 2 : kStrip);
  std::vector<double> sizes;
  for (std::int64_t cell = 0; cell < cells; ++cell) {
    double sum = 0;
    const std::int64_t from = cell * tensor.count() / cells, to = (cell + 1) * tensor.count() / cells;
    for (std::int64_t i = from; i < to; ++i) sum += std::fabs(tensor.real_at(i));
    sizes.push_back(sum / static_cast<double>(to - from));
  }
  const std::string shape = shape_text(Type::of_sizes(Element::f32, tensor.type().sizes()).dims), norm = number_text(norm_of(tensor), 3);
  if (detail == Detail::brief) return fmt::format("{} norm {} {}{}", shape, norm, strip_text(sizes), has_nan ? " nan" : "");
  return fmt::format("{} norm {}, {} … {} {}{}", shape, norm, number_text(low, 3), number_text(high, 3), strip_text(sizes),
                     has_nan ? " nan" : "");
}

}  // namespace bpc::explain
