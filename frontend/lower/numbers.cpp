#include "frontend/lower/numbers.h"

#include <fmt/format.h>
#include <cmath>

namespace bpc::frontend::lowering {

namespace {

// The element type of a folded result: that of the operand that has one.
std::optional<Element> joined(const Number& a, const Number& b) {
  if (a.element == Element::i64 || b.element == Element::i64) return Element::i64;
  return a.element ? a.element : b.element;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

double real_mod(double a, double b) {
  double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// a^n by squaring; nullopt past 64 bits.
std::optional<std::int64_t> integer_power(std::int64_t a, std::int64_t n) {
  std::int64_t result = 1;
  while (true) {
    if ((n & 1) && __builtin_mul_overflow(result, a, &result)) return std::nullopt;
    n >>= 1;
    if (n == 0) return result;
    if (__builtin_mul_overflow(a, a, &a)) return a == 0 || result == 0 ? std::optional<std::int64_t>(0) : std::nullopt;
  }
}

// Integer arithmetic; nullopt past 64 bits, or where the result is not an integer.
std::optional<std::int64_t> integer_result(char op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (op) {
    case '+':
      return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case '-':
      return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case '*':
      return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case '/':  // floor division
      return a == INT64_MIN && b == -1 ? std::nullopt : std::optional(floor_div(a, b));
    case '%':
      return b == -1 ? 0 : a - b * floor_div(a, b);
    case '^':
      return b < 0 ? std::nullopt : integer_power(a, b);
  }
  return std::nullopt;
}

double real_result(std::string_view op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "/") return a / b;
  if (op == "//") return std::floor(a / b);
  if (op == "%") return real_mod(a, b);
  return std::pow(a, b);
}

template <class T>
std::optional<bool> compared(std::string_view op, const T& a, const T& b) {
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  if (op == ">=") return a >= b;
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  return std::nullopt;
}

std::optional<Item> arithmetic(Context& c, Span span, std::string_view op, const Number& a, const Number& b) {
  if (a.is_integer() && b.is_integer() && op != "/") {
    bool divides = op == "//" || op == "%";
    if (divides && b.integer() == 0) {
      c.error(Code::E0403, span, fmt::format("`{}` divides by zero", op));
      return std::nullopt;
    }
    auto result = integer_result(op == "//" ? '/' : op[0], a.integer(), b.integer());
    if (result) return Item{Number{*result, joined(a, b)}, span};
    bool negative_power = op == "^" && b.integer() < 0;
    if (joined(a, b) && !negative_power) {
      c.error(Code::E0210, span, fmt::format("`{}` does not fit 64 bits", c.text_of(span)));
      return std::nullopt;
    }
  }
  return Item{weak(real_result(op, a.real(), b.real())), span};
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

struct RealFunction {
  std::string_view name;
  double (*apply)(double);
};
constexpr RealFunction kRealFunctions[] = {
    {"exp", std::exp},   {"expm1", std::expm1}, {"log", std::log},   {"log1p", std::log1p}, {"sqrt", std::sqrt}, {"sin", std::sin},
    {"cos", std::cos},   {"tan", std::tan},     {"asin", std::asin}, {"acos", std::acos},   {"atan", std::atan}, {"sinh", std::sinh},
    {"cosh", std::cosh}, {"tanh", std::tanh},   {"erf", std::erf},   {"floor", std::floor}, {"ceil", std::ceil},
};

}  // namespace

bool is_compile_time(const Item& item) {
  return item.holds<Number>() || item.holds<bool>() || item.holds<None>() || item.holds<Text>();
}

std::string number_text(const Number& number) {
  return number.is_integer() ? std::to_string(number.integer()) : fmt::format("{}", number.real());
}

std::optional<Item> fold_unary(Context& c, Span span, std::string_view spelling, const Item& x) {
  const Number* number = x.as<Number>();
  if (const bool* truth = x.as<bool>(); truth && spelling == "not") return Item{!*truth, span};
  if (number && spelling == "-") {
    if (!number->is_integer()) return Item{weak(-number->real()), span};
    return arithmetic(c, span, "-", Number{std::int64_t{0}, number->element}, *number);
  }
  c.error(Code::E0203, span, fmt::format("`{}` does not take `{}`", spelling, c.text_of(x.span)), operand_help(c, spelling, x));
  return std::nullopt;
}

std::optional<Item> fold_binary(Context& c, Span span, std::string_view spelling, const Item& a, const Item& b) {
  bool equality = spelling == "==" || spelling == "!=";
  if (equality && (a.holds<None>() || b.holds<None>())) return Item{(a.holds<None>() && b.holds<None>()) == (spelling == "=="), span};
  const Number *x = a.as<Number>(), *y = b.as<Number>();
  const bool *p = a.as<bool>(), *q = b.as<bool>();
  if (x && y) {
    auto truth =
        x->is_integer() && y->is_integer() ? compared(spelling, x->integer(), y->integer()) : compared(spelling, x->real(), y->real());
    if (truth) return Item{*truth, span};
    if (spelling != "and" && spelling != "or") return arithmetic(c, span, spelling, *x, *y);
  }
  if (p && q) {
    if (spelling == "and") return Item{*p && *q, span};
    if (spelling == "or") return Item{*p || *q, span};
    if (equality) return Item{(*p == *q) == (spelling == "=="), span};
  }
  const Text *s = a.as<Text>(), *t = b.as<Text>();
  if (s && t && equality) return Item{(s->text == t->text) == (spelling == "=="), span};
  const Item& odd = c.is_in_prelude(a.span) ? b : a;
  const std::string what = c.frame->library ? fmt::format("`{}` does not take {} here", c.frame->library->function, c.text_of(odd.span))
                                            : fmt::format("`{}` does not take {} and {}", spelling, c.text_of(a.span), c.text_of(b.span));
  const std::string help = c.frame->library ? ""
                           : s || t
                               ? "`print` takes several items, texts and values: `print \"x =\", x`"
                               : operand_help(c, spelling, (spelling == "and" || spelling == "or" ? x != nullptr : p != nullptr) ? a : b);
  c.report(error_at(Code::E0203, span, what, help).label(a.span, "").label(b.span, ""));
  return std::nullopt;
}

std::optional<Item> fold_function(Span span, std::string_view name, const std::vector<Item>& operands) {
  bool all_weak = true, all_integers = true;
  for (const Item& operand : operands) {
    const Number* number = operand.as<Number>();
    if (!number) return std::nullopt;
    all_weak &= !number->element;
    all_integers &= number->is_integer();
  }
  if (operands.size() == 2 && (all_weak || all_integers) && (name == "max" || name == "min")) {
    const Number &a = *operands[0].as<Number>(), &b = *operands[1].as<Number>();
    bool first = name == "max" ? a.real() >= b.real() : a.real() <= b.real();
    return Item{Number{first ? a.value : b.value, joined(a, b)}, span};
  }
  if (!all_weak) return std::nullopt;
  if (operands.size() != 1) return std::nullopt;
  const Number& x = *operands[0].as<Number>();
  if (name == "abs")
    return Item{x.is_integer() && x.integer() != INT64_MIN ? weak(std::abs(x.integer())) : weak(std::fabs(x.real())), span};
  for (const RealFunction& function : kRealFunctions)
    if (function.name == name) return Item{weak(function.apply(x.real())), span};
  return std::nullopt;
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
