// Kernels of linear algebra on dense row-major matrices. What compiled code and the interpreter both call, so that they agree to the last
// bit. Arithmetic is in double for either element type. LU and Cholesky as in Golub & Van Loan, "Matrix Computations" (4th ed.),
// algorithms 3.4.1 and 4.2.2.
//
// A batch is `batches` matrices of n rows and n columns, one after the other. `work` has n*n + n*k + n doubles, for k columns on the right:
// 0 where there is no right-hand side, n for `cofactors`. A kernel that can fail returns 0, or 1 + batch * n + column for the first matrix
// whose factorization stops, at that column; from there on `out` is NaN. A NaN is no reason to stop but for `cholesky`: it spreads. In the
// solves a right-hand side of zeros gives zeros, whatever the matrix holds.
#pragma once

#include <cstdint>

#include "scalar/functions.h"

namespace bpc::runtime {

// out = L, lower, with L L^T = a. Only the lower triangle of `a` is read. Stops where a pivot is not positive.
template <scalar::Real T>
std::int64_t cholesky(const T* a, T* out, double* work, std::int64_t batches, std::int64_t n);

// One number for each matrix; the logarithm of a negative determinant is NaN, of a zero one -infinity. They never stop.
template <scalar::Real T>
std::int64_t det(const T* a, T* out, double* work, std::int64_t batches, std::int64_t n);
template <scalar::Real T>
std::int64_t logdet(const T* a, T* out, double* work, std::int64_t batches, std::int64_t n);

// out = the matrix of cofactors, det(a) a^-T where `a` is invertible. Zero pivots are moved by a rounding error, which the determinant and
// the inverse share, so that a singular matrix has cofactors, too. Never stops.
template <scalar::Real T>
std::int64_t cofactors(const T* a, T* out, double* work, std::int64_t batches, std::int64_t n);

// Right-hand sides b of n rows and k columns. `many_a`, `many_b`: 1 where there is one for each batch, 0 where a single one serves all.
enum SolveForm : std::int64_t { kTransposed = 1, kUpper = 2 };  // a^T in place of a; the upper triangle is read, not the lower one

// out = a^-1 b by LU with partial pivoting. Stops where a pivot is 0.
template <scalar::Real T>
std::int64_t solve(const T* a, const T* b, T* out, double* work, std::int64_t batches, std::int64_t n, std::int64_t k, std::int64_t many_a,
                   std::int64_t many_b, std::int64_t form);
// The same for a triangular `a`, whose other triangle is not read. Stops where the diagonal is 0.
template <scalar::Real T>
std::int64_t triangular_solve(const T* a, const T* b, T* out, double* work, std::int64_t batches, std::int64_t n, std::int64_t k,
                              std::int64_t many_a, std::int64_t many_b, std::int64_t form);

}  // namespace bpc::runtime
