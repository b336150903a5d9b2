#include "tests/gradient/cases.h"

#include <cmath>

namespace bpc::test {

namespace {

using ir::Attr;
using ir::Opcode;
using Ints = std::vector<std::int64_t>;

std::vector<Case> unary(double lo, double hi, ir::Attributes attrs = {}) {
  return {{{{{}, lo, hi}}, attrs}, {{{{2, 3}, lo, hi}}, attrs}};
}

std::vector<Case> both(std::vector<Case> a, const std::vector<Case>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Equal shapes, and each way to stretch: a scalar, a trailing suffix, a size 1.
std::vector<Case> binary(double lo_a, double hi_a, double lo_b, double hi_b) {
  std::vector<Case> cases;
  for (auto [a, b] :
       std::vector<std::pair<Ints, Ints>>{{{}, {}}, {{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{3}, {2, 3}}, {{2, 3}, {}}, {{2, 1}, {2, 3}}})
    cases.push_back({{{a, lo_a, hi_a}, {b, lo_b, hi_b}}});
  return cases;
}

std::vector<Case> reductions() {
  std::vector<Case> cases;
  for (const Ints& axes : {Ints{0}, Ints{1}, Ints{0, 2}, Ints{0, 1, 2}})
    for (bool keep : {false, true}) cases.push_back({{{{2, 3, 2}}}, {{Attr::axes, axes}, {Attr::keep, keep}}});
  return cases;
}

Case contraction(const char* spec, Ints a, Ints b) {
  return {{{std::move(a)}, {std::move(b)}}, {{Attr::spec, std::string(spec)}}};
}

ir::Attributes part(Ints starts, Ints sizes, Ints steps, Ints dynamic, Ints drop) {
  return {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::dynamic, dynamic}, {Attr::drop, drop}};
}

Operand definite(Ints sizes) {
  return {std::move(sizes), -1, 1, Element::f64, true};
}

// Systems with a vector, a matrix, a matrix for several systems, and batches on either or both sides.
std::vector<Case> systems(double lo, double hi, ir::Attributes attrs, bool is_definite) {
  std::vector<Case> cases;
  for (auto [a, b] : std::vector<std::pair<Ints, Ints>>{
           {{3, 3}, {3}}, {{3, 3}, {3, 2}}, {{2, 3, 3}, {3}}, {{2, 3, 3}, {3, 2}}, {{2, 2}, {3, 2, 2}}, {{2, 2, 2}, {2, 2, 1}}})
    cases.push_back({{is_definite ? definite(a) : Operand{a, lo, hi}, {b, -1, 1}}, attrs});
  return cases;
}

const Operand kIndex{{}, 1, 1, Element::i32};

Operand indices(Ints sizes, double value) {
  return {std::move(sizes), value, value, Element::i32};
}

ir::Attributes adding(ir::Attributes attrs) {
  attrs.set(Attr::add, true);
  return attrs;
}

ir::Attributes sliding(std::int64_t axis, Attr what, std::int64_t size, std::int64_t stride, std::int64_t dilation) {
  return {{Attr::axis, axis}, {what, size}, {Attr::stride, stride}, {Attr::dilation, dilation}};
}

}  // namespace

std::vector<Case> smooth_cases(Opcode code) {
  switch (code) {
    case Opcode::neg:
    case Opcode::variable:
    case Opcode::exp:
    case Opcode::expm1:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::atan:
    case Opcode::sinh:
    case Opcode::cosh:
    case Opcode::tanh:
    case Opcode::asinh:
    case Opcode::erf:
    case Opcode::erfc:
    case Opcode::erfcx:
    case Opcode::exp2:
    case Opcode::sigmoid:
    case Opcode::softplus:
      return unary(-2, 2);
    case Opcode::abs:
    case Opcode::sign:
    case Opcode::relu:
    case Opcode::step:
      return both(unary(0.3, 2), unary(-2, -0.3));
    case Opcode::log:
    case Opcode::log2:
    case Opcode::log10:
    case Opcode::cbrt:
    case Opcode::sqrt:
    case Opcode::rsqrt:
      return unary(0.3, 3);
    case Opcode::acosh:
      return unary(1.2, 4);
    case Opcode::log1p:
      return unary(-0.6, 2);
    case Opcode::tan:
      return unary(-1, 1);
    case Opcode::asin:
    case Opcode::acos:
    case Opcode::atanh:
    case Opcode::erfinv:
      return unary(-0.8, 0.8);
    case Opcode::lgamma:
      return both(unary(0.4, 5), unary(-1.7, -1.3));
    case Opcode::bessel_j:
    case Opcode::bessel_i:
      return both(unary(-4, 4, {{Attr::order, std::int64_t{0}}}),
                  both(unary(-4, 4, {{Attr::order, std::int64_t{1}}}), unary(0.5, 6, {{Attr::order, std::int64_t{3}}})));
    case Opcode::polygamma:
      return both(unary(0.6, 5, {{Attr::order, std::int64_t{0}}}), unary(0.6, 5, {{Attr::order, std::int64_t{1}}}));
    case Opcode::trunc:
    case Opcode::floor:
    case Opcode::ceil:
      return unary(0.2, 0.8);
    case Opcode::round:
      return unary(0.6, 1.4);
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul:
    case Opcode::strong_mul:
      return binary(-2, 2, -2, 2);
    case Opcode::div:
      return binary(-2, 2, 0.5, 2);
    case Opcode::floordiv:
    case Opcode::mod:
      return binary(5.2, 5.8, 2.0, 2.3);
    case Opcode::pow:
      return binary(0.5, 2, -1.5, 2.5);
    case Opcode::hypot:
      return binary(0.5, 2, -2, 2);
    case Opcode::atan2:
      return binary(0.3, 2, -2, 2);
    case Opcode::maximum:
    case Opcode::minimum:
      return both(binary(0, 1, 1.1, 2), both(binary(1.1, 2, 0, 1), {{{{{7}}, {{7}, -2.1, 1.9}}}}));
    case Opcode::select:
      return {{{{{2, 3}, 0, 1, Element::boolean}, {{2, 3}}, {{2, 3}}}},
              {{{{3}, 0, 1, Element::boolean}, {{2, 3}}, {{}}}},
              {{{{2, 3}, 0, 1, Element::boolean}, {{}}, {{3}}}}};
    case Opcode::reduce_sum:
    case Opcode::reduce_max:
    case Opcode::reduce_min:
      return reductions();
    case Opcode::cumsum:
      return {{{{{4}}}, {{Attr::axis, std::int64_t{0}}, {Attr::reverse, false}}},
              {{{{2, 3}}}, {{Attr::axis, std::int64_t{0}}, {Attr::reverse, true}}},
              {{{{2, 3}}}, {{Attr::axis, std::int64_t{1}}, {Attr::reverse, false}}}};
    case Opcode::einsum:
      return {contraction("ij,jk->ik", {2, 3}, {3, 4}), contraction("bij,bjk->bik", {2, 2, 3}, {2, 3, 2}),
              contraction("i,i->", {4}, {4}),           contraction("i,j->ij", {2}, {3}),
              contraction("ij,j->i", {2, 3}, {3}),      contraction("ji,kj->ki", {3, 2}, {2, 3})};
    case Opcode::reshape:
      return {{{{{2, 3}}}, {}, Ints{3, 2}}, {{{{2, 3}}}, {}, Ints{6}}, {{{{}}}, {}, Ints{1, 1}}};
    case Opcode::transpose:
      return {{{{{2, 3}}}, {{Attr::perm, Ints{1, 0}}}}, {{{{2, 3, 2}}}, {{Attr::perm, Ints{2, 0, 1}}}}};
    case Opcode::broadcast:
      return {{{{{3}}}, {}, Ints{2, 3}}, {{{{2, 1}}}, {}, Ints{2, 3}}, {{{{}}}, {}, Ints{2, 3}}};
    case Opcode::slice:
      return {{{{{4, 3}}}, part({1, 0}, {2, 3}, {1, 1}, {}, {})},
              {{{{4, 3}}}, part({3, 2}, {2, 1}, {-2, 1}, {}, {1})},
              {{{{4, 3}}, kIndex}, part({0, 0}, {1, 3}, {1, 1}, {0}, {0})}};
    case Opcode::update:
      return {{{{{4, 3}}, {{2, 3}}}, part({1, 0}, {2, 3}, {1, 1}, {}, {})},
              {{{{4, 3}}, {{2}}}, part({3, 2}, {2, 1}, {-2, 1}, {}, {1})},
              {{{{4, 3}}, {{3}}, kIndex}, part({0, 0}, {1, 3}, {1, 1}, {0}, {0})},
              {{{{4, 3}}, {{2, 3}}}, adding(part({1, 0}, {2, 3}, {1, 1}, {}, {}))},
              {{{{4, 3}}, {{3}}, kIndex}, adding(part({0, 0}, {1, 3}, {1, 1}, {0}, {0}))}};
    // All indices of an operand are the same, so that each case with more than one has duplicates.
    case Opcode::gather:
      return {{{{{4}}, indices({3}, 2)}, {{Attr::axes, Ints{0}}}},
              {{{{4, 3}}, indices({2}, -1)}, {{Attr::axes, Ints{0}}}},
              {{{{2, 3, 2}}, indices({2, 2}, 1)}, {{Attr::axes, Ints{1}}}},
              {{{{4, 2, 3}}, indices({2}, 3), indices({2}, 0)}, {{Attr::axes, Ints{0, 2}}}}};
    case Opcode::scatter_add:
      return {{{{{4}}, {{3}}, indices({3}, 2)}, {{Attr::axes, Ints{0}}}},
              {{{{4, 3}}, {{2, 3}}, indices({2}, -1)}, {{Attr::axes, Ints{0}}}},
              {{{{2, 3, 2}}, {{2, 2, 2, 2}}, indices({2, 2}, 1)}, {{Attr::axes, Ints{1}}}},
              {{{{4, 2, 3}}, {{2, 2}}, indices({2}, 3), indices({2}, 0)}, {{Attr::axes, Ints{0, 2}}}}};
    case Opcode::concat:
      return {{{{{2, 3}}, {{1, 3}}}, {{Attr::axis, std::int64_t{0}}}}, {{{{2, 3}}, {{2, 1}}, {{2, 2}}}, {{Attr::axis, std::int64_t{1}}}}};

    case Opcode::window:
      return {{{{{5}}}, sliding(0, Attr::size, 3, 1, 1)},
              {{{{2, 7}}}, sliding(1, Attr::size, 2, 2, 3)},
              {{{{6, 2}}}, sliding(0, Attr::size, 2, 3, 1)},
              {{{{3, 2}}}, sliding(0, Attr::size, 1, 2, 1)}};
    case Opcode::window_add:
      return {{{{{3, 3}}}, sliding(0, Attr::length, 5, 1, 1)},
              {{{{2, 2, 2}}}, sliding(1, Attr::length, 7, 2, 3)},
              {{{{2, 2, 2}}}, sliding(0, Attr::length, 6, 3, 1)},
              {{{{2, 2, 1}}}, sliding(0, Attr::length, 4, 2, 1)}};
    case Opcode::cholesky:
    case Opcode::logdet:
      return {{{definite({1, 1})}}, {{definite({3, 3})}}, {{definite({2, 2, 2})}}};
    case Opcode::eigh_packed:
    case Opcode::lu_packed:
      return {{{definite({1, 1})}}, {{definite({3, 3})}}, {{definite({2, 2, 2})}}};
    case Opcode::svd_packed:
    case Opcode::qr_packed:
      return {{{{{2, 1}}}}, {{{{4, 2}}}}, {{definite({3, 3})}}, {{definite({2, 2, 2})}}};
    case Opcode::det:
    case Opcode::cofactors:
      return {{{{{1, 1}}}}, {{{{2, 2}}}}, {{definite({3, 3})}}, {{definite({2, 2, 2})}}};
    case Opcode::solve:
      return both(systems(0, 0, {}, true), systems(0, 0, {{Attr::transposed, true}}, true));
    case Opcode::triangular_solve:
      return both(
          both(systems(0.5, 2, {}, false), systems(0.5, 2, {{Attr::transposed, true}}, false)),
          both(systems(0.5, 2, {{Attr::upper, true}}, false), systems(0.5, 2, {{Attr::upper, true}, {Attr::transposed, true}}, false)));

    // Exempt: results that are no reals.
    case Opcode::argsort:
    case Opcode::logical_not:
    case Opcode::lt:
    case Opcode::le:
    case Opcode::gt:
    case Opcode::ge:
    case Opcode::eq:
    case Opcode::ne:
    case Opcode::logical_and:
    case Opcode::logical_or:
    case Opcode::reduce_any:
    case Opcode::reduce_all:
    case Opcode::argmax:
    case Opcode::argmin:
    // Exempt: cut off from derivatives.
    case Opcode::stop_grad:
    // Exempt: between f32 and f64, so that differences see f32's rounding. tests/run/casts.bp has its gradient.
    case Opcode::cast:
    // Exempt: nothing to differentiate by.
    case Opcode::constant:
    case Opcode::iota:
    case Opcode::random_uniform:
    case Opcode::random_normal:
#define BPC_OP(id, ...) case Opcode::id:
#include "ir/structure.def"  // scripts in tests/run cover them
#undef BPC_OP
      return {};
  }
  return {};
}

runtime::Tensor values_for(const Operand& operand, Element real, int position) {
  Element element = operand.element == Element::f64 ? real : operand.element;
  runtime::Tensor tensor = runtime::Tensor::zeros(Type::of_sizes(element, operand.sizes));
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    double spread =
        std::fmod(0.6180339887498949 * static_cast<double>(i + 1) + 0.3819 * position + 0.07, 1.0);  // the golden ratio: no two alike
    double value = is_real(element) ? operand.lo + (operand.hi - operand.lo) * spread : operand.lo;
    tensor.set_real(i, element == Element::boolean ? static_cast<double>(spread < 0.5) : value);
  }
  return tensor;
}

}  // namespace bpc::test
