#include <cmath>

#include "ir/passes/simplifier.h"

namespace bpc::ir {

namespace {

// Floor division and its rest, as runtime/scalar.h defines them: wrapping, for a divisor that is not 0.
std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  if (b == -1) return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
std::int64_t floor_rest(std::int64_t a, std::int64_t b) {
  if (b == -1) return 0;
  std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::int64_t wrapped(std::uint64_t value, Element element) {
  return element == Element::i32 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
}

template <class T>
std::optional<bool> compare(Opcode code, T a, T b) {
  if (code == Opcode::lt) return a < b;
  if (code == Opcode::le) return a <= b;
  if (code == Opcode::gt) return a > b;
  if (code == Opcode::ge) return a >= b;
  if (code == Opcode::eq) return a == b;
  if (code == Opcode::ne) return a != b;
  return std::nullopt;
}

// In the precision T of the element type: one rounding, as the backends round.
template <class T>
std::optional<double> fold_real(Opcode code, T a, T b) {
  if (code == Opcode::neg) return -a;
  if (code == Opcode::add) return T(a + b);
  if (code == Opcode::sub) return T(a - b);
  if (code == Opcode::mul) return T(a * b);
  if (code == Opcode::div) return T(a / b);
  return std::nullopt;
}

std::optional<std::int64_t> fold_integer(Opcode code, std::int64_t a, std::int64_t b, Element element) {
  auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  if (code == Opcode::neg) return wrapped(0 - x, element);
  if (code == Opcode::add) return wrapped(x + y, element);
  if (code == Opcode::sub) return wrapped(x - y, element);
  if (code == Opcode::mul) return wrapped(x * y, element);
  if (code == Opcode::floordiv && b != 0) return wrapped(static_cast<std::uint64_t>(floor_quotient(a, b)), element);
  if (code == Opcode::mod && b != 0) return floor_rest(a, b);
  if (code == Opcode::maximum) return std::max(a, b);
  if (code == Opcode::minimum) return std::min(a, b);
  if (code == Opcode::logical_and) return a & b;
  if (code == Opcode::logical_or) return a | b;
  if (code == Opcode::logical_not) return 1 - a;
  return std::nullopt;
}

std::optional<AttrValue> fold_cast(const AttrValue& value, Element to) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (to == Element::f64) return static_cast<double>(*integer);
    if (to == Element::f32) return static_cast<double>(static_cast<float>(*integer));
    if (to == Element::boolean) return std::int64_t{*integer != 0};
    return wrapped(static_cast<std::uint64_t>(*integer), to);
  }
  double real = std::get<double>(value);
  if (to == Element::f64) return real;
  if (to == Element::f32) return static_cast<double>(static_cast<float>(real));
  if (to == Element::boolean) return std::int64_t{real != 0};
  if (std::fabs(real) < 2147483648.0) return static_cast<std::int64_t>(real);  // what does not fit is the backend's business
  return std::nullopt;
}

}  // namespace

std::optional<AttrValue> fold(Opcode code, const std::vector<AttrValue>& operands, Element operand_element, Element result_element) {
  const AttrValue& a = operands.front();
  const AttrValue& b = operands.back();
  if (code == Opcode::cast) return fold_cast(a, result_element);
  if (is_real(operand_element)) {
    double x = std::get<double>(a), y = std::get<double>(b);
    if (auto flag = compare(code, x, y)) return std::int64_t{*flag};
    return operand_element == Element::f32 ? fold_real(code, static_cast<float>(x), static_cast<float>(y)) : fold_real(code, x, y);
  }
  std::int64_t x = std::get<std::int64_t>(a), y = std::get<std::int64_t>(b);
  if (auto flag = compare(code, x, y)) return std::int64_t{*flag};
  return fold_integer(code, x, y, operand_element);
}

}  // namespace bpc::ir
