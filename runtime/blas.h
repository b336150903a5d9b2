// Factorisations and triangles of large matrices, by OpenBLAS (BLAS and LAPACK). The library is loaded when the first large matrix comes:
// it takes milliseconds to start, which no other script shall pay. One thread, so that results are the same each time.
//
// Matrices are row-major, n by n, and finite. LAPACK's are column-major: it sees the transpose of each.
#pragma once

#include <cstdint>

namespace bpc::runtime::blas {

// Whether there is an OpenBLAS, and n is so large that calling it pays; it counts in 32 bits.
bool serves(std::int64_t n);

// a := the lower triangle L of L L^T = a, of which the lower triangle is read; the upper one stays. False: a pivot is not positive.
bool cholesky(double* a, std::int64_t n);

// a := L and U, where a = L U P: L lower, U upper with ones on its diagonal, and P the exchanges of columns 0, 1, … with pivots[0],
// pivots[1], … in this order. False: a pivot is 0.
bool lu(double* a, std::int64_t n, std::int32_t* pivots);

// x := t^-1 x, or t^-T x, for a triangle t of a, with ones on its diagonal or as it is; x has k columns.
void solve_triangle(const double* a, double* x, std::int64_t n, std::int64_t k, bool upper, bool transposed, bool ones);

}  // namespace bpc::runtime::blas
