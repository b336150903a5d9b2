#include "ir/derivatives.h"

#include <algorithm>
#include <numbers>

#include "ir/matrix_derivatives.h"
#include "ir/term.h"
#include "support/internal_error.h"

namespace bpc::ir {

namespace {

class Equations {
 public:
  explicit Equations(const DifferentiatedOp& d)
      : d_(d),
        dy{&d.builder, d.cotangent},
        y{&d.builder, d.op.results.at(0)},
        may_be_zeroed_(d.may_be_zeroed || is_zero_in_places(d.builder.function(), d.cotangent)) {}

  std::optional<Term> operand(std::size_t i);

 private:
  Term x(std::size_t k = 0) const { return {&d_.builder, d_.op.operands[k]}; }

  // dy * factor where a zero of dy stays zero whatever the factor, be it made by a `where`, a mask or an index: only a factor that may be
  // infinite or NaN pays for it.
  Term times(Term zero, Term factor) const { return strong_product(d_.facts, zero, factor); }
  // The same for products and bounded functions, which loops and networks are made of: only zeros made by a `where`, or by an index right
  // after them, are strong.
  Term product(Term dy, Term factor) const { return may_be_zeroed_ ? times(dy, factor) : dy * factor; }
  // As `times`, for a factor that is finite wherever x is, which the facts about its ops do not show.
  Term bounded(Term dy, Term factor) const { return d_.facts.may_be_nonfinite(x().id) ? times(dy, factor) : dy * factor; }

  Term factor_of_zero() const;
  Term power(std::size_t i);
  Term share(Term wins, Term ties) const;
  Term extreme();
  Term contraction(std::size_t i);
  Term between_orders(double after);
  Term part_of_concat(std::size_t i);
  Attributes with(Attr attr, AttrValue value) const;
  Term keep_axes(Term reduced) const;
  Term zeros(const Type& type) const { return {&d_.builder, d_.builder.constant(0, type)}; }
  enum class Adding : bool { no, yes };
  Term indexed(Opcode code, std::initializer_list<Term> leading, std::size_t first_index, Adding adding = Adding::no) const;

  const DifferentiatedOp& d_;
  Term dy, y;
  bool may_be_zeroed_;  // by an index, too
};

// The table of derivatives. Sources: Griewank & Walther (2008), table 5.2 and appendix; Giles (2008), "Collected matrix derivative
// results", for contractions; ties and kinks follow docs/language.md.
std::optional<Term> Equations::operand(std::size_t i) {
  const Op& op = d_.op;
  switch (op.code) {
    case Opcode::neg:
      return -dy;
    case Opcode::abs:
      return product(dy, emit(Opcode::sign, {x()}));
    case Opcode::exp:
      return times(dy, y);
    case Opcode::expm1:
      return times(dy, 1 + y);
    case Opcode::exp2:
      return times(dy, std::numbers::ln2 * y);
    case Opcode::log:
      return times(dy, 1 / x());
    case Opcode::log2:
      return times(dy, std::numbers::log2e / x());
    case Opcode::log10:
      return times(dy, std::numbers::log10e / x());
    case Opcode::log1p:
      return times(dy, 1 / (1 + x()));
    case Opcode::sqrt:
      return times(dy, 0.5 / y);
    case Opcode::rsqrt:
      return times(dy, -0.5 * (y * y * y));
    case Opcode::cbrt:
      return times(dy, 1 / (3 * (y * y)));
    case Opcode::sin:
      return product(dy, emit(Opcode::cos, {x()}));
    case Opcode::cos:
      return -product(dy, emit(Opcode::sin, {x()}));
    case Opcode::tan:
      return times(dy, 1 + y * y);
    case Opcode::asin:
      return times(dy, emit(Opcode::rsqrt, {1 - x() * x()}));
    case Opcode::acos:
      return -times(dy, emit(Opcode::rsqrt, {1 - x() * x()}));
    case Opcode::atan:
      return d_.facts.may_be_nonfinite(x().id) ? product(dy, 1 / (1 + x() * x())) : dy / (1 + x() * x());
    case Opcode::sinh:
      return times(dy, emit(Opcode::cosh, {x()}));
    case Opcode::cosh:
      return times(dy, emit(Opcode::sinh, {x()}));
    case Opcode::tanh:
      return product(dy, 1 - y * y);
    case Opcode::asinh:
      return product(dy, emit(Opcode::rsqrt, {1 + x() * x()}));
    case Opcode::acosh:
      return times(dy, emit(Opcode::rsqrt, {(-1 + x()) * (1 + x())}));
    case Opcode::atanh:
      return times(dy, 1 / ((1 - x()) * (1 + x())));
    case Opcode::erfc:
      return -bounded(dy, 2 * std::numbers::inv_sqrtpi * emit(Opcode::exp, {-(x() * x())}));
    case Opcode::erfcx:
      return times(dy, -2 * std::numbers::inv_sqrtpi + 2 * (x() * y));
    case Opcode::erfinv:
      return times(dy, 1 / (2 * std::numbers::inv_sqrtpi) * emit(Opcode::exp, {y * y}));
    case Opcode::erf:
      return bounded(dy, 2 * std::numbers::inv_sqrtpi * emit(Opcode::exp, {-(x() * x())}));
    case Opcode::lgamma:
      return times(dy, emit(Opcode::polygamma, {x()}, {{Attr::order, std::int64_t{0}}}));
    case Opcode::polygamma:
      return times(dy, emit(op.code, {x()}, with(Attr::order, op.attrs.integer(Attr::order) + 1)));
    case Opcode::bessel_j:
      return product(dy, between_orders(-1));
    case Opcode::bessel_i:
      return times(dy, between_orders(1));
    case Opcode::relu:
      return times(emit(Opcode::step, {x()}), dy);
    case Opcode::sigmoid:
      return product(dy, y * (1 - y));
    case Opcode::softplus:
      return product(dy, emit(Opcode::sigmoid, {x()}));
    case Opcode::cast:
      return Term{&d_.builder, d_.builder.cast(dy.id, x().type().element)};

    case Opcode::variable:
    case Opcode::add:
      return dy;
    case Opcode::sub:
      return i == 0 ? dy : -dy;
    case Opcode::mul:
      return product(dy, x(1 - i));
    case Opcode::div:
      if (auto divisor = constant_value(d_.builder.function(), op.operands[1]); i == 0 && divisor && *divisor != 0) return dy / x(1);
      return i == 0 ? times(dy, 1 / x(1)) : times(dy, -(y / x(1)));
    case Opcode::strong_mul:
      if (i == 0) return times(dy, factor_of_zero());
      return d_.may_be_zeroed ? times(dy, x(0)) : times(x(0), dy);
    case Opcode::mod:
      return i == 0 ? dy : -times(dy, emit(Opcode::floordiv, {x(0), x(1)}));
    case Opcode::pow:
      return power(i);
    case Opcode::atan2: {
      Term square = x(0) * x(0) + x(1) * x(1);
      // At the origin there is no angle: the derivative is 0, as at other kinks.
      return times(dy, where(square == 0.0, 0.0, i == 0 ? x(1) / square : -(x(0) / square)));
    }
    case Opcode::hypot:
      return times(dy, where(y == 0.0, 0.0, x(i) / y));
    case Opcode::maximum:
      return share(x(i) > x(1 - i), x(0) == x(1));
    case Opcode::minimum:
      return share(x(1 - i) > x(i), x(0) == x(1));
    case Opcode::select:
      if (i == 0) return std::nullopt;
      return i == 1 ? where(x(0), dy, 0.0) : where(x(0), 0.0, dy);

    case Opcode::reduce_sum:
      return keep_axes(dy);
    case Opcode::reduce_max:
    case Opcode::reduce_min:
      return extreme();
    case Opcode::cumsum:
      return emit(op.code, {dy}, with(Attr::reverse, !op.attrs.flag(Attr::reverse)));
    case Opcode::einsum:
      return contraction(i);

    case Opcode::reshape:
      return Term{&d_.builder, d_.builder.reshape(dy.id, x().type().dims)};
    case Opcode::transpose: {
      std::vector<std::int64_t> inverse(op.attrs.ints(Attr::perm).size());
      for (std::size_t k = 0; k < inverse.size(); ++k)
        inverse[static_cast<std::size_t>(op.attrs.ints(Attr::perm)[k])] = static_cast<std::int64_t>(k);
      return Term{&d_.builder, d_.builder.transpose(dy.id, inverse)};
    }
    case Opcode::broadcast:
      return dy;  // the caller sums the stretched axes
    case Opcode::slice:
      if (i > 0) return std::nullopt;
      return indexed(Opcode::update, {zeros(x().type()), dy}, 1, Adding::yes);
    case Opcode::update:
      if (i > 1) return std::nullopt;
      if (i == 1) return indexed(Opcode::slice, {dy}, 2);
      return op.attrs.flag(Attr::add) ? dy : indexed(Opcode::update, {dy, zeros(x(1).type())}, 2);
    case Opcode::gather:
      return i == 0 ? std::optional(indexed(Opcode::scatter_add, {zeros(x().type()), dy}, 1)) : std::nullopt;
    case Opcode::scatter_add:
      if (i > 1) return std::nullopt;
      return i == 0 ? dy : indexed(Opcode::gather, {dy}, 2);
    case Opcode::concat:
      return part_of_concat(i);
    case Opcode::window: {
      Attributes attrs = with(Attr::length, x().type().size(static_cast<std::size_t>(op.attrs.integer(Attr::axis))));
      attrs.erase(Attr::size);
      return emit(Opcode::window_add, {dy}, attrs);
    }
    case Opcode::window_add: {
      Attributes attrs = with(Attr::size, x().type().dims.back().size);
      attrs.erase(Attr::length);
      return emit(Opcode::window, {dy}, attrs);
    }

#define BPC_CALCULUS_equation(id) case Opcode::id:
#define BPC_CALCULUS_zero(id)
#define BPC_LIBRARY(id, spelling, operands, rule, domain, derivative, ...) BPC_CALCULUS_##derivative(id)
#include "scalar/library.def"
      return matrix_equation(d_, i);

      // The cotangent ends here.
#define BPC_ENDS_equation(id)
#define BPC_ENDS_zero(id) case Opcode::id:
#define BPC_ENDS_sweep(id)
#define BPC_OP(id, spelling, min, max, rule, domain, group, derivative, ...) BPC_ENDS_##derivative(id)
#include "ir/ops.def"
#undef BPC_OP
      return std::nullopt;

      // The sweep's own business.
#define BPC_OP(id, ...) case Opcode::id:
#include "ir/structure.def"
#undef BPC_OP
      break;
  }
  throw InternalError("adjoint", std::string(op_info(op.code).name) + " has no equation");
}

// A strong zero that met an infinity or NaN was made by a `where`, and is zero all around: its derivative is zero, too.
Term Equations::factor_of_zero() const {
  d_.facts.update();
  if (!d_.facts.may_be_nonfinite(d_.op.operands[1])) return x(1);
  Term nonfinite = emit(Opcode::ne, {x(1) - x(1), x(1).number(0)});
  return where(emit(Opcode::logical_and, {x(0) == 0.0, nonfinite}), 0.0, x(1));
}

// d(x^p) = p x^(p-1) dx + x^p log(x) dp, with d/dp 0^p = 0 and, for p = 0, no dx even at x = 0. The zero of p is strong rather than set
// apart by a `where`, which would cut off the derivative by p: that of p x^(p-1) at p = 0 is 1/x.
Term Equations::power(std::size_t i) {
  if (i == 1) return times(dy, where(x(0) == 0.0, 0.0, y * emit(Opcode::log, {x(0)})));
  auto exponent = constant_value(d_.builder.function(), d_.op.operands[1]);
  if (!exponent) {
    Term p = x(1);
    return times(dy, times(p, emit(Opcode::pow, {x(0), p - p.number(1)})));
  }
  if (*exponent == 0) return zeros(y.type());
  if (*exponent == 1) return dy;
  if (*exponent == 2) return product(dy, 2 * x(0));
  // From p = 1 on, x^(p-1) is finite for a finite x, although pow in general is not.
  Term factor = *exponent * emit(Opcode::pow, {x(0), x(0).number(*exponent - 1)});
  return *exponent > 1 && !may_be_zeroed_ ? dy * factor : times(dy, factor);
}

// The gradient goes to the winner; a tie is shared.
Term Equations::share(Term wins, Term ties) const {
  Term weight = where(wins, dy.number(1), where(ties, dy.number(0.5), dy.number(0)));
  return times(weight, dy);
}

Term Equations::extreme() {
  Term hits = x() == keep_axes(y);
  Term count{&d_.builder, d_.builder.cast(hits.id, x().type().element)};
  count = {&d_.builder, d_.builder.reduce(Opcode::reduce_sum, count.id, d_.op.attrs.ints(Attr::axes), true)};
  return where(hits, keep_axes(dy) / count, 0.0);
}

// y[out] = sum a[..] b[..]: the cotangent of a is the same contraction with a and out exchanged.
// Of a Bessel function, from the orders before and after it: NIST's Digital Library of Mathematical Functions, 10.6.1 and 10.29.1. The one
// of order -1 is that of order 1, with the sign of `after`.
Term Equations::between_orders(double after) {
  const Op& op = d_.op;
  const std::int64_t order = op.attrs.integer(Attr::order);
  const Term next = after * emit(op.code, {x()}, with(Attr::order, order + 1));
  return order == 0 ? next : 0.5 * (emit(op.code, {x()}, with(Attr::order, order - 1)) + next);
}

Term Equations::contraction(std::size_t i) {
  EinsumSpec spec = *parse_einsum(d_.op.attrs.string(Attr::spec));
  const std::string& mine = i == 0 ? spec.a : spec.b;
  const std::string& other = i == 0 ? spec.b : spec.a;
  d_.facts.update();
  if (!d_.may_be_zeroed || !d_.facts.may_be_nonfinite(d_.op.operands[1 - i])) {
    EinsumSpec transposed = i == 0 ? EinsumSpec{spec.out, other, mine} : EinsumSpec{other, spec.out, mine};
    auto attrs = Attributes{{Attr::spec, einsum_text(transposed)}};
    return i == 0 ? emit(Opcode::einsum, {dy, x(1)}, attrs) : emit(Opcode::einsum, {x(0), dy}, attrs);
  }
  return strong_contraction(d_.facts, {spec.out, other, mine}, dy, x(1 - i));
}

Term Equations::part_of_concat(std::size_t i) {
  auto axis = static_cast<std::size_t>(d_.op.attrs.integer(Attr::axis));
  std::vector<std::int64_t> starts(y.type().rank(), 0), steps(y.type().rank(), 1);
  for (std::size_t k = 0; k < i; ++k) starts[axis] += x(k).type().size(axis);
  return emit(Opcode::slice, {dy}, {{Attr::starts, starts}, {Attr::sizes, x(i).type().sizes()}, {Attr::steps, steps}});
}

// The op's own attributes, with another value of one.
Attributes Equations::with(Attr attr, AttrValue value) const {
  Attributes attrs = d_.op.attrs;
  attrs.set(attr, std::move(value));
  return attrs;
}

// A reduced value in the shape that the reduction would have had with keep=true, which stretches to the operand.
Term Equations::keep_axes(Term reduced) const {
  std::vector<Dim> dims = x().type().dims;
  for (std::int64_t axis : d_.op.attrs.ints(Attr::axes)) dims[static_cast<std::size_t>(axis)] = {1, {}};
  return {&d_.builder, d_.builder.reshape(reduced.id, dims)};
}

// An op that reads or writes the same part as this one, which has checked the index.
Term Equations::indexed(Opcode code, std::initializer_list<Term> leading, std::size_t first_index, Adding adding) const {
  Attributes attrs = d_.op.attrs;
  attrs.erase(Attr::add);
  if (adding == Adding::yes) attrs.set(Attr::add, true);
  std::vector<ValueId> operands;
  for (const Term& term : leading) operands.push_back(term.id);
  operands.insert(operands.end(), d_.op.operands.begin() + static_cast<std::ptrdiff_t>(first_index), d_.op.operands.end());
  if (operands.size() > leading.size()) attrs.set(Attr::checked, true);
  return {&d_.builder, d_.builder.emit(code, operands, attrs)};
}

}  // namespace

namespace {

bool holds_zero(const Op& constant) {
  const AttrValue* numbers = constant.attrs.find(Attr::reals);
  const auto* reals = numbers ? std::get_if<std::vector<double>>(numbers) : nullptr;
  return reals && std::find(reals->begin(), reals->end(), 0.0) != reals->end();
}

// `depth`: how many products it may be away.
bool has_zeros(const Function& function, ValueId id, int depth) {
  const Op* made = function.def(id);
  if (!made || depth == 0) return false;
  auto operand_has = [&](std::size_t i) { return has_zeros(function, made->operands[i], depth - 1); };
  switch (made->code) {
    case Opcode::constant:
      return holds_zero(*made);
    case Opcode::scatter_add:
    case Opcode::update:
      return constant_value(function, made->operands[0]) == 0.0;
    case Opcode::mul:
    case Opcode::strong_mul:
      return operand_has(0) || operand_has(1);
    case Opcode::neg:
    case Opcode::div:
    case Opcode::cast:
    case Opcode::reshape:
    case Opcode::transpose:
    case Opcode::broadcast:
    case Opcode::slice:
      return operand_has(0);
    default:
      return false;
  }
}

}  // namespace

bool is_zero_in_places(const Function& function, ValueId id) {
  constexpr int kDepth = 8;
  return has_zeros(function, id, kDepth);
}

std::optional<ValueId> contribution(const DifferentiatedOp& differentiated, std::size_t i) {
  const Function& function = differentiated.builder.function();
  if (!is_real(function.type(differentiated.op.operands[i]).element)) return std::nullopt;
  auto term = Equations(differentiated).operand(i);
  return term ? std::optional(term->id) : std::nullopt;
}

ValueId fit_to(Builder& builder, ValueId part, const Type& type) {
  std::vector<Dim> from = builder.function().type(part).dims;
  if (same_shape(Type(type.element, from), type)) return part;
  std::vector<std::int64_t> axes;
  std::size_t extra = from.size() > type.rank() ? from.size() - type.rank() : 0;
  for (std::size_t i = 0; i < from.size(); ++i)
    if (i < extra || (from.size() == type.rank() && type.size(i) == 1 && from[i].size != 1)) axes.push_back(static_cast<std::int64_t>(i));
  if (axes.empty()) return builder.broadcast(part, type.dims);
  return builder.reduce(Opcode::reduce_sum, part, axes, extra == 0);
}

bool zeroes_cotangent(Opcode code) {
  return code == Opcode::select || code == Opcode::reduce_max || code == Opcode::reduce_min || code == Opcode::strong_mul ||
         code == Opcode::triangular_solve;
}

}  // namespace bpc::ir
