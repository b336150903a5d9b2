#include "runtime/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "scalar/elementary.h"

// For processors with vectors of 512 and of 256 bits, and for those without: the same bits.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define BPC_CLONES __attribute__((flatten, target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BPC_CLONES
#endif

namespace bpc::runtime {

namespace {

std::uint32_t low(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}
std::uint32_t high(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}

using Key = std::array<std::uint32_t, 2>;

// The counter c, each word of it in 64 bits, becomes the block.
inline void rounds(std::array<std::uint64_t, 4>& c, Key key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * low(c[0]), b = std::uint64_t{0xCD9E8D57} * low(c[2]);
    c = {b >> 32 ^ c[1] ^ key[0], low(b), a >> 32 ^ c[3] ^ key[1], low(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
}

Key key_of(const RandomDraw& draw) {
  const auto words = philox({low(draw.stream), high(draw.stream), 0, 0}, {low(draw.seed), high(draw.seed)});
  return {words[0], words[1]};
}

// Blocks are made side by side, so that each loop here is one over vectors. What they give: the bits of the even elements, and of the odd.
constexpr std::size_t kBlocks = 64;
struct Bits {
  std::array<std::uint64_t, kBlocks> even, odd;
};
BPC_CLONES void make(Bits& bits, std::size_t count, std::uint64_t first, std::uint64_t turn, Key key) {
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::uint64_t, 4> c{low(first + i), high(first + i), low(turn), high(turn)};
    rounds(c, key);
    bits.even[i] = c[0] | c[1] << 32;
    bits.odd[i] = c[2] | c[3] << 32;
  }
}

// The top 53 bits times 2^-53, by the mantissas of two numbers: fewer processors convert integers of 64 bits. Of f32 the top 24, which all
// convert.
template <class T>
inline T real(std::uint64_t bits) {
  if constexpr (sizeof(T) == 4) return static_cast<T>(static_cast<std::int32_t>(bits >> 40)) * T{0x1p-24};
  const double upper = scalar::real::from_bits(std::uint64_t{0x453} << 52 | bits >> 43);
  const double lower = scalar::real::from_bits(std::uint64_t{0x433} << 52 | low(bits >> 11));
  return static_cast<T>(((upper - (0x1p84 + 0x1p52)) + lower) * 0x1p-53);
}

// The elements of so many blocks, in order.
template <class T>
inline void reals(const Bits& bits, std::size_t count, T* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[2 * i] = real<T>(bits.even[i]);
    out[2 * i + 1] = real<T>(bits.odd[i]);
  }
}
template <class T>
inline void box_muller(const Bits& bits, std::size_t count, T* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const double radius = std::sqrt(-2 * scalar::elementary::log1p(-real<double>(bits.even[i])));
    const auto angle = scalar::elementary::turn(2 * std::numbers::pi * real<double>(bits.odd[i]));
    const std::uint64_t quarter = scalar::real::bits(angle.shifted);
    out[2 * i] = static_cast<T>(radius * scalar::elementary::sin_of(quarter + 1, angle.r, angle.rest));
    out[2 * i + 1] = static_cast<T>(radius * scalar::elementary::sin_of(quarter, angle.r, angle.rest));
  }
}
BPC_CLONES void uniform(const Bits& bits, std::size_t count, double* out) {
  reals(bits, count, out);
}
BPC_CLONES void uniform(const Bits& bits, std::size_t count, float* out) {
  reals(bits, count, out);
}
BPC_CLONES void normal(const Bits& bits, std::size_t count, double* out) {
  box_muller(bits, count, out);
}
BPC_CLONES void normal(const Bits& bits, std::size_t count, float* out) {
  box_muller(bits, count, out);
}

template <class T>
void fill(const RandomDraw& draw, std::uint64_t first, std::span<T> out, void (*values)(const Bits&, std::size_t, T*)) {
  const Key key = key_of(draw);
  std::uint64_t block = first / 2;
  std::size_t skipped = first % 2;
  while (!out.empty()) {
    const std::size_t count = std::min((skipped + out.size() + 1) / 2, kBlocks);
    Bits bits;
    T made[2 * kBlocks];
    make(bits, count, block, draw.turn, key);
    values(bits, count, made);
    const std::size_t taken = std::min(2 * count - skipped, out.size());
    std::copy_n(made + skipped, taken, out.begin());
    out = out.subspan(taken);
    block += count;
    skipped = 0;
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  std::array<std::uint64_t, 4> c{counter[0], counter[1], counter[2], counter[3]};
  rounds(c, key);
  return {low(c[0]), low(c[1]), low(c[2]), low(c[3])};
}

void fill_uniform(const RandomDraw& draw, std::uint64_t first, std::span<float> out) {
  fill<float>(draw, first, out, uniform);
}
void fill_uniform(const RandomDraw& draw, std::uint64_t first, std::span<double> out) {
  fill<double>(draw, first, out, uniform);
}
void fill_normal(const RandomDraw& draw, std::uint64_t first, std::span<float> out) {
  fill<float>(draw, first, out, normal);
}
void fill_normal(const RandomDraw& draw, std::uint64_t first, std::span<double> out) {
  fill<double>(draw, first, out, normal);
}

}  // namespace bpc::runtime
