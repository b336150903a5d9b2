// What the machine can do at most: multiply-adds (two operations each) of f32 and f64 a second in one thread, bytes copied a second (read
// and written bytes each counted once).
#include <cstring>

#include "measure.h"

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

template <class Real>
double multiply_adds() {
  typedef Real Vector __attribute__((vector_size(kBytes)));
  constexpr int chains = kBytes == 64 ? 24 : 12, turns = 10000;
  Vector sums[chains] = {}, x{}, y{};
  x += Real(0.999);
  y += Real(0.001);
  const bench::Seconds taken = bench::seconds([&] {
    bench::touch(x);
    bench::touch(y);
    for (int i = 0; i < turns; ++i)
#pragma GCC unroll 24
      for (int k = 0; k < chains; ++k) sums[k] = sums[k] * x + y;
    bench::touch(sums);
  });
  return 2.0 * chains * (kBytes / sizeof(Real)) * turns / taken.fastest;
}

int main() {
  std::vector<char> from(std::size_t{1} << 28, 1), to(from.size());
  const bench::Seconds copying = bench::seconds([&] {
    std::memcpy(to.data(), from.data(), from.size());
    bench::touch(to);
  });
  std::printf("{\"fma_f32\": %.9g, \"fma_f64\": %.9g, \"copy\": %.9g}\n", multiply_adds<float>(), multiply_adds<double>(),
              2.0 * static_cast<double>(from.size()) / copying.fastest);
}
