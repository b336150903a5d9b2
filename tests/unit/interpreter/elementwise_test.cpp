#include <limits>

#include "tests/unit/interpreter/harness.h"

using namespace bpc;
using namespace bpc::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Operands are vectors, one value of each per case; expected is what tensor_text shows (f64 unless the element says otherwise). Values by
// mpmath.
struct Row {
  Opcode code;
  Element element;
  std::vector<std::vector<double>> operands;
  std::string expected;
  Attributes attrs = {};
};

const std::vector<Row>& rows() {
  using enum Element;
  static const std::vector<Row> table{
      {Opcode::neg, f64, {{1.5, -2, 0}}, "[-1.5, 2, -0]"},
      {Opcode::neg, i32, {{1, -2147483648.0}}, "[-1, -2147483648]"},
      {Opcode::abs, f64, {{1.5, -2, -kInf}}, "[1.5, 2, inf]"},
      {Opcode::abs, i64, {{3, -4}}, "[3, 4]"},
      {Opcode::sign, f32, {{-3, 0, 5, kNan}}, "[-1, 0, 1, nan]"},
      {Opcode::exp, f64, {{0, 1, -kInf, 1000}}, "[1, 2.718281828459045, 0, inf]"},
      {Opcode::exp, f32, {{1}}, "[2.7182817]"},
      {Opcode::expm1, f64, {{0, 1e-10}}, "[0, 1.00000000005e-10]"},
      {Opcode::log, f64, {{1, 10, 0, -1}}, "[0, 2.302585092994046, -inf, nan]"},
      {Opcode::log1p, f64, {{1, -1}}, "[0.6931471805599453, -inf]"},
      {Opcode::sqrt, f64, {{4, 2, -1}}, "[2, 1.4142135623730951, nan]"},
      {Opcode::rsqrt, f64, {{4, 0}}, "[0.5, inf]"},
      {Opcode::sin, f64, {{0, 1}}, "[0, 0.8414709848078965]"},
      {Opcode::cos, f64, {{0, 1}}, "[1, 0.5403023058681397]"},
      {Opcode::tan, f64, {{0, 1}}, "[0, 1.5574077246549023]"},
      {Opcode::asin, f64, {{1, 2}}, "[1.5707963267948966, nan]"},
      {Opcode::acos, f64, {{1, 0}}, "[0, 1.5707963267948966]"},
      {Opcode::atan, f64, {{1, kInf}}, "[0.7853981633974483, 1.5707963267948966]"},
      {Opcode::sinh, f64, {{1}}, "[1.1752011936438014]"},
      {Opcode::cosh, f64, {{1}}, "[1.5430806348152437]"},
      {Opcode::tanh, f64, {{1, 100}}, "[0.7615941559557649, 1]"},
      {Opcode::erf, f64, {{0.5, -kInf}}, "[0.5204998778130465, -1]"},
      {Opcode::lgamma, f64, {{1, 4, 0}}, "[0, 1.791759469228055, inf]"},
      {Opcode::polygamma, f64, {{1, 0.5}}, "[1.6449340668482264, 4.934802200544679]", {{Attr::order, std::int64_t{1}}}},
      {Opcode::floor, f64, {{1.5, -1.5}}, "[1, -2]"},
      {Opcode::ceil, f64, {{1.5, -1.5}}, "[2, -1]"},
      {Opcode::round, f64, {{0.5, 1.5, -2.5, 2.6}}, "[0, 2, -2, 3]"},
      {Opcode::relu, f64, {{-1, 0, 2, kNan}}, "[0, 0, 2, nan]"},
      {Opcode::relu, i32, {{-1, 2}}, "[0, 2]"},
      {Opcode::step, f64, {{-1, 0, 2}}, "[0, 0, 1]"},
      {Opcode::sigmoid, f64, {{0, 1, -1000}}, "[0.5, 0.7310585786300049, 0]"},
      {Opcode::softplus, f64, {{0, 1000, -1000}}, "[0.6931471805599453, 1000, 0]"},
      {Opcode::logical_not, boolean, {{0, 1}}, "[true, false]"},
      {Opcode::stop_grad, i32, {{3, -1}}, "[3, -1]"},
      {Opcode::variable, i32, {{3, -1}}, "[3, -1]"},
      {Opcode::add, f32, {{1, 0.1}, {2, 0.2}}, "[3, 0.3]"},
      {Opcode::add, i32, {{2147483647}, {1}}, "[-2147483648]"},
      {Opcode::sub, i64, {{1, 5}, {2, 3}}, "[-1, 2]"},
      {Opcode::mul, f64, {{1.5, 0}, {2, kInf}}, "[3, nan]"},
      {Opcode::div, f64, {{1, 1, 0}, {4, 0, 0}}, "[0.25, inf, nan]"},
      {Opcode::strong_mul, f64, {{0, 0, 2, kNan}, {kInf, kNan, 3, 1}}, "[0, 0, 6, nan]"},
      {Opcode::floordiv, i32, {{7, -7, 7}, {2, 2, -2}}, "[3, -4, -4]"},
      {Opcode::floordiv, f64, {{-7, 1}, {2, 0}}, "[-4, inf]"},
      {Opcode::mod, i32, {{7, -7, 7}, {3, 3, -3}}, "[1, 2, -2]"},
      {Opcode::mod, f64, {{-7.5, 7.5}, {2, -2}}, "[0.5, -0.5]"},
      {Opcode::pow, f64, {{2, 0, -2, 2}, {-1, 0, 3, 0.5}}, "[0.5, 1, -8, 1.4142135623730951]"},
      {Opcode::pow, i32, {{3, -2, 2}, {4, 3, -1}}, "[81, -8, 0]"},
      {Opcode::atan2, f64, {{1, -1, 0}, {1, -1, -1}}, "[0.7853981633974483, -2.356194490192345, 3.141592653589793]"},
      {Opcode::maximum, f64, {{1, kNan, 2}, {2, 1, kNan}}, "[2, nan, nan]"},
      {Opcode::minimum, i32, {{1, 5}, {2, 3}}, "[1, 3]"},
      {Opcode::lt, f64, {{1, 2, kNan}, {2, 2, 1}}, "[true, false, false]"},
      {Opcode::le, i32, {{1, 2, 3}, {2, 2, 2}}, "[true, true, false]"},
      {Opcode::gt, f32, {{1, 3}, {2, 2}}, "[false, true]"},
      {Opcode::ge, i64, {{1, 2}, {2, 2}}, "[false, true]"},
      {Opcode::eq, boolean, {{1, 0}, {1, 1}}, "[true, false]"},
      {Opcode::eq, f64, {{kNan, 0}, {kNan, -0.0}}, "[false, true]"},
      {Opcode::ne, f64, {{kNan, 1}, {1, 1}}, "[true, false]"},
      {Opcode::logical_and, boolean, {{0, 0, 1, 1}, {0, 1, 0, 1}}, "[false, false, false, true]"},
      {Opcode::logical_or, boolean, {{0, 0, 1, 1}, {0, 1, 0, 1}}, "[false, true, true, true]"},
  };
  return table;
}

}  // namespace

TEST_CASE("elementwise values") {
  for (const Row& row : rows()) {
    std::vector<Tensor> operands;
    for (const auto& values : row.operands) operands.push_back(tensor(row.element, {static_cast<std::int64_t>(values.size())}, values));
    INFO(ir::op_info(row.code).name << " of " << element_name(row.element));
    CHECK(apply(row.code, operands, row.attrs) == row.expected);
  }
}

TEST_CASE("casts") {
  const Tensor x = tensor(Element::f64, {5}, {1.9, -1.9, 3e10, kNan, 0});
  const auto cast = [&](const Tensor& from, Element to) {
    const Type type = from.type().with_element(to);
    return apply(Opcode::cast, {from}, {}, &type);
  };
  CHECK(cast(x, Element::i32) == "[1, -1, 2147483647, 0, 0]");
  CHECK(cast(x, Element::i64) == "[1, -1, 30000000000, 0, 0]");
  CHECK(cast(x, Element::boolean) == "[true, true, true, true, false]");
  CHECK(cast(tensor(Element::f64, {1}, {0.1}), Element::f32) == "[0.1]");
  CHECK(cast(tensor(Element::boolean, {2}, {0, 1}), Element::f32) == "[0, 1]");
}

TEST_CASE("operands stretch on one side") {
  const Tensor matrix = tensor(Element::f64, {2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor row = tensor(Element::f64, {3}, {10, 20, 30});
  const Tensor column = tensor(Element::f64, {2, 1}, {100, 200});
  const Tensor one = Tensor::scalar(Element::f64, 1);
  CHECK(apply(Opcode::add, {matrix, row}) == "[[11, 22, 33],\n [14, 25, 36]]");
  CHECK(apply(Opcode::sub, {row, matrix}) == "[[9, 18, 27],\n [6, 15, 24]]");
  CHECK(apply(Opcode::add, {matrix, column}) == "[[101, 102, 103],\n [204, 205, 206]]");
  CHECK(apply(Opcode::add, {one, matrix}) == "[[2, 3, 4],\n [5, 6, 7]]");
  CHECK(apply(Opcode::add, {one, one}) == "2");
  CHECK(apply(Opcode::select, {tensor(Element::boolean, {3}, {1, 0, 1}), matrix, one}) == "[[1, 1, 3],\n [4, 1, 6]]");
  CHECK(apply(Opcode::select, {tensor(Element::boolean, {}, {0}), matrix, one}) == "[[1, 1, 1],\n [1, 1, 1]]");
  CHECK(apply(Opcode::lt, {column, matrix}) == "[[false, false, false],\n [false, false, false]]");
  CHECK(apply(Opcode::add, {tensor(Element::f64, {0, 3}, {}), row}) == "[]");
}

TEST_CASE("integer division by zero names the divisor") {
  CHECK(apply(Opcode::floordiv, {tensor(Element::i32, {2}, {1, 2}), tensor(Element::i32, {2}, {1, 0})}) ==
        "E0403 integer division by zero: the divisor x1 of `//` holds a 0");
  CHECK(apply(Opcode::mod, {Tensor::scalar(Element::i64, 1), Tensor::scalar(Element::i64, 0)}) ==
        "E0403 integer division by zero: the divisor x1 of `%` is 0");
  CHECK(apply(Opcode::mod, {tensor(Element::i64, {0}, {}), Tensor::scalar(Element::i64, 0)}) == "[]");
}
