#include "runtime/sorting.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace {

using namespace bpc;

template <class T>
std::vector<std::int32_t> sorted(const std::vector<T>& x, std::int64_t outer, std::int64_t n, std::int64_t inner, bool descending) {
  std::vector<std::int32_t> out(x.size());
  std::vector<std::int64_t> work(sizeof(T) / 2 * static_cast<std::size_t>(n));
  REQUIRE(runtime::argsort(x.data(), out.data(), work.data(), outer, n, inner, std::int64_t{descending}) == 0);
  return out;
}

// By comparisons.
template <class T>
std::vector<std::int32_t> expected(const std::vector<T>& x, std::int64_t outer, std::int64_t n, std::int64_t inner, bool descending) {
  std::vector<std::int32_t> out(x.size()), order(static_cast<std::size_t>(n));
  for (std::int64_t line = 0; line < outer * inner; ++line) {
    auto at = [&](std::int64_t i) { return static_cast<std::size_t>(line / inner * n * inner + line % inner + i * inner); };
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t i, std::int32_t j) {
      const T a = x[at(i)], b = x[at(j)];
      if (a != a || b != b) return a == a && b != b;
      return descending ? b < a : a < b;
    });
    for (std::int64_t i = 0; i < n; ++i) out[at(i)] = order[static_cast<std::size_t>(i)];
  }
  return out;
}

}  // namespace

TEMPLATE_TEST_CASE("sorting is that by comparisons", "", float, double, std::int32_t, std::int64_t) {
  using Limits = std::numeric_limits<TestType>;
  std::mt19937_64 random(7);
  for (std::int64_t n : {0, 1, 2, 3, 17, 255, 256, 257, 1000, 5000}) {
    for (int range : {1, 3, 1000, 0}) {  // many that are equal, few; 0: of every size, and what is special
      for (bool descending : {false, true}) {
        const std::int64_t outer = n > 300 ? 1 : 3, inner = n % 2 == 0 ? 1 : 2;
        std::vector<TestType> x(static_cast<std::size_t>(outer * n * inner));
        for (TestType& element : x) {
          const auto bits = random();
          if (range > 0)
            element = static_cast<TestType>(static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(2 * range + 1)) - range);
          else if constexpr (Limits::is_iec559)
            element =
                static_cast<TestType>(std::ldexp(static_cast<double>(static_cast<std::int64_t>(bits)), static_cast<int>(bits % 120) - 123));
          else
            element = static_cast<TestType>(bits);
          const TestType special[] = {0,
                                      Limits::max(),
                                      Limits::lowest(),
                                      Limits::min(),
                                      static_cast<TestType>(-TestType(0)),
                                      Limits::infinity(),
                                      static_cast<TestType>(-Limits::infinity()),
                                      Limits::quiet_NaN(),
                                      Limits::denorm_min()};
          if (range == 0 && bits % 5 == 0) element = special[bits / 5 % std::size(special)];
          if (Limits::is_iec559 && range == 3 && element == 0 && bits % 2 == 0) element = -element;
        }
        INFO(n << " elements, range " << range << (descending ? ", descending" : ""));
        REQUIRE(sorted(x, outer, n, inner, descending) == expected(x, outer, n, inner, descending));
        if (n > 0 && range == 1000) {  // what is sorted stays
          std::sort(x.begin(), x.begin() + n);
          x.resize(static_cast<std::size_t>(n));
          REQUIRE(sorted(x, 1, n, 1, descending) == expected(x, 1, n, 1, descending));
        }
      }
    }
  }
}
