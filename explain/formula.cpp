#include "explain/formula.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "frontend/format/docs.h"
#include "support/source.h"

namespace bpc::explain {

namespace {

using Kind = Formula::Kind;
using namespace frontend;

Formula make(Kind kind, std::vector<Formula> parts, std::string text = {}) {
  return {kind, std::move(text), 0, std::move(parts)};
}

// Functions that give their first argument another shape or type, and nothing else.
constexpr std::string_view kTransparent[] = {"broadcast_to", "reshape", "variable", "expand_dims", "squeeze",
                                             "real",         "f32",     "f64",      "stop_grad"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Reader {
 public:
  explicit Reader(const Ast& ast) : ast_(ast) {}

  Formula read(ExprId id) const {
    return std::visit([&](const auto& node) { return read(id, node); }, ast_.expr(id).node);
  }

 private:
  template <class Node>
  Formula read(ExprId id, const Node&) const {
    return make(Kind::other, {}, expression_text(ast_, id));
  }
  Formula read(ExprId, const NumberExpr& number) const { return {Kind::number, number.text, number.value, {}}; }
  Formula read(ExprId, const NameExpr& name) const { return Formula::name(name.name); }
  Formula read(ExprId, const TransposeExpr& node) const { return make(Kind::transpose, {read(node.operand)}); }
  Formula read(ExprId id, const UnaryExpr& node) const {
    if (node.spelling != "-") return make(Kind::other, {}, expression_text(ast_, id));
    return make(Kind::negative, {read(node.operand)});
  }
  Formula read(ExprId id, const BinaryExpr& node) const {
    Formula a = read(node.left), b = read(node.right);
    if (node.spelling == "+") return make(Kind::sum, {std::move(a), std::move(b)});
    if (node.spelling == "-") return make(Kind::sum, {std::move(a), make(Kind::negative, {std::move(b)})});
    if (node.spelling == "*") return make(Kind::product, {std::move(a), std::move(b)});
    if (node.spelling == "/") return make(Kind::quotient, {std::move(a), std::move(b)});
    if (node.spelling == "^") return make(Kind::power, {std::move(a), std::move(b)});
    if (node.spelling == "@") return make(Kind::matmul, {std::move(a), std::move(b)});
    return make(Kind::other, {}, expression_text(ast_, id));
  }
  // Whether it is a reduction that leaves axes of size 1.
  bool keeps_axes(ExprId id) const {
    const CallExpr* call = std::get_if<CallExpr>(&ast_.expr(id).node);
    return call && std::ranges::any_of(call->arguments, is_keep);
  }
  static bool is_keep(const Argument& argument) { return argument.name && argument.name->text == "keep"; }
  Formula read(ExprId id, const IndexExpr& node) const {
    if (keeps_axes(node.base)) return read(node.base);  // `sum(x, keep=true)[0]`
    return make(Kind::other, {}, expression_text(ast_, id));
  }
  Formula read(ExprId, const CallExpr& node) const {
    const std::string& name = node.callee.text;
    std::vector<Formula> parts;
    for (const Argument& argument : node.arguments) {
      if (is_keep(argument)) continue;
      Formula part = read(argument.value);
      parts.push_back(argument.name ? make(Kind::other, {std::move(part)}, argument.name->text + "=") : std::move(part));
    }
    if (is_one_of(name, kTransparent) && !parts.empty()) return std::move(parts[0]);
    if (name == "strong_mul") return make(Kind::product, std::move(parts));
    if (name == "square") return make(Kind::power, {std::move(parts[0]), Formula::number(2)});
    if (name == "zeros") return Formula::number(0);
    if (name == "ones") return Formula::number(1);
    if (name == "full" && parts.size() == 2) return std::move(parts[1]);
    if (name == "where" && is_strong_zero(parts)) return std::move(parts[2]);
    return make(Kind::call, std::move(parts), name);
  }

  // `where(dy == 0 and f - f != 0, 0, f)`: a factor that may be infinite, where what arrives is zero.
  static bool is_strong_zero(const std::vector<Formula>& parts) {
    return parts.size() == 3 && parts[1].is_number(0) && parts[0].text.find(" == 0 and ") != std::string::npos &&
           parts[0].text.ends_with(" != 0");
  }

  const Ast& ast_;
};

// ---- tidying ----

// Factors of a product of products, and the number that they hold.
void collect_factors(Formula formula, double& number, std::vector<Formula>& factors, std::vector<Formula>& divisors) {
  switch (formula.kind) {
    case Kind::number:
      number *= formula.value;
      return;
    case Kind::negative:
      number = -number;
      return collect_factors(std::move(formula.parts[0]), number, factors, divisors);
    case Kind::product:
      for (Formula& part : formula.parts) collect_factors(std::move(part), number, factors, divisors);
      return;
    case Kind::quotient: {
      collect_factors(std::move(formula.parts[0]), number, factors, divisors);
      double below = 1;
      collect_factors(std::move(formula.parts[1]), below, divisors, factors);
      number /= below;
      return;
    }
    default:
      factors.push_back(std::move(formula));
  }
}

// A factor twice is a square.
std::vector<Formula> with_powers(std::vector<Formula> factors) {
  std::vector<Formula> result;
  for (Formula& factor : factors) {
    const bool has_exponent = factor.is(Kind::power) && factor.parts[1].is(Kind::number);
    const Formula base = has_exponent ? factor.parts[0] : factor;
    const double exponent = has_exponent ? factor.parts[1].value : 1;
    auto same = std::find_if(result.begin(), result.end(), [&](const Formula& other) {
      return other == base || (other.is(Kind::power) && other.parts[0] == base && other.parts[1].is(Kind::number));
    });
    if (same == result.end()) {
      result.push_back(std::move(factor));
      continue;
    }
    const double other = same->is(Kind::power) && !(*same == base) ? same->parts[1].value : 1;
    *same = make(Kind::power, {base, Formula::number(other + exponent)});
  }
  return result;
}

Formula product_of(double number, std::vector<Formula> factors, std::vector<Formula> divisors) {
  for (const Formula& divisor : std::vector<Formula>(divisors)) {  // what stands above and below
    const auto above = std::find(factors.begin(), factors.end(), divisor);
    if (above == factors.end()) continue;
    factors.erase(above);
    divisors.erase(std::find(divisors.begin(), divisors.end(), divisor));
  }
  factors = with_powers(std::move(factors));
  divisors = with_powers(std::move(divisors));
  const bool is_negative = std::signbit(number) && number != 0;
  number = std::fabs(number);
  double below = 1;  // a fifth rather than 0.2
  if (number != 0 && number < 1 && std::fabs(1 / number - std::round(1 / number)) < 1e-9) below = std::round(1 / number), number = 1;
  if (number != 1 || factors.empty()) factors.insert(factors.begin(), Formula::number(number));
  if (below != 1) divisors.insert(divisors.begin(), Formula::number(below));
  Formula result = factors.size() == 1 ? std::move(factors[0]) : make(Kind::product, std::move(factors));
  if (result.is(Kind::number) && divisors.size() == 1 && divisors[0].is(Kind::number)) {
    result = Formula::number(result.value / divisors[0].value);
  } else if (!divisors.empty()) {
    Formula under = divisors.size() == 1 ? std::move(divisors[0]) : make(Kind::product, std::move(divisors));
    result = make(Kind::quotient, {std::move(result), std::move(under)});
  }
  return is_negative ? make(Kind::negative, {std::move(result)}) : result;
}

Formula tidy_sum(Formula formula) {
  double number = 0;
  bool has_number = false;
  std::vector<Formula> terms;
  const std::function<void(Formula, bool)> collect = [&](Formula term, bool is_negative) {
    if (term.is(Kind::sum)) {
      for (Formula& part : term.parts) collect(std::move(part), is_negative);
    } else if (term.is(Kind::negative)) {
      collect(std::move(term.parts[0]), !is_negative);
    } else if (term.is(Kind::number) && has_number) {
      number += is_negative ? -term.value : term.value;
    } else if (term.is(Kind::number)) {
      has_number = true;
      number = is_negative ? -term.value : term.value;
      terms.push_back(Formula::name(""));  // its place
    } else {
      terms.push_back(is_negative ? make(Kind::negative, {std::move(term)}) : std::move(term));
    }
  };
  collect(std::move(formula), false);
  std::vector<Formula> result;
  for (Formula& term : terms) {
    if (!(term.is(Kind::name) && term.text.empty())) {
      result.push_back(std::move(term));
    } else if (number != 0) {
      result.push_back(number < 0 ? make(Kind::negative, {Formula::number(-number)}) : Formula::number(number));
    }
  }
  if (result.empty()) return Formula::number(0);
  return result.size() == 1 ? std::move(result[0]) : make(Kind::sum, std::move(result));
}

Formula tidy_power(Formula formula) {
  if (formula.parts[1].is_number(1)) return std::move(formula.parts[0]);
  if (formula.parts[1].is_number(0)) return Formula::number(1);
  if (formula.parts[0].is(Kind::number) && formula.parts[1].is(Kind::number))
    return Formula::number(std::pow(formula.parts[0].value, formula.parts[1].value));
  return formula;
}

// Whether a text names it, and not something that begins or ends like it.
bool has_word(const std::string& text, const std::string& name) {
  const auto is_part = [](unsigned char c) { return std::isalnum(c) || c == '_' || c >= 0x80; };
  for (std::size_t at = text.find(name); !name.empty() && at != std::string::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool starts = at == 0 || !is_part(static_cast<unsigned char>(text[at - 1])) || !is_part(static_cast<unsigned char>(name.front()));
    const bool ends =
        end == text.size() || !is_part(static_cast<unsigned char>(text[end])) || !is_part(static_cast<unsigned char>(name.back()));
    if (starts && ends) return true;
  }
  return false;
}

}  // namespace

Formula Formula::number(double value) {
  return {Kind::number, number_text(value), value, {}};
}

Formula Formula::name(std::string name) {
  return {Kind::name, std::move(name), 0, {}};
}

Formula formula_of(const Ast& ast, ExprId id) {
  return Reader(ast).read(id);
}

Formula tidied(Formula formula) {
  for (Formula& part : formula.parts) part = tidied(std::move(part));
  switch (formula.kind) {
    case Kind::sum:
      return tidy_sum(std::move(formula));
    case Kind::power:
      return tidy_power(std::move(formula));
    case Kind::negative:
    case Kind::product:
    case Kind::quotient: {
      double number = 1;
      std::vector<Formula> factors, divisors;
      collect_factors(std::move(formula), number, factors, divisors);
      return product_of(number, std::move(factors), std::move(divisors));
    }
    case Kind::transpose:
      if (formula.parts[0].is(Kind::transpose)) return std::move(formula.parts[0].parts[0]);
      return formula;
    case Kind::number:
    case Kind::name:
    case Kind::matmul:
    case Kind::call:
    case Kind::other:
      return formula;
  }
  return formula;
}

Formula replaced(const Formula& formula, const std::function<const Formula*(const std::string& name)>& by) {
  if (formula.is(Kind::name))
    if (const Formula* other = by(formula.text)) return *other;
  Formula result = formula;
  for (Formula& part : result.parts) part = replaced(part, by);
  return result;
}

bool mentions(const Formula& formula, const std::string& name) {
  if (formula.is(Kind::name) && formula.text == name) return true;
  if (formula.is(Kind::other) && has_word(formula.text, name)) return true;
  return std::any_of(formula.parts.begin(), formula.parts.end(), [&](const Formula& part) { return mentions(part, name); });
}

bool is_multiple(const Formula& formula, const std::string& name, Formula& rest) {
  const Formula one = Formula::number(1);
  switch (formula.kind) {
    case Kind::name:
      rest = one;
      return formula.text == name;
    case Kind::negative:
      if (!is_multiple(formula.parts[0], name, rest)) return false;
      rest = tidied(make(Kind::negative, {rest}));
      return true;
    case Kind::quotient:
      if (mentions(formula.parts[1], name) || !is_multiple(formula.parts[0], name, rest)) return false;
      rest = tidied(make(Kind::quotient, {rest, formula.parts[1]}));
      return true;
    case Kind::product: {
      std::vector<Formula> others;
      bool found = false;
      for (const Formula& part : formula.parts) {
        Formula inner;
        if (!mentions(part, name)) {
          others.push_back(part);
        } else if (found || !is_multiple(part, name, inner)) {
          return false;
        } else {
          found = true;
          others.push_back(inner);
        }
      }
      rest = tidied(make(Kind::product, std::move(others)));
      return found;
    }
    default:
      return false;
  }
}

}  // namespace bpc::explain
