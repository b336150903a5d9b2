#include "scalar/elementary.h"

#include "scalar/elementary_f32.h"
#include "scalar/elementary_narrow.h"
#include "scalar/functions.h"

// Twice, for processors with fused multiplication and addition and for those without, where the C library's takes longer: the same bits.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define BPC_CLONES __attribute__((flatten, target_clones("fma", "default")))
#else
#define BPC_CLONES
#endif

namespace bpc::scalar {

// `single` gives f32, in numbers of the type that is named.
#define BPC_DEFINE_1(id, single, Number)          \
  BPC_CLONES double id##_f64(double x) {          \
    return elementary::id(x);                     \
  }                                               \
  BPC_CLONES float id##_f32(float x) {            \
    return static_cast<float>(single(Number(x))); \
  }
#define BPC_DEFINE_2(id, single, Number)                     \
  BPC_CLONES double id##_f64(double a, double b) {           \
    return elementary::id(a, b);                             \
  }                                                          \
  BPC_CLONES float id##_f32(float a, float b) {              \
    return static_cast<float>(single(Number(a), Number(b))); \
  }
#define BPC_DEFINE_elementary(id, operands) BPC_DEFINE_##operands(id, elementary::f32::id, double)
#define BPC_DEFINE_narrow(id, operands) BPC_DEFINE_##operands(id, elementary::narrow::id, real::Single)
#define BPC_DEFINE_call(id, operands)
#define BPC_DEFINE_ordered(id, operands)
#define BPC_DEFINE_emit(id, operands)
#define BPC_DEFINE_mixed(id, operands)
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) BPC_DEFINE_##code(id, operands)
#include "scalar/operators.def"
// Of the reals:
BPC_DEFINE_elementary(pow, 2) BPC_DEFINE_narrow(mod, 2) BPC_DEFINE_narrow(floordiv, 2)

}  // namespace bpc::scalar
