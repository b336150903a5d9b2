#include "runtime/c_abi.h"

#include "runtime/linalg.h"
#include "runtime/random.h"
#include "scalar/functions.h"

namespace rt = bpc::runtime;

namespace {

template <class T>
void draw(void (*fill)(const rt::RandomDraw&, std::uint64_t, std::span<T>), T* out, std::int64_t count, std::int64_t seed,
          std::int64_t stream, const std::int64_t* turns, std::int64_t turn_count) {
  const std::int64_t each = turn_count == 0 ? 0 : count / turn_count;
  for (std::int64_t i = 0; i < turn_count; ++i)
    fill({static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(stream), static_cast<std::uint64_t>(turns[i])}, 0,
         {out + i * each, static_cast<std::size_t>(each)});
}

}  // namespace

extern "C" {

#define BPC_RT_DEFINE(name)              \
  float bpc_rt_##name##_f32(float x) {   \
    return bpc::scalar::name(x);         \
  }                                      \
  double bpc_rt_##name##_f64(double x) { \
    return bpc::scalar::name(x);         \
  }
BPC_RT_UNARY(BPC_RT_DEFINE)
#undef BPC_RT_DEFINE

#define BPC_RT_DEFINE(name)                        \
  float bpc_rt_##name##_f32(float a, float b) {    \
    return bpc::scalar::name(a, b);                \
  }                                                \
  double bpc_rt_##name##_f64(double a, double b) { \
    return bpc::scalar::name(a, b);                \
  }
BPC_RT_BINARY(BPC_RT_DEFINE)
#undef BPC_RT_DEFINE

#define BPC_RT_DEFINE(name)                                          \
  std::int32_t bpc_rt_##name##_i32(std::int32_t a, std::int32_t b) { \
    return bpc::scalar::name(a, b);                                  \
  }                                                                  \
  std::int64_t bpc_rt_##name##_i64(std::int64_t a, std::int64_t b) { \
    return bpc::scalar::name(a, b);                                  \
  }
BPC_RT_INTEGER(BPC_RT_DEFINE)
#undef BPC_RT_DEFINE

float bpc_rt_polygamma_f32(std::int64_t order, float x) {
  return bpc::scalar::polygamma(order, x);
}
double bpc_rt_polygamma_f64(std::int64_t order, double x) {
  return bpc::scalar::polygamma(order, x);
}

void bpc_rt_random_uniform_f32(float* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                               std::int64_t turn_count) {
  draw<float>(rt::fill_uniform, out, count, seed, stream, turns, turn_count);
}
void bpc_rt_random_uniform_f64(double* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                               std::int64_t turn_count) {
  draw<double>(rt::fill_uniform, out, count, seed, stream, turns, turn_count);
}
void bpc_rt_random_normal_f32(float* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                              std::int64_t turn_count) {
  draw<float>(rt::fill_normal, out, count, seed, stream, turns, turn_count);
}
void bpc_rt_random_normal_f64(double* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                              std::int64_t turn_count) {
  draw<double>(rt::fill_normal, out, count, seed, stream, turns, turn_count);
}

#define BPC_RT_DEFINE(name, element, T)                                                                            \
  std::int64_t bpc_rt_##name##_##element(const T* a, T* out, double* work, std::int64_t batches, std::int64_t n) { \
    return rt::name(a, out, work, batches, n);                                                                     \
  }
#define BPC_RT_DEFINE_REAL(name) BPC_RT_DEFINE(name, f32, float) BPC_RT_DEFINE(name, f64, double)
BPC_RT_MATRIX(BPC_RT_DEFINE_REAL)
#undef BPC_RT_DEFINE
#define BPC_RT_DEFINE(name, element, T)                                                                                      \
  std::int64_t bpc_rt_##name##_##element(const T* a, const T* b, T* out, double* work, std::int64_t batches, std::int64_t n, \
                                         std::int64_t k, std::int64_t many_a, std::int64_t many_b, std::int64_t form) {      \
    return rt::name(a, b, out, work, batches, n, k, many_a, many_b, form);                                                   \
  }
BPC_RT_SOLVE(BPC_RT_DEFINE_REAL)
#undef BPC_RT_DEFINE_REAL
#undef BPC_RT_DEFINE
#define BPC_RT_DEFINE(element, T)                                                                                              \
  std::int64_t bpc_rt_argsort_##element(const T* x, std::int32_t* out, std::int32_t* work, std::int64_t outer, std::int64_t n, \
                                        std::int64_t inner, std::int64_t descending) {                                         \
    return rt::argsort(x, out, work, outer, n, inner, descending);                                                             \
  }
BPC_RT_DEFINE(f32, float)
BPC_RT_DEFINE(f64, double)
BPC_RT_DEFINE(i32, std::int32_t)
BPC_RT_DEFINE(i64, std::int64_t)
#undef BPC_RT_DEFINE

}  // extern "C"
