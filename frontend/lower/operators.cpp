#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "support/internal_error.h"

namespace bpc::frontend::lowering {

std::optional<Item> elementwise(Context& c, Span span, ir::Opcode code, const std::vector<Item>& operands, Span sign) {
  auto values = to_common(c, operands, ir::op_info(code).domain);
  return values ? c.emit(span, code, *values, {}, nullptr, sign) : std::nullopt;
}

std::optional<Item> unary(Context& c, Span span, const std::string& spelling, const Item& x) {
  if (!reject_tape(c, x, fmt::format("`{}`", c.spoken(spelling)))) return std::nullopt;
  if (is_compile_time(x) && !x.holds<None>() && !x.holds<Text>()) return fold_unary(c, span, spelling, x);
  return elementwise(c, span, *ir::op_from_spelling(spelling, 1), {x});
}

std::optional<Item> binary(Context& c, Span span, Span sign, const std::string& spelling, const Item& a, const Item& b) {
  for (const Item* side : {&a, &b})
    if (!reject_tape(c, *side, fmt::format("`{}`", c.spoken(spelling)))) return std::nullopt;
  if (spelling == "@") {
    Temporarily<std::string_view> making(c.made_of_ops, "@");
    return matmul(c, span, sign, a, b);
  }
  bool compares_none = (a.holds<None>() || b.holds<None>()) && (spelling == "==" || spelling == "!=");
  if ((is_compile_time(a) && is_compile_time(b)) || compares_none) return fold_binary(c, span, spelling, a, b);
  auto code = ir::op_from_spelling(spelling, 2);
  if (!code) throw InternalError("lower", "no operator " + spelling, span);
  if (*code == ir::Opcode::pow) {
    // An integer power of an integer is exact; any other exponent makes it real.
    const Number* exponent = b.as<Number>();
    bool exact = exponent && exponent->is_integer() && exponent->integer() >= 0;
    auto values = to_common(c, {a, b}, exact ? ir::Domain::number : ir::Domain::real);
    return values ? c.emit(span, *code, *values, {}, nullptr, sign) : std::nullopt;
  }
  return elementwise(c, span, *code, {a, b}, sign);
}

}  // namespace bpc::frontend::lowering
