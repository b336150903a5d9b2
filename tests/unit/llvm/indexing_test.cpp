// Gathers, scatters and updates in compiled code.
#include "harness.h"

namespace bpc::test {

namespace {

const std::string kNumbers = R"(  %n0 = constant {value = 0} : i32
  %n1 = constant {value = 1} : i32
)";

}  // namespace

TEST_CASE("gathers of every form") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, shaped(Element::f64, {4, 5, 3}));
  ValueId i = parameter(function, shaped(Element::i32)), j = parameter(function, shaped(Element::i64, {2, 2}));
  ValueId k = parameter(function, shaped(Element::i64, {2, 2})), none = parameter(function, shaped(Element::i32, {0}));
  for (std::uint32_t set = 1; set < 8; ++set) {
    std::vector<std::int64_t> axes;
    for (std::int64_t axis = 0; axis < 3; ++axis)
      if (set >> axis & 1) axes.push_back(axis);
    for (auto [first, second] : {std::pair(i, i), std::pair(j, k), std::pair(none, none)})
      for (ValueId from : {x, builder.emit(Opcode::sin, {x}), builder.transpose(builder.transpose(x, {2, 1, 0}), {2, 1, 0})}) {
        std::vector<ValueId> operands{from};
        for (std::size_t n = 0; n < axes.size(); ++n) operands.push_back(n == 0 ? first : second);
        ValueId y = builder.emit(Opcode::gather, operands, {{Attr::axes, axes}});
        output(function, y);
        output(function, builder.emit(Opcode::mul, {y, y}));
      }
  }
  std::vector<Tensor> arguments{sample(shaped(Element::f64, {4, 5, 3})), integer(-2)};
  arguments.push_back(Tensor::from_ints(shaped(Element::i64, {2, 2}), std::vector<std::int64_t>{0, 2, -1, -3}));
  arguments.push_back(Tensor::from_ints(shaped(Element::i64, {2, 2}), std::vector<std::int64_t>{-3, 1, 1, 2}));
  arguments.push_back(integers({}));
  agree(function, arguments);
}

TEST_CASE("a sum that is made before it is gathered") {
  for (const char* real : {"f32", "f64"}) {
    std::string text = R"(  %x = input "x" : REAL[20, 8]
  %i = input "i" : i32[100]
  %1 = transpose %x {perm = [1, 0]} : REAL[8, 20]
  %2 = reshape %1 : REAL[20, 8]
  %3 = mul %x, %2 : REAL[20, 8]
  %4 = add %3, %x : REAL[20, 8]
  %y = gather %4, %i {axes = [0]} : REAL[100, 8]
  %z = mul %y, %y : REAL[100, 8]
  output value "z" %z
)";
    for (std::size_t at = text.find("REAL"); at != std::string::npos; at = text.find("REAL")) text.replace(at, 4, real);
    std::vector<std::int64_t> indices;
    for (std::int64_t n = 0; n < 100; ++n) indices.push_back(7 * n % 40 - 20);
    const std::vector<Tensor> arguments{sample(shaped(std::string(real) == "f32" ? Element::f32 : Element::f64, {20, 8})),
                                        integers(indices)};
    agree(read_main(text), arguments);
  }
}

TEST_CASE("an index outside is named, the first one of the first operand that has one") {
  const Function function = read_main(R"(  %x = input "x" : f32[3, 4]
  %i = input "i" : i32[3]
  %j = input "j" : i32[3]
  %y = gather %x, %i, %j {axes = [0, 1]} : f32[3]
  %z = scatter_add %x, %y, %j, %i {axes = [0, 1]} : f32[3, 4]
  output value "y" %y
  output value "z" %z
)");
  const Tensor x = Tensor::from_reals(shaped(Element::f32, {3, 4}), std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  auto result = [&](const std::vector<std::int64_t>& i, const std::vector<std::int64_t>& j) {
    return text_of(agree(function, std::vector{x, integers(i), integers(j)}));
  };
  CHECK(result({0, -1, 1}, {-1, 0, 2}) == "[3, 8, 6] [[0, 1, 2, 11],\n [4, 5, 6, 7],\n [11, 15, 10, 11]]");  // to (-1, 0), (0, -1), (2, 1)
  CHECK(result({0, 3, -7}, {9, 9, 9}) == "E0401 index 3 at [1] of i is outside -3..2 for axis 0 of x, size 3");
  CHECK(result({0, 0, 0}, {0, -5, 4}) == "E0401 index -5 at [1] of j is outside -4..3 for axis 1 of x, size 4");
  CHECK(result({0, 0, 0}, {0, 1, 3}) == "E0401 index 3 at [2] of j is outside -3..2 for axis 0 of x, size 3");
  CHECK(result({0, -2147483647 - 1, 0}, {0, 1, 2}) == "E0401 index -2147483648 at [1] of i is outside -3..2 for axis 0 of x, size 3");
}

TEST_CASE("what is scattered to one place adds up") {
  const Function function = read_main(R"(  %x = input "x" : f64[3, 2]
  %v = input "v" : f64[4, 2]
  %i = constant {ints = [2, 0, 2, -1]} : i32[4]
  %y = scatter_add %x, %v, %i {axes = [0]} : f64[3, 2]
  %u = gather %x, %i {axes = [0]} : f64[4, 2]
  %z = scatter_add %x, %u, %i {axes = [0]} : f64[3, 2]
  output value "y" %y
  output value "z" %z
)");
  auto reals = [](std::vector<std::int64_t> sizes, std::vector<double> values) {
    return Tensor::from_reals(shaped(Element::f64, std::move(sizes)), values);
  };
  CHECK(text_of(agree(function, std::vector{reals({3, 2}, {1, 2, 3, 4, 5, 6}), reals({4, 2}, {10, 20, 30, 40, 50, 60, 70, 80})})) ==
        "[[31, 42],\n [3, 4],\n [135, 166]] [[2, 4],\n [3, 4],\n [20, 24]]");
  // A histogram, long enough to be vectorised if that were right.
  const Function histogram = read_main(R"(  %v = input "v" : f64[1000]
  %x = input "x" : f64[7]
  %n = iota {axis = 0} : i32[1000]
  %k = constant {value = 7} : i32[1000]
  %i = mod %n, %k : i32[1000]
  %y = scatter_add %x, %v, %i {axes = [0]} : f64[7]
  output value "y" %y
)");
  agree(histogram);
  // Integers that are their own indices.
  const Function own = read_main(R"(  %x = input "x" : i32[3]
  %k = constant {value = 3} : i32[3]
  %m = mod %x, %k : i32[3]
  %y = scatter_add %m, %m, %m {axes = [0]} : i32[3]
  output value "y" %y
)");
  CHECK(text_of(agree(own, std::vector{integers({4, 1, 5})})) == "[1, 3, 4]");
}

TEST_CASE("updates that add") {
  const Function function = read_main(R"(  %x = input "x" : f64[4, 3]
  %s = input "s" : f64
  %i = input "i" : i32
  %row = input "row" : f64[3]
  %a = update %x, %row, %i {starts = [0, 0], sizes = [1, 3], steps = [1, 1], dynamic = [0], drop = [0], add = true} : f64[4, 3]
  %c = slice %a, %i {starts = [0, 0], sizes = [2, 3], steps = [2, -1], dynamic = [1], drop = []} : f64[2, 3]
  %b = update %a, %c {starts = [1, 0], sizes = [2, 3], steps = [1, 1], dynamic = [], drop = [], add = true} : f64[4, 3]
  %t = update %s, %s {starts = [], sizes = [], steps = [], dynamic = [], drop = [], add = true} : f64
  output value "a" %a
  output value "b" %b
  output value "t" %t
)");
  const std::vector<Tensor> arguments{sample(shaped(Element::f64, {4, 3})), sample(shaped(Element::f64), 1), integer(2),
                                      sample(shaped(Element::f64, {3}), 2)};
  agree(function, arguments);
}

TEST_CASE("what was read of a tensor stays when the tensor is changed in place") {
  // In a loop, with scalars, rows, gathered rows and what is computed from them, on both sides of a branch.
  const Function function = read_main(kNumbers + R"(  %x = input "x" : f64[6, 4]
  %k = input "k" : i32[3]
  %n6 = constant {value = 6} : i32
  %s0 = constant {value = 0.0} : f64[4]
  %zero = constant {value = 0.0} : f64
  %d, %s = for_loop %n0, %n6, %n1, %x, %s0 : f64[6, 4], f64[4] (%i : i32, %d.1 : f64[6, 4], %s.1 : f64[4]) {
    %row = slice %d.1, %i {starts = [0, 0], sizes = [1, 4], steps = [1, 1], dynamic = [0], drop = [0]} : f64[4]
    %few = gather %d.1, %k {axes = [0]} : f64[3, 4]
    %twice = add %row, %row : f64[4]
    %d.2 = update %d.1, %s0, %i {starts = [0, 0], sizes = [1, 4], steps = [1, 1], dynamic = [0], drop = [0]} : f64[6, 4]
    %e = slice %row {starts = [1], sizes = [1], steps = [1], dynamic = [], drop = [0]} : f64
    %c = gt %e, %zero : bool
    %d.5, %s.5 = if_else %c : f64[6, 4], f64[4] {
      %d.3 = scatter_add %d.2, %few, %k {axes = [0]} : f64[6, 4]
      %s.3 = add %s.1, %twice : f64[4]
      yield %d.3, %s.3
    } else {
      %last = slice %d.2 {starts = [5, 0], sizes = [1, 4], steps = [1, 1], dynamic = [], drop = [0]} : f64[4]
      %d.4 = update %d.2, %row, %i {starts = [0, 0], sizes = [1, 4], steps = [1, 1], dynamic = [0], drop = [0], add = true} : f64[6, 4]
      %s.4 = mul %last, %twice : f64[4]
      yield %d.4, %s.4
    }
    yield %d.5, %s.5
  }
  output value "d" %d
  output value "s" %s
)");
  agree(function, std::vector{sample(shaped(Element::f64, {6, 4})), integers({1, 1, -2})});
}

TEST_CASE("a tensor that the condition of a while loop has read is still the result") {
  agree(read_main(R"(  %x = input "x" : f64[40]
  %y = input "y" : f64[40]
  %r = while_loop %x : f64[40] (%a : f64[40]) {
    %e = sin %a : f64[40]
    %p = reduce_sum %e {axes = [0], keep = false} : f64
    %q = reduce_max %e {axes = [0], keep = false} : f64
    %s = add %p, %q : f64
    %limit = constant {value = 0.5} : f64
    %c = gt %s, %limit : bool
    yield %c
  } do (%b : f64[40]) {
    %n = neg %y : f64[40]
    yield %n
  }
  output value "r" %r
)"));
}

}  // namespace bpc::test
