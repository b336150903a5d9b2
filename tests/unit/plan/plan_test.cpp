// What the plan fuses, where it puts buffers, and what it copies.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "backend/plan/affine.h"
#include "backend/plan/plan.h"
#include "ir/builder.h"
#include "tests/unit/ir/text.h"

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

// The function main of a module, given the lines between its brackets, with numbers %n0, %n1 and %n100.
Function read(const std::string& body) {
  return read_main("  %n0 = constant {value = 0} : i32\n  %n1 = constant {value = 1} : i32\n  %n100 = constant {value = 100} : i32\n" +
                   body);
}

// Calls `f` on every step, those of regions included.
template <class F>
void for_each_step(const plan::Steps& steps, const F& f) {
  for (const plan::Step& step : steps) {
    f(step);
    if (const auto* branch = std::get_if<plan::If>(&step.what)) {
      for_each_step(branch->then, f);
      for_each_step(branch->otherwise, f);
    } else if (const auto* loop = std::get_if<plan::For>(&step.what)) {
      for_each_step(loop->body, f);
    } else if (const auto* loop = std::get_if<plan::While>(&step.what)) {
      for_each_step(loop->condition, f);
      for_each_step(loop->body, f);
    }
  }
}

// Elements of whole buffers that are copied each time the steps run: by updates, joins and what loops carry on.
std::int64_t copied(const Plan& plan, const plan::Steps& steps) {
  std::int64_t count = 0;
  auto copy = [&](plan::BufferId from, plan::BufferId to) {
    if (plan.at(from).storage != plan.at(to).storage) count += plan.at(to).count;
  };
  for_each_step(steps, [&](const plan::Step& step) {
    if (const auto* kernel = std::get_if<plan::Kernel>(&step.what))
      for (const plan::Store& store : kernel->stores)
        if (store.base.valid()) copy(store.base, store.to.buffer);
    if (const auto* branch = std::get_if<plan::If>(&step.what))
      for (const plan::JoinedBuffer& joined : branch->buffers) {
        copy(joined.then, joined.result);
        copy(joined.otherwise, joined.result);
      }
    if (const auto* loop = std::get_if<plan::For>(&step.what))
      for (const plan::CarriedBuffer& slot : loop->buffers) {
        copy(slot.init, slot.argument);
        copy(slot.next, slot.argument);
      }
  });
  return count;
}

template <class T>
int count_of(const plan::Steps& steps) {
  int count = 0;
  for_each_step(steps, [&](const plan::Step& step) { count += std::holds_alternative<T>(step.what); });
  return count;
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
  Plan plan = plan::make_plan(function, {});
  REQUIRE(kernels(plan.body).size() == 1);
  CHECK(kernels(plan.body)[0]->axes.size() == 1);
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.storage(plan.outputs[0]).kind == plan::Storage::Kind::output);

  function.outputs.clear();
  output(function, builder.emit(Opcode::add, {y, b}));
  Plan longer = plan::make_plan(function, {});
  CHECK(kernels(longer.body)[0]->axes.size() == 2);
}

TEST_CASE("views cost nothing") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({4, 6}));
  ValueId y = builder.reshape(builder.transpose(x, {1, 0}), {{2, {}}, {3, {}}, {4, {}}});
  output(function, builder.emit(Opcode::neg, {y}));
  Plan plan = plan::make_plan(function, {});
  CHECK(kernels(plan.body).size() == 1);
}

TEST_CASE("what is dear and used twice is stored, by the loop that first needs it") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({30, 40}));
  ValueId e = builder.emit(Opcode::exp, {builder.emit(Opcode::sub, {x, builder.reduce(Opcode::reduce_max, x, {1}, true)})});
  output(function, builder.emit(Opcode::div, {e, builder.reduce(Opcode::reduce_sum, e, {1}, true)}));
  Plan plan = plan::make_plan(function, {});
  auto all = kernels(plan.body);
  REQUIRE(all.size() == 3);
  CHECK(all[1]->stores.size() == 1);
  CHECK(all[1]->reductions.size() == 1);
}

TEST_CASE("a sum that is gathered again and again is stored, unless few of its elements are") {
  const auto kernels_of = [](int indices, const std::string& gathered) {
    const Plan plan = plan::make_plan(read(fmt::format("  %x = input \"x\" : f64[100, 8]\n  %y = input \"y\" : f64[100, 8]\n"
                                                       "  %i = input \"i\" : i32[{0}]\n  %z = {1}\n"
                                                       "  %g = gather %z, %i {{axes = [0]}} : f64[{0}, 8]\n"
                                                       "  %s = reduce_sum %g {{axes = [0, 1]}} : f64\n  output value \"s\" %s\n",
                                                       indices, gathered)),
                                      {});
    return kernels(plan.body).size();
  };
  CHECK(kernels_of(1000, "add %x, %y : f64[100, 8]") == 2);
  CHECK(kernels_of(50, "add %x, %y : f64[100, 8]") == 1);
  CHECK(kernels_of(1000, "neg %x : f64[100, 8]") == 1);  // one element either way
}

TEST_CASE("the innermost loop of a reduction walks memory one element at a time") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({30, 40})), v = input(function, reals({30}));
  output(function, builder.reduce(Opcode::reduce_sum, x, {0}, false));
  output(function, builder.emit(Opcode::einsum, {v, x}, {{Attr::spec, std::string("i,ij->j")}}));
  output(function, builder.reduce(Opcode::reduce_sum, x, {1}, false));
  Plan plan = plan::make_plan(function, {});
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
  Plan plan = plan::make_plan(function, {});
  const auto& step = std::get<plan::Contraction>(plan.body[0].what);
  std::size_t packed = 0;
  for (plan::BufferId id : {step.packed_a, step.packed_b}) packed += id.valid() ? plan.bytes(id) : 0;
  CHECK(plan.arena_bytes < 3 * 16 * 16 * 8 + packed);  // two matrices take turns, and so does what is packed
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
  Plan plan = plan::make_plan(function, {});
  const auto* step = only<plan::For>(plan.body);
  REQUIRE(step->buffers.size() == 1);
  std::set<plan::StorageId> storages;
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
  Plan plan = plan::make_plan(function, {});
  CHECK(plan.at(plan.outputs[0]).storage != plan.at(plan.outputs[1]).storage);
}

TEST_CASE("indexed accumulation in a loop copies no more than rows, whatever the branches") {
  const Function function = read(R"(  %x = input "x" : f64[100, 8]
  %k = input "k" : i32[100]
  %m = constant {value = -1} : i32
  %n99 = constant {value = 99} : i32
  %z = constant {value = 0.0} : f64[100, 8]
  %w = constant {value = 0.0} : f64[100]
  %s0 = constant {value = 0.0} : f64[8]
  %zero = constant {value = 0.0} : f64
  %d, %acc, %e, %s = for_loop %n99, %m, %m, %x, %z, %w, %s0 : f64[100, 8], f64[100, 8], f64[100], f64[8] (%i : i32, %d.1 : f64[100, 8], %acc.1 : f64[100, 8], %e.1 : f64[100], %s.1 : f64[8]) {
    %row = slice %d.1, %i {starts = [0, 0], sizes = [1, 8], steps = [1, 1], dynamic = [0], drop = [0]} : f64[8]
    %d.2 = update %d.1, %s0, %i {starts = [0, 0], sizes = [1, 8], steps = [1, 1], dynamic = [0], drop = [0]} : f64[100, 8]
    %h = sin %row : f64[8]
    %j = slice %k, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : i32
    %q = slice %row {starts = [2], sizes = [1], steps = [1], dynamic = [], drop = [0]} : f64
    %c = gt %q, %zero : bool
    %acc.4, %e.4, %s.4 = if_else %c : f64[100, 8], f64[100], f64[8] {
      %acc.2 = update %acc.1, %h, %j {starts = [0, 0], sizes = [1, 8], steps = [1, 1], dynamic = [0], drop = [0], add = true} : f64[100, 8]
      %acc.3, %e.3 = for_loop %n0, %n100, %n1, %acc.2, %e.1 : f64[100, 8], f64[100] (%l : i32, %acc.5 : f64[100, 8], %e.2 : f64[100]) {
        %b = eq %l, %j : bool
        %e.6 = if_else %b : f64[100] {
          yield %e.2
        } else {
          %p = slice %e.2, %l {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f64
          %e.5 = update %e.2, %zero, %l {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f64[100]
          %e.7 = update %e.5, %p, %j {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0], add = true} : f64[100]
          yield %e.7
        }
        %one = slice %k {starts = [0], sizes = [4], steps = [1], dynamic = [], drop = []} : i32[4]
        %four = gather %acc.5, %one {axes = [0]} : f64[4, 8]
        %acc.6 = scatter_add %acc.5, %four, %one {axes = [0]} : f64[100, 8]
        yield %acc.6, %e.6
      }
      yield %acc.3, %e.3, %h
    } else {
      yield %acc.1, %e.1, %s.1
    }
    yield %d.2, %acc.4, %e.4, %s.4
  }
  output value "d" %d
  output value "acc" %acc
  output value "e" %e
  output value "s" %s
)");
  Plan plan = plan::make_plan(function, {});
  INFO(plan::print(plan));
  CHECK(copied(plan, only<plan::For>(plan.body)->body) == 8);  // a row, to where s is
  CHECK(copied(plan, plan.body) == 8 + 8 + 800);               // and on to the next turn; and x, once
  CHECK(count_of<plan::CheckIndex>(plan.body) == 2);           // by j alone
}

TEST_CASE("an `if` copies what both of its results come from") {
  const Function function = read(R"(  %x = input "x" : f64[9]
  %c = input "c" : bool
  %a = sin %x : f64[9]
  %b = cos %x : f64[9]
  %p, %q = if_else %c : f64[9], f64[9] {
    yield %a, %b
  } else {
    yield %b, %a
  }
  output value "p" %p
  output value "q" %q
)");
  Plan plan = plan::make_plan(function, {});
  CHECK(copied(plan, plan.body) >= 18);
  CHECK(plan.at(plan.outputs[0]).storage != plan.at(plan.outputs[1]).storage);
}

TEST_CASE("indices are checked where they may be outside") {
  const Function function = read(R"(  %x = input "x" : f64[100, 8]
  %k = input "k" : i32[5]
  %all = iota {axis = 0} : i32[100]
  %known = gather %x, %all {axes = [0]} : f64[100, 8]
  %picked = gather %x, %k {axes = [0]} : f64[5, 8]
  %m = constant {value = 100} : i32[5]
  %r = mod %k, %m : i32[5]
  %sure = gather %x, %r {axes = [0]} : f64[5, 8]
  %sum = add %picked, %sure : f64[5, 8]
  output value "known" %known
  output value "sum" %sum
)");
  Plan plan = plan::make_plan(function, {});
  CHECK(count_of<plan::CheckIndices>(plan.body) == 1);
  CHECK(kernels(plan.body).size() == 2);  // one for each output: gathers are read in place
}

TEST_CASE("tapes are carried in registers, and made anew in memory of their own only where they may overlap") {
  const Function function = read(R"(  %x = input "x" : f64
  %t = tape : tape<f64>
  %a = for_loop %n0, %n100, %n1, %t : tape<f64> (%i : i32, %t.1 : tape<f64>) {
    %t.2 = push %t.1, %x : tape<f64>
    %u = tape : tape<f64>
    %u.1 = push %u, %x : tape<f64>
    %u.2, %y = pop %u.1 : tape<f64>, f64
    yield %t.2
  }
  %b = for_loop %n0, %n100, %n1, %a : tape<f64> (%j : i32, %t.3 : tape<f64>) {
    %v = tape : tape<f64>
    %t.4, %z = pop %t.3 : tape<f64>, f64
    %v.1 = push %v, %z : tape<f64>
    yield %v.1
  }
  %c, %last = pop %b : tape<f64>, f64
  output value "last" %last
)");
  Plan plan = plan::make_plan(function, {});
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.roots == 2);
  int fresh = 0;
  for_each_step(plan.body, [&](const plan::Step& step) {
    if (const auto* made = std::get_if<plan::NewTape>(&step.what)) fresh += !made->root;
  });
  CHECK(fresh == 1);
}

TEST_CASE("what is popped is read where its tape has it, unless it may be overwritten there") {
  const auto kind_of_popped = [](const std::string& type, const std::string& after) {
    const std::string body = "  %x = input \"x\" : " + type + "\n  %t = tape : tape<" + type + ">\n  %t1 = push %t, %x : tape<" + type +
                             ">\n  %t2, %p = pop %t1 : tape<" + type + ">, " + type + "\n" + after + "  %y = neg %p : " + type +
                             "\n  %s = reduce_sum %y {axes = [0]} : f64\n  output value \"s\" %s\n";
    const Plan plan = plan::make_plan(read(body), {});
    return plan.storage(std::get<plan::BufferId>(only<plan::Pop>(plan.body)->value)).kind;
  };
  CHECK(kind_of_popped("f64[64]", "") == plan::Storage::Kind::entry);
  CHECK(kind_of_popped("f64[64]", "  %t3 = push %t2, %x : tape<f64[64]>\n") == plan::Storage::Kind::arena);
  CHECK(kind_of_popped("f64[8]", "") == plan::Storage::Kind::arena);   // few bytes
  CHECK(kind_of_popped("f64[65]", "") == plan::Storage::Kind::arena);  // entries that do not lie as storages do
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
  Plan plan = plan::make_plan(function, {});
  CHECK(only<plan::Contraction>(plan.body)->m == std::vector<std::int64_t>{64});
  CHECK(kernels(plan.body).size() == 1);
}

TEST_CASE("an einsum that adds nothing up is computed where it is read") {
  Function function;
  Builder builder(function);
  const ValueId a = input(function, reals({70, 1})), b = input(function, reals({1, 80}));
  for (const char* spec : {"ik,kj->ij", "ik,kj->ji"}) {
    const ValueId outer = builder.emit(Opcode::einsum, {a, b}, {{Attr::spec, std::string(spec)}});
    output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::neg, {outer}), {1}, false));
  }
  const Plan plan = plan::make_plan(function, {});
  REQUIRE(kernels(plan.body).size() == 2);
  for (const plan::Kernel* kernel : kernels(plan.body)) {
    CHECK(kernel->body.size() == 6);  // with the 0 that a sum begins with
    CHECK(kernel->stores.empty());
  }
}

TEST_CASE("a convolution and its gradient by the kernels make no patches, and pooling none either") {
  Function function;
  Builder builder(function);
  auto windows = [&](ValueId x, std::int64_t axis, std::int64_t stride) {
    return builder.emit(Opcode::window, {x},
                        {{Attr::axis, axis}, {Attr::size, std::int64_t{3}}, {Attr::stride, stride}, {Attr::dilation, std::int64_t{1}}});
  };
  ValueId x = input(function, reals({2, 4, 18, 18})), w = input(function, reals({5, 4, 3, 3}));
  ValueId patches = windows(windows(builder.emit(Opcode::exp, {x}), 2, 1), 3, 1);
  ValueId y = builder.emit(Opcode::einsum, {patches, w}, {{Attr::spec, std::string("nchwij,ocij->nohw")}});
  output(function, y);
  output(function, builder.emit(Opcode::einsum, {patches, y}, {{Attr::spec, std::string("nchwij,nohw->ocij")}}));
  output(function, builder.reduce(Opcode::reduce_max, windows(windows(y, 2, 2), 3, 2), {4, 5}, false));
  plan::Target target;
  target.far_bytes = 16 << 10;
  Plan plan = plan::make_plan(function, target);
  const std::int64_t patch_elements = 2 * 4 * 16 * 16 * 9;
  for (const plan::Buffer& buffer : plan.buffers) CHECK(buffer.count <= patch_elements / 4);
  std::size_t contractions = 0;
  for_each_step(plan.body, [&](const plan::Step& step) { contractions += std::holds_alternative<plan::Contraction>(step.what); });
  CHECK(contractions == 2);
}

TEST_CASE("the gradient of a convolution by its images makes no patches") {
  Function function;
  Builder builder(function);
  ValueId y = input(function, reals({2, 8, 16, 16})), w = input(function, reals({8, 4, 3, 3}));
  ValueId sums = builder.emit(Opcode::einsum, {y, w}, {{Attr::spec, std::string("nohw,ocij->nchwij")}});
  for (std::int64_t axis : {3, 2})
    sums = builder.emit(
        Opcode::window_add, {sums},
        {{Attr::axis, axis}, {Attr::length, std::int64_t{18}}, {Attr::stride, std::int64_t{1}}, {Attr::dilation, std::int64_t{1}}});
  output(function, sums);
  Plan plan = plan::make_plan(function, {});
  for (const plan::Buffer& buffer : plan.buffers) CHECK(buffer.count <= 2 * 8 * 16 * 16);
  const auto* step = only<plan::Contraction>(plan.body);
  REQUIRE(step);
  CHECK(step->base.valid());
  // Kernels' rows and columns go one after the other, within an image.
  CHECK(step->batch == std::vector<std::int64_t>{2, 3, 3});
  CHECK(kernels(plan.body).size() == 1);  // zeros
}

TEST_CASE("sums of products are added in place to what dies there, and to nothing else") {
  for (const bool dies : {true, false}) {
    Function function;
    Builder builder(function);
    ValueId x = input(function, reals({20, 20})), y = builder.emit(Opcode::exp, {x});
    ValueId z = builder.emit(Opcode::einsum, {x, x}, {{Attr::spec, std::string("ij,jk->ik")}});
    output(function, builder.emit(Opcode::add, {dies ? builder.emit(Opcode::cumsum, {y}, {{Attr::axis, std::int64_t{0}}}) : x, z}));
    Plan plan = plan::make_plan(function, {});
    CHECK(only<plan::Contraction>(plan.body)->base.valid() == dies);
  }
}

TEST_CASE("fused bodies stay bounded") {
  Function function;
  Builder builder(function);
  ValueId x = input(function, reals({50'000}));
  ValueId y = x;
  for (int i = 0; i < 5000; ++i) y = builder.emit(Opcode::sin, {builder.emit(Opcode::add, {y, x})});
  output(function, y);
  Plan plan = plan::make_plan(function, {});
  for (const plan::Kernel* kernel : kernels(plan.body)) CHECK(kernel->body.size() <= 256);
}

TEST_CASE("only long programs have a frame, which shares its memory with nothing") {
  for (int length : {100, 400}) {
    Function function;
    Builder builder(function);
    ValueId x = input(function, reals({})), v = input(function, reals({50}));
    for (int i = 0; i < length; ++i) x = builder.emit(Opcode::sin, {x});
    output(function, x);
    output(function, builder.emit(Opcode::cumsum, {builder.emit(Opcode::cumsum, {v}, {{Attr::axis, std::int64_t{0}}})},
                                  {{Attr::axis, std::int64_t{0}}}));
    Plan plan = plan::make_plan(function, {});
    CHECK(only<plan::SetOutput>(plan.body) != nullptr);
    REQUIRE(plan.frame.valid() == (length == 400));
    if (!plan.frame.valid()) continue;
    CHECK(plan.at(plan.frame).count >= length);
    const plan::Storage& frame = plan.storage(plan.frame);
    for (std::uint32_t i = 0; i < plan.buffers.size(); ++i) {
      const plan::Storage& other = plan.storage({i});
      if (plan::BufferId{i} == plan.frame || other.kind != plan::Storage::Kind::arena) continue;
      CHECK((other.offset + other.bytes <= frame.offset || frame.offset + frame.bytes <= other.offset));
    }
  }
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
  CHECK(plan::print(plan::make_plan(function, {})) ==
        "buffer x0@0 : f64[15] in argument 0\n"
        "buffer @1 : f64[3] in output 0\n"
        "arena 0 bytes\n"
        "parameter 0 = x0@0\n"
        "  kernel 3 5r, 4 partials of axis 1\n"
        "    %0 : f64 = x0@0[5*i0 + i1]\n"
        "    %1 : f64 = exp %0\n"
        "    @1[i0] := sum %1\n"
        "output 0 = @1\n");
}

}  // namespace bpc::test
