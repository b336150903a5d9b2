// Where the plan of a program puts buffers, and what it copies.
#include <set>

#include "program.h"

namespace bpc::test {

namespace {

// Elements of whole buffers that are copied each time the steps run: by updates, joins and what loops carry on.
std::int64_t copied(const Plan& plan, const plan::Steps& steps) {
  std::int64_t count = 0;
  auto copy = [&](plan::BufferId from, plan::BufferId to) {
    if (plan.at(from).storage != plan.at(to).storage) count += plan.at(to).count;
  };
  plan::for_each_step(steps, [&](const plan::Step& step) {
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

}  // namespace

TEST_CASE("memory of what is dead is used again") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, reals({16, 16}));
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
  ValueId x = parameter(function, type);
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
  ValueId x = builder.emit(Opcode::sin, {parameter(function, reals({8}))}), v = parameter(function, reals({3}));
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
  plan::for_each_step(plan.body, [&](const plan::Step& step) {
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

TEST_CASE("only long programs have a frame, which shares its memory with nothing") {
  for (int length : {100, 400}) {
    Function function;
    Builder builder(function);
    ValueId x = parameter(function, reals({})), v = parameter(function, reals({50}));
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

}  // namespace bpc::test
