#include "runtime/c_abi.h"

#include <chrono>
#include <cstdint>

#include "runtime/factors.h"
#include "runtime/linalg.h"
#include "runtime/pool.h"
#include "runtime/random.h"
#include "runtime/sorting.h"
#include "scalar/elementary.h"
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

// X(element, T, …) for the element types of a domain.
#define BPC_EACH_real(X, ...) X(f32, float, __VA_ARGS__) X(f64, double, __VA_ARGS__)
#define BPC_EACH_number(X, ...) BPC_EACH_real(X, __VA_ARGS__) X(i32, std::int32_t, __VA_ARGS__) X(i64, std::int64_t, __VA_ARGS__)

// X(element, T, id) for a row of scalar/operators.def, if compiled code calls its function; `plain` is one without an order.
#define BPC_CALLED_elementary(domain, plain, ordered, id)
#define BPC_CALLED_narrow(domain, plain, ordered, id)
#define BPC_CALLED_call(domain, plain, ordered, id) BPC_EACH_##domain(plain, id)
#define BPC_CALLED_ordered(domain, plain, ordered, id) BPC_EACH_##domain(ordered, id)
#define BPC_CALLED_mixed(domain, plain, ordered, id) BPC_EACH_##domain(plain, id)
#define BPC_CALLED_emit(domain, plain, ordered, id)

extern "C" {

void bpc_rt_parts(std::int64_t count, std::int64_t most, rt::Part part, void* argument) {
  rt::run_parts(count, most, part, argument);
}

std::int64_t bpc_rt_threads() {
  return rt::threads();
}

std::int64_t bpc_rt_nanoseconds() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

#define BPC_DEFINE_1(element, T, name) \
  T bpc_rt_##name##_##element(T x) {   \
    return bpc::scalar::name(x);       \
  }
#define BPC_DEFINE_2(element, T, name)    \
  T bpc_rt_##name##_##element(T a, T b) { \
    return bpc::scalar::name(a, b);       \
  }
#define BPC_DEFINE_ORDERED(element, T, name)             \
  T bpc_rt_##name##_##element(std::int64_t order, T x) { \
    return bpc::scalar::name(order, x);                  \
  }
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) \
  BPC_CALLED_##code(domain, BPC_DEFINE_##operands, BPC_DEFINE_ORDERED, id)
#include "scalar/operators.def"

// Draws of a random op into out (see runtime/random.h): count elements in all, as many for each turn, one turn after the other.
#define BPC_DEFINE_DRAW(element, T, name)                                                                                              \
  void bpc_rt_random_##name##_##element(T* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns, \
                                        std::int64_t turn_count) {                                                                     \
    draw<T>(rt::fill_##name, out, count, seed, stream, turns, turn_count);                                                             \
  }
// runtime/linalg.h, runtime/factors.h and runtime/sorting.h, by shape rule; the result is the status.
#define BPC_DEFINE_square(element, T, name)                                                                        \
  std::int64_t bpc_rt_##name##_##element(const T* a, T* out, double* work, std::int64_t batches, std::int64_t n) { \
    return rt::name(a, out, work, batches, n);                                                                     \
  }
#define BPC_DEFINE_determinant(element, T, name) BPC_DEFINE_square(element, T, name)
#define BPC_DEFINE_solve(element, T, name)                                                                                   \
  std::int64_t bpc_rt_##name##_##element(const T* a, const T* b, T* out, double* work, std::int64_t batches, std::int64_t n, \
                                         std::int64_t k, std::int64_t many_a, std::int64_t many_b, std::int64_t form) {      \
    return rt::name(a, b, out, work, batches, n, k, many_a, many_b, form);                                                   \
  }
#define BPC_DEFINE_factors(element, T, name)                                                                                       \
  std::int64_t bpc_rt_##name##_##element(const T* a, T* out, double* work, std::int64_t batches, std::int64_t m, std::int64_t n) { \
    return rt::name(a, out, work, batches, m, n);                                                                                  \
  }
#define BPC_DEFINE_order(element, T, name)                                                                                      \
  std::int64_t bpc_rt_##name##_##element(const T* x, std::int32_t* out, std::int64_t* work, std::int64_t outer, std::int64_t n, \
                                         std::int64_t inner, std::int64_t form) {                                               \
    return rt::name(x, out, work, outer, n, inner, form);                                                                       \
  }
#define BPC_LIBRARY(id, spelling, operands, rule, domain, ...) BPC_EACH_##domain(BPC_DEFINE_##rule, id)
#include "scalar/library.def"

#define BPC_DEFINE_FAR_1(name)                       \
  double bpc_rt_far_##name(double x) {               \
    return bpc::scalar::real::far::name.function(x); \
  }
#define BPC_DEFINE_FAR_2(name)                          \
  double bpc_rt_far_##name(double a, double b) {        \
    return bpc::scalar::real::far::name.function(a, b); \
  }
#define BPC_DEFINE_FAR(name, operands) BPC_DEFINE_FAR_##operands(name)
BPC_FAR(BPC_DEFINE_FAR)

BPC_EACH_real(BPC_DEFINE_DRAW, uniform) BPC_EACH_real(BPC_DEFINE_DRAW, normal)

}  // extern "C"

namespace bpc::runtime {

std::span<const CFunction> c_functions() {
#define BPC_ENTRY(element, T, name) {"bpc_rt_" #name "_" #element, reinterpret_cast<void*>(bpc_rt_##name##_##element)},
#define BPC_ENTRY_FAR(name, operands) {"bpc_rt_far_" #name, reinterpret_cast<void*>(bpc_rt_far_##name)},
#define BPC_LIBRARY(id, spelling, operands, rule, domain, ...) BPC_EACH_##domain(BPC_ENTRY, id)
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) BPC_CALLED_##code(domain, BPC_ENTRY, BPC_ENTRY, id)
  static const CFunction kFunctions[] = {{"bpc_rt_parts", reinterpret_cast<void*>(bpc_rt_parts)},
                                         {"bpc_rt_threads", reinterpret_cast<void*>(bpc_rt_threads)},
                                         {"bpc_rt_nanoseconds", reinterpret_cast<void*>(bpc_rt_nanoseconds)},
#include "scalar/library.def"
#include "scalar/operators.def"
                                         BPC_FAR(BPC_ENTRY_FAR) BPC_EACH_real(BPC_ENTRY, random_uniform)
                                             BPC_EACH_real(BPC_ENTRY, random_normal)};
  return kFunctions;
}

}  // namespace bpc::runtime
