#include <limits>

#include "tests/unit/interpreter/harness.h"

using namespace bpc;
using namespace bpc::test;

namespace {

using Ints = std::vector<std::int64_t>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor counting(Element element, Ints sizes) {
  Tensor result(Type::of_sizes(element, sizes));
  for (std::int64_t i = 0; i < result.count(); ++i) result.set_real(i, static_cast<double>(i));
  return result;
}

std::string reduce(Opcode code, const Tensor& x, Ints axes, bool keep = false) {
  return apply(code, {x}, {{Attr::axes, std::move(axes)}, {Attr::keep, keep}});
}

Attributes index(Ints starts, Ints sizes, Ints steps, Ints dynamic = {}, Ints drop = {}) {
  return {{Attr::starts, std::move(starts)},
          {Attr::sizes, std::move(sizes)},
          {Attr::steps, std::move(steps)},
          {Attr::dynamic, std::move(dynamic)},
          {Attr::drop, std::move(drop)}};
}

}  // namespace

TEST_CASE("reductions") {
  const Tensor x = counting(Element::f64, {2, 3});
  CHECK(reduce(Opcode::reduce_sum, x, {0, 1}) == "15");
  CHECK(reduce(Opcode::reduce_sum, x, {0}) == "[3, 5, 7]");
  CHECK(reduce(Opcode::reduce_sum, x, {1}) == "[3, 12]");
  CHECK(reduce(Opcode::reduce_sum, x, {1}, true) == "[[3],\n [12]]");
  CHECK(reduce(Opcode::reduce_sum, x, {}) == "[[0, 1, 2],\n [3, 4, 5]]");
  CHECK(reduce(Opcode::reduce_sum, counting(Element::i32, {2, 2, 2}), {0, 2}) == "[10, 18]");
  CHECK(reduce(Opcode::reduce_sum, tensor(Element::i32, {2}, {2147483647, 1}), {0}) == "-2147483648");
  CHECK(reduce(Opcode::reduce_max, x, {0}) == "[3, 4, 5]");
  CHECK(reduce(Opcode::reduce_min, x, {1}) == "[0, 3]");
  CHECK(reduce(Opcode::reduce_max, tensor(Element::f32, {3}, {1, kNan, 2}), {0}) == "nan");
  CHECK(reduce(Opcode::reduce_any, tensor(Element::boolean, {2, 2}, {0, 0, 0, 1}), {1}) == "[false, true]");
  CHECK(reduce(Opcode::reduce_all, tensor(Element::boolean, {2, 2}, {1, 1, 0, 1}), {1}) == "[true, false]");
}

TEST_CASE("reductions of nothing") {
  const Tensor none = tensor(Element::f64, {2, 0}, {});
  CHECK(reduce(Opcode::reduce_sum, none, {1}) == "[0, 0]");
  CHECK(reduce(Opcode::reduce_any, tensor(Element::boolean, {0}, {}), {0}) == "false");
  CHECK(reduce(Opcode::reduce_all, tensor(Element::boolean, {0}, {}), {0}) == "true");
}

TEST_CASE("a long f32 sum keeps its digits") {
  Tensor x(Type::of_sizes(Element::f32, {1000000}));
  std::fill_n(x.data<float>(), x.count(), 0.1f);
  CHECK(reduce(Opcode::reduce_sum, x, {0}) == "100000");
}

TEST_CASE("arguments of extremes") {
  const Tensor x = tensor(Element::f64, {2, 3}, {1, 5, 5, 4, 0, 4});
  CHECK(reduce(Opcode::argmax, x, {1}) == "[1, 0]");
  CHECK(reduce(Opcode::argmin, x, {0}) == "[0, 1, 1]");
  CHECK(reduce(Opcode::argmax, x, {0, 1}) == "1");
  CHECK(reduce(Opcode::argmax, x, {1}, true) == "[[1],\n [0]]");
  CHECK(reduce(Opcode::argmax, tensor(Element::f32, {4}, {1, kNan, 9, kNan}), {0}) == "1");
  CHECK(reduce(Opcode::argmin, tensor(Element::f32, {3}, {1, 0, kNan}), {0}) == "2");
}

TEST_CASE("running sums") {
  const Tensor x = counting(Element::f64, {2, 3});
  const auto cumsum = [&](std::int64_t axis, bool reverse) {
    return apply(Opcode::cumsum, {x}, {{Attr::axis, axis}, {Attr::reverse, reverse}});
  };
  CHECK(cumsum(0, false) == "[[0, 1, 2],\n [3, 5, 7]]");
  CHECK(cumsum(1, false) == "[[0, 1, 3],\n [3, 7, 12]]");
  CHECK(cumsum(1, true) == "[[3, 3, 2],\n [12, 9, 5]]");
}

TEST_CASE("einsum") {
  const auto einsum = [](const std::string& spec, const Tensor& a, const Tensor& b) {
    return apply(Opcode::einsum, {a, b}, {{Attr::spec, spec}});
  };
  const Tensor a = counting(Element::f64, {2, 3}), b = counting(Element::f64, {3, 2}), v = counting(Element::f64, {3});
  CHECK(einsum("ij,jk->ik", a, b) == "[[10, 13],\n [28, 40]]");
  CHECK(einsum("ij,jk->ki", a, b) == "[[10, 28],\n [13, 40]]");
  CHECK(einsum("ij,kj->ik", a, a) == "[[5, 14],\n [14, 50]]");
  CHECK(einsum("ij,j->i", a, v) == "[5, 14]");
  CHECK(einsum("i,i->", v, v) == "5");
  CHECK(einsum("i,j->ji", v, counting(Element::f64, {2})) == "[[0, 0, 0],\n [0, 1, 2]]");
  CHECK(einsum("ij,ij->ij", a, a) == "[[0, 1, 4],\n [9, 16, 25]]");
  CHECK(einsum("ij,ij->j", a, a) == "[9, 17, 29]");
  CHECK(einsum(",->", Tensor::scalar(Element::f32, 2), Tensor::scalar(Element::f32, 3)) == "6");
  CHECK(einsum(",i->i", Tensor::scalar(Element::i32, 2), counting(Element::i32, {3})) == "[0, 2, 4]");
  CHECK(einsum("bij,bjk->bik", counting(Element::f32, {2, 1, 2}), counting(Element::f32, {2, 2, 1})) == "[[[1]],\n [[13]]]");
  CHECK(einsum("ij,jk->ik", tensor(Element::f64, {2, 0}, {}), tensor(Element::f64, {0, 2}, {})) == "[[0, 0],\n [0, 0]]");
  CHECK(einsum("ij,jk->ik", tensor(Element::f64, {0, 2}, {}), counting(Element::f64, {2, 2})) == "[]");
}

TEST_CASE("movement") {
  const Tensor x = counting(Element::i32, {2, 3});
  const Type flat = Type::of_sizes(Element::i32, {3, 2}), cube = Type::of_sizes(Element::i32, {2, 2, 3});
  CHECK(apply(Opcode::reshape, {x}, {}, &flat) == "[[0, 1],\n [2, 3],\n [4, 5]]");
  CHECK(apply(Opcode::transpose, {x}, {{Attr::perm, Ints{1, 0}}}) == "[[0, 3],\n [1, 4],\n [2, 5]]");
  CHECK(apply(Opcode::transpose, {counting(Element::f32, {1, 2, 2})}, {{Attr::perm, Ints{2, 0, 1}}}) == "[[[0, 2]],\n [[1, 3]]]");
  CHECK(apply(Opcode::broadcast, {x}, {}, &cube) == "[[[0, 1, 2],\n  [3, 4, 5]],\n [[0, 1, 2],\n  [3, 4, 5]]]");
  const Tensor y = tensor(Element::i32, {2, 1}, {7, 8});
  CHECK(apply(Opcode::concat, {x, y, y}, {{Attr::axis, std::int64_t{1}}}) == "[[0, 1, 2, 7, 7],\n [3, 4, 5, 8, 8]]");
  CHECK(apply(Opcode::concat, {x, x}, {{Attr::axis, std::int64_t{0}}}) == "[[0, 1, 2],\n [3, 4, 5],\n [0, 1, 2],\n [3, 4, 5]]");
}

TEST_CASE("slices") {
  const Tensor x = counting(Element::f64, {3, 4});
  const auto i32 = [](double value) { return Tensor::scalar(Element::i32, value); };
  CHECK(apply(Opcode::slice, {x}, index({1, 0}, {2, 2}, {1, 2})) == "[[4, 6],\n [8, 10]]");
  CHECK(apply(Opcode::slice, {x}, index({2, 3}, {3, 1}, {-1, 1}, {}, {1})) == "[11, 7, 3]");
  CHECK(apply(Opcode::slice, {x, i32(-1)}, index({0, 0}, {1, 4}, {1, 1}, {0}, {0})) == "[8, 9, 10, 11]");
  CHECK(apply(Opcode::slice, {x, i32(2), i32(-4)}, index({0, 0}, {1, 1}, {1, 1}, {0, 1}, {0, 1})) == "8");
  CHECK(apply(Opcode::slice, {x, i32(1)}, index({0, 0}, {3, 3}, {1, 1}, {1})) == "[[1, 2, 3],\n [5, 6, 7],\n [9, 10, 11]]");
  CHECK(apply(Opcode::slice, {x, i32(4)}, index({0, 0}, {3, 0}, {1, 1}, {1})) == "[]");
}

TEST_CASE("indices out of range") {
  const Tensor x = counting(Element::f64, {5, 4});
  const auto at = [&](double start, const Attributes& attrs) {
    return apply(Opcode::slice, {x, Tensor::scalar(Element::i64, start)}, attrs);
  };
  const Attributes row = index({0, 0}, {1, 4}, {1, 1}, {0}, {0});
  CHECK(at(7, row) == "E0401 index 7 is outside -5..4 for axis 0 of x0, size 5");
  CHECK(at(-6, row) == "E0401 index -6 is outside -5..4 for axis 0 of x0, size 5");
  CHECK(at(9.2e18, row).starts_with("E0401"));
  CHECK(at(-9.3e18, row).starts_with("E0401"));
  CHECK(at(2, index({0, 0}, {5, 3}, {1, 1}, {1})) == "E0401 a part of 3 from 2 is outside axis 1 of x0, size 4");
  CHECK(at(1, index({0, 0}, {2, 4}, {-2, 1}, {0})) == "E0401 a part of 2 from 1 by -2 is outside axis 0 of x0, size 5");
  CHECK(at(5, index({0, 0}, {5, 0}, {1, 1}, {1})).starts_with("E0401"));
  CHECK(apply(Opcode::update, {x, counting(Element::f64, {4}), Tensor::scalar(Element::i32, 5)}, row) ==
        "E0401 index 5 is outside -5..4 for axis 0 of x0, size 5");
}

TEST_CASE("updates make a new value") {
  const Tensor x = counting(Element::f64, {2, 3});
  CHECK(apply(Opcode::update, {x, tensor(Element::f64, {2}, {8, 9})}, index({0, 2}, {2, 1}, {1, 1}, {}, {1})) ==
        "[[0, 1, 8],\n [3, 4, 9]]");
  CHECK(apply(Opcode::update, {x, Tensor::scalar(Element::f64, 7), Tensor::scalar(Element::i32, -1)},
              index({0, 1}, {1, 1}, {1, 1}, {0}, {0, 1})) == "[[0, 1, 2],\n [3, 7, 5]]");
  CHECK(runtime::tensor_text(x, true) == "[[0, 1, 2],\n [3, 4, 5]]");

  Function function;  // both the old and the new value are read later
  ir::Builder builder(function);
  const ValueId old = function.add_parameter(ir::Parameter::Kind::input, "x", x.type());
  const ValueId changed =
      builder.emit(Opcode::update, {old, builder.constant(7, Type(Element::f64))}, index({0, 0}, {1, 1}, {1, 1}, {}, {0, 1}));
  output(function, builder.emit(Opcode::sub, {changed, old}));
  CHECK(shown(run(function, {x})) == "[[7, 0, 0],\n [0, 0, 0]]");
}

TEST_CASE("sources") {
  const Type f32 = Type::of_sizes(Element::f32, {2, 2}), i64 = Type::of_sizes(Element::i64, {2}),
             flags = Type::of_sizes(Element::boolean, {2});
  CHECK(apply(Opcode::constant, {}, {{Attr::value, 0.5}}, &f32) == "[[0.5, 0.5],\n [0.5, 0.5]]");
  CHECK(apply(Opcode::constant, {}, {{Attr::reals, std::vector<double>{1, 2, 3, 4.5}}}, &f32) == "[[1, 2],\n [3, 4.5]]");
  CHECK(apply(Opcode::constant, {}, {{Attr::value, std::int64_t{9007199254740993}}}, &i64) == "[9007199254740993, 9007199254740993]");
  CHECK(apply(Opcode::constant, {}, {{Attr::ints, Ints{0, 1}}}, &flags) == "[false, true]");
  CHECK(apply(Opcode::iota, {}, {{Attr::axis, std::int64_t{1}}}, &f32) == "[[0, 1],\n [0, 1]]");
  CHECK(apply(Opcode::iota, {}, {{Attr::axis, std::int64_t{0}}}, &f32) == "[[0, 0],\n [1, 1]]");
}

TEST_CASE("random draws depend on seed, stream and turn alone") {
  const Type type = Type::of_sizes(Element::f32, {4});
  const auto draw = [&](Opcode code, std::int64_t seed, std::int64_t stream, double turn) {
    return apply(code, {Tensor::scalar(Element::i32, turn)}, {{Attr::seed, seed}, {Attr::stream, stream}}, &type);
  };
  CHECK(draw(Opcode::random_normal, 1, 2, 3) == draw(Opcode::random_normal, 1, 2, 3));
  CHECK(draw(Opcode::random_normal, 1, 2, 3) != draw(Opcode::random_normal, 1, 2, 4));
  CHECK(draw(Opcode::random_uniform, 1, 2, 3) != draw(Opcode::random_uniform, 2, 2, 3));
  CHECK(draw(Opcode::random_uniform, 1, 2, 0) ==
        apply(Opcode::random_uniform, {}, {{Attr::seed, std::int64_t{1}}, {Attr::stream, std::int64_t{2}}}, &type));
}
