// The functions of runtime/scalar.h and runtime/random.h that compiled code calls, under C names: bpc_rt_<name>_<element>.
// The lists are for whoever binds all of them (the JIT's symbol table).
#pragma once

#include <cstdint>

// Real functions of one and of two operands: bpc_rt_exp_f32(float), bpc_rt_exp_f64(double), …
#define BPC_RT_UNARY(X) \
  X(exp)                \
  X(expm1) X(log) X(log1p) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(erf) X(lgamma) X(sigmoid) X(softplus)
#define BPC_RT_BINARY(X) X(pow) X(atan2) X(mod) X(floordiv)
// Integer functions of two operands, i32 and i64; the divisor of mod and floordiv must not be 0.
#define BPC_RT_INTEGER(X) X(pow) X(mod) X(floordiv)

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

}  // extern "C"
