#include "tests/unit/interpreter/harness.h"

using namespace bpc;
using namespace bpc::test;

namespace {

using Ints = std::vector<std::int64_t>;

Tensor reals(Ints sizes, std::vector<double> values) {
  return tensor(Element::f64, std::move(sizes), std::move(values));
}
Tensor indices(Ints sizes, std::vector<double> values, Element element = Element::i32) {
  return tensor(element, std::move(sizes), std::move(values));
}
Attributes along(Ints axes) {
  return {{Attr::axes, std::move(axes)}};
}

const Tensor kGrid = reals({2, 3}, {1, 5, 3, 4, 2, 6});

}  // namespace

TEST_CASE("gathers") {
  CHECK(apply(Opcode::gather, {reals({3}, {7, 8, 9}), indices({4}, {2, 0, -1, -3})}, along({0})) == "[9, 7, 9, 7]");
  CHECK(apply(Opcode::gather, {kGrid, indices({3}, {1, 0, 1})}, along({0})) == "[[4, 2, 6],\n [1, 5, 3],\n [4, 2, 6]]");
  CHECK(apply(Opcode::gather, {kGrid, indices({2}, {-1, 1})}, along({1})) == "[[3, 6],\n [5, 2]]");
  CHECK(apply(Opcode::gather, {kGrid, indices({2, 2}, {0, 1, 1, 0}), indices({2, 2}, {0, 0, 2, 1})}, along({0, 1})) ==
        "[[1, 4],\n [6, 5]]");
  CHECK(apply(Opcode::gather, {kGrid, indices({}, {-1}, Element::i64)}, along({0})) == "[4, 2, 6]");
  CHECK(apply(Opcode::gather, {kGrid, indices({0}, {})}, along({1})) == "[]");
  CHECK(apply(Opcode::gather, {indices({2}, {1, 0}, Element::boolean), indices({3}, {0, 0, 1})}, along({0})) == "[true, true, false]");
  const Tensor cube = reals({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(apply(Opcode::gather, {cube, indices({2}, {1, 0}), indices({2}, {0, 1})}, along({0, 2})) == "[[6, 8, 10],\n [1, 3, 5]]");
}

TEST_CASE("scatters add, repeated indices more than once") {
  CHECK(apply(Opcode::scatter_add, {reals({3}, {1, 2, 3}), reals({4}, {10, 20, 30, 40}), indices({4}, {-1, 0, 2, 0})}, along({0})) ==
        "[61, 2, 43]");
  CHECK(apply(Opcode::scatter_add, {kGrid, reals({2, 2}, {10, 20, 30, 40}), indices({2}, {0, 0})}, along({1})) ==
        "[[41, 5, 3],\n [64, 2, 6]]");
  CHECK(apply(Opcode::scatter_add, {kGrid, reals({2}, {10, 20}), indices({2}, {1, -1}), indices({2}, {2, -1})}, along({0, 1})) ==
        "[[1, 5, 3],\n [4, 2, 36]]");
  CHECK(apply(Opcode::scatter_add, {kGrid, reals({3}, {10, 20, 30}), indices({}, {1})}, along({0})) == "[[1, 5, 3],\n [14, 22, 36]]");
  CHECK(apply(Opcode::scatter_add,
              {tensor(Element::i32, {1}, {2147483647}), tensor(Element::i32, {2}, {1, 1}), tensor(Element::i32, {2}, {0, 0})},
              along({0})) == "[-2147483647]");
  // One element after the other: f32 forgets the small ones next to the large one, and not when they come first.
  CHECK(apply(Opcode::scatter_add,
              {tensor(Element::f32, {1}, {0}), tensor(Element::f32, {3}, {16777216, 1, 1}), tensor(Element::i32, {3}, {0, 0, 0})},
              along({0})) == "[16777216]");
  CHECK(apply(Opcode::scatter_add,
              {tensor(Element::f32, {1}, {0}), tensor(Element::f32, {3}, {1, 1, 16777216}), tensor(Element::i32, {3}, {0, 0, 0})},
              along({0})) == "[16777218]");
}

TEST_CASE("an index outside says where, as a slice does") {
  CHECK(apply(Opcode::gather, {kGrid, indices({3}, {0, 2, 9})}, along({0})) ==
        "E0401 index 2 at [1] of x1 is outside -2..1 for axis 0 of x0, size 2");
  CHECK(apply(Opcode::gather, {kGrid, indices({1}, {-4})}, along({1})) ==
        "E0401 index -4 at [0] of x1 is outside -3..2 for axis 1 of x0, size 3");
  CHECK(apply(Opcode::gather, {kGrid, indices({1}, {0}), indices({1}, {3})}, along({0, 1})) ==
        "E0401 index 3 at [0] of x2 is outside -3..2 for axis 1 of x0, size 3");
  CHECK(apply(Opcode::gather, {reals({0}, {}), indices({1}, {0})}, along({0})) ==
        "E0401 index 0 at [0] of x1 is outside axis 0 of x0, size 0");
  CHECK(apply(Opcode::gather, {reals({1, 0}, {}), indices({1}, {7})}, along({0})) ==
        "E0401 index 7 at [0] of x1 is outside -1..0 for axis 0 of x0, size 1");
  CHECK(apply(Opcode::scatter_add, {kGrid, reals({1, 2}, {1, 1}), indices({1}, {3})}, along({1})) ==
        "E0401 index 3 at [0] of x2 is outside -3..2 for axis 1 of x0, size 3");
  CHECK(apply(Opcode::gather, {kGrid, indices({1}, {9.3e18}, Element::i64)}, along({0})).starts_with("E0401 index 9223372036854775807"));
}

TEST_CASE("an update may add") {
  const auto at = [](Ints starts, Ints sizes, Ints steps, Ints dynamic, Ints drop) {
    return Attributes{{Attr::starts, starts},   {Attr::sizes, sizes}, {Attr::steps, steps},
                      {Attr::dynamic, dynamic}, {Attr::drop, drop},   {Attr::add, true}};
  };
  CHECK(apply(Opcode::update, {kGrid, reals({2}, {10, 20})}, at({0, 1}, {2, 1}, {1, 1}, {}, {1})) == "[[1, 15, 3],\n [4, 22, 6]]");
  CHECK(apply(Opcode::update, {kGrid, reals({2}, {10, 20}), indices({}, {-1})}, at({0, 2}, {1, 2}, {1, -2}, {0}, {0})) ==
        "[[1, 5, 3],\n [24, 2, 16]]");
  CHECK(apply(Opcode::update, {kGrid, reals({3}, {1, 1, 1}), indices({}, {2})}, at({0, 0}, {1, 3}, {1, 1}, {0}, {0})) ==
        "E0401 index 2 is outside -2..1 for axis 0 of x0, size 2");
}

TEST_CASE("operand 0 is changed in place where it dies") {
  const std::string start =
      "  %i = input \"i\" : i32[2]\n"
      "  %x = constant {value = 1.0} : f64[10000]\n"
      "  %v = constant {value = 2.0} : f64[2]\n";
  const std::string update = "update %x, %v {starts = [0], sizes = [2], steps = [1], dynamic = [], drop = [], add = true} : f64[10000]\n";
  const std::string scatter = "scatter_add %x, %v, %i {axes = [0]} : f64[10000]\n";
  const std::string sum = "  %s = reduce_sum %y {axes = [0], keep = false} : f64\n  output value \"s\" %s\n";
  for (const std::string& op : {update, scatter}) {
    const Function dies = read_main(start + "  %y = " + op + sum),
                   lives = read_main(start + "  %y = " + op + sum + "  output value \"x\" %x\n");
    const std::vector<Tensor> arguments{indices({2}, {5, 5})};
    CHECK(shown(run(dies, arguments)) == "10004");
    CHECK(shown(run(lives, arguments)) == "10004");
    CHECK(runtime::tensor_text(run(lives, arguments).outputs[1], true).starts_with("[1, 1, 1"));
    CHECK(peak_of(dies, arguments) < 85000);
    CHECK(peak_of(lives, arguments) > 160000);
  }
}
