// What the machine can do at most: multiply-adds (two operations each) of f32 and f64 a second in one thread, bytes copied a second (read
// and written bytes each counted once).
#include <cstring>

#include "measure.h"

// By vectors of so many bytes, in as many chains as there are registers for.
template <class Real, int kBytes, int chains>
double multiply_adds() {
  typedef Real Vector __attribute__((vector_size(kBytes)));
  constexpr int turns = 10000;
  Vector x{}, y{};
  x += Real(0.999);
  y += Real(0.001);
  const double taken = bench::seconds([&] {
    bench::touch(x);
    bench::touch(y);
    const Vector factor = x, term = y;
    Vector sums[chains], total{};  // registers: nobody has their addresses
#pragma GCC unroll 24
    for (int k = 0; k < chains; ++k) sums[k] = term * Real(k);  // or they would be one
    for (int i = 0; i < turns; ++i)
#pragma GCC unroll 24
      for (int k = 0; k < chains; ++k) sums[k] = sums[k] * factor + term;
#pragma GCC unroll 24
    for (int k = 0; k < chains; ++k) total += sums[k];
    bench::touch(total);
  });
  return 2.0 * chains * (kBytes / sizeof(Real)) * turns / taken;
}

// The widest vectors are not always the quickest: some processors have fewer units for them.
template <class Real>
double most_multiply_adds() {
#if defined(__AVX512F__)
  return std::max(multiply_adds<Real, 64, 24>(), multiply_adds<Real, 32, 12>());
#elif defined(__AVX__)
  return multiply_adds<Real, 32, 12>();
#else
  return multiply_adds<Real, 16, 12>();
#endif
}

int main() {
  std::vector<char> from(std::size_t{1} << 28, 1), to(from.size());
  const double copying = bench::seconds([&] {
    std::memcpy(to.data(), from.data(), from.size());
    bench::touch(to);
  });
  std::printf("{\"fma_f32\": %.9g, \"fma_f64\": %.9g, \"copy\": %.9g}\n", most_multiply_adds<float>(), most_multiply_adds<double>(),
              2.0 * static_cast<double>(from.size()) / copying);
}
