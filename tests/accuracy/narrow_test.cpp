// How far the functions of scalar/elementary_narrow.h are from those of f64, for f32 of the whole range. BPC_ACCURACY_STEP=1 takes each of
// the 2^32, which is how the errors beside the functions were found.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "scalar/functions.h"

namespace {

using namespace bpc;

double largest_error(float (*narrow)(float), double (*wide)(double)) {
  const char* given = std::getenv("BPC_ACCURACY_STEP");
  const std::uint64_t step = given ? std::strtoull(given, nullptr, 10) : 4093;
  double largest = 0;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += step) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(bits)), y = narrow(x);
    const double exact = wide(x);
    const float rounded = static_cast<float>(exact);
    if (std::isnan(rounded) || std::isinf(rounded) || std::isnan(y) || std::isinf(y)) {
      if (std::isnan(rounded) ? !std::isnan(y) : y != rounded) return INFINITY;
      continue;
    }
    const float size = std::fabs(rounded);
    const double unit = static_cast<double>(std::nextafter(size, INFINITY)) - static_cast<double>(size);
    largest = std::max(largest, std::fabs(y - exact) / unit);
  }
  return largest;
}

}  // namespace

TEST_CASE("functions that are computed in f32 are within a unit in the last place") {
#define BPC_CHECK(id)                                                            \
  {                                                                              \
    const double error = largest_error(&scalar::id<float>, &scalar::id<double>); \
    INFO(#id);                                                                   \
    CHECK(error < 1);                                                            \
    if (std::getenv("BPC_ACCURACY_STEP")) WARN(#id << ": " << error);            \
  }
#define BPC_CHECK_elementary(id)
#define BPC_CHECK_narrow(id) BPC_CHECK(id)
#define BPC_CHECK_call(id)
#define BPC_CHECK_ordered(id)
#define BPC_CHECK_emit(id)
#define BPC_CHECK_mixed(id)
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) BPC_CHECK_##code(id)
#include "scalar/operators.def"
}
