// What an executable keeps, and what it leaves to the caller.
#include <atomic>
#include <cstdlib>
#include <new>

#include "backend/plan/plan.h"
#include "harness.h"

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  if (void* memory = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace bpc::test {

namespace {

// y = (A @ A) * sum(sin(A)), with a temporary in the arena; and s = sum(y).
Function with_temporaries() {
  Function function;
  Builder builder(function);
  const ValueId a = parameter(function, shaped(Element::f32, {40, 40}));
  const ValueId product = builder.emit(Opcode::einsum, {a, a}, {{Attr::spec, "ij,jk->ik"}});
  const ValueId total = builder.emit(Opcode::reduce_sum, {builder.emit(Opcode::sin, {product})},
                                     {{Attr::axes, std::vector<std::int64_t>{0, 1}}, {Attr::keep, false}});
  const ValueId y = builder.emit(Opcode::mul, {product, total});
  output(function, y);
  output(function, builder.emit(Opcode::reduce_sum, {y}, {{Attr::axes, std::vector<std::int64_t>{0, 1}}, {Attr::keep, false}}));
  return function;
}

// x[i] of an index that is known at run time alone.
Function with_index() {
  Function function;
  Builder builder(function);
  const ValueId x = parameter(function, shaped(Element::f64, {3})), i = parameter(function, shaped(Element::i32));
  function.value(x).name = std::string("x");
  output(function, builder.emit(Opcode::gather, {x, i}, {{Attr::axes, std::vector<std::int64_t>{0}}}));
  return function;
}

}  // namespace

TEST_CASE("compiled code outlives the IR that it was made of") {
  auto function = std::make_unique<Function>(with_index());
  const std::vector<Tensor> inside{sample(shaped(Element::f64, {3})), integer(2)}, outside{inside[0], integer(7)};
  const Observed wanted = observe(*backend::interpret(*function), inside), failed = observe(*backend::interpret(*function), outside);
  auto compiled = backend::compile(*function, {2});
  function.reset();
  CHECK(compiled->signature().inputs[1].name == "x1");
  CHECK(type_text(compiled->signature().outputs[0].type) == "f64");
  expect_same(wanted, observe(*compiled, inside));
  expect_same(failed, observe(*compiled, outside));
  CHECK(text_of(failed) == "E0401 index 7 is outside -3..2 for axis 0 of x, size 3");
}

TEST_CASE("from its second run on, compiled code allocates nothing") {
  const Function function = with_temporaries();
  auto compiled = backend::compile(function, {2});
  const Tensor a = sample(shaped(Element::f32, {40, 40}));
  const Observed wanted = observe(*compiled, std::vector{a});
  Tensor y = Tensor::zeros(shaped(Element::f32, {40, 40})), total = Tensor::zeros(shaped(Element::f32));
  const std::vector<const void*> inputs{a.raw()};
  const std::vector<void*> outputs{y.raw(), total.raw()};
  const std::size_t before = allocations;
  REQUIRE(!compiled->call(inputs, outputs, {}));
  CHECK(allocations == before);
  CHECK(close(y, wanted.result.outputs[0]));
  CHECK(close(total, wanted.result.outputs[1]));
}

TEST_CASE("an interpreted program writes to the caller's memory as well") {
  const Function function = with_temporaries();
  const Tensor a = sample(shaped(Element::f32, {40, 40}));
  auto interpreted = backend::interpret(function);
  const Observed wanted = observe(*interpreted, std::vector{a});
  Tensor y = Tensor::zeros(shaped(Element::f32, {40, 40})), total = Tensor::zeros(shaped(Element::f32));
  REQUIRE(!interpreted->call(std::vector<const void*>{a.raw()}, std::vector<void*>{y.raw(), total.raw()}, {}));
  CHECK(close(y, wanted.result.outputs[0]));
  CHECK(close(total, wanted.result.outputs[1]));
}

namespace {

// Parameters a, b, of the type, and s, t, scalars; what is yielded takes the memory of the parameter it stands for.
struct State {
  Function function;
  Builder builder{function};
  Type type = shaped(Element::f64, {4});
  ValueId a = add("a", type), b = add("b", type), s = add("s", shaped(Element::f64)), t = add("t", shaped(Element::f64));

  ValueId add(const std::string& path, const Type& type) { return function.add_parameter(ir::Parameter::Kind::param, path, type); }
  void give(const std::string& donor, ValueId value) {
    function.outputs.push_back({ir::Output::Kind::value, donor + "_next", value, donor});
  }

  // The state after one step, where it was.
  std::vector<std::string> step(runtime::Executable& executable) {
    std::vector<Tensor> state{sample(type), sample(type, 1), sample(shaped(Element::f64), 2), sample(shaped(Element::f64), 3)};
    std::vector<void*> memory;
    for (Tensor& tensor : state) memory.push_back(tensor.raw());
    std::vector<void*> outputs;
    for (const runtime::Port& port : executable.signature().outputs) outputs.push_back(memory[port.donor.value()]);
    REQUIRE(!executable.call(std::vector<const void*>(memory.begin(), memory.end()), outputs, {}));
    std::vector<std::string> texts;
    for (const Tensor& tensor : state) texts.push_back(runtime::tensor_text(tensor, true));
    return texts;
  }

  void check() {
    CHECK(ir::verify(function) == std::vector<std::string>{});
    auto interpreted = backend::interpret(function);
    const std::vector<std::string> wanted = step(*interpreted);
    for (int level : {0, 3}) CHECK(step(*backend::compile(function, {level})) == wanted);
    std::vector<Tensor> given{sample(type), sample(type, 1), sample(shaped(Element::f64), 2), sample(shaped(Element::f64), 3)};
    agree(function, given);  // which leaves the arguments as they are
    CHECK(runtime::tensor_text(given[0], true) == runtime::tensor_text(sample(type), true));
  }
};

}  // namespace

TEST_CASE("an output in the memory of an input") {
  State state;
  SECTION("made in place") {
    state.give("a", state.builder.emit(Opcode::sub, {state.a, state.b}));
    state.give("s", state.builder.emit(Opcode::mul, {state.s, state.t}));
    state.check();
  }
  SECTION("unchanged") {
    state.give("a", state.a);
    state.give("s", state.s);
    state.check();
  }
  SECTION("exchanged") {
    state.give("a", state.b);
    state.give("b", state.a);
    state.give("s", state.t);
    state.give("t", state.s);
    state.check();
  }
  SECTION("given away twice, and read late") {
    state.give("a", state.b);
    state.give("b", state.b);
    state.give("s", state.builder.emit(Opcode::add, {state.t, state.s}));
    state.give("t", state.builder.emit(Opcode::reduce_sum, {state.builder.emit(Opcode::mul, {state.a, state.a})},
                                       {{Attr::axes, std::vector<std::int64_t>{0}}, {Attr::keep, false}}));
    state.check();
  }
  SECTION("read in another order than it is written") {
    state.give("a", state.builder.emit(Opcode::slice, {state.a},
                                       {{Attr::starts, std::vector<std::int64_t>{3}},
                                        {Attr::sizes, std::vector<std::int64_t>{4}},
                                        {Attr::steps, std::vector<std::int64_t>{-1}},
                                        {Attr::dynamic, std::vector<std::int64_t>{}},
                                        {Attr::drop, std::vector<std::int64_t>{}}}));
    state.check();
  }
  SECTION("in a program that is cut into parts") {
    ValueId x = state.s;
    for (int i = 0; i < 700; ++i) x = state.builder.emit(Opcode::sin, {x});
    state.give("s", state.t);
    state.give("t", state.s);
    state.give("a", state.builder.emit(Opcode::mul, {state.a, x}));
    state.check();
  }
}

TEST_CASE("an update in the memory of its input takes no memory of its own") {
  State state;
  state.give("a", state.builder.emit(Opcode::sub, {state.a, state.b}));
  const plan::Plan plan = plan::make_plan(state.function, {});
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.at(plan.outputs[0]).storage == plan.at(std::get<plan::BufferId>(plan.parameters[0])).storage);
}

TEST_CASE("host code that is too long to be optimised calls kernels that are") {
  Function function;
  Builder builder(function);
  ValueId v = parameter(function, shaped(Element::f64, {100})), x = parameter(function, shaped(Element::f64));
  for (int i = 0; i < 60'000; ++i) {
    x = builder.emit(Opcode::sin, {x});
    if (i % 6'000 == 0) v = builder.emit(Opcode::sqrt, {builder.emit(Opcode::abs, {builder.emit(Opcode::add, {v, x})})});
  }
  output(function, v);
  output(function, x);
  CHECK(backend::llvm_text(function, {2}).find("optnone") != std::string::npos);
  agree(function);
}

}  // namespace bpc::test
