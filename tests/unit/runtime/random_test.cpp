#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "runtime/random.h"

// As compiled code calls it.
extern "C" void bpc_rt_random_normal_f64(double* out, std::int64_t count, std::int64_t seed, std::int64_t stream, const std::int64_t* turns,
                                         std::int64_t turn_count);

using namespace bpc::runtime;

// Random123's published vectors for philox4x32, 10 rounds (tests/kat_vectors).
TEST_CASE("philox matches the published vectors") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a draw depends on nothing but seed, stream, turn and element") {
  const RandomDraw draw{42, 3, 7};
  std::vector<double> whole(101), part(50);
  fill_normal(draw, 0, std::span<double>(whole));
  fill_normal(draw, 51, std::span<double>(part));
  for (std::size_t i = 0; i < part.size(); ++i) CHECK(part[i] == whole[51 + i]);
  for (const RandomDraw& other : {RandomDraw{43, 3, 7}, RandomDraw{42, 4, 7}, RandomDraw{42, 3, 8}}) {
    double first;
    fill_normal(other, 0, std::span<double>(&first, 1));
    CHECK(first != whole[0]);
  }
  std::vector<double> compiled(101);
  const std::int64_t turns[] = {7, 8};
  bpc_rt_random_normal_f64(compiled.data(), 101, 42, 3, turns, 1);
  CHECK(compiled == whole);
  bpc_rt_random_normal_f64(compiled.data(), 100, 42, 3, turns, 2);  // fifty of each turn
  CHECK(std::equal(compiled.begin(), compiled.begin() + 50, whole.begin()));
  fill_normal({42, 3, 8}, 0, std::span<double>(part));
  CHECK(std::equal(part.begin(), part.end(), compiled.begin() + 50));
}

TEST_CASE("draws are what random.h says of their blocks, wherever a fill begins and ends") {
  const std::uint64_t seed = 0x123456789a, stream = 77, turn = 0x500000003;
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const auto words = philox({low(stream), high(stream), 0, 0}, {low(seed), high(seed)});
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{0x1fffffff1}})
    for (const std::size_t count : {1, 2, 15, 128, 129, 300}) {
      CAPTURE(first, count);
      std::vector<double> uniform(count), normal(count);
      fill_uniform({seed, stream, turn}, first, std::span<double>(uniform));
      fill_normal({seed, stream, turn}, first, std::span<double>(normal));
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t element = first + i;
        const auto w = philox({low(element / 2), high(element / 2), low(turn), high(turn)}, {words[0], words[1]});
        const auto real = [](std::uint32_t lo, std::uint32_t hi) { return std::ldexp((lo | std::uint64_t{hi} << 32) >> 11, -53); };
        const double u = real(w[0], w[1]), v = real(w[2], w[3]);
        CHECK(uniform[i] == (element % 2 == 0 ? u : v));
        const double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::acos(-1.0) * v;
        CHECK(std::abs(normal[i] - radius * (element % 2 == 0 ? std::cos(angle) : std::sin(angle))) <= 4e-16 * radius);
      }
    }
}

TEST_CASE("f32 draws are the f64 draws at lower precision") {
  std::vector<float> narrow(64);
  std::vector<double> wide(64);
  fill_uniform({1, 2, 3}, 0, std::span<float>(narrow));
  fill_uniform({1, 2, 3}, 0, std::span<double>(wide));
  for (std::size_t i = 0; i < narrow.size(); ++i) CHECK(narrow[i] == std::floor(wide[i] * 0x1p24) * 0x1p-24);
}

TEST_CASE("moments and range") {
  constexpr std::size_t n = 200000;
  std::vector<double> x(n);
  fill_uniform({5, 0, 0}, 0, std::span<double>(x));
  double sum = 0, squares = 0;
  for (double v : x) {
    REQUIRE((v >= 0 && v < 1));
    sum += v;
    squares += v * v;
  }
  CHECK(sum / n == Approx(0.5).margin(0.003));
  CHECK(squares / n == Approx(1.0 / 3).margin(0.003));
  fill_normal({5, 1, 0}, 0, std::span<double>(x));
  double mean = 0, variance = 0, fourth = 0, neighbours = 0;
  for (std::size_t i = 0; i < n; ++i) {
    mean += x[i] / n;
    variance += x[i] * x[i] / n;
    fourth += x[i] * x[i] * x[i] * x[i] / n;
    neighbours += x[i] * x[(i + 1) % n] / n;
  }
  CHECK(mean == Approx(0).margin(0.01));
  CHECK(variance == Approx(1).margin(0.015));
  CHECK(fourth == Approx(3).margin(0.1));
  CHECK(neighbours == Approx(0).margin(0.01));
}
