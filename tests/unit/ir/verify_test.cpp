#include <catch2/catch.hpp>

#include "ir/builder.h"
#include "ir/verify.h"

using namespace bpc;
using namespace bpc::ir;

namespace {

// x: f32[3] and s: f32, and what `damage` does; the first problem that verify finds, or nothing.
template <class Damage>
std::string problem(Damage damage) {
  Function function;
  ValueId x = function.add_parameter(Parameter::Kind::input, "x", Type::of_sizes(Element::f32, {3}));
  ValueId s = function.add_parameter(Parameter::Kind::param, "s", Type(Element::f32));
  Builder builder(function);
  damage(function, builder, x, s);
  auto problems = verify(function);
  return problems.empty() ? "" : problems[0];
}

}  // namespace

TEST_CASE("verify accepts what the builder builds") {
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId s) {
          ValueId y = builder.emit(Opcode::mul, {x, s});
          function.outputs.push_back({Output::Kind::value, "y", y});
        }) == "");
}

TEST_CASE("verify finds broken structure") {
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          ValueId y = builder.emit(Opcode::neg, {x});
          builder.emit(Opcode::exp, {y});
          std::swap(function.block(function.body()).ops[0], function.block(function.body()).ops[1]);
        }) == "main: op 1 (exp): operand value 2 is used before it is defined, or outside its region");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          builder.emit(Opcode::neg, {x});
          function.op(OpId{0}).operands[0] = ValueId{99};
        }) == "main: op 0 (neg): operand is no value");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          builder.emit(Opcode::neg, {x});
          auto& ops = function.block(function.body()).ops;
          ops.push_back(ops[0]);
        }) == "main: op 0 (neg): stands in two places");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          ValueId y = builder.emit(Opcode::neg, {x});
          function.value(y).slot = 1;
        }) == "main: result 0 of op 0 does not link back to its definition");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          ValueId y = builder.emit(Opcode::neg, {x});
          function.value(y).type.dims[0].name.text = "a b";
        }) == "main: result 0 of op 0 has a dim with a bad name");
  CHECK(problem([](Function& function, Builder&, ValueId, ValueId) {
          function.add_parameter(Parameter::Kind::param, "p", Type::of_sizes(Element::f32, {4294967296, 4294967296}));
        }) == "main: parameter p has more than 2^40 elements");
  CHECK(problem([](Function& function, Builder&, ValueId, ValueId) {
          function.add_parameter(Parameter::Kind::param, "p", Type::of_sizes(Element::f32, std::vector<std::int64_t>(40, 1)));
        }) == "main: parameter p has 40 axes, and the most are 32");
  CHECK(problem([](Function& function, Builder&, ValueId, ValueId) {
          function.add_parameter(Parameter::Kind::param, "x", Type(Element::f32));
        }) == "main: two parameters are called x");
  CHECK(problem([](Function& function, Builder&, ValueId x, ValueId s) {
          function.outputs = {{Output::Kind::gradient, "s", s}, {Output::Kind::gradient, "s", x}};
        }) == "main: two gradients by s");
  CHECK(problem([](Function& function, Builder&, ValueId, ValueId) { function.outputs = {{Output::Kind::value, "y", ValueId{}}}; }) ==
        "main: output y is not a value of the body");
}

TEST_CASE("verify finds ops that are wrong in themselves") {
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          ValueId y = builder.emit(Opcode::neg, {x});
          function.value(y).type = Type(Element::f32);
        }) == "main: op 0 (neg): has a result of type f32, not f32[3]");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          builder.emit(Opcode::neg, {x});
          function.op(OpId{0}).attrs.set(Attr::axis, std::int64_t{0});
        }) == "main: op 0 (neg): has no attribute axis");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          builder.reduce(Opcode::reduce_sum, x, {0}, false);
          function.op(OpId{0}).attrs.set(Attr::axes, std::int64_t{0});
        }) == "main: op 0 (reduce_sum): attribute axes is of the wrong kind");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          builder.emit(Opcode::window, {x}, {{Attr::axis, std::int64_t{0}}, {Attr::size, std::int64_t{2}}});
          function.op(OpId{0}).attrs.set(Attr::stride, std::int64_t{0});
        }) == "main: op 0 (window): attribute stride is less than 1");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          builder.emit(Opcode::window, {x}, {{Attr::axis, std::int64_t{0}}, {Attr::size, std::int64_t{2}}});
          function.op(OpId{0}).attrs.erase(Attr::stride);
        }) == "main: op 0 (window): lacks attribute stride");
  CHECK(problem([](Function&, Builder& builder, ValueId, ValueId) {
          Type type(Element::f32);
          builder.emit(Opcode::constant, {}, {{Attr::value, 0.1}}, &type);
        }) == "main: op 0 (constant): holds a number that f32 cannot");
  CHECK(problem([](Function&, Builder& builder, ValueId, ValueId) {
          Type type(Element::boolean);
          builder.emit(Opcode::constant, {}, {{Attr::value, std::int64_t{2}}}, &type);
        }) == "main: op 0 (constant): holds a number that bool cannot");
  CHECK(problem([](Function&, Builder& builder, ValueId x, ValueId s) {
          builder.emit_op(Opcode::einsum, std::vector{x, s}, {{Attr::spec, std::string("i,->j")}}, std::vector{Type(Element::f32)});
        }) == "main: op 0 (einsum): \"i,->j\" is not the spec of an einsum of two operands");
}

TEST_CASE("verify finds region ops whose regions do not fit") {
  auto loop = [](std::size_t arguments, bool yields) {
    return problem([=](Function& function, Builder& builder, ValueId, ValueId s) {
      ValueId n = builder.integer(3, Element::i32);
      OpId op = builder.emit_op(Opcode::for_loop, std::vector{n, n, n, s}, {}, std::vector{Type(Element::f32)});
      BlockId body = function.add_block(op);
      if (arguments > 0) function.add_argument(body, Type(Element::i32), "i");
      if (arguments > 1) function.add_argument(body, Type(Element::f32), "s");
      if (yields) function.block(body).yields = {s};
    });
  };
  CHECK(loop(2, true) == "");
  CHECK(loop(0, true) == "main: op 1 (for_loop): has a region without an index of the type of its bounds");
  CHECK(loop(1, true) == "main: op 1 (for_loop): has a region whose arguments are not the carried values");
  CHECK(loop(2, false) == "main: op 1 (for_loop): has a region that does not yield the types of the carried values");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          OpId op = builder.emit_op(Opcode::if_else, std::vector{x}, {}, {});
          function.add_block(op);
          function.add_block(op);
        }) == "main: op 0 (if_else): needs a scalar bool");
  CHECK(problem([](Function& function, Builder& builder, ValueId x, ValueId) {
          builder.emit(Opcode::neg, {x});
          function.add_block(OpId{0});
        }) == "main: op 0 (neg): has a region");
  CHECK(problem([](Function& function, Builder& builder, ValueId, ValueId s) {
          OpId op = builder.emit_op(Opcode::while_loop, std::vector{s}, {}, std::vector{Type(Element::f32)});
          for (int i = 0; i < 2; ++i) {
            BlockId region = function.add_block(op);
            function.block(region).yields = {function.add_argument(region, Type(Element::f32), "s")};
          }
        }) == "main: op 0 (while_loop): has a condition that does not yield one scalar bool");
}

TEST_CASE("an output fits into the parameter whose memory it takes") {
  auto given = [](const std::string& donor, const std::string& second = {}) {
    return problem([&](Function& function, Builder& builder, ValueId x, ValueId s) {
      function.outputs.push_back({Output::Kind::value, "y", builder.emit(Opcode::mul, {x, s}), donor});
      function.outputs.push_back({Output::Kind::value, "z", x, second});
    });
  };
  CHECK(given("x").empty());
  CHECK(given("s") == "main: output y does not fit into s");
  CHECK(given("w") == "main: no parameter is called w");
  CHECK(given("x", "x") == "main: two outputs take the memory of x");
}
