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
  Term eigh() const;
  Term svd() const;
  Term qr() const;
  Term lu() const;

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

  // The product in which `zero`, which a cotangent is in, stands first, or second.
  Term times(Term zero, Term factor) const { return product("ij,jk->ik", zero, factor, batches(y)); }
  Term after(Term factor, Term zero) const { return product("jk,ij->ik", zero, factor, batches(y)); }
  // factor^T zero
  Term onto(Term factor, Term zero) const { return product("kj,ki->ij", zero, factor, batches(y)); }

  // Some of the rows (axis 0) or columns (axis 1).
  Term part(Term m, std::int64_t axis, std::int64_t from, std::int64_t count) const {
    const std::size_t at = m.type().rank() - 2 + static_cast<std::size_t>(axis);
    std::vector<std::int64_t> starts(m.type().rank(), 0), sizes = m.type().sizes(), steps(m.type().rank(), 1);
    starts[at] = from;
    sizes[at] = count;
    return emit(Opcode::slice, {m}, {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}});
  }
  Term rows(Term m, std::int64_t from, std::int64_t count) const { return part(m, 0, from, count); }
  // A row in each row of an n by n matrix.
  Term in_each_row(Term row) const {
    Type type = row.type();
    type.dims.end()[-2] = type.dims.back();
    return {&d_.builder, d_.builder.emit(Opcode::broadcast, {row.id}, {}, &type)};
  }
  Term over(Term a, Term gap, Term values) const;
  // The upper triangle of a matrix of n columns, or what is below it; the other part is 0.
  Term below(Term inside, Term outside) const { return where(index(0) > index(1), inside, outside); }
  // X with X upper^T = b.
  Term divided(Term b, Term upper) const {
    return transposed(emit(Opcode::triangular_solve, {upper, transposed(b)}, {{Attr::upper, true}}));
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
  const std::int64_t n = m.type().size(at);
  return emit(Opcode::concat, {part(m, axis, by, n - by), part(m, axis, 0, by)}, {{Attr::axis, static_cast<std::int64_t>(at)}});
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

// ---- factors, which lie one below the other (runtime/factors.h) ----
//
// Sources: Giles (2008), "Collected matrix derivative results"; Seeger et al. (2017), "Auto-differentiating linear algebra"; Townsend
// (2016), "Differentiating the singular value decomposition".

// a / gap, where `gap` lies between two of the values. Where it is zero, or nothing but their rounding, their vectors are any basis of what
// they span: then only a cotangent (or a tangent) that does not touch them has a derivative, which is 0. What has one all the same, such as
// V exp(w) V^T, has it by what stands between the vectors and the result, which is not seen from here: that is NaN, and never a wrong
// number.
Term MatrixEquations::over(Term a, Term gap, Term values) const {
  auto magnitude = [](Term t) { return emit(Opcode::abs, {t}); };
  const auto last = static_cast<std::int64_t>(values.type().rank()) - 1;
  Term most{&d_.builder, d_.builder.reduce(Opcode::reduce_max, magnitude(values).id, std::vector{last}, true)};
  const bool is_f32 = values.type().element == Element::f32;
  const double epsilon = is_f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  Term is_apart = magnitude(gap) > static_cast<double>(values.type().sizes().back()) * epsilon * most;
  Term factor = where(is_apart, 1.0 / where(is_apart, gap, 1.0), std::numeric_limits<double>::quiet_NaN());
  return emit(Opcode::strong_mul, {a, factor});
}

// With F_ij = 1 / (w_j - w_i): dA is the symmetric part of V (diag(dw) + F (V^T dV)) V^T.
Term MatrixEquations::eigh() const {
  const std::int64_t n = A().type().dims.back().size;
  Term vectors = rows(y, 0, n), w = rows(y, n, 1), columns = in_each_row(w);
  Term turned = over(onto(vectors, rows(dy, 0, n)), columns - transposed(columns), w);
  Term inside = where(index(0) == index(1), rows(dy, n, 1), turned);
  Term all = times(after(vectors, inside), transposed(vectors));
  return 0.5 * (all + transposed(all));
}

// With X = U^T dU and Y = V^T dV, Z_ij = (X + Y)_ij / (s_j - s_i) for what turns U and V alike, and W_ij = (X - Y)_ij / (s_j + s_i) for
// what turns them against each other: dA = U ((Z + Z^T + W - W^T) / 2 + diag(ds)) V^T + (I - U U^T) dU S^-1 V^T.
Term MatrixEquations::svd() const {
  const std::int64_t n = A().type().dims.back().size, m = y.type().dims.end()[-2].size - n - 1;
  Term u = rows(y, 0, m), s = rows(y, m, 1), v = rows(y, m + 1, n), columns = in_each_row(s), du = rows(dy, 0, m);
  Term turn_of_u = onto(u, du), turn_of_v = onto(v, rows(dy, m + 1, n)), gap = columns - transposed(columns),
       sum = columns + transposed(columns);
  Term z = over(turn_of_u, gap, s) + over(turn_of_v, gap, s), w = over(turn_of_u, sum, s) - over(turn_of_v, sum, s);
  Term inside = where(index(0) == index(1), rows(dy, m, 1), 0.5 * (z + transposed(z) + w - transposed(w)));
  Term all = m == n ? after(u, inside) : after(u, inside) + over(du - after(u, turn_of_u), s, s);
  return times(all, transposed(v));
}

// With M = R dR^T - dQ^T Q, and C the symmetric matrix with the lower triangle of M: dA = (dQ + Q C) R^-T.
Term MatrixEquations::qr() const {
  const std::int64_t n = A().type().dims.back().size, m = y.type().dims.end()[-2].size - n;
  Term q = rows(y, 0, m), r = rows(y, m, n), dq = rows(dy, 0, m), dr = below(dy.number(0), rows(dy, m, n));
  Term both = transposed(times(dr, transposed(r))) - transposed(onto(q, dq));
  return divided(dq + after(q, below(both, transposed(both))), r);
}

// With p the places of the rows: dA[p] = L^-T (what is below the diagonal of L^T dL, and the rest of dU U^T) U^-T.
Term MatrixEquations::lu() const {
  const std::int64_t n = A().type().dims.back().size;
  Term both = rows(y, 0, n), zero = dy.number(0), lower = below(both, diagonal(dy.number(1), zero)), upper = below(zero, both);
  Term dlower = below(rows(dy, 0, n), zero), dupper = below(zero, rows(dy, 0, n));
  Term inside = below(onto(lower, dlower), times(dupper, transposed(upper)));
  Term left = emit(Opcode::triangular_solve, {lower, inside}, {{Attr::transposed, true}, {Attr::checked, true}});
  Term columns{&d_.builder, d_.builder.cast(index(1).id, y.type().element)};
  Term places = where(transposed(in_each_row(rows(y, n, 1))) == columns, dy.number(1), zero);
  return onto(places, divided(left, upper));
}

// The rows of the library, so that the switch below must know each.
enum class Kernel : std::uint8_t {
#define BPC_LIBRARY(id, ...) id = static_cast<std::uint8_t>(Opcode::id),
#include "scalar/library.def"
};

}  // namespace

std::optional<Term> matrix_equation(const DifferentiatedOp& differentiated, std::size_t i) {
  const MatrixEquations equations(differentiated);
  const Term A{&differentiated.builder, differentiated.op.operands[0]};
  switch (static_cast<Kernel>(differentiated.op.code)) {
    case Kernel::cholesky:
      return equations.cholesky();
    case Kernel::solve:
    case Kernel::triangular_solve: {
      Term db = equations.right_side();
      if (i == 0)
        return differentiated.op.code == Opcode::solve ? equations.solved_matrix(db) : equations.triangular(equations.solved_matrix(db));
      return Term{&differentiated.builder,
                  differentiated.builder.reshape(db.id, differentiated.builder.function().type(differentiated.cotangent).dims)};
    }
    case Kernel::det:
      return equations.determinant(emit(Opcode::cofactors, {A}));
    case Kernel::logdet:
      return equations.determinant(equations.inverse_transposed());
    case Kernel::cofactors:
      return equations.cofactors();
    case Kernel::eigh_packed:
      return equations.eigh();
    case Kernel::svd_packed:
      return equations.svd();
    case Kernel::qr_packed:
      return equations.qr();
    case Kernel::lu_packed:
      return equations.lu();
    case Kernel::argsort:
      break;
  }
  throw InternalError("adjoint", std::string(op_info(differentiated.op.code).name) + " is not matrix calculus");
}

}  // namespace bpc::ir
