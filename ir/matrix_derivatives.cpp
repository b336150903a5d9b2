#include "ir/matrix_derivatives.h"

#include <limits>

#include "support/internal_error.h"

namespace bpc::ir {

namespace {

class MatrixEquations {
 public:
  explicit MatrixEquations(const DifferentiatedOp& d) : d_(d), dy{&d.builder, d.cotangent}, y{&d.builder, d.op.results.at(0)} {}

  Term cholesky() const;
  Term right_side() const;
  Term solved_matrix(Term db) const;
  Term triangular(Term dA) const;
  // det(A)' = cofactors(A), and logdet(A)' = A^-T.
  Term determinant(Term derivative) const { return product(dy_per_matrix(), derivative); }
  Term inverse_transposed() const;
  std::optional<Term> cofactors() const;

 private:
  enum class Checked : bool { no, yes };

  Term x(std::size_t k) const { return {&d_.builder, d_.op.operands[k]}; }
  Term A() const { return x(0); }
  std::size_t batches(Term m) const { return m.type().rank() - 2; }

  Term shaped(Term t, std::vector<Dim> dims) const { return {&d_.builder, d_.builder.reshape(t.id, std::move(dims))}; }
  Term transposed(Term m) const {
    std::vector<std::int64_t> perm(m.type().rank());
    for (std::size_t k = 0; k < perm.size(); ++k) perm[k] = static_cast<std::int64_t>(k);
    std::swap(perm.end()[-1], perm.end()[-2]);
    return {&d_.builder, d_.builder.transpose(m.id, perm)};
  }
  // As columns of a matrix: a right-hand side, or a batch of them, that was a vector.
  Term columns(Term t) const {
    if (x(1).type().rank() > 1) return t;
    std::vector<Dim> dims = t.type().dims;
    dims.push_back({1, {}});
    return shaped(t, std::move(dims));
  }
  Term dy_per_matrix() const {
    std::vector<Dim> dims = dy.type().dims;
    dims.insert(dims.end(), {{1, {}}, {1, {}}});
    return dy.type().is_scalar() ? dy : shaped(dy, std::move(dims));
  }

  // The row (axis 0) or column (axis 1), by places further along, around the end.
  Term rolled(Term m, std::int64_t axis, std::int64_t by) const;
  Term large_cofactors() const;
  // A, or the identity where A is singular and no cotangent asks for its inverse: zero stays zero.
  Term where_asked(Term is_asked, Term is_singular) const;

  // The index of the row (axis 0) or column (axis 1) in an n by n matrix.
  Term index(std::int64_t axis) const {
    const Dim n = A().type().dims.back();
    Type type(Element::i32, {n, n});
    return {&d_.builder, d_.builder.emit(Opcode::iota, {}, {{Attr::axis, axis}}, &type)};
  }
  Term diagonal(Term on, Term off) const { return where(index(0) == index(1), on, off); }

  Term product(Term zero, Term factor) const { return strong_product(d_.facts, zero, factor); }
  // A product of matrices, "ki,kj->ij" without its batch letters; where only one factor has batches, or the result has none, they are
  // stretched or summed.
  Term product(std::string_view spec, Term zero, Term factor, std::size_t result_batches) const {
    EinsumSpec letters = *parse_einsum(spec);
    auto lead = [](std::string& word, std::size_t count) { word.insert(0, std::string("abcdefgh").substr(0, count)); };
    if (std::max(batches(zero), batches(factor)) > 8) throw InternalError("adjoint", "more than 8 axes of batches");
    lead(letters.a, batches(zero));
    lead(letters.b, batches(factor));
    lead(letters.out, result_batches);
    if (d_.may_be_zeroed) return strong_contraction(d_.facts, letters, zero, factor);
    return emit(Opcode::einsum, {zero, factor}, {{Attr::spec, einsum_text(letters)}});
  }

  // The op itself has checked that A is invertible, or fails in the same place.
  Term solve(Term matrix, Term b, Checked checked) const {
    return emit(Opcode::solve, {matrix, b}, {{Attr::transposed, true}, {Attr::checked, checked == Checked::yes}});
  }

  const DifferentiatedOp& d_;
  Term dy, y;
};

// With P the lower triangle of L^T dL, its diagonal halved: dA is the symmetric part of L^-T P L^-1.
Term MatrixEquations::cholesky() const {
  Term one = dy.number(1);
  Term weights = where(index(0) > index(1), one, diagonal(dy.number(0.5), dy.number(0)));
  Term p = product("kj,ki->ij", dy, y, batches(y)) * weights;
  auto from_left = [&](Term m) { return emit(Opcode::triangular_solve, {y, m}, {{Attr::checked, true}, {Attr::transposed, true}}); };
  Term s = from_left(transposed(from_left(p)));
  return 0.5 * (s + transposed(s));
}

// db = A^-T dy.
Term MatrixEquations::right_side() const {
  Attributes attrs = d_.op.attrs;
  attrs.set(Attr::checked, true);
  attrs.set(Attr::transposed, !attrs.flag(Attr::transposed));
  return emit(d_.op.code, {A(), columns(dy)}, attrs);
}

// dA = -db x^T; for the transposed system, its transpose.
Term MatrixEquations::solved_matrix(Term db) const {
  bool flips = d_.op.attrs.flag(Attr::transposed);
  return -product(flips ? "jk,ik->ij" : "ik,jk->ij", db, columns(y), batches(A()));
}

// The triangle that is read.
Term MatrixEquations::triangular(Term dA) const {
  bool upper = d_.op.attrs.flag(Attr::upper);
  Term outside = upper ? index(0) > index(1) : index(1) > index(0);
  return where(outside, 0.0, dA);
}

Term MatrixEquations::where_asked(Term is_asked, Term is_singular) const {
  Term needless = emit(Opcode::logical_and, {emit(Opcode::logical_not, {is_asked}), is_singular});
  std::vector<Dim> dims = needless.type().dims;
  dims.insert(dims.end(), {{1, {}}, {1, {}}});
  if (!needless.type().is_scalar()) needless = shaped(needless, std::move(dims));
  return where(needless, diagonal(dy.number(1), dy.number(0)), A());
}

Term MatrixEquations::inverse_transposed() const {
  Term zero = dy.number(0);
  Term minus_infinity = dy.number(-std::numeric_limits<double>::infinity());
  Term matrix = where_asked(emit(Opcode::ne, {dy, zero}), y == minus_infinity);
  return solve(matrix, diagonal(dy.number(1), zero), Checked::no);
}

Term MatrixEquations::rolled(Term m, std::int64_t axis, std::int64_t by) const {
  const std::size_t at = m.type().rank() - 2 + static_cast<std::size_t>(axis);
  auto part = [&](std::int64_t from, std::int64_t size) {
    std::vector<std::int64_t> starts(m.type().rank(), 0), sizes = m.type().sizes(), steps(m.type().rank(), 1);
    starts[at] = from;
    sizes[at] = size;
    return emit(Opcode::slice, {m}, {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}});
  };
  const std::int64_t n = m.type().size(at);
  return emit(Opcode::concat, {part(by, n - by), part(0, by)}, {{Attr::axis, static_cast<std::int64_t>(at)}});
}

// The cofactors are a polynomial in A, of degree n - 1, and so are their derivatives: up to 3 by 3 they are written as such, so that a
// singular matrix has them, to every order.
std::optional<Term> MatrixEquations::cofactors() const {
  const std::int64_t n = A().type().dims.back().size;
  if (n <= 1) return std::nullopt;
  if (n == 2) return emit(Opcode::cofactors, {dy});
  if (n > 3) return large_cofactors();
  // C[i,j] = A[i+1,j+1] A[i+2,j+2] - A[i+1,j+2] A[i+2,j+1], indices modulo 3; both factors of a product vary.
  auto at = [&](Term m, std::int64_t i, std::int64_t j) { return rolled(rolled(m, 0, i), 1, j); };
  Term plus = product(at(dy, 1, 1), at(A(), 2, 2)) + product(at(dy, 2, 2), at(A(), 1, 1));
  return plus - (product(at(dy, 1, 2), at(A(), 2, 1)) + product(at(dy, 2, 1), at(A(), 1, 2)));
}

// With C the cofactors: dA = A^-T (<dC, C> I - dC^T C).
Term MatrixEquations::large_cofactors() const {
  Term m = product("ki,kj->ij", dy, y, batches(y));
  Term products = product(dy, y);
  const auto rank = static_cast<std::int64_t>(y.type().rank());
  const std::vector<std::int64_t> axes{rank - 2, rank - 1};
  Term sum{&d_.builder, d_.builder.reduce(Opcode::reduce_sum, products.id, axes, rank > 2)};
  Term asked{&d_.builder, d_.builder.reduce(Opcode::reduce_any, emit(Opcode::ne, {dy, dy.number(0)}).id, axes, false)};
  Term matrix = where_asked(asked, emit(Opcode::det, {A()}) == 0.0);
  return solve(matrix, where(index(0) == index(1), sum - m, -m), Checked::no);
}

}  // namespace

std::optional<Term> matrix_equation(const DifferentiatedOp& differentiated, std::size_t i) {
  const MatrixEquations equations(differentiated);
  const Term A{&differentiated.builder, differentiated.op.operands[0]};
  switch (differentiated.op.code) {
    case Opcode::cholesky:
      return equations.cholesky();
    case Opcode::solve:
    case Opcode::triangular_solve: {
      Term db = equations.right_side();
      if (i == 0)
        return differentiated.op.code == Opcode::solve ? equations.solved_matrix(db) : equations.triangular(equations.solved_matrix(db));
      return Term{&differentiated.builder,
                  differentiated.builder.reshape(db.id, differentiated.builder.function().type(differentiated.cotangent).dims)};
    }
    case Opcode::det:
      return equations.determinant(emit(Opcode::cofactors, {A}));
    case Opcode::logdet:
      return equations.determinant(equations.inverse_transposed());
    case Opcode::cofactors:
      return equations.cofactors();
    default:
      throw InternalError("adjoint", std::string(op_info(differentiated.op.code).name) + " is not matrix calculus");
  }
}

}  // namespace bpc::ir
