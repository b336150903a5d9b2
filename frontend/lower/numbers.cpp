#include "frontend/lower/numbers.h"

#include <fmt/format.h>
#include <cmath>

#include "scalar/apply.h"

namespace bpc::frontend::lowering {

namespace {

// The element type of a result: that of the operand that has one.
std::optional<Element> joined(std::optional<Element> a, std::optional<Element> b) {
  if (a == Element::i64 || b == Element::i64) return Element::i64;
  return a ? a : b;
}

// An operator on numbers, as a program computes it in i64 or f64; but an integer that would wrap around is an error, or a real if weak, and
// negative powers of integers are real.
std::optional<Item> computed(Context& c, Span span, ir::Opcode code, const std::vector<Item>& operands) {
  std::vector<scalar::Value> integers, reals;
  std::optional<Element> element;
  for (const Item& operand : operands) {
    const Number& number = *operand.as<Number>();
    if (number.is_integer()) integers.emplace_back(number.integer());
    reals.emplace_back(number.real());
    element = joined(element, number.element);
  }
  const ir::OpInfo& info = ir::op_info(code);
  const scalar::Operator op = ir::scalar_operator(code);
  const bool inverts = code == ir::Opcode::pow && operands[1].as<Number>()->real() < 0;
  const bool whole = integers.size() == operands.size() && info.domain != ir::Domain::real && !inverts;
  const auto integer = whole ? scalar::apply(op, Element::i64, integers) : std::nullopt;
  if (whole && !integer) {
    c.error(Code::E0403, span, fmt::format("`{}` divides by zero", info.spelling));
    return std::nullopt;
  }
  if (info.rule == ir::ShapeRule::comparison) {
    const scalar::Value truth = integer ? *integer : *scalar::apply(op, Element::f64, reals);
    return Item{std::get<std::int64_t>(truth) != 0, span};
  }
  const double real = std::get<double>(*scalar::apply(op, Element::f64, reals));
  if (integer) {
    const auto result = std::get<std::int64_t>(*integer);
    // One that wraps around is off by 2^64 at least; one that does not, by what rounding its operands makes of a remainder: 2^63 at most.
    if (std::abs(real - static_cast<double>(result)) < 0x1.8p63) return Item{Number{result, element}, span};
    if (element) {
      c.error(Code::E0210, span, fmt::format("`{}` does not fit 64 bits", c.text_of(span)));
      return std::nullopt;
    }
  }
  return Item{weak(real), span};
}

// A number where a bool should stand, or a bool where a number should.
std::string operand_help(Context& c, std::string_view spelling, const Item& operand) {
  const std::string text = c.text_of(operand.span);
  if (spelling == "and" || spelling == "or" || spelling == "not") return fmt::format("compare it, as in `{} != 0`", text);
  if (!operand.holds<bool>()) return {};
  const bool parenthesized = text.starts_with('(') && text.find(')') + 1 == text.size();
  return fmt::format(fmt::runtime(parenthesized ? "`real{}` makes 1 of true and 0 of false" : "`real({})` makes 1 of true and 0 of false"),
                     text);
}

}  // namespace

bool is_compile_time(const Item& item) {
  return item.holds<Number>() || item.holds<bool>() || item.holds<None>() || item.holds<Text>();
}

std::string number_text(const Number& number) {
  if (number.dim.is_open) return number.dim.text;
  if (number.is_integer()) return std::to_string(number.integer());
  return std::isnan(number.real()) ? "nan" : fmt::format("{}", number.real());
}

std::optional<Item> fold_unary(Context& c, Span span, std::string_view spelling, const Item& x) {
  if (const bool* truth = x.as<bool>(); truth && spelling == "not") return Item{!*truth, span};
  if (x.holds<Number>() && spelling == "-") return computed(c, span, ir::Opcode::neg, {x});
  c.error(Code::E0203, span, fmt::format("`{}` does not take `{}`", spelling, c.text_of(x.span)), operand_help(c, spelling, x));
  return std::nullopt;
}

std::optional<Item> fold_binary(Context& c, Span span, std::string_view spelling, const Item& a, const Item& b) {
  bool equality = spelling == "==" || spelling == "!=";
  if (equality && (a.holds<None>() || b.holds<None>())) return Item{(a.holds<None>() && b.holds<None>()) == (spelling == "=="), span};
  const Number *x = a.as<Number>(), *y = b.as<Number>();
  const bool *p = a.as<bool>(), *q = b.as<bool>();
  const ir::Opcode code = *ir::op_from_spelling(spelling, 2);
  const ir::Domain domain = ir::op_info(code).domain;
  if (x && y && domain != ir::Domain::boolean) return computed(c, span, code, {a, b});
  if (p && q && (domain == ir::Domain::boolean || domain == ir::Domain::any)) {
    const auto truth =
        scalar::apply(ir::scalar_operator(code), Element::boolean, std::vector<scalar::Value>{std::int64_t{*p}, std::int64_t{*q}});
    return Item{std::get<std::int64_t>(*truth) != 0, span};
  }
  const Text *s = a.as<Text>(), *t = b.as<Text>();
  if (s && t && equality) return Item{(s->text == t->text) == (spelling == "=="), span};
  const Item& odd = c.is_in_prelude(a.span) ? b : a;
  const std::string what = c.frame->authors_call
                               ? fmt::format("`{}` does not take {} here", c.frame->authors_call->function, c.text_of(odd.span))
                               : fmt::format("`{}` does not take {} and {}", spelling, c.text_of(a.span), c.text_of(b.span));
  const std::string help = c.frame->authors_call ? ""
                           : s || t
                               ? "`print` takes several items, texts and values: `print \"x =\", x`"
                               : operand_help(c, spelling, (spelling == "and" || spelling == "or" ? x != nullptr : p != nullptr) ? a : b);
  c.report(error_at(Code::E0203, span, what, help).label(a.span, "").label(b.span, ""));
  return std::nullopt;
}

std::optional<Item> fold_function(Context& c, Span span, ir::Opcode code, const std::vector<Item>& operands) {
  const ir::OpInfo& info = ir::op_info(code);
  bool all_weak = true, all_integers = true;
  for (const Item& operand : operands) {
    const Number* number = operand.as<Number>();
    if (!number) return std::nullopt;
    all_weak &= !number->element;
    all_integers &= number->is_integer();
  }
  const bool folds = all_weak || (all_integers && info.domain != ir::Domain::real);
  return folds && !info.has(ir::identity) ? computed(c, span, code, operands) : std::nullopt;
}

std::optional<std::int64_t> to_integer(Context& c, const Item& item, const std::string& what) {
  const Number* number = item.as<Number>();
  if (number && number->is_integer()) return number->integer();
  if (item.failed()) return std::nullopt;
  const std::string text = number ? c.text_of(item.span) : "";
  if (number)
    c.error(Code::E0205, item.span,
            fmt::format("{} must be an integer, and {}", what,
                        text.find_first_not_of("0123456789.eE+-") == std::string::npos
                            ? fmt::format("this is {}", text.empty() ? number_text(*number) : text)
                            : fmt::format("`{}` is {}", text, number_text(*number))),
            text.find('/') != std::string::npos                                             ? "`//` divides integers and gives an integer"
            : std::trunc(number->real()) == number->real() && std::isfinite(number->real()) ? fmt::format("write `{:.0f}`", number->real())
                                                                                            : "");
  else if (item.holds<List>())
    c.error(Code::E0205, item.span, fmt::format("{} is one integer, and `{}` is a list", what, c.text_of(c.seen_at(item))));
  else if (item.holds<bool>() || item.holds<Text>() || item.holds<None>())
    c.error(Code::E0205, item.span, fmt::format("{} must be an integer, and this is {}", what, c.text_of(item.span)));
  else
    c.error(Code::E0205, item.span, fmt::format("{} must be known at compile time, and `{}` is not", what, c.text_of(c.seen_at(item))),
            "declare it with `const` or `dim`, or write a literal or `size(…)`");
  return std::nullopt;
}

std::optional<bool> to_bool(Context& c, const Item& item, const std::string& what) {
  if (const bool* truth = item.as<bool>()) return *truth;
  if (!item.failed()) c.error(Code::E0205, item.span, fmt::format("{} must be `true` or `false`", what));
  return std::nullopt;
}

}  // namespace bpc::frontend::lowering
