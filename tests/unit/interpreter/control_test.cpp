#include <thread>

#include "support/internal_error.h"
#include "tests/unit/interpreter/harness.h"

using namespace bpc;
using namespace bpc::test;

namespace {

using Ints = std::vector<std::int64_t>;
const Type kReal{Element::f64}, kInt{Element::i32}, kBool{Element::boolean};

// for i in lo..hi by by { s = s * 10 + i }
Function digits(std::int64_t lo, std::int64_t hi, std::int64_t by) {
  Function function;
  ir::Builder builder(function);
  const ValueId start = builder.integer(0, Element::i32);
  const ValueId bounds[] = {builder.integer(lo, Element::i32), builder.integer(hi, Element::i32), builder.integer(by, Element::i32), start};
  const ir::OpId loop = builder.emit_op(Opcode::for_loop, bounds, {}, {{kInt}});
  const ir::BlockId body = function.add_block(loop);
  const ValueId i = function.add_argument(body, kInt, "i"), s = function.add_argument(body, kInt, "s");
  builder.set_block(body);
  const ValueId shifted = builder.emit(Opcode::mul, {s, builder.integer(10, Element::i32)});
  function.block(body).yields = {builder.emit(Opcode::add, {shifted, i})};
  output(function, function.op(loop).results[0]);
  return function;
}

// while s < limit { s = s * 2 }, from 1
Function doubling(double limit) {
  Function function;
  ir::Builder builder(function);
  const ValueId start[] = {builder.constant(1, kReal)};
  const ir::OpId loop = builder.emit_op(Opcode::while_loop, start, {}, {{kReal}});
  const ir::BlockId condition = function.add_block(loop), body = function.add_block(loop);
  const ValueId tested = function.add_argument(condition, kReal, "s"), carried = function.add_argument(body, kReal, "s");
  builder.set_block(condition);
  function.block(condition).yields = {builder.emit(Opcode::lt, {tested, builder.constant(limit, kReal)})};
  builder.set_block(body);
  function.block(body).yields = {builder.emit(Opcode::add, {carried, carried})};
  output(function, function.op(loop).results[0]);
  return function;
}

}  // namespace

TEST_CASE("counted loops") {
  CHECK(shown(run(digits(1, 5, 1))) == "1234");
  CHECK(shown(run(digits(1, 8, 3))) == "147");
  CHECK(shown(run(digits(7, 0, -3))) == "741");
  CHECK(shown(run(digits(3, 3, 1))) == "0");
  CHECK(shown(run(digits(5, 1, 1))) == "0");
  CHECK(shown(run(digits(2147483645, 2147483647, 5))) == "2147483645");
  CHECK(shown(run(digits(1, 5, 0))) == "E0407 the step of this loop is 0");
}

TEST_CASE("while loops and their limit") {
  runtime::RunOptions options;
  CHECK(shown(run(doubling(100))) == "128");
  CHECK(shown(run(doubling(0))) == "1");
  options.max_iterations = 7;
  CHECK(shown(run(doubling(100), {}, options)) == "128");
  options.max_iterations = 6;
  CHECK(shown(run(doubling(100), {}, options)) == "E0405 this loop would make more than 6 turns");
}

TEST_CASE("an endless loop is interrupted") {
  Function endless = doubling(1);
  const ValueId condition = endless.block(ir::BlockId{1}).yields[0];
  endless.op(endless.value(condition).op).code = Opcode::ge;  // for ever
  std::thread later([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    runtime::interrupt_requested = true;
  });
  CHECK(shown(run(endless)) == "interrupted");
  later.join();
  runtime::interrupt_requested = false;
}

TEST_CASE("branches") {
  Function function;
  ir::Builder builder(function);
  const ValueId condition[] = {function.add_parameter(ir::Parameter::Kind::input, "c", kBool)};
  const ValueId x = builder.constant(3, kReal);
  const ir::OpId branch = builder.emit_op(Opcode::if_else, condition, {}, {{kReal, kReal}});
  const ir::BlockId yes = function.add_block(branch), no = function.add_block(branch);
  builder.set_block(yes);
  const ValueId doubled = builder.emit(Opcode::add, {x, x});
  function.block(yes).yields = {doubled, doubled};
  function.block(no).yields = {x, x};
  builder.set_block(function.body());
  output(function, builder.emit(Opcode::mul, {function.op(branch).results[0], function.op(branch).results[1]}));
  CHECK(shown(run(function, {Tensor::scalar(Element::boolean, 1)})) == "36");
  CHECK(shown(run(function, {Tensor::scalar(Element::boolean, 0)})) == "9");
  CHECK_THROWS_AS(run(function, {Tensor::scalar(Element::f64, 0)}), InternalError);
}

TEST_CASE("a loop updates what it carries in place") {
  constexpr std::int64_t n = 20000;
  const Type vector = Type::of_sizes(Element::f64, {n});
  Function function;
  ir::Builder builder(function);
  const ValueId operands[] = {builder.integer(0, Element::i32), builder.integer(n, Element::i32), builder.integer(1, Element::i32),
                              builder.constant(0, vector)};
  const ir::OpId loop = builder.emit_op(Opcode::for_loop, operands, {}, {{vector}});
  const ir::BlockId body = function.add_block(loop);
  const ValueId i = function.add_argument(body, kInt, "i"), x = function.add_argument(body, vector, "x");
  builder.set_block(body);
  function.block(body).yields = {builder.emit(
      Opcode::update, {x, builder.cast(i, Element::f64), i},
      {{Attr::starts, Ints{0}}, {Attr::sizes, Ints{1}}, {Attr::steps, Ints{1}}, {Attr::dynamic, Ints{0}}, {Attr::drop, Ints{0}}})};
  builder.set_block(function.body());
  output(function, builder.reduce(Opcode::reduce_sum, function.op(loop).results[0], {0}, false));
  Tensor::reset_peak();
  const std::size_t before = Tensor::live_bytes();
  CHECK(shown(run(function)) == "199990000");  // copies would take 3 GB of traffic
  CHECK(Tensor::peak_bytes() - before < 2 * n * sizeof(double));
}

TEST_CASE("what is not read any more is freed") {
  const Type vector = Type::of_sizes(Element::f64, {1000});
  Function function;
  ir::Builder builder(function);
  ValueId x = builder.constant(1, vector);
  for (int i = 0; i < 100; ++i) x = builder.emit(Opcode::sqrt, {x});
  output(function, builder.reduce(Opcode::reduce_sum, x, {0}, false));
  Tensor::reset_peak();
  const std::size_t before = Tensor::live_bytes();
  CHECK(shown(run(function)) == "1000");
  CHECK(Tensor::peak_bytes() - before <= 2 * 8000 + 64);
  CHECK(Tensor::live_bytes() == before);
  runtime::RunOptions options;
  options.max_memory = before + 10000;
  CHECK(shown(run(function, {}, options)).starts_with("E0406 the run needs "));
  options.max_memory = before + 16100;
  CHECK(shown(run(function, {}, options)) == "1000");
}

TEST_CASE("print and assert") {
  Function function;
  ir::Builder builder(function);
  const ValueId x = function.add_parameter(ir::Parameter::Kind::input, "x", Type::of_sizes(Element::f32, {2}));
  const ValueId n = builder.integer(3, Element::i32);
  const ValueId items[] = {n, x};
  builder.emit_op(Opcode::print, items, {{Attr::text, std::vector<std::string>{"epoch ", " ", "!"}}}, {});
  const ValueId fine =
      builder.emit(Opcode::gt, {builder.reduce(Opcode::reduce_sum, x, {0}, false), builder.constant(0, Type(Element::f32))});
  const ValueId asserted[] = {fine, x};
  builder.emit_op(Opcode::assert_true, asserted,
                  {{Attr::message, std::string("x must be positive")}, {Attr::names, std::vector<std::string>{"x"}}}, {});
  std::vector<std::string> lines;
  runtime::RunOptions options;
  options.print = [&](std::string_view line) { lines.emplace_back(line); };
  CHECK_FALSE(run(function, {tensor(Element::f32, {2}, {1, 0.5})}, options).failure);
  CHECK(lines == std::vector<std::string>{"epoch 3 [1, 0.5]!"});
  const runtime::RunResult failed = run(function, {tensor(Element::f32, {2}, {-1, 0.5})}, options);
  CHECK(shown(failed) == "E0402 the assertion does not hold: x must be positive");
  CHECK(failed.failure->diagnostic.notes == std::vector<std::string>{"x = [-1, 0.5]"});
}

TEST_CASE("a failure points at the op and the calls around it") {
  Function function;
  ir::Builder builder(function);
  ir::Origin origin;
  origin.span = {0, 3, 5, 3, 9};
  origin.calls = {{0, 8, 1, 8, 4}};
  builder.set_origin(function.add_origin(origin));
  const ValueId zero = builder.integer(0, Element::i32);
  output(function, builder.emit(Opcode::floordiv, {zero, zero}));
  const auto result = run(function);
  REQUIRE(result.failure);
  CHECK(result.failure->diagnostic.span == origin.span);
  REQUIRE(result.failure->diagnostic.labels.size() == 1);
  CHECK(result.failure->diagnostic.labels[0].span == origin.calls[0]);
}

TEST_CASE("an observer sees every op with its operands and results") {
  const Function function = digits(1, 3, 1);
  std::string seen;
  const auto observer = [&](const ir::Op& op, std::span<const Tensor* const> operands, std::span<const Tensor> results) {
    if (op.code != Opcode::add && op.code != Opcode::for_loop) return;
    seen += std::string(ir::op_info(op.code).name);
    for (const Tensor* operand : operands) seen += fmt::format(" {}", runtime::tensor_text(*operand, false));
    for (const Tensor& result : results) seen += fmt::format(" = {}", runtime::tensor_text(result, false));
    seen += "\n";
  };
  backend::interpret(function, observer)->run({}, {});
  CHECK(seen == "add 0 1 = 1\nadd 10 2 = 12\nfor_loop 1 3 1 0 = 12\n");
}

TEST_CASE("an executable runs again and again") {
  const Function function = doubling(1000);
  const auto executable = backend::interpret(function);
  CHECK(shown(executable->run({}, {})) == "1024");
  CHECK(shown(executable->run({}, {})) == "1024");
}
