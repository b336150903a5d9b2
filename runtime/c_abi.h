// The functions of scalar/functions.h, runtime/random.h, runtime/linalg.h, runtime/factors.h and runtime/sorting.h that compiled code
// calls, under C names: bpc_rt_<name>_<element>, as `double bpc_rt_exp_f64(double)`. The divisor of bpc_rt_mod_i32 and its like must not be
// 0. And `void bpc_rt_parts(int64_t count, int64_t most, void (*part)(void*, int64_t, int64_t), void*)` and `int64_t bpc_rt_threads()`,
// which are run_parts and threads of runtime/pool.h, and `int64_t bpc_rt_nanoseconds()`, a clock.
#pragma once

#include <span>

namespace bpc::runtime {

struct CFunction {
  const char* name;
  void* address;
};
std::span<const CFunction> c_functions();

}  // namespace bpc::runtime
