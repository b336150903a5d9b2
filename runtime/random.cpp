#include "runtime/random.h"

#include <cmath>
#include <numbers>

namespace bpc::runtime {

namespace {

std::uint32_t low(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}
std::uint32_t high(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}

std::array<std::uint32_t, 2> key_of(const RandomDraw& draw) {
  const auto words = philox({low(draw.stream), high(draw.stream), 0, 0}, {low(draw.seed), high(draw.seed)});
  return {words[0], words[1]};
}

struct UniformPair {
  std::uint64_t even, odd;
  template <class T>
  static T real(std::uint64_t bits) {
    if constexpr (sizeof(T) == 4) return static_cast<T>(bits >> 40) * T{0x1p-24};
    return static_cast<T>(bits >> 11) * T{0x1p-53};
  }
  template <class T>
  std::array<T, 2> values() const {
    return {real<T>(even), real<T>(odd)};
  }
};

struct NormalPair {
  std::uint64_t even, odd;
  template <class T>
  std::array<T, 2> values() const {
    const double radius = std::sqrt(-2 * std::log1p(-UniformPair::real<double>(even)));
    const double angle = 2 * std::numbers::pi * UniformPair::real<double>(odd);
    return {static_cast<T>(radius * std::cos(angle)), static_cast<T>(radius * std::sin(angle))};
  }
};

template <class Pair, class T>
void fill(const RandomDraw& draw, std::uint64_t first, std::span<T> out) {
  const auto key = key_of(draw);
  for (std::size_t i = 0; i < out.size();) {
    const std::uint64_t element = first + i, block = element / 2;
    const auto w = philox({low(block), high(block), low(draw.turn), high(draw.turn)}, key);
    const Pair pair{w[0] | std::uint64_t{w[1]} << 32, w[2] | std::uint64_t{w[3]} << 32};
    const std::array<T, 2> values = pair.template values<T>();
    for (std::size_t odd = element % 2; odd < 2 && i < out.size(); ++odd) out[i++] = values[odd];
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0], b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

void fill_uniform(const RandomDraw& draw, std::uint64_t first, std::span<float> out) {
  fill<UniformPair>(draw, first, out);
}
void fill_uniform(const RandomDraw& draw, std::uint64_t first, std::span<double> out) {
  fill<UniformPair>(draw, first, out);
}
void fill_normal(const RandomDraw& draw, std::uint64_t first, std::span<float> out) {
  fill<NormalPair>(draw, first, out);
}
void fill_normal(const RandomDraw& draw, std::uint64_t first, std::span<double> out) {
  fill<NormalPair>(draw, first, out);
}

}  // namespace bpc::runtime
