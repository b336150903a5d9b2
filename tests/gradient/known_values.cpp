// Literal values of every operator. Transcendental ones to 16 digits, from tables (Abramowitz & Stegun) and exact arithmetic.
#include <cmath>
#include <limits>

#include "tests/gradient/cases.h"

namespace bpc::test {

namespace {

using ir::Attr;
using ir::Opcode;
using runtime::Tensor;
using Ints = std::vector<std::int64_t>;

Tensor real(double value) {
  return Tensor::scalar(Element::f64, value);
}
Tensor integer(double value) {
  return Tensor::scalar(Element::i32, value);
}
Tensor truth(bool value) {
  return Tensor::scalar(Element::boolean, value);
}
Tensor reals(Ints sizes, std::vector<double> values) {
  return Tensor::from_reals(Type::of_sizes(Element::f64, sizes), values);
}
Tensor integers(Ints sizes, Ints values) {
  return Tensor::from_ints(Type::of_sizes(Element::i32, sizes), values);
}
Tensor truths(Ints sizes, Ints values) {
  return Tensor::from_ints(Type::of_sizes(Element::boolean, sizes), values);
}

ir::Attributes over(Ints axes, bool keep = false) {
  return {{Attr::axes, std::move(axes)}, {Attr::keep, keep}};
}
ir::Attributes along(std::int64_t axis) {
  return {{Attr::axis, axis}};
}
ir::Attributes part(Ints starts, Ints sizes, Ints steps, Ints dynamic, Ints drop) {
  return {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::dynamic, dynamic}, {Attr::drop, drop}};
}

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

std::vector<Known> make() {
  Tensor grid = reals({2, 3}, {1, 5, 3, 4, 2, 6});
  return {
      {Opcode::neg, {real(2)}, real(-2)},
      {Opcode::neg, {integer(-7)}, integer(7)},
      {Opcode::abs, {real(-2.5)}, real(2.5)},
      {Opcode::sign, {reals({3}, {-2, 0, 3})}, reals({3}, {-1, 0, 1})},
      {Opcode::exp, {real(1)}, real(2.718281828459045)},
      {Opcode::expm1, {real(1e-10)}, real(1.00000000005e-10)},
      {Opcode::log, {reals({3}, {10, 0, 1})}, reals({3}, {2.302585092994046, -kInf, 0})},
      {Opcode::log1p, {real(1e-10)}, real(9.9999999995e-11)},
      {Opcode::sqrt, {reals({2}, {2, -1})}, reals({2}, {1.4142135623730951, kNan})},
      {Opcode::rsqrt, {real(4)}, real(0.5)},
      {Opcode::sin, {real(1)}, real(0.8414709848078965)},
      {Opcode::cos, {real(1)}, real(0.5403023058681398)},
      {Opcode::tan, {real(1)}, real(1.5574077246549023)},
      {Opcode::asin, {real(0.5)}, real(0.5235987755982989)},
      {Opcode::acos, {real(0.5)}, real(1.0471975511965979)},
      {Opcode::atan, {real(1)}, real(0.7853981633974483)},
      {Opcode::sinh, {real(1)}, real(1.1752011936438014)},
      {Opcode::cosh, {real(1)}, real(1.5430806348152437)},
      {Opcode::tanh, {real(1)}, real(0.7615941559557649)},
      {Opcode::erf, {real(0.5)}, real(0.5204998778130465)},
      {Opcode::lgamma, {reals({3}, {5, 0.5, -1.5})}, reals({3}, {3.1780538303479458, 0.5723649429247001, 0.8600470153764810})},
      {Opcode::polygamma, {real(1)}, real(-0.5772156649015329), {{Attr::order, std::int64_t{0}}}},
      {Opcode::polygamma, {real(1)}, real(1.6449340668482264), {{Attr::order, std::int64_t{1}}}},
      {Opcode::polygamma, {real(1)}, real(-2.4041138063191885), {{Attr::order, std::int64_t{2}}}},
      {Opcode::exp2, {reals({3}, {10, -1074, 0.5})}, reals({3}, {1024, 5e-324, 1.4142135623730951})},
      {Opcode::log2, {reals({4}, {8, 536870912, 0, 10})}, reals({4}, {3, 29, -kInf, 3.321928094887362})},
      {Opcode::log10, {reals({4}, {1000, 1e15, 0, 2})}, reals({4}, {3, 15, -kInf, 0.3010299956639812})},
      {Opcode::cbrt, {reals({4}, {-8, 27, 0, 2})}, reals({4}, {-2, 3, 0, 1.2599210498948732})},
      {Opcode::asinh, {reals({2}, {1, -1e300})}, reals({2}, {0.881373587019543, -691.4686750787737})},
      {Opcode::acosh, {reals({3}, {1, 2, 0.5})}, reals({3}, {0, 1.3169578969248168, kNan})},
      {Opcode::atanh, {reals({3}, {0.5, 1, -2})}, reals({3}, {0.5493061443340549, kInf, kNan})},
      {Opcode::erfc, {reals({3}, {0.5, 10, -3})}, reals({3}, {0.4795001221869535, 2.088487583762545e-45, 1.9999779095030015})},
      {Opcode::erfcx, {reals({3}, {0.5, 1e10, -1})}, reals({3}, {0.6156903441929259, 5.641895835477563e-11, 5.008980080762283})},
      {Opcode::erfinv, {reals({3}, {0.5, -1, 2})}, reals({3}, {0.4769362762044699, -kInf, kNan})},
      {Opcode::bessel_j, {reals({2}, {1, 0})}, reals({2}, {0.4400505857449335, 0}), {{Attr::order, std::int64_t{1}}}},
      {Opcode::bessel_i, {reals({2}, {1, 1000})}, reals({2}, {1.2660658777520084, kInf}), {{Attr::order, std::int64_t{0}}}},
      {Opcode::hypot, {reals({3}, {3, 1e300, kInf}), reals({3}, {-4, 1e300, kNan})}, reals({3}, {5, 1.4142135623730952e300, kInf})},
      {Opcode::trunc, {reals({2}, {-1.5, 1.5})}, reals({2}, {-1, 1})},
      {Opcode::floor, {real(-1.5)}, real(-2)},
      {Opcode::ceil, {real(-1.5)}, real(-1)},
      {Opcode::round, {reals({4}, {0.5, 1.5, 2.5, -0.7})}, reals({4}, {0, 2, 2, -1})},
      {Opcode::relu, {reals({3}, {-1, 0, 2})}, reals({3}, {0, 0, 2})},
      {Opcode::step, {reals({3}, {-1, 0, 2})}, reals({3}, {0, 0, 1})},
      {Opcode::sigmoid, {reals({3}, {0, 1, -800})}, reals({3}, {0.5, 0.7310585786300049, 0})},
      {Opcode::softplus, {reals({3}, {0, 800, -800})}, reals({3}, {0.6931471805599453, 800, 0})},
      {Opcode::logical_not, {truth(true)}, truth(false)},
      {Opcode::stop_grad, {real(3)}, real(3)},
      {Opcode::variable, {real(3)}, real(3)},
      {Opcode::cast, {reals({4}, {1.9, -1.9, 3, 0})}, integers({4}, {1, -1, 3, 0})},
      {Opcode::cast, {reals({3}, {0, 0.1, -2})}, truths({3}, {0, 1, 1})},
      {Opcode::add, {reals({2, 2}, {1, 2, 3, 4}), reals({2}, {10, 20})}, reals({2, 2}, {11, 22, 13, 24})},
      {Opcode::add, {integer(2147483647), integer(1)}, integer(-2147483648.0)},
      {Opcode::sub, {real(1), reals({2}, {3, 5})}, reals({2}, {-2, -4})},
      {Opcode::mul, {reals({2, 1}, {2, 3}), reals({2, 2}, {1, 2, 3, 4})}, reals({2, 2}, {2, 4, 9, 12})},
      {Opcode::div, {reals({2}, {1, -1}), reals({2}, {4, 0})}, reals({2}, {0.25, -kInf})},
      {Opcode::strong_mul, {reals({2}, {0, 2}), reals({2}, {kInf, 3})}, reals({2}, {0, 6})},
      {Opcode::floordiv, {integers({4}, {7, -7, 7, -7}), integers({4}, {2, 2, -2, -2})}, integers({4}, {3, -4, -4, 3})},
      {Opcode::floordiv, {real(-7.5), real(2)}, real(-4)},
      {Opcode::mod, {integers({4}, {7, -7, 7, -7}), integers({4}, {3, 3, -3, -3})}, integers({4}, {1, 2, -2, -1})},
      {Opcode::mod, {real(-7.5), real(2)}, real(0.5)},
      {Opcode::pow, {reals({4}, {2, 0, -2, 9}), reals({4}, {10, 0, 3, 0.5})}, reals({4}, {1024, 1, -8, 3})},
      {Opcode::pow, {integer(3), integer(4)}, integer(81)},
      {Opcode::atan2, {real(1), real(-1)}, real(2.356194490192345)},
      {Opcode::maximum, {reals({3}, {1, 5, kNan}), reals({3}, {2, 3, 1})}, reals({3}, {2, 5, kNan})},
      {Opcode::minimum, {reals({3}, {1, 5, 1}), reals({3}, {2, 3, kNan})}, reals({3}, {1, 3, kNan})},
      {Opcode::lt, {reals({3}, {1, 2, kNan}), real(2)}, truths({3}, {1, 0, 0})},
      {Opcode::le, {reals({3}, {1, 2, 3}), real(2)}, truths({3}, {1, 1, 0})},
      {Opcode::gt, {reals({3}, {1, 2, 3}), real(2)}, truths({3}, {0, 0, 1})},
      {Opcode::ge, {reals({3}, {1, 2, 3}), real(2)}, truths({3}, {0, 1, 1})},
      {Opcode::eq, {reals({2}, {kNan, 2}), reals({2}, {kNan, 2})}, truths({2}, {0, 1})},
      {Opcode::ne, {reals({2}, {kNan, 2}), reals({2}, {kNan, 2})}, truths({2}, {1, 0})},
      {Opcode::logical_and, {truths({4}, {0, 0, 1, 1}), truths({4}, {0, 1, 0, 1})}, truths({4}, {0, 0, 0, 1})},
      {Opcode::logical_or, {truths({4}, {0, 0, 1, 1}), truths({4}, {0, 1, 0, 1})}, truths({4}, {0, 1, 1, 1})},
      {Opcode::select, {truths({3}, {1, 0, 1}), reals({3}, {1, 2, 3}), real(9)}, reals({3}, {1, 9, 3})},
      {Opcode::reduce_sum, {grid}, reals({2}, {9, 12}), over({1})},
      {Opcode::reduce_sum, {grid}, reals({1, 3}, {5, 7, 9}), over({0}, true)},
      {Opcode::reduce_max, {grid}, reals({3}, {4, 5, 6}), over({0})},
      {Opcode::reduce_min, {grid}, real(1), over({0, 1})},
      {Opcode::reduce_any, {truths({2, 2}, {0, 0, 1, 0})}, truths({2}, {0, 1}), over({1})},
      {Opcode::reduce_all, {truths({2, 2}, {1, 1, 1, 0})}, truths({2}, {1, 0}), over({1})},
      {Opcode::argmax, {grid}, integers({2}, {1, 2}), over({1})},
      {Opcode::argmin, {grid}, integers({3}, {0, 1, 0}), over({0})},
      {Opcode::argmax, {reals({4}, {1, 7, 7, 2})}, integer(1), over({0})},
      {Opcode::cumsum, {reals({4}, {1, 2, 3, 4})}, reals({4}, {1, 3, 6, 10}), along(0)},
      {Opcode::cumsum, {reals({4}, {1, 2, 3, 4})}, reals({4}, {10, 9, 7, 4}), {{Attr::axis, std::int64_t{0}}, {Attr::reverse, true}}},
      {Opcode::einsum,
       {reals({2, 2}, {1, 2, 3, 4}), reals({2, 2}, {5, 6, 7, 8})},
       reals({2, 2}, {19, 22, 43, 50}),
       {{Attr::spec, std::string("ij,jk->ik")}}},
      {Opcode::einsum, {reals({3}, {1, 2, 3}), reals({3}, {4, 5, 6})}, real(32), {{Attr::spec, std::string("i,i->")}}},
      {Opcode::reshape, {grid}, reals({3, 2}, {1, 5, 3, 4, 2, 6})},
      {Opcode::transpose, {grid}, reals({3, 2}, {1, 4, 5, 2, 3, 6}), {{Attr::perm, Ints{1, 0}}}},
      {Opcode::broadcast, {reals({2, 1}, {1, 2})}, reals({2, 2}, {1, 1, 2, 2})},
      {Opcode::slice, {reals({5}, {0, 1, 2, 3, 4})}, reals({3}, {4, 2, 0}), part({4}, {3}, {-2}, {}, {})},
      {Opcode::slice, {grid, integer(-1)}, reals({3}, {4, 2, 6}), part({0, 0}, {1, 3}, {1, 1}, {0}, {0})},
      {Opcode::update, {grid, reals({2}, {8, 9})}, reals({2, 3}, {1, 5, 8, 4, 2, 9}), part({0, 2}, {2, 1}, {1, 1}, {}, {1})},
      {Opcode::update,
       {grid, reals({2}, {8, 9}), integer(-1)},
       reals({2, 3}, {1, 5, 11, 4, 2, 15}),
       {{Attr::starts, Ints{0, 0}},
        {Attr::sizes, Ints{2, 1}},
        {Attr::steps, Ints{1, 1}},
        {Attr::dynamic, Ints{1}},
        {Attr::drop, Ints{1}},
        {Attr::add, true}}},
      {Opcode::gather, {reals({3}, {7, 8, 9}), integers({4}, {2, 0, -1, 0})}, reals({4}, {9, 7, 9, 7}), {{Attr::axes, Ints{0}}}},
      {Opcode::gather, {grid, integers({2}, {-1, 1})}, reals({2, 2}, {3, 6, 5, 2}), {{Attr::axes, Ints{1}}}},
      {Opcode::gather, {grid, integers({2}, {1, 0}), integers({2}, {0, 1})}, reals({2}, {4, 5}), {{Attr::axes, Ints{0, 1}}}},
      {Opcode::scatter_add,
       {reals({3}, {1, 2, 3}), reals({3}, {10, 20, 30}), integers({3}, {-1, 0, 2})},
       reals({3}, {21, 2, 43}),
       {{Attr::axes, Ints{0}}}},
      {Opcode::scatter_add,
       {grid, reals({2, 2}, {10, 20, 30, 40}), integers({2}, {0, 0})},
       reals({2, 3}, {41, 5, 3, 64, 2, 6}),
       {{Attr::axes, Ints{1}}}},
      {Opcode::concat, {reals({1, 2}, {1, 2}), reals({2, 2}, {3, 4, 5, 6})}, reals({3, 2}, {1, 2, 3, 4, 5, 6}), along(0)},
      {Opcode::window,
       {reals({7}, {0, 1, 2, 3, 4, 5, 6})},
       reals({2, 3}, {0, 2, 4, 2, 4, 6}),
       {{Attr::axis, std::int64_t{0}}, {Attr::size, std::int64_t{3}}, {Attr::stride, std::int64_t{2}}, {Attr::dilation, std::int64_t{2}}}},
      {Opcode::window,
       {grid},
       reals({2, 2, 2}, {1, 5, 5, 3, 4, 2, 2, 6}),
       {{Attr::axis, std::int64_t{1}}, {Attr::size, std::int64_t{2}}, {Attr::stride, std::int64_t{1}}, {Attr::dilation, std::int64_t{1}}}},
      {Opcode::window_add,
       {grid},
       reals({8}, {1, 0, 5 + 4, 0, 3 + 2, 0, 6, 0}),
       {{Attr::axis, std::int64_t{0}},
        {Attr::length, std::int64_t{8}},
        {Attr::stride, std::int64_t{2}},
        {Attr::dilation, std::int64_t{2}}}},
      {Opcode::cholesky, {reals({2, 2}, {4, kNan, 2, 10})}, reals({2, 2}, {2, 0, 1, 3})},
      {Opcode::solve, {reals({2, 2}, {0, 2, 1, 1}), reals({2}, {4, 5})}, reals({2}, {3, 2})},
      {Opcode::solve, {reals({2, 2}, {0, 2, 1, 1}), reals({2, 1}, {3, 8})}, reals({2, 1}, {2.5, 3}), {{Attr::transposed, true}}},
      {Opcode::triangular_solve, {reals({2, 2}, {2, kNan, 1, 4}), reals({2}, {2, 9})}, reals({2}, {1, 2})},
      {Opcode::triangular_solve, {reals({2, 2}, {2, 1, kNan, 4}), reals({2}, {4, 8})}, reals({2}, {1, 2}), {{Attr::upper, true}}},
      {Opcode::det, {reals({2, 2, 2}, {0, 2, 1, 1, 1, 2, 2, 4})}, reals({2}, {-2, 0})},
      {Opcode::logdet, {reals({3, 1, 1}, {1, -1, 0})}, reals({3}, {0, kNan, -kInf})},
      {Opcode::eigh_packed, {reals({2, 2}, {2, kNan, 0, 5})}, reals({3, 2}, {1, 0, 0, 1, 2, 5})},
      {Opcode::svd_packed, {reals({2, 1}, {3, 4})}, reals({4, 1}, {0.6, 0.8, 5, 1})},
      {Opcode::qr_packed, {reals({2, 2}, {3, 1, 4, 2})}, reals({4, 2}, {0.6, -0.8, 0.8, 0.6, 5, 2.2, 0, 0.4})},
      {Opcode::lu_packed, {reals({2, 2}, {1, 2, 4, 4})}, reals({3, 2}, {4, 4, 0.25, 1, 1, 0})},
      {Opcode::cofactors, {reals({2, 2}, {1, 2, 2, 4})}, reals({2, 2}, {4, -2, -2, 1})},
      {Opcode::argsort, {reals({5}, {2, kNan, -1, 2, 0})}, integers({5}, {2, 4, 0, 3, 1}), along(0)},
      {Opcode::argsort,
       {reals({5}, {2, kNan, -1, 2, 0})},
       integers({5}, {0, 3, 4, 2, 1}),
       {{Attr::axis, std::int64_t{0}}, {Attr::descending, true}}},
      {Opcode::constant, {}, reals({2}, {1.5, 1.5}), {{Attr::value, 1.5}}},
      {Opcode::constant, {}, integers({2}, {3, 4}), {{Attr::ints, Ints{3, 4}}}},
      {Opcode::iota, {}, integers({2, 3}, {0, 1, 2, 0, 1, 2}), along(1)},
  };
}

}  // namespace

const std::vector<Known>& known_values() {
  static const std::vector<Known> values = make();
  return values;
}

}  // namespace bpc::test
