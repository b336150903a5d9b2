// Loops, branches, effects and failures of compiled code.
#include <thread>

#include "harness.h"

namespace bpc::test {

namespace {

const Type kReal = shaped(Element::f64), kInt = shaped(Element::i32);

// for i in lo..hi by step, carrying `init`; `body` gives the next values.
template <class F>
std::vector<ValueId> for_loop(Builder& builder, ValueId lo, ValueId hi, ValueId by, const std::vector<ValueId>& init, F body) {
  Function& function = builder.function();
  std::vector<ValueId> operands{lo, hi, by};
  operands.insert(operands.end(), init.begin(), init.end());
  std::vector<Type> types;
  for (ValueId id : init) types.push_back(function.type(id));
  ir::OpId loop = builder.emit_op(Opcode::for_loop, operands, {}, types);
  ir::BlockId block = function.add_block(loop), outer = builder.block();
  ValueId index = function.add_argument(block, function.type(lo), "i");
  std::vector<ValueId> arguments;
  for (const Type& type : types) arguments.push_back(function.add_argument(block, type, "c"));
  builder.set_block(block);
  std::vector<ValueId> yields = body(index, arguments);
  function.block(block).yields = yields;
  builder.set_block(outer);
  return function.op(loop).results;
}

// while x < limit { x = x + step }
ValueId count_up(Builder& builder, ValueId x, double limit, double step) {
  Function& function = builder.function();
  ir::OpId loop = builder.emit_op(Opcode::while_loop, std::vector{x}, {}, std::vector{function.type(x)});
  ir::BlockId condition = function.add_block(loop), body = function.add_block(loop), outer = builder.block();
  builder.set_block(condition);
  ValueId seen = function.add_argument(condition, function.type(x), "x");
  function.block(condition).yields = {builder.emit(Opcode::lt, {seen, builder.constant(limit, function.type(x))})};
  builder.set_block(body);
  ValueId carried = function.add_argument(body, function.type(x), "x");
  function.block(body).yields = {builder.emit(Opcode::add, {carried, builder.constant(step, function.type(x))})};
  builder.set_block(outer);
  return function.op(loop).results[0];
}

// `side` gives what then (true) and otherwise (false) yield, of these types.
template <class F>
std::vector<ValueId> if_else(Builder& builder, ValueId condition, const std::vector<Type>& types, F side) {
  Function& function = builder.function();
  ir::OpId branch = builder.emit_op(Opcode::if_else, std::vector{condition}, {}, types);
  ir::BlockId outer = builder.block();
  for (bool then : {true, false}) {
    ir::BlockId block = function.add_block(branch);
    builder.set_block(block);
    std::vector<ValueId> yields = side(then);
    function.block(block).yields = yields;
  }
  builder.set_block(outer);
  return function.op(branch).results;
}

}  // namespace

TEST_CASE("counted loops with every kind of bounds") {
  for (Element element : {Element::i32, Element::i64}) {
    Function function;
    Builder builder(function);
    Type type = shaped(element);
    ValueId lo = parameter(function, type), hi = parameter(function, type), by = parameter(function, type);
    auto results = for_loop(
        builder, lo, hi, by, {builder.constant(0, kReal), builder.integer(0, element)}, [&](ValueId i, const std::vector<ValueId>& c) {
          return std::vector{builder.emit(Opcode::add, {c[0], builder.constant(1, kReal)}),
                             builder.emit(Opcode::add, {builder.emit(Opcode::mul, {c[1], builder.integer(31, element)}), i})};
        });
    for (ValueId result : results) output(function, result);
    auto compiled = backend::compile(function, {3});
    std::int64_t top = element == Element::i32 ? INT32_MAX : INT64_MAX;
    for (auto [from, to, step] : std::vector<std::array<std::int64_t, 3>>{{0, 5, 1},
                                                                          {5, 0, 1},
                                                                          {5, 0, -2},
                                                                          {0, 5, -1},
                                                                          {3, 3, 1},
                                                                          {0, 7, 3},
                                                                          {top - 2, top, 2},
                                                                          {-top - 1, top, top},
                                                                          {top, -top - 1, -top},
                                                                          {0, 10'000, 1},
                                                                          {0, 1, 0},
                                                                          {1, 0, 0}}) {
      CAPTURE(from, to, step);
      std::vector<Tensor> arguments{integer(from, element), integer(to, element), integer(step, element)};
      expect_same(observe(*backend::interpret(function), arguments), observe(*compiled, arguments));
    }
  }
}

TEST_CASE("while loops and their limit") {
  Function function;
  Builder builder(function);
  output(function, count_up(builder, parameter(function, kReal), 10, 1.5));
  CHECK_FALSE(agree(function).result.failure);
  runtime::RunOptions options;
  options.max_iterations = 3;
  CHECK(agree(function, std::vector{Tensor::scalar(Element::f64, 0)}, options).result.failure);
  CHECK_FALSE(agree(function, std::vector{Tensor::scalar(Element::f64, 6)}, options).result.failure);
}

TEST_CASE("endless loops are interrupted") {
  for (bool counted : {false, true}) {
    Function function;
    Builder builder(function);
    ValueId x = parameter(function, kReal);
    if (counted) {
      auto results =
          for_loop(builder, builder.integer(0, Element::i64), builder.integer(INT64_MAX, Element::i64), builder.integer(1, Element::i64),
                   {x}, [&](ValueId, const std::vector<ValueId>& c) { return std::vector{builder.emit(Opcode::sin, {c[0]})}; });
      output(function, results[0]);
    } else {
      output(function, count_up(builder, x, 1, 0));
    }
    auto compiled = backend::compile(function, {3});
    std::thread ctrl_c([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      runtime::interrupt_requested = true;
    });
    Observed observed = observe(*compiled, std::vector{Tensor::scalar(Element::f64, 0.5)});
    ctrl_c.join();
    runtime::interrupt_requested = false;
    REQUIRE(observed.result.failure);
    CHECK(observed.result.failure->interrupted);
  }
}

TEST_CASE("carried tensors may change places") {
  Function function;
  Builder builder(function);
  Type type = shaped(Element::f64, {3, 4});
  ValueId a = parameter(function, type), b = parameter(function, type), n = parameter(function, kInt);
  auto results =
      for_loop(builder, builder.integer(0, Element::i32), n, builder.integer(1, Element::i32), {a, b, a},
               [&](ValueId, const std::vector<ValueId>& c) { return std::vector{c[1], builder.emit(Opcode::add, {c[0], c[1]}), c[0]}; });
  for (ValueId result : results) output(function, result);
  for (std::int64_t turns : {0, 1, 2, 7}) agree(function, std::vector{sample(type), sample(type, 1), integer(turns)});
}

TEST_CASE("prints, asserts and their order") {
  Function function;
  Builder builder(function);
  Type type = shaped(Element::f32, {2, 3});
  ValueId x = parameter(function, type), n = parameter(function, kInt), flag = builder.constant(1, shaped(Element::boolean));
  auto print = [&](std::vector<std::string> text, std::vector<ValueId> items) {
    builder.emit_op(Opcode::print, items, {{Attr::text, text}}, {});
  };
  print({"start"}, {});
  for_loop(builder, builder.integer(0, Element::i32), n, builder.integer(1, Element::i32), {}, [&](ValueId i, const std::vector<ValueId>&) {
    print({"i ", " x ", "!"}, {i, builder.emit(Opcode::mul, {x, builder.cast(i, Element::f32)})});
    ValueId small = builder.emit(Opcode::lt, {i, builder.integer(2, Element::i32)});
    builder.emit_op(Opcode::assert_true, std::vector{small, i, x},
                    {{Attr::message, std::string("too far")}, {Attr::names, std::vector<std::string>{"i", "x"}}}, {});
    return std::vector<ValueId>{};
  });
  print({"end ", ""}, {flag});
  CHECK(agree(function, std::vector{sample(type), integer(2)}).lines.size() == 4);
  CHECK(agree(function, std::vector{sample(type), integer(5)}).lines.size() == 4);
}

TEST_CASE("an exception of the print callback comes out, not through compiled code") {
  Function function;
  Builder builder(function);
  builder.emit_op(Opcode::print, {}, {{Attr::text, std::vector<std::string>{"hello"}}}, {});
  auto compiled = backend::compile(function, {2});
  runtime::RunOptions options;
  options.print = [](std::string_view) { throw std::runtime_error("the pipe is closed"); };
  CHECK_THROWS_WITH(compiled->run({}, options), "the pipe is closed");
}

TEST_CASE("the memory limit holds") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, shaped(Element::f64, {1000}));
  output(function, builder.emit(Opcode::sin, {x}));
  auto compiled = backend::compile(function, {2});
  runtime::RunOptions options;
  options.max_memory = 4000;
  Observed observed = observe(*compiled, std::vector{sample(shaped(Element::f64, {1000}))}, options);
  REQUIRE(observed.result.failure);
  CHECK(observed.result.failure->diagnostic.code == Code::E0406);
}

TEST_CASE("long programs are cut into parts") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, kReal), n = parameter(function, kInt), row = parameter(function, shaped(Element::f64, {4}));
  ValueId early = builder.emit(Opcode::sin, {x});
  auto results = for_loop(builder, builder.integer(0, Element::i32), n, builder.integer(1, Element::i32), {x, row},
                          [&](ValueId i, const std::vector<ValueId>& c) {
                            ValueId y = c[0], z = c[1];
                            for (int k = 0; k < 700; ++k) {
                              y = builder.emit(Opcode::add, {builder.emit(Opcode::mul, {y, builder.constant(0.5, kReal)}), early});
                              if (k % 100 == 0) z = builder.emit(Opcode::tanh, {builder.emit(Opcode::add, {z, y})});
                              if (k == 500)
                                y = builder.emit(Opcode::add, {y, builder.emit(Opcode::slice, {z, i},
                                                                               {{Attr::starts, std::vector<std::int64_t>{0}},
                                                                                {Attr::sizes, std::vector<std::int64_t>{1}},
                                                                                {Attr::steps, std::vector<std::int64_t>{1}},
                                                                                {Attr::dynamic, std::vector<std::int64_t>{0}},
                                                                                {Attr::drop, std::vector<std::int64_t>{0}}})});
                            }
                            return std::vector{y, z};
                          });
  for (ValueId result : results) output(function, result);
  output(function, builder.emit(Opcode::add, {early, results[0]}));
  CHECK_FALSE(
      agree(function, std::vector{Tensor::scalar(Element::f64, 0.3), integer(4), sample(shaped(Element::f64, {4}))}).result.failure);
  CHECK(agree(function, std::vector{Tensor::scalar(Element::f64, 0.3), integer(5), sample(shaped(Element::f64, {4}))}).result.failure);
}

TEST_CASE("parts hold regions that are cut into parts") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, kReal), n = parameter(function, kInt);
  auto long_chain = [&](ValueId y, ValueId with) {
    for (int k = 0; k < 200; ++k) y = builder.emit(Opcode::sin, {builder.emit(Opcode::add, {y, with})});
    return y;
  };
  ValueId early = long_chain(x, x), is_large = builder.emit(Opcode::gt, {early, x});
  auto carried =
      for_loop(builder, builder.integer(0, Element::i32), n, builder.integer(1, Element::i32), {early, x, is_large},
               [&](ValueId i, const std::vector<ValueId>& c) {
                 ValueId y = long_chain(c[0], c[1]);
                 auto joined = if_else(builder, c[2], {kReal, shaped(Element::boolean)}, [&](bool then) {
                   ValueId z = then ? long_chain(y, early) : y;
                   return std::vector{then ? z : c[1], then ? is_large : builder.emit(Opcode::lt, {long_chain(z, c[0]), y})};
                 });
                 ValueId counted = count_up(builder, joined[0], 3, 0.25);
                 builder.emit_op(Opcode::print, std::vector{i, counted, joined[1]},
                                 {{Attr::text, std::vector<std::string>{"i ", " y ", " ", ""}}}, {});
                 ValueId small = builder.emit(Opcode::lt, {i, builder.integer(4, Element::i32)});
                 builder.emit_op(Opcode::assert_true, std::vector{small, early, joined[1]},
                                 {{Attr::message, std::string("too far")}, {Attr::names, std::vector<std::string>{"early", "joined"}}}, {});
                 ValueId is_less = builder.emit(Opcode::lt, {long_chain(counted, y), early});
                 return std::vector{c[1], builder.emit(Opcode::sub, {counted, joined[0]}), builder.emit(Opcode::ne, {is_less, joined[1]})};
               });
  for (ValueId value : carried) output(function, value);
  output(function, long_chain(carried[0], early));
  for (ValueId value : {x, early, is_large}) output(function, value);
  for (double at : {0.3, -0.7})
    for (std::int64_t turns : {0, 1, 4, 5}) {
      std::vector arguments{Tensor::scalar(Element::f64, at), integer(turns)};
      Observed observed = agree(function, arguments);
      CHECK(observed.lines.size() == static_cast<std::size_t>(turns));
      CHECK(observed.result.failure.has_value() == (turns == 5));
      runtime::RunOptions options;
      options.max_iterations = 3;
      CHECK(agree(function, arguments, options).result.failure.has_value() == (turns > 0));
    }
}

TEST_CASE("a few elements that a loop carries are kept in registers") {
  const Function function = read_main(R"(  %x = input "x" : f64[2]
  %n = input "n" : i32
  %lo = constant {value = 0} : i32
  %by = constant {value = 1} : i32
  %y = for_loop %lo, %n, %by, %x : f64[2] (%i : i32, %z : f64[2]) {
    %1 = constant {value = 0.5} : f64
    %2 = mul %1, %z : f64[2]
    %3 = add %2, %x : f64[2]
    yield %3
  }
  %s = reduce_sum %y {axes = [0]} : f64
  output value "s" %s
)");
  CHECK(backend::llvm_text(function, {0}).find("%small = alloca [16 x i8]") != std::string::npos);
  CHECK(backend::llvm_text(function, {2}).find("alloca") == std::string::npos);
  const std::vector<Tensor> arguments{sample(shaped(Element::f64, {2})), integer(20)};
  agree(function, arguments);
}

TEST_CASE("texts") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, kReal);
  output(function, builder.emit(Opcode::add, {x, x}));
  CHECK(backend::llvm_text(function, {2}).find("fadd double") != std::string::npos);
  CHECK(backend::assembly_text(function, {2}).find("bpc_entry:") != std::string::npos);
}

// The rows of the table that scalar/elementary.h and its like compute: in a loop over many, no call for one.
TEST_CASE("elementary functions work on vectors") {
  for (scalar::Operator op : scalar::kOperators) {
    const bool is_narrow = scalar::source_of(op) == scalar::Source::narrow;
    if (scalar::source_of(op) != scalar::Source::elementary && !is_narrow) continue;
    for (Element element : {Element::f32, Element::f64}) {
      const ir::OpInfo& info = ir::op_info(op);
      INFO(info.name);
      Function function;
      Builder builder(function);
      ValueId x = parameter(function, Type(element, {Dim(1000)}));
      const std::vector<ValueId> operands(static_cast<std::size_t>(info.min_operands), x);
      output(function, builder.emit(*ir::op_from_name(info.name), operands));
      const std::string text = backend::llvm_text(function, {2});
      const std::size_t kernel = text.find("@kernel(", text.find("define internal"));
      REQUIRE(kernel != std::string::npos);
      const std::string body = text.substr(kernel, text.find("\n}", kernel) - kernel);
      const bool in_f32 = is_narrow && element == Element::f32;
      CHECK(body.find(in_f32 ? " x float>" : " x double>") != std::string::npos);
      if (in_f32) CHECK(body.find("double") == std::string::npos);
      CHECK(body.find(in_f32 ? "call float" : "call double") == std::string::npos);
    }
  }
}

}  // namespace bpc::test
