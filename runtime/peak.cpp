#include "runtime/peak.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bpc::runtime {

namespace {

constexpr int kTurns = 20'000, kRepeats = 5;
constexpr std::size_t kCopied = std::size_t{64} << 20;  // bytes

template <class Work>
double fastest(const Work& work) {
  double least = 1e9;
  for (int i = 0; i < kRepeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

// Chains of multiply-adds, as many as hide the time that each waits for the one before: the sum of all is the result, lest they be left
// out. Vectors of each width are functions of their own, since this file is compiled for any processor.
#define BPC_CHAINS(name, target_text, Vector, splat, fma, add, chains, first)                                                         \
  __attribute__((target(target_text))) double name(double factor, double term) {                                                      \
    const Vector x = splat(factor), y = splat(term);                                                                                  \
    Vector sums[chains];                                                                                                              \
    for (int i = 0; i < chains; ++i) sums[i] = splat(i);                                                                              \
    for (int turn = 0; turn < kTurns; ++turn) _Pragma("GCC unroll 24") for (int i = 0; i < chains; ++i) sums[i] = fma(sums[i], x, y); \
    for (int i = 1; i < chains; ++i) sums[0] = add(sums[0], sums[i]);                                                                 \
    return first(sums[0]);                                                                                                            \
  }

#if defined(__x86_64__)
BPC_CHAINS(chains_512_f32, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps, 24, _mm512_cvtss_f32)
BPC_CHAINS(chains_512_f64, "avx512f", __m512d, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_add_pd, 24, _mm512_cvtsd_f64)
BPC_CHAINS(chains_256_f32, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps, 12, _mm256_cvtss_f32)
BPC_CHAINS(chains_256_f64, "avx2,fma", __m256d, _mm256_set1_pd, _mm256_fmadd_pd, _mm256_add_pd, 12, _mm256_cvtsd_f64)
#endif

// Where there is no more to say of the processor: what the compiler makes of four numbers side by side.
template <class Real>
double plain_chains(double factor, double term) {
  constexpr int kChains = 12, kLanes = 16 / sizeof(Real);
  Real sums[kChains][kLanes] = {}, x = static_cast<Real>(factor), y = static_cast<Real>(term);
  for (int turn = 0; turn < kTurns; ++turn)
    for (auto& sum : sums)
      for (Real& lane : sum) lane = lane * x + y;
  double all = 0;
  for (auto& sum : sums)
    for (Real lane : sum) all += static_cast<double>(lane);
  return all;
}

// Operations a second, of so many chains of so many numbers.
double rate(double (*chains)(double, double), double numbers) {
  volatile double factor = 0.999, term = 0.001, kept = 0;
  const double taken = fastest([&] { kept = chains(factor, term); });
  return 2.0 * numbers * kTurns / taken;
}

Peak measure() {
  Peak peak{rate(plain_chains<float>, 48), rate(plain_chains<double>, 24), 0};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    peak.operations_f32 = std::max(peak.operations_f32, rate(chains_256_f32, 96));
    peak.operations_f64 = std::max(peak.operations_f64, rate(chains_256_f64, 48));
  }
  if (__builtin_cpu_supports("avx512f")) {
    peak.operations_f32 = std::max(peak.operations_f32, rate(chains_512_f32, 384));
    peak.operations_f64 = std::max(peak.operations_f64, rate(chains_512_f64, 192));
  }
#endif
  const std::unique_ptr<char[]> from(new char[kCopied]), to(new char[kCopied]);
  std::memset(from.get(), 1, kCopied);
  std::memset(to.get(), 0, kCopied);
  peak.bytes = 2.0 * static_cast<double>(kCopied) / fastest([&] {
                 std::memcpy(to.get(), from.get(), kCopied);
                 asm volatile("" : : "r"(to.get()) : "memory");
               });
  return peak;
}

}  // namespace

const Peak& peak() {
  static const Peak measured = measure();
  return measured;
}

}  // namespace bpc::runtime
