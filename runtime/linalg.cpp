#include "runtime/linalg.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/blas.h"

namespace bpc::runtime {

namespace {

using scalar::Real;
using Size = std::int64_t;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class From, class To>
void copy(const From* from, To* to, Size count) {
  for (Size i = 0; i < count; ++i) to[i] = static_cast<To>(from[i]);
}

bool are_finite(const double* x, Size count) {
  bool all = true;
  for (Size i = 0; i < count; ++i) all &= std::fabs(x[i]) <= std::numeric_limits<double>::max();
  return all;
}

// ---- rows, in which a zero of x stays zero whatever the factor ----

void subtract(double* y, const double* x, double factor, Size k) {
  if (std::isfinite(factor))
    for (Size i = 0; i < k; ++i) y[i] -= factor * x[i];
  else
    for (Size i = 0; i < k; ++i) y[i] -= x[i] == 0 ? 0 : factor * x[i];
}

void divide(double* x, double divisor, Size k) {
  for (Size i = 0; i < k; ++i) x[i] = x[i] == 0 ? 0 : x[i] / divisor;
}

// ---- triangles ----

enum class Diagonal : bool { ones, given };

// x := t^-1 x for the lower or upper triangle t of a, or for its transpose; x has k columns.
void substitute(const double* a, double* x, Size n, Size k, Size form, Diagonal diagonal) {
  bool transposed = form & kTransposed, upper = form & kUpper;
  if (blas::serves(n) && k <= INT32_MAX && are_finite(a, n * n) && are_finite(x, n * k))
    return blas::solve_triangle(a, x, n, k, upper, transposed, diagonal == Diagonal::ones);
  bool downwards = upper == transposed;  // the first row is known first
  for (Size step = 0; step < n; ++step) {
    Size i = downwards ? step : n - 1 - step;
    if (diagonal == Diagonal::given) divide(x + i * k, a[i * n + i], k);
    // What is left are the rows after i in this order, each with its own factor of x_i.
    for (Size j = downwards ? i + 1 : 0; j < (downwards ? n : i); ++j)
      subtract(x + j * k, x + i * k, transposed ? a[i * n + j] : a[j * n + i], k);
  }
}

// ---- LU ----

// In place of a: the unit lower triangle L and the upper triangle U with L U = P a; pivots[j] is the row that was exchanged with row j. Or,
// by columns, what blas::lu says.
struct Lu {
  double* a;
  std::int32_t* pivots;
  Size n;
  bool odd = false;  // number of exchanges
  Size stop = -1;    // the first column without a pivot
  bool by_columns = false;
};

// The n doubles of `work` that are for pivots.
std::int32_t* as_pivots(double* work) {
  return reinterpret_cast<std::int32_t*>(work);
}

// False, and `a` is spoilt: not a case for it. A matrix without a pivot is none, so that it stops at the same column whatever its size.
bool factorize_by_columns(Lu& lu) {
  if (!blas::serves(lu.n) || !are_finite(lu.a, lu.n * lu.n)) return false;
  if (!blas::lu(lu.a, lu.n, lu.pivots) || !are_finite(lu.a, lu.n * lu.n)) return false;
  for (Size j = 0; j < lu.n; ++j) lu.odd ^= lu.pivots[j] != j;
  return lu.by_columns = true;
}

// Of `from`, in `a`. Zero pivots are replaced by `instead`.
template <class T>
Lu factorize(const T* from, double* a, std::int32_t* pivots, Size n, double instead = 0) {
  Lu lu{a, pivots, n};
  copy(from, a, n * n);
  if (factorize_by_columns(lu)) return lu;
  copy(from, a, n * n);
  for (Size j = 0; j < n; ++j) {
    Size best = j;
    for (Size i = j + 1; i < n; ++i)
      if (std::fabs(a[i * n + j]) > std::fabs(a[best * n + j])) best = i;
    pivots[j] = static_cast<std::int32_t>(best);
    if (best != j) {
      std::swap_ranges(a + j * n, a + (j + 1) * n, a + best * n);
      lu.odd = !lu.odd;
    }
    double& pivot = a[j * n + j];
    if (pivot == 0) {
      if (lu.stop < 0) lu.stop = j;
      pivot = instead;
      if (pivot == 0) continue;
    }
    for (Size i = j + 1; i < n; ++i) {
      double factor = a[i * n + j] /= pivot;
      if (factor != 0) subtract(a + i * n + j + 1, a + j * n + j + 1, factor, n - j - 1);
    }
  }
  return lu;
}

void exchange(const Lu& lu, double* x, Size k, Size j) {
  const Size other = lu.pivots[j];
  if (other != j) std::swap_ranges(x + j * k, x + (j + 1) * k, x + other * k);
}

// x := a^-1 x, or a^-T x.
void apply_inverse(const Lu& lu, double* x, Size k, bool transposed) {
  if (lu.by_columns && !transposed) {
    substitute(lu.a, x, lu.n, k, 0, Diagonal::given);
    substitute(lu.a, x, lu.n, k, kUpper, Diagonal::ones);
    for (Size j = lu.n; j-- > 0;) exchange(lu, x, k, j);
  } else if (lu.by_columns) {
    for (Size j = 0; j < lu.n; ++j) exchange(lu, x, k, j);
    substitute(lu.a, x, lu.n, k, kUpper | kTransposed, Diagonal::ones);
    substitute(lu.a, x, lu.n, k, kTransposed, Diagonal::given);
  } else if (!transposed) {
    for (Size j = 0; j < lu.n; ++j) exchange(lu, x, k, j);
    substitute(lu.a, x, lu.n, k, 0, Diagonal::ones);
    substitute(lu.a, x, lu.n, k, kUpper, Diagonal::given);
  } else {
    substitute(lu.a, x, lu.n, k, kUpper | kTransposed, Diagonal::given);
    substitute(lu.a, x, lu.n, k, kTransposed, Diagonal::ones);
    for (Size j = lu.n; j-- > 0;) exchange(lu, x, k, j);
  }
}

double determinant(const Lu& lu) {
  double product = lu.odd ? -1 : 1;
  for (Size i = 0; i < lu.n; ++i) product *= lu.a[i * lu.n + i];
  return product;
}

double log_determinant(const Lu& lu) {
  double sum = 0;
  bool negative = lu.odd;
  for (Size i = 0; i < lu.n; ++i) {
    double pivot = lu.a[i * lu.n + i];
    sum += std::log(std::fabs(pivot));
    negative ^= pivot < 0;
  }
  return negative && lu.stop < 0 ? kNan : sum;
}

// ---- batches ----

template <class T, class F>
Size for_each_number(const T* a, T* out, double* work, Size batches, Size n, F f) {
  for (Size batch = 0; batch < batches; ++batch) {
    out[batch] = static_cast<T>(f(factorize(a + batch * n * n, work, as_pivots(work + n * n), n)));
  }
  return 0;
}

// `prepare` makes a matrix ready in `work` and returns the column where that stops, or -1; `apply` solves one right-hand side.
template <class T, class Prepare, class Apply>
Size solve_each(const T* a, const T* b, T* out, double* work, Size batches, Size n, Size k, Size many_a, Size many_b, Prepare prepare,
                Apply apply) {
  double *matrix = work, *x = work + n * n;
  for (Size batch = 0; batch < batches; ++batch) {
    if (batch == 0 || many_a) {
      if (Size stop = prepare(a + batch * n * n, matrix); stop >= 0) {
        std::fill(out + batch * n * k, out + batches * n * k, static_cast<T>(kNan));
        return 1 + batch * n + stop;
      }
    }
    copy(b + many_b * batch * n * k, x, n * k);
    apply(matrix, x);
    copy(x, out + batch * n * k, n * k);
  }
  return 0;
}

}  // namespace

namespace {

// False: not a case for it, or it stops.
template <class T>
bool cholesky_by_blas(const T* a, T* out, double* work, Size n) {
  if (!blas::serves(n)) return false;
  for (Size i = 0; i < n; ++i) {
    copy(a + i * n, work + i * n, i + 1);
    if (!are_finite(work + i * n, i + 1)) return false;
  }
  if (!blas::cholesky(work, n)) return false;
  for (Size i = 0; i < n; ++i) {
    copy(work + i * n, out + i * n, i + 1);
    std::fill(out + i * n + i + 1, out + (i + 1) * n, T(0));
  }
  return true;
}

}  // namespace

// Row by row of L^T, so that the innermost loop runs along rows.
template <Real T>
Size cholesky(const T* a, T* out, double* work, Size batches, Size n) {
  for (Size batch = 0; batch < batches; ++batch, a += n * n, out += n * n) {
    if (cholesky_by_blas(a, out, work, n)) continue;
    for (Size i = 0; i < n; ++i)
      for (Size j = 0; j <= i; ++j) work[j * n + i] = static_cast<double>(a[i * n + j]);
    for (Size j = 0; j < n; ++j) {
      double* row = work + j * n;
      if (!(row[j] > 0)) {
        std::fill(out, out + (batches - batch) * n * n, static_cast<T>(kNan));
        return 1 + batch * n + j;
      }
      row[j] = std::sqrt(row[j]);
      divide(row + j + 1, row[j], n - j - 1);
      for (Size i = j + 1; i < n; ++i) subtract(work + i * n + i, row + i, row[i], n - i);
    }
    for (Size i = 0; i < n; ++i)
      for (Size j = 0; j < n; ++j) out[i * n + j] = j <= i ? static_cast<T>(work[j * n + i]) : T(0);
  }
  return 0;
}

template <Real T>
Size det(const T* a, T* out, double* work, Size batches, Size n) {
  return for_each_number(a, out, work, batches, n, determinant);
}

template <Real T>
Size logdet(const T* a, T* out, double* work, Size batches, Size n) {
  return for_each_number(a, out, work, batches, n, log_determinant);
}

template <Real T>
Size cofactors(const T* a, T* out, double* work, Size batches, Size n) {
  double *matrix = work, *x = work + n * n;
  for (Size batch = 0; batch < batches; ++batch) {
    const T* from = a + batch * n * n;
    double largest = std::accumulate(from, from + n * n, 0.0, [](double m, T v) { return std::max(m, std::fabs(static_cast<double>(v))); });
    Lu lu = factorize(from, matrix, as_pivots(x + n * n), n, std::numeric_limits<double>::epsilon() * (largest > 0 ? largest : 1));
    std::fill(x, x + n * n, 0.0);
    for (Size i = 0; i < n; ++i) x[i * n + i] = 1;
    apply_inverse(lu, x, n, true);
    double scale = determinant(lu);
    for (Size i = 0; i < n * n; ++i) out[batch * n * n + i] = static_cast<T>(scale * x[i]);
  }
  return 0;
}

template <Real T>
Size solve(const T* a, const T* b, T* out, double* work, Size batches, Size n, Size k, Size many_a, Size many_b, Size form) {
  Lu lu{work, as_pivots(work + n * n + n * k), n};
  auto prepare = [&](const T* from, double* matrix) { return (lu = factorize(from, matrix, lu.pivots, n)).stop; };
  auto apply = [&](double*, double* x) { apply_inverse(lu, x, k, form & kTransposed); };
  return solve_each(a, b, out, work, batches, n, k, many_a, many_b, prepare, apply);
}

template <Real T>
Size triangular_solve(const T* a, const T* b, T* out, double* work, Size batches, Size n, Size k, Size many_a, Size many_b, Size form) {
  auto prepare = [&](const T* from, double* matrix) -> Size {
    copy(from, matrix, n * n);
    for (Size i = 0; i < n; ++i)
      if (matrix[i * n + i] == 0) return i;
    return -1;
  };
  auto apply = [&](const double* matrix, double* x) { substitute(matrix, x, n, k, form, Diagonal::given); };
  return solve_each(a, b, out, work, batches, n, k, many_a, many_b, prepare, apply);
}

#define BPC_INSTANTIATE(T)                                                                     \
  template Size cholesky<T>(const T*, T*, double*, Size, Size);                                \
  template Size det<T>(const T*, T*, double*, Size, Size);                                     \
  template Size logdet<T>(const T*, T*, double*, Size, Size);                                  \
  template Size cofactors<T>(const T*, T*, double*, Size, Size);                               \
  template Size solve<T>(const T*, const T*, T*, double*, Size, Size, Size, Size, Size, Size); \
  template Size triangular_solve<T>(const T*, const T*, T*, double*, Size, Size, Size, Size, Size, Size);
BPC_INSTANTIATE(float)
BPC_INSTANTIATE(double)
#undef BPC_INSTANTIATE

}  // namespace bpc::runtime
