// Programs whose scalar operations were counted by hand.
#include "tests/unit/interpreter/harness.h"

using namespace bpc;
using namespace bpc::test;

namespace {

backend::OperationCount counted(const std::string& body, const std::vector<Tensor>& arguments = {}) {
  const Function function = read_main(body);
  backend::Counter counter(function);
  const runtime::RunResult result = backend::interpret(function, {}, &counter)->run(arguments, {});
  if (result.failure) FAIL(shown(result));
  return counter.operations();
}

}  // namespace

TEST_CASE("tensors count by their elements") {
  const backend::OperationCount count = counted(R"(  %a = constant {value = 1.0} : f32[2, 3]
  %b = constant {value = 1.0} : f32[3, 4]
  %v = constant {value = 1.0} : f32[3]
  %s = add %a, %v : f32[2, 3]
  %n = neg %s : f32[2, 3]
  %c = lt %n, %s : bool[2, 3]
  %d = einsum %n, %b {spec = "ij,jk->ik"} : f32[2, 4]
  %e = einsum %v, %v {spec = "i,i->"} : f32
  %r = reduce_sum %d {axes = [0], keep = false} : f32[4]
  %k = cumsum %r {axis = 0, reverse = false} : f32[4]
  output value "k" %k
)");
  CHECK(count.elementwise == 6 + 6 + 6);
  CHECK(count.multiplied == 2 * 3 * 4 + 3);
  CHECK(count.reduced == 8 + 4);
  CHECK(count.accumulated == 0);
  CHECK(count.taped == 0);
  CHECK(count.total() == 18 + 27 + 12);
}

TEST_CASE("moving data is free, adding it up is not") {
  const backend::OperationCount count = counted(R"(  %x = iota {axis = 0} : f32[6]
  %i = constant {ints = [1, 1, 2, 0]} : i32[4]
  %r = random_normal {stream = 1, seed = 1} : f32[4]
  %y = reshape %x : f32[2, 3]
  %z = transpose %y {perm = [1, 0]} : f32[3, 2]
  %w = broadcast %z : f32[5, 3, 2]
  %p = slice %x {starts = [1], sizes = [4], steps = [1], dynamic = [], drop = []} : f32[4]
  %g = gather %x, %i {axes = [0]} : f32[4]
  %h = concat %p, %g {axis = 0} : f32[8]
  %u = update %h, %g {starts = [0], sizes = [4], steps = [1], dynamic = [], drop = []} : f32[8]
  %a = update %u, %p {starts = [4], sizes = [4], steps = [1], dynamic = [], drop = [], add = true} : f32[8]
  %s = scatter_add %a, %r, %i {axes = [0]} : f32[8]
  output value "s" %s
  output value "w" %w
)");
  CHECK(count.accumulated == 4 + 4 + 4);
  CHECK(count.total() == 12);
}

TEST_CASE("what regions run counts each time, control itself does not") {
  // The loop runs n times: 3 elements squared, 3 added, 3 pushed; the while tests n + 1 times, pops 3 and subtracts 1 n times.
  const std::string body = R"(  %n = input "n" : i32
  %zero = constant {value = 0} : i32
  %one = constant {value = 1} : i32
  %x = constant {value = 1.5} : f64[3]
  %t = tape : tape<f64[3]>
  %y, %filled = for_loop %zero, %n, %one, %x, %t : f64[3], tape<f64[3]> (%i : i32, %acc : f64[3], %s : tape<f64[3]>) {
    %square = mul %acc, %acc : f64[3]
    %next = add %square, %x : f64[3]
    %s1 = push %s, %acc : tape<f64[3]>
    yield %next, %s1
  }
  %k, %top, %rest = while_loop %n, %y, %filled : i32, f64[3], tape<f64[3]> (%k1 : i32, %y1 : f64[3], %s2 : tape<f64[3]>) {
    %more = gt %k1, %zero : bool
    yield %more
  } do (%k2 : i32, %y2 : f64[3], %s3 : tape<f64[3]>) {
    %s4, %popped = pop %s3 : tape<f64[3]>, f64[3]
    %k3 = sub %k2, %one : i32
    yield %k3, %popped, %s4
  }
  output value "top" %top
)";
  for (std::uint64_t n : {0, 1, 7}) {
    const backend::OperationCount count = counted(body, {Tensor::scalar(Element::i32, static_cast<double>(n))});
    CHECK(count.elementwise == 6 * n + (n + 1) + n);
    CHECK(count.taped == 6 * n);
    CHECK(count.total() == count.elementwise + count.taped);
  }
}

TEST_CASE("only the side that runs counts; a map counts its region, checkpoint and custom their first") {
  const std::string body = R"(  %c = input "c" : bool
  %x = constant {value = 1.5} : f64[5]
  %y = if_else %c : f64[5] {
    %y1 = neg %x : f64[5]
    yield %y1
  } else {
    yield %x
  }
  %m = map : i32[2, 3] (%i : i32, %j : i32) {
    %sum = add %i, %j : i32
    yield %sum
  }
  %z = checkpoint : f64[5] {
    %z1 = exp %y : f64[5]
    yield %z1
  }
  %w = custom %z : f64[5] (%a : f64[5]) {
    %w1 = sqrt %a : f64[5]
    yield %w1
  } adjoint (%a2 : f64[5], %w2 : f64[5], %dw : f64[5]) {
    %da = mul %dw, %w2 : f64[5]
    yield %da
  }
  output value "w" %w
  output value "m" %m
)";
  CHECK(counted(body, {Tensor::scalar(Element::boolean, 1)}).total() == 5 + 6 + 5 + 5);
  CHECK(counted(body, {Tensor::scalar(Element::boolean, 0)}).total() == 6 + 5 + 5);
}

TEST_CASE("a counter adds up over runs, and leaves in place what would be in place") {
  const Function function = read_main(R"(  %x = input "x" : f64[1000]
  %v = constant {value = 1.0} : f64
  %y = neg %x : f64[1000]
  %z = update %y, %v {starts = [0], sizes = [1], steps = [1], dynamic = [], drop = [0]} : f64[1000]
  output value "z" %z
)");
  backend::Counter counter(function);
  const auto executable = backend::interpret(function, {}, &counter);
  const std::vector<Tensor> arguments{Tensor::zeros(Type::of_sizes(Element::f64, {1000}))};
  Tensor::reset_peak();
  const std::size_t before = Tensor::live_bytes();
  executable->run(arguments, {});
  CHECK(Tensor::peak_bytes() - before < 8100);
  CHECK(counter.operations().total() == 1001);
  executable->run(arguments, {});
  CHECK(counter.operations().total() == 2002);
  CHECK(counter.times(function.block(function.body()).ops[1]) == 2);
}
