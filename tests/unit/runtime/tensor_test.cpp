#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "runtime/number_text.h"
#include "runtime/tensor.h"
#include "support/internal_error.h"

using namespace bpc;
using namespace bpc::runtime;

TEST_CASE("tensors copy on write and convert") {
  const std::vector<double> values{1.9, -2.9, 0, 1e10};
  Tensor a = Tensor::from_reals(Type::of_sizes(Element::f64, {2, 2}), values);
  Tensor b = a;
  CHECK(a.raw() != b.raw());  // asking for writable memory parts them
  b.data<double>()[0] = 7;
  CHECK(a.real_at(0) == 1.9);
  const Tensor ints = a.as(Element::i32);
  CHECK(ints.int_at(0) == 1);
  CHECK(ints.int_at(1) == -2);
  CHECK(ints.int_at(3) == std::numeric_limits<std::int32_t>::max());
  CHECK(a.as(Element::boolean).int_at(2) == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(ints.raw()) % 64 == 0);
  a.set_type(Type::of_sizes(Element::f64, {4}));
  CHECK_THROWS_AS(a.set_type(Type::of_sizes(Element::f64, {3})), InternalError);
  CHECK_THROWS_AS(Tensor(Type::of_sizes(Element::f64, {std::int64_t{1} << 40, std::int64_t{1} << 40})), InternalError);
}

TEST_CASE("live bytes are counted") {
  const std::size_t before = Tensor::live_bytes();
  Tensor::reset_peak();
  {
    const Tensor a = Tensor::zeros(Type::of_sizes(Element::f32, {1000}));
    const Tensor b = a;
    CHECK(Tensor::live_bytes() == before + 4000);
  }
  CHECK(Tensor::live_bytes() == before);
  CHECK(Tensor::peak_bytes() == before + 4000);
}

TEST_CASE("numbers print as the shortest decimal of their type") {
  CHECK(number_text(2.0) == "2");
  CHECK(number_text(-0.0) == "-0");
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(0.1f) == "0.1");
  CHECK(number_text(static_cast<double>(0.1f)) == "0.10000000149011612");
  CHECK(number_text(1.0 / 3) == "0.3333333333333333");
  CHECK(number_text(1.0f / 3) == "0.33333334");
  CHECK(number_text(123456.75) == "123456.75");
  CHECK(number_text(1e-4) == "0.0001");
  CHECK(number_text(9.9e-5) == "9.9e-5");
  CHECK(number_text(1e-5f) == "1e-5");
  CHECK(number_text(1e15) == "1000000000000000");
  CHECK(number_text(1e16) == "1e16");
  CHECK(number_text(-1.5e300) == "-1.5e300");
  CHECK(number_text(5e-324) == "5e-324");
  CHECK(number_text(16777216.0f) == "16777216");
  CHECK(number_text(std::nan("")) == "nan");
  CHECK(number_text(-std::numeric_limits<float>::infinity()) == "-inf");
}

TEST_CASE("tensors print row by row") {
  const auto iota = [](Element element, std::vector<std::int64_t> sizes) {
    Tensor tensor(Type::of_sizes(element, sizes));
    for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.set_real(i, static_cast<double>(i));
    return tensor;
  };
  CHECK(tensor_text(Tensor::scalar(Element::boolean, 1), false) == "true");
  CHECK(tensor_text(iota(Element::f32, {3}), false) == "[0, 1, 2]");
  CHECK(tensor_text(iota(Element::i64, {2, 2}), false) == "[[0, 1],\n [2, 3]]");
  CHECK(tensor_text(iota(Element::f64, {2, 1, 2}), false) == "[[[0, 1]],\n [[2, 3]]]");
  CHECK(tensor_text(iota(Element::f64, {2, 2, 1}), false) == "[[[0],\n  [1]],\n [[2],\n  [3]]]");
  CHECK(tensor_text(iota(Element::f64, {1 << 30, 0}), false) == "[]");
  CHECK(tensor_text(iota(Element::f32, {64}), false).ends_with(" 62, 63]"));
  CHECK(tensor_text(iota(Element::f32, {1001}), true).size() > 4000);
}

TEST_CASE("of more than 64 elements a corner is shown, after what there is to know of all") {
  const auto iota = [](Element element, std::vector<std::int64_t> sizes) {
    Tensor tensor(Type::of_sizes(element, sizes));
    for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.set_real(i, static_cast<double>(i));
    return tensor;
  };
  CHECK(tensor_text(iota(Element::f32, {65}), false) == "f32[65] min 0, max 64, mean 32: [0, 1, 2, 3, 4, …]");
  CHECK(tensor_text(iota(Element::i32, {501, 2}), false) == "i32[501, 2] min 0, max 1001, mean 500.5:\n[[0, 1],\n [2, 3],\n [4, 5],\n …]");
  CHECK(tensor_text(iota(Element::f64, {2, 100}), false) ==
        "f64[2, 100] min 0, max 199, mean 99.5:\n[[0, 1, 2, 3, 4, …],\n [100, 101, 102, 103, 104, …]]");
  CHECK(tensor_text(iota(Element::f64, {8, 8, 8, 8}), false) ==
        "f64[8, 8, 8, 8] min 0, max 4095, mean 2047.5:\n[[[[0, 1, 2, 3, 4, …],\n   [8, 9, 10, 11, 12, …],\n   [16, 17, 18, 19, 20, …],\n   "
        "…],\n  …],\n …]");
  CHECK(tensor_text(iota(Element::f64, {1, 1, 70}), false) == "f64[1, 1, 70] min 0, max 69, mean 34.5:\n[[[0, 1, 2, 3, 4, …]]]");
  CHECK(tensor_text(iota(Element::boolean, {100}), false) == "bool[100] 99 of 100 true: [false, true, true, true, true, …]");

  Tensor holes = iota(Element::f32, {100});
  holes.set_real(99, std::nan(""));
  CHECK(tensor_text(holes, false) == "f32[100] min 0, max 98, mean 49, 1 nan: [0, 1, 2, 3, 4, …]");
  for (std::int64_t i = 0; i < 99; ++i) holes.set_real(i, std::nan(""));
  CHECK(tensor_text(holes, false) == "f32[100] all nan: [nan, nan, nan, nan, nan, …]");
  Tensor endless = iota(Element::f64, {100});
  endless.set_real(0, -std::numeric_limits<double>::infinity());
  CHECK(tensor_text(endless, false) == "f64[100] min -inf, max 99, mean -inf: [-inf, 1, 2, 3, 4, …]");
  for (std::int64_t i = 0; i < 100; ++i) endless.set_real(i, 1.5e308);
  CHECK(tensor_text(endless, false).starts_with("f64[100] min 1.5e308, max 1.5e308, mean 1.5e308: "));
}
