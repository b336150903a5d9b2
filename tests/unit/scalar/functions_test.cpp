#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "scalar/apply.h"
#include "scalar/functions.h"

namespace {

namespace scalar = bpc::scalar;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr auto kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr auto kMax32 = std::numeric_limits<std::int32_t>::max();

bool close(double value, double expected, double tolerance = 2e-14) {
  return std::fabs(value - expected) <= tolerance * std::fabs(expected);
}

}  // namespace

// What folding and the arithmetic on literals see.
TEST_CASE("operators apply to numbers of an element type") {
  using scalar::Operator;
  using scalar::Value;
  const auto apply = [](Operator op, bpc::Element element, std::vector<Value> operands) { return scalar::apply(op, element, operands); };
  const auto whole = [](std::int64_t value) { return std::optional<Value>(value); };
  CHECK(apply(Operator::floordiv, bpc::Element::f64, {1.0, 0.1}) == std::optional<Value>(9.0));
  CHECK(apply(Operator::add, bpc::Element::f32, {1.0, 0x1p-30}) == std::optional<Value>(1.0));
  CHECK(apply(Operator::add, bpc::Element::i32, {whole(kMax32).value(), Value(std::int64_t{1})}) == whole(kMin32));
  CHECK(apply(Operator::mod, bpc::Element::i64, {std::int64_t{7}, std::int64_t{0}}) == std::nullopt);
  CHECK(apply(Operator::lt, bpc::Element::f64, {1.0, 2.0}) == whole(1));
  CHECK(apply(Operator::logical_not, bpc::Element::boolean, {std::int64_t{1}}) == whole(0));
  CHECK(apply(Operator::select, bpc::Element::f64, {std::int64_t{0}, 1.0, 2.0}) == std::optional<Value>(2.0));
  CHECK(apply(Operator::cast, bpc::Element::i32, {-2.7}) == whole(-2));
  CHECK(apply(Operator::cast, bpc::Element::boolean, {0.5}) == whole(1));
  CHECK(apply(Operator::polygamma, bpc::Element::f64, {1.0}) == std::nullopt);
  CHECK(scalar::operator_name(Operator::logical_or) == "logical_or");
}

TEST_CASE("integers wrap around") {
  CHECK(scalar::add(kMax32, 1) == kMin32);
  CHECK(scalar::sub(kMin32, 1) == kMax32);
  CHECK(scalar::mul(65536, 65536) == 0);
  CHECK(scalar::mul(std::int64_t{1} << 62, std::int64_t{4}) == 0);
  CHECK(scalar::neg(kMin32) == kMin32);
  CHECK(scalar::abs(kMin32) == kMin32);
  CHECK(scalar::floordiv(kMin32, -1) == kMin32);
  CHECK(scalar::mod(kMin32, -1) == 0);
}

TEST_CASE("division and remainder round towards minus infinity") {
  CHECK(scalar::floordiv(7, 2) == 3);
  CHECK(scalar::floordiv(-7, 2) == -4);
  CHECK(scalar::floordiv(7, -2) == -4);
  CHECK(scalar::floordiv(-8, 2) == -4);
  CHECK(scalar::mod(7, 3) == 1);
  CHECK(scalar::mod(-7, 3) == 2);
  CHECK(scalar::mod(7, -3) == -2);
  CHECK(scalar::floordiv(-7.5, 2.0) == -4);
  CHECK(scalar::mod(-7.5, 2.0) == 0.5);
  CHECK(scalar::mod(7.5, -2.0) == -0.5);
  CHECK(scalar::floordiv(1.0, 0.1) == 9);
  CHECK(scalar::mod(1.0, 0.1) == Approx(0.1));
  CHECK(scalar::mod(-1.0, kInf) == kInf);
  CHECK(scalar::floordiv(1.0, 0.0) == kInf);
  CHECK(std::isnan(scalar::mod(1.0, 0.0)));
}

TEST_CASE("remainders of reals are C's, moved to the sign of the divisor") {
  std::mt19937_64 random(7);
  auto check = [&]<class T>(T a, T b) {
    const T rest = std::fmod(a, b);
    const T expected = rest == 0 ? std::copysign(T{0}, b) : (rest < 0) != (b < 0) ? rest + b : rest;
    const T found = scalar::mod(a, b);
    INFO(a << " % " << b);
    CHECK((std::isnan(expected) ? std::isnan(found) : found == expected && std::signbit(found) == std::signbit(expected)));
  };
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t bits = random(), more = random();
    check(std::bit_cast<float>(static_cast<std::uint32_t>(bits)), std::bit_cast<float>(static_cast<std::uint32_t>(more)));
    check(std::bit_cast<double>(bits), std::bit_cast<double>(more));
    // Quotients near whole numbers.
    const auto b = static_cast<double>(more % 1'000'003 + 1) / 7, a = static_cast<double>(bits % 4096) * b;
    for (double near : {a, std::nextafter(a, kInf), std::nextafter(a, -kInf), -a})
      for (double divisor : {b, -b}) {
        check(near, divisor);
        check(static_cast<float>(near), static_cast<float>(divisor));
      }
  }
  CHECK(scalar::floordiv(3e38f, 1e-38f) == kInf);
  CHECK(scalar::floordiv(0x1p30f, 3.0f) == std::floor(0x1p30f / 3.0f));
}

TEST_CASE("powers") {
  CHECK(scalar::pow(0.0, 0.0) == 1);
  CHECK(scalar::pow(kNan, 0.0) == 1);
  CHECK(scalar::pow(-2.0, 3.0) == -8);
  CHECK(scalar::pow(-3.0f, 2.0f) == 9);
  CHECK(scalar::pow(2.0, -1.0) == 0.5);
  CHECK(std::isnan(scalar::pow(-2.0, 0.5)));
  CHECK(scalar::pow(1.1, 3.0) == 1.1 * 1.1 * 1.1);
  CHECK(scalar::pow(-0.0, -1.0) == -kInf);
  CHECK(scalar::pow(0, 0) == 1);
  CHECK(scalar::pow(-3, 5) == -243);
  CHECK(scalar::pow(3, 40) == static_cast<std::int32_t>(static_cast<std::uint32_t>(12157665459056928801ULL)));
  CHECK(scalar::pow(2, -1) == 0);
  CHECK(scalar::pow(-1, -3) == -1);
}

TEST_CASE("maximum and minimum propagate NaN and order signed zeros") {
  CHECK(std::isnan(scalar::maximum(kNan, 1.0)));
  CHECK(std::isnan(scalar::maximum(1.0, kNan)));
  CHECK(std::isnan(scalar::minimum(1.0, kNan)));
  CHECK(!std::signbit(scalar::maximum(-0.0, 0.0)));
  CHECK(!std::signbit(scalar::maximum(0.0, -0.0)));
  CHECK(std::signbit(scalar::minimum(0.0, -0.0)));
  CHECK(scalar::maximum(3, -4) == 3);
  CHECK(scalar::minimum(3.5f, -4.5f) == -4.5f);
}

TEST_CASE("kinks and roundings") {
  CHECK(scalar::relu(-1.0) == 0);
  CHECK(scalar::relu(2.0) == 2);
  CHECK(std::isnan(scalar::relu(kNan)));
  CHECK(scalar::step(0.0) == 0);
  CHECK(scalar::step(0.1) == 1);
  CHECK(scalar::sign(-3) == -1);
  CHECK(scalar::sign(0.0) == 0);
  CHECK(std::isnan(scalar::sign(kNan)));
  CHECK(scalar::round(0.5) == 0);
  CHECK(scalar::round(1.5) == 2);
  CHECK(scalar::round(-2.5) == -2);
  CHECK(scalar::floor(-0.5) == -1);
  CHECK(scalar::ceil(0.5f) == 1);
  CHECK(scalar::strong_mul(0.0, kInf) == 0);
  CHECK(scalar::strong_mul(0.0, kNan) == 0);
  CHECK(scalar::strong_mul(2.0, 3.0) == 6);
}

TEST_CASE("sigmoid and softplus are stable") {
  CHECK(scalar::sigmoid(0.0) == 0.5);
  CHECK(scalar::sigmoid(-800.0) == 0);
  CHECK(scalar::sigmoid(800.0) == 1);
  CHECK(close(scalar::sigmoid(-30.0), 9.3576229688392989e-14));
  CHECK(close(scalar::softplus(0.0), 0.69314718055994531));
  CHECK(scalar::softplus(800.0) == 800);
  CHECK(scalar::softplus(kInf) == kInf);
  CHECK(scalar::softplus(-kInf) == 0);
  CHECK(close(scalar::softplus(-40.0), 4.2483542552915889e-18));
}

TEST_CASE("casts truncate and saturate") {
  CHECK(scalar::cast<std::int32_t>(-2.7) == -2);
  CHECK(scalar::cast<std::int32_t>(3e9) == kMax32);
  CHECK(scalar::cast<std::int32_t>(-3e9f) == kMin32);
  CHECK(scalar::cast<std::int32_t>(kNan) == 0);
  CHECK(scalar::cast<std::int64_t>(9.3e18) == std::numeric_limits<std::int64_t>::max());
  CHECK(scalar::cast<std::int32_t>(std::int64_t{1} << 32) == 0);
  CHECK(scalar::cast<bool>(0.5));
  CHECK_FALSE(scalar::cast<bool>(-0.0));
  CHECK(scalar::cast<float>(std::int32_t{16777217}) == 16777216.0f);
}

TEST_CASE("transcendental functions of f32 are rounded once from double") {
  CHECK(scalar::exp(1.0f) == 2.71828182845904523536f);
  CHECK(scalar::tanh(0.5f) == 0.46211715726000975850f);
  CHECK(scalar::lgamma(0.5f) == 0.57236494292470008707f);
  CHECK(scalar::erf(0.5f) == 0.52049987781304653768f);
  CHECK(scalar::lgamma(-0.5) == Approx(1.26551212348464539649).epsilon(1e-15));
}

// Reference values: mpmath with 60 digits.
TEST_CASE("polygamma") {
  struct Row {
    std::int64_t n;
    double x, value;
  };
  const Row rows[] = {{0, 1, -0.57721566490153286},        {0, 1.4616321449683622, -9.2412655217294275e-17},
                      {0, 1.4616, -3.110625123034165e-5},  {0, 0.1, -10.423754940411076},
                      {0, 25.5, 3.2189424728839198},       {0, -0.3, 2.1133097796353989},
                      {0, -7.75, -1.0307688328309315},     {1, 1, 1.6449340668482264},
                      {1, 0.25, 17.197329154507111},       {1, -2.4, 10.570024863646124},
                      {2, 3.5, -0.1082040516417274},       {2, -1.3, 68.549413471162134},
                      {5, 0.7, 1025.3283541434719},        {12, 9.5, -0.00013078104490819941},
                      {30, 40.0, -1.0912335543822423e-17}, {30, -0.2, 1.2351798816220397e+54}};
  for (const Row& row : rows) {
    INFO("n = " << row.n << ", x = " << row.x << ": " << scalar::polygamma(row.n, row.x));
    CHECK(close(scalar::polygamma(row.n, row.x), row.value));
  }
  CHECK(close(scalar::polygamma(180, 60.0), -30201071.566192265, 1e-11));
  CHECK(scalar::polygamma(0, 0.0) == -kInf);
  CHECK(std::isnan(scalar::polygamma(0, -3.0)));
  CHECK(scalar::polygamma(1, -3.0) == kInf);
  CHECK(std::isnan(scalar::polygamma(2, kNan)));
  CHECK(scalar::polygamma(0, kInf) == kInf);
  CHECK(scalar::polygamma(1, 1e300) == Approx(1e-300));
  CHECK(std::isfinite(scalar::polygamma(1, -1e15 - 0.5)));
  CHECK(close(scalar::polygamma(0, -0.5073202463516253), -0.0289498328233936226, 1e-15));  // near a root
  // Where n! alone overflows.
  CHECK(scalar::polygamma(100, 1e-300) == -kInf);
  CHECK(scalar::polygamma(10'000, 5.0) == -kInf);
  CHECK(scalar::polygamma(10'000, -3.3) == kInf);
  CHECK(scalar::polygamma(10'000, -3.7) == -kInf);
  CHECK(scalar::polygamma(10'000, -3.5) == -kInf);
  CHECK(close(scalar::polygamma(170, -0.5), -5.6127628949062966e+276));
  CHECK(scalar::polygamma(9'999, -3.3) == kInf);
  CHECK(close(scalar::polygamma(9'999, 3'700.0), 2.9320844103278493e-27));
  CHECK(close(scalar::polygamma(20'000, 7'400.0), -6.1148738400863359e-52, 1e-4));
  CHECK(scalar::polygamma(std::numeric_limits<std::int64_t>::max(), 2.0) == kInf);  // ends
}
