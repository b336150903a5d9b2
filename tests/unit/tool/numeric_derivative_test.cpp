#include "tools/bpc/numeric_derivative.h"

#include <catch2/catch.hpp>
#include <cmath>

using bpc::tool::differentiate;

namespace {

void check_smooth(const std::function<double(double)>& f, double x, double derivative) {
  auto numeric = differentiate([&](double at) -> std::optional<double> { return f(at); }, x);
  REQUIRE(numeric);
  INFO("at " << x << ": " << numeric->value);
  CHECK_FALSE(numeric->kink);
  CHECK(std::abs(numeric->value - derivative) <= 1e-8 * std::max(1.0, std::abs(derivative)));
}

bool is_kink(const std::function<double(double)>& f, double x) {
  return differentiate([&](double at) -> std::optional<double> { return f(at); }, x)->kink;
}

double relu(double x) {
  return x > 0 ? x : 0;
}

}  // namespace

TEST_CASE("derivatives of smooth functions, flat, steep and far out") {
  check_smooth([](double x) { return std::exp(x); }, 1, std::exp(1));
  check_smooth([](double x) { return std::exp(20 * x); }, 0, 20);
  check_smooth([](double x) { return std::sin(50 * x); }, 0.3, 50 * std::cos(15));
  check_smooth([](double x) { return x * x; }, 1e6, 2e6);
  check_smooth([](double) { return 3.0; }, 2, 0);
  check_smooth([](double x) { return 1 / x; }, 0.01, -1e4);
}

TEST_CASE("a kink nearby does not disturb, however near") {
  for (double distance : {1e-2, 6e-4, 3e-5, 2e-6}) {
    check_smooth(relu, distance, 1);
    check_smooth(relu, -distance, 0);
  }
}

TEST_CASE("kinks and jumps are found") {
  CHECK(is_kink(relu, 0));
  CHECK(is_kink([](double x) { return std::abs(x - 2); }, 2));
  CHECK(is_kink([](double x) { return std::floor(x); }, 3));
  CHECK(is_kink([](double x) { return x > 0 ? std::log(x) : 0; }, 0));
  CHECK(is_kink([](double x) { return std::max(x, 0.5 * x); }, 0));
  CHECK(is_kink([](double x) { return 1e-4 * relu(x) + 0.1 * x + std::sin(x); }, 0));  // beside much that is smooth
}

TEST_CASE("a function that cannot be evaluated has no derivative") {
  CHECK_FALSE(differentiate([](double x) { return x > 1 ? std::nullopt : std::optional(x); }, 1));
}
