// Factorisations of dense row-major matrices, by Eigen. Arithmetic is in double for either element type; what is not finite gives NaN
// everywhere. They never stop, and the result is 0.
//
// A batch is `batches` matrices of m rows and n columns, one after the other, m >= n. The factors of one matrix lie in `out` row by row,
// one below the other, each of n columns; factors of signs that are free have the largest element of each column positive.
#pragma once

#include <cstdint>

#include "scalar/functions.h"

namespace bpc::runtime {

// V and w with a = V diag(w) V^T, w ascending: n rows of V, one of w. Only the lower triangle of `a` is read; m = n.
template <scalar::Real T>
std::int64_t eigh_packed(const T* a, T* out, double* work, std::int64_t batches, std::int64_t m, std::int64_t n);

// U, s and V with a = U diag(s) V^T, s descending: m rows of U, one of s, n of V.
template <scalar::Real T>
std::int64_t svd_packed(const T* a, T* out, double* work, std::int64_t batches, std::int64_t m, std::int64_t n);

// Q and R with a = Q R, the diagonal of R not negative: m rows of Q, n of R.
template <scalar::Real T>
std::int64_t qr_packed(const T* a, T* out, double* work, std::int64_t batches, std::int64_t m, std::int64_t n);

// L below the diagonal and U on and above it, with a[p] = L U, by partial pivoting: n rows of both, one of p; m = n.
template <scalar::Real T>
std::int64_t lu_packed(const T* a, T* out, double* work, std::int64_t batches, std::int64_t m, std::int64_t n);

}  // namespace bpc::runtime
