// The functions of runtime/scalar.h, runtime/random.h and runtime/linalg.h that compiled code calls, under C names:
// bpc_rt_<name>_<element>. The lists are for whoever binds all of them (the JIT's symbol table).
#pragma once

#include <cstdint>

// Real functions of one and of two operands: bpc_rt_exp_f32(float), bpc_rt_exp_f64(double), …
#define BPC_RT_UNARY(X) \
  X(exp)                \
  X(expm1) X(log) X(log1p) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(erf) X(lgamma) X(sigmoid) X(softplus)
#define BPC_RT_BINARY(X) X(pow) X(atan2) X(mod) X(floordiv)
// Integer functions of two operands, i32 and i64; the divisor of mod and floordiv must not be 0.
#define BPC_RT_INTEGER(X) X(pow) X(mod) X(floordiv)
// Kernels on whole tensors, of one and of two matrices.
#define BPC_RT_MATRIX(X) X(cholesky) X(det) X(logdet) X(cofactors)
#define BPC_RT_SOLVE(X) X(solve) X(triangular_solve)

extern "C" {

#define BPC_RT_DECLARE(name)          \
  float bpc_rt_##name##_f32(float x); \
  double bpc_rt_##name##_f64(double x);
BPC_RT_UNARY(BPC_RT_DECLARE)
#undef BPC_RT_DECLARE

#define BPC_RT_DECLARE(name)                   \
  float bpc_rt_##name##_f32(float a, float b); \
  double bpc_rt_##name##_f64(double a, double b);
BPC_RT_BINARY(BPC_RT_DECLARE)
#undef BPC_RT_DECLARE

#define BPC_RT_DECLARE(name)                                        \
  std::int32_t bpc_rt_##name##_i32(std::int32_t a, std::int32_t b); \
  std::int64_t bpc_rt_##name##_i64(std::int64_t a, std::int64_t b);
BPC_RT_INTEGER(BPC_RT_DECLARE)
#undef BPC_RT_DECLARE

float bpc_rt_polygamma_f32(std::int64_t order, float x);
double bpc_rt_polygamma_f64(std::int64_t order, double x);

// Draws of a random op into out (see runtime/random.h): count elements in all, as many for each turn, one turn after the other.
void bpc_rt_random_uniform_f32(float* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                               std::int64_t turn_count);
void bpc_rt_random_uniform_f64(double* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                               std::int64_t turn_count);
void bpc_rt_random_normal_f32(float* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                              std::int64_t turn_count);
void bpc_rt_random_normal_f64(double* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                              std::int64_t turn_count);

// runtime/linalg.h; the result is the status.
#define BPC_RT_DECLARE(name, element, T) \
  std::int64_t bpc_rt_##name##_##element(const T* a, T* out, double* work, std::int64_t batches, std::int64_t n);
#define BPC_RT_DECLARE_REAL(name) BPC_RT_DECLARE(name, f32, float) BPC_RT_DECLARE(name, f64, double)
BPC_RT_MATRIX(BPC_RT_DECLARE_REAL)
#undef BPC_RT_DECLARE
#define BPC_RT_DECLARE(name, element, T)                                                                                     \
  std::int64_t bpc_rt_##name##_##element(const T* a, const T* b, T* out, double* work, std::int64_t batches, std::int64_t n, \
                                         std::int64_t k, std::int64_t many_a, std::int64_t many_b, std::int64_t form);
BPC_RT_SOLVE(BPC_RT_DECLARE_REAL)
#undef BPC_RT_DECLARE_REAL
#undef BPC_RT_DECLARE
#define BPC_RT_DECLARE(element, T)                                                                                             \
  std::int64_t bpc_rt_argsort_##element(const T* x, std::int32_t* out, std::int32_t* work, std::int64_t outer, std::int64_t n, \
                                        std::int64_t inner, std::int64_t descending);
BPC_RT_DECLARE(f32, float)
BPC_RT_DECLARE(f64, double)
BPC_RT_DECLARE(i32, std::int32_t)
BPC_RT_DECLARE(i64, std::int64_t)
#undef BPC_RT_DECLARE

}  // extern "C"
