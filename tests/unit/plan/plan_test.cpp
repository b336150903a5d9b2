// What the plan fuses, where it puts buffers, and what it copies.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "backend/plan/affine.h"
#include "backend/plan/plan.h"
#include "ir/builder.h"

namespace bpc::test {

using ir::Attr;
using ir::Attributes;
using ir::Builder;
using ir::Function;
using ir::Opcode;
using ir::ValueId;
using plan::Plan;

namespace {

Type reals(std::vector<std::int64_t> sizes) {
  return Type::of_sizes(Element::f64, sizes);
}
ValueId input(Function& function, const Type& type) {
  return function.add_parameter(ir::Parameter::Kind::input, fmt::format("x{}", function.parameters.size()), type);
}
void output(Function& function, ValueId value) {
  function.outputs.push_back({ir::Output::Kind::value, "out", value});
}

std::vector<const plan::Kernel*> kernels(const plan::Steps& steps) {
  std::vector<const plan::Kernel*> result;
  for (const plan::Step& step : steps)
    if (const auto* kernel = std::get_if<plan::Kernel>(&step.what)) result.push_back(kernel);
  return result;
}

template <class T>
const T* only(const plan::Steps& steps) {
  const T* found = nullptr;
  for (const plan::Step& step : steps)
    if (const auto* what = std::get_if<T>(&step.what)) {
      REQUIRE(found == nullptr);
      found = what;
    }
  return found;
}

}  // namespace

TEST_CASE("a chain of elementwise ops is one loop, merged to one axis, written to the output") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({64, 32})), b = input(function, reals({32}));
  ValueId y = builder.emit(Opcode::tanh, {builder.emit(Opcode::mul, {builder.emit(Opcode::exp, {x}), x})});
  output(function, y);
  Plan plan = plan::make_plan(function);
  REQUIRE(kernels(plan.body).size() == 1);
  CHECK(kernels(plan.body)[0]->axes.size() == 1);
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.storage(plan.outputs[0].tensor).kind == plan::Storage::Kind::output);

  function.outputs.clear();
  output(function, builder.emit(Opcode::add, {y, b}));
  Plan longer = plan::make_plan(function);
  CHECK(kernels(longer.body)[0]->axes.size() == 2);
}

TEST_CASE("views cost nothing") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({4, 6}));
  ValueId y = builder.reshape(builder.transpose(x, {1, 0}), {{2, {}}, {3, {}}, {4, {}}});
  output(function, builder.emit(Opcode::neg, {y}));
  Plan plan = plan::make_plan(function);
  CHECK(kernels(plan.body).size() == 1);
}

TEST_CASE("what is dear and used twice is stored, by the loop that first needs it") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({30, 40}));
  ValueId e = builder.emit(Opcode::exp, {builder.emit(Opcode::sub, {x, builder.reduce(Opcode::reduce_max, x, {1}, true)})});
  output(function, builder.emit(Opcode::div, {e, builder.reduce(Opcode::reduce_sum, e, {1}, true)}));
  Plan plan = plan::make_plan(function);
  auto all = kernels(plan.body);
  REQUIRE(all.size() == 3);
  CHECK(all[1]->stores.size() == 1);
  CHECK(all[1]->reductions.size() == 1);
}

TEST_CASE("the innermost loop of a reduction walks memory one element at a time") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({30, 40})), v = input(function, reals({30}));
  output(function, builder.reduce(Opcode::reduce_sum, x, {0}, false));
  output(function, builder.emit(Opcode::einsum, {v, x}, {{Attr::spec, std::string("i,ij->j")}}));
  output(function, builder.reduce(Opcode::reduce_sum, x, {1}, false));
  Plan plan = plan::make_plan(function);
  auto all = kernels(plan.body);
  REQUIRE(all.size() == 3);
  CHECK(all[0]->lanes);
  CHECK(all[1]->lanes);
  CHECK_FALSE(all[2]->lanes);
}

TEST_CASE("memory of what is dead is used again") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({16, 16}));
  ValueId y = x;
  for (int i = 0; i < 10; ++i) y = builder.emit(Opcode::einsum, {y, x}, {{Attr::spec, std::string("ij,jk->ik")}});
  output(function, y);
  Plan plan = plan::make_plan(function);
  CHECK(plan.arena_bytes == 2 * 16 * 16 * 8 + 16 * 8 * 8);  // two matrices take turns, one packed panel
}

TEST_CASE("a loop updates what it carries in place") {
  Function function;
  Builder builder(function);
  Type index(Element::i32), type = reals({100});
  ValueId x = input(function, type);
  std::vector<ValueId> operands{builder.integer(0, Element::i32), builder.integer(100, Element::i32), builder.integer(1, Element::i32),
                                builder.emit(Opcode::sin, {x})};
  ir::OpId loop = builder.emit_op(Opcode::for_loop, operands, {}, std::vector{type});
  ir::BlockId body = function.add_block(loop);
  ValueId i = function.add_argument(body, index, "i"), y = function.add_argument(body, type, "y");
  builder.set_block(body);
  Attributes at{{Attr::starts, std::vector<std::int64_t>{0}},
                {Attr::sizes, std::vector<std::int64_t>{1}},
                {Attr::steps, std::vector<std::int64_t>{1}},
                {Attr::dynamic, std::vector<std::int64_t>{0}},
                {Attr::drop, std::vector<std::int64_t>{0}}};
  ValueId element = builder.emit(Opcode::slice, {y, i}, at);
  function.block(body).yields = {builder.emit(Opcode::update, {y, builder.emit(Opcode::mul, {element, element}), i}, at)};
  output(function, function.op(loop).results[0]);
  Plan plan = plan::make_plan(function);
  const auto* step = only<plan::For>(plan.body);
  REQUIRE(step->buffers.size() == 1);
  std::set<std::uint32_t> storages;
  for (plan::BufferId id : {step->buffers[0].init, step->buffers[0].argument, step->buffers[0].next, step->buffers[0].result})
    storages.insert(plan.at(id).storage);
  CHECK(storages.size() == 1);
  CHECK(plan.arena_bytes == 0);  // the output's own memory serves from beginning to end
}

TEST_CASE("an update of a value that is still read is a copy") {
  Function function;
  Builder builder(function);
  ValueId x = builder.emit(Opcode::sin, {input(function, reals({8}))}), v = input(function, reals({3}));
  Attributes at{{Attr::starts, std::vector<std::int64_t>{2}},
                {Attr::sizes, std::vector<std::int64_t>{3}},
                {Attr::steps, std::vector<std::int64_t>{1}}};
  output(function, builder.emit(Opcode::update, {x, v}, at));
  output(function, x);
  Plan plan = plan::make_plan(function);
  CHECK(plan.at(plan.outputs[0].tensor).storage != plan.at(plan.outputs[1].tensor).storage);
}

TEST_CASE("large products are contractions, small ones loops") {
  Function function;
  Builder builder(function);
  auto product = [&](std::int64_t m, std::int64_t k, std::int64_t n) {
    output(function, builder.emit(Opcode::einsum, {input(function, reals({m, k})), input(function, reals({k, n}))},
                                  {{Attr::spec, std::string("ij,jk->ik")}}));
  };
  product(64, 32, 16);
  product(4, 2, 4);
  Plan plan = plan::make_plan(function);
  CHECK(only<plan::Contraction>(plan.body)->m == 64);
  CHECK(kernels(plan.body).size() == 1);
}

TEST_CASE("fused bodies stay bounded") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({50'000}));
  ValueId y = x;
  for (int i = 0; i < 5000; ++i) y = builder.emit(Opcode::sin, {builder.emit(Opcode::add, {y, x})});
  output(function, y);
  Plan plan = plan::make_plan(function);
  for (const plan::Kernel* kernel : kernels(plan.body)) CHECK(kernel->body.size() <= 256);
}

TEST_CASE("reshaped strides") {
  using plan::Sizes;
  CHECK(plan::reshape_strides({2, 3, 4}, {12, 4, 1}, {6, 4}) == Sizes{4, 1});
  CHECK(plan::reshape_strides({2, 3, 4}, {12, 4, 1}, {24}) == Sizes{1});
  CHECK(plan::reshape_strides({6}, {5}, {2, 3}) == Sizes{15, 5});
  CHECK(plan::reshape_strides({4, 6}, {1, 4}, {2, 2, 6}) == Sizes{2, 1, 4});
  CHECK_FALSE(plan::reshape_strides({4, 6}, {1, 4}, {24}));
  CHECK(plan::reshape_strides({1, 1}, {0, 0}, {1}));
  CHECK(plan::reshape_strides({0, 3}, {3, 1}, {7, 0}));
  CHECK(plan::split_indices({6}, {2, 3}));
  CHECK(plan::split_indices({1, 6, 1}, {2, 1, 3}));
  CHECK_FALSE(plan::split_indices({2, 3}, {6}));
}

TEST_CASE("a plan prints") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({3, 5}));
  output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::exp, {x}), {1}, false));
  CHECK(plan::print(plan::make_plan(function)) ==
        "buffer x0@0 : f64[15] in argument 0\n"
        "buffer @1 : f64[3] in output 0\n"
        "arena 0 bytes\n"
        "parameter 0 = x0@0\n"
        "  kernel 3 5r\n"
        "    %0 : f64 = x0@0[5*i0 + i1]\n"
        "    %1 : f64 = exp %0\n"
        "    @1[i0] := sum %1\n"
        "output 0 = @1\n");
}

}  // namespace bpc::test
