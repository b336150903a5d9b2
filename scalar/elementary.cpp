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

#define BPC_DEFINE_1(id)                 \
  BPC_CLONES double id##_f64(double x) { \
    return elementary::id(x);            \
  }                                      \
  BPC_CLONES double id##_f32(double x) { \
    return elementary::f32::id(x);       \
  }
#define BPC_DEFINE_2(id)                           \
  BPC_CLONES double id##_f64(double a, double b) { \
    return elementary::id(a, b);                   \
  }                                                \
  BPC_CLONES double id##_f32(double a, double b) { \
    return elementary::f32::id(a, b);              \
  }
#define BPC_DEFINE_narrow(id, operands)                   \
  BPC_CLONES double id##_f64(double x) {                  \
    return elementary::id(x);                             \
  }                                                       \
  BPC_CLONES float id##_f32(float x) {                    \
    return elementary::narrow::id(real::Single(x)).value; \
  }
#define BPC_DEFINE_call(id, operands)
#define BPC_DEFINE_ordered(id, operands)
#define BPC_DEFINE_emit(id, operands)
#define BPC_DEFINE_mixed(id, operands)
#define BPC_DEFINE_elementary(id, operands) BPC_DEFINE_##operands(id)
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) BPC_DEFINE_##code(id, operands)
#include "scalar/operators.def"
BPC_DEFINE_2(pow)  // of the reals

}  // namespace bpc::scalar
