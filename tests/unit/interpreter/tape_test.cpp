#include "tests/unit/interpreter/harness.h"

using namespace bpc;
using namespace bpc::test;

namespace {

// Constants %n0, %n1, %n2, … of i32.
std::string integers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("  %n{} = constant {{value = {}}} : i32\n", i, i);
  return text;
}

}  // namespace

TEST_CASE("a tape gives back the last value first") {
  const Function function = read_main(R"(  %a = input "a" : f64[2]
  %b = input "b" : f64[2]
  %t = tape : tape<f64[2]>
  %t1 = push %t, %a : tape<f64[2]>
  %t2 = push %t1, %b : tape<f64[2]>
  %t3, %x = pop %t2 : tape<f64[2]>, f64[2]
  %t4 = push %t3, %x : tape<f64[2]>
  %t5, %y = pop %t4 : tape<f64[2]>, f64[2]
  %t6, %z = pop %t5 : tape<f64[2]>, f64[2]
  output value "x" %x
  output value "y" %y
  output value "z" %z
)");
  CHECK(all_shown(run(function, {tensor(Element::f64, {2}, {1, 2}), tensor(Element::f64, {2}, {3, 4})})) == "[3, 4] [3, 4] [1, 2]");
}

TEST_CASE("an empty tape gives zeros, and stays empty") {
  const Function function = read_main(R"(  %t = tape : tape<i32[2]>
  %t1, %x = pop %t : tape<i32[2]>, i32[2]
  %t2, %y = pop %t1 : tape<i32[2]>, i32[2]
  %b = constant {ints = [5, 6]} : i32[2]
  %t3 = push %t2, %b : tape<i32[2]>
  %t4, %z = pop %t3 : tape<i32[2]>, i32[2]
  %t5, %w = pop %t4 : tape<i32[2]>, i32[2]
  output value "x" %x
  output value "y" %y
  output value "z" %z
  output value "w" %w
)");
  CHECK(all_shown(run(function)) == "[0, 0] [0, 0] [5, 6] [0, 0]");
}

TEST_CASE("a loop fills a tape, another empties it") {
  // More scalars than fit one chunk; then d = d * 3 + popped, modulo 1000003, in i64.
  const Function function = read_main(integers(2) + R"(  %n = input "n" : i32
  %t = tape : tape<i32>
  %filled = for_loop %n0, %n, %n1, %t : tape<i32> (%i : i32, %s : tape<i32>) {
    %s1 = push %s, %i : tape<i32>
    yield %s1
  }
  %d0 = constant {value = 0} : i64
  %emptied, %d = for_loop %n0, %n, %n1, %filled, %d0 : tape<i32>, i64 (%j : i32, %s2 : tape<i32>, %acc : i64) {
    %s3, %top = pop %s2 : tape<i32>, i32
    %wide = cast %top : i64
    %three = constant {value = 3} : i64
    %prime = constant {value = 1000003} : i64
    %scaled = mul %acc, %three : i64
    %sum = add %scaled, %wide : i64
    %acc1 = mod %sum, %prime : i64
    yield %s3, %acc1
  }
  %rest, %none = pop %emptied : tape<i32>, i32
  output value "d" %d
  output value "none" %none
)");
  std::int64_t expected = 0;
  for (std::int64_t i = 4999; i >= 0; --i) expected = (expected * 3 + i) % 1000003;
  CHECK(all_shown(run(function, {Tensor::scalar(Element::i32, 5000)})) == fmt::format("{} 0", expected));
  CHECK(all_shown(run(function, {Tensor::scalar(Element::i32, 3)})) == "21 0");  // (2 * 3 + 1) * 3 + 0
  CHECK(all_shown(run(function, {Tensor::scalar(Element::i32, 0)})) == "0 0");
  const std::size_t peak = peak_of(function, {Tensor::scalar(Element::i32, 100000)});
  CHECK(peak >= 400000);
  CHECK(peak < 410000);
}

TEST_CASE("a tape through while and if") {
  // Pushes the even ones among n, n-1, …, 1 and adds up what it pops, weighted by the turn.
  const Function function = read_main(integers(3) + R"(  %n = input "n" : i32
  %t = tape : tape<i32>
  %k, %evens, %filled = while_loop %n, %n0, %t : i32, i32, tape<i32> (%k1 : i32, %e1 : i32, %s1 : tape<i32>) {
    %more = gt %k1, %n0 : bool
    yield %more
  } do (%k2 : i32, %e2 : i32, %s2 : tape<i32>) {
    %rest = mod %k2, %n2 : i32
    %even = eq %rest, %n0 : bool
    %s5, %e5 = if_else %even : tape<i32>, i32 {
      %s3 = push %s2, %k2 : tape<i32>
      %e3 = add %e2, %n1 : i32
      yield %s3, %e3
    } else {
      yield %s2, %e2
    }
    %less = sub %k2, %n1 : i32
    yield %less, %e5, %s5
  }
  %drained, %sum = for_loop %n1, %evens, %n1, %filled, %n0 : tape<i32>, i32 (%i : i32, %s6 : tape<i32>, %acc : i32) {
    %s7, %top = pop %s6 : tape<i32>, i32
    %weighted = mul %top, %i : i32
    %acc1 = add %acc, %weighted : i32
    yield %s7, %acc1
  }
  %last, %bottom = pop %drained : tape<i32>, i32
  output value "evens" %evens
  output value "sum" %sum
  output value "bottom" %bottom
)");
  CHECK(all_shown(run(function, {Tensor::scalar(Element::i32, 9)})) == "4 28 8");  // 2*1 + 4*2 + 6*3, and 8 is left
  CHECK(all_shown(run(function, {Tensor::scalar(Element::i32, 1)})) == "0 0 0");
}

TEST_CASE("what a tape holds counts as memory") {
  const Function function = read_main(integers(2) + R"(  %n = input "n" : i32
  %t = tape : tape<f64[1000]>
  %x = constant {value = 1.0} : f64[1000]
  %filled = for_loop %n0, %n, %n1, %t : tape<f64[1000]> (%i : i32, %s : tape<f64[1000]>) {
    %s1 = push %s, %x : tape<f64[1000]>
    yield %s1
  }
  %rest, %top = pop %filled : tape<f64[1000]>, f64[1000]
  output value "top" %top
)");
  const std::vector<Tensor> arguments{Tensor::scalar(Element::i32, 100)};
  const std::size_t peak = peak_of(function, arguments);
  CHECK(peak >= 808000);
  CHECK(peak < 818000);
  const std::size_t before = Tensor::live_bytes();
  runtime::RunOptions options;
  options.max_memory = before + 500000;
  CHECK(shown(run(function, arguments, options)).starts_with("E0406 the run needs "));
  options.max_memory = before + 818000;
  CHECK_FALSE(run(function, arguments, options).failure);
  CHECK(Tensor::live_bytes() == before);
}

TEST_CASE("an observer sees a tape as a tensor without elements") {
  const Function function = read_main(R"(  %a = input "a" : f64
  %t = tape : tape<f64>
  %t1 = push %t, %a : tape<f64>
  %t2, %x = pop %t1 : tape<f64>, f64
  output value "x" %x
)");
  std::string seen;
  const auto observer = [&](const ir::Op& op, std::span<const Tensor* const> operands, std::span<const Tensor> results) {
    seen += std::string(ir::op_info(op.code).name);
    for (const Tensor* operand : operands) seen += fmt::format(" {}", operand->count() == 0 ? "-" : runtime::tensor_text(*operand, false));
    for (const Tensor& result : results) seen += fmt::format(" = {}", result.count() == 0 ? "-" : runtime::tensor_text(result, false));
    seen += "\n";
  };
  const std::vector<Tensor> arguments{Tensor::scalar(Element::f64, 7)};
  CHECK(shown(backend::interpret(function, observer)->run(arguments, {})) == "7");
  CHECK(seen == "tape = -\npush - 7 = -\npop - = - = 7\n");
}
