// Random well-typed functions with loops, branches, updates, tapes and much to
// fuse: compiled and interpreted values agree.
#include <random>

#include "backend/plan/plan.h"
#include "harness.h"
#include "ir/verify.h"

namespace bpc::test {

namespace {

class Generator {
 public:
  Generator(std::uint32_t seed, int length, int region_length)
      : length_(length), region_length_(region_length), random_(seed), builder_(function_) {}

  Function run() {
    for (const auto& sizes : kShapes) visible_.push_back(parameter(function_, shaped(Element::f64, sizes)));
    visible_.push_back(parameter(function_, shaped(Element::f64)));
    for (const Sizes& sizes : std::vector<Sizes>{{}, {5}, {2, 3}}) indices_.push_back(parameter(function_, shaped(Element::i32, sizes)));
    statements(length_, 0);
    for (int i = 0; i < 6; ++i) output(function_, any());
    return std::move(function_);
  }

 private:
  using Sizes = std::vector<std::int64_t>;
  inline static const Type kScalar = shaped(Element::f64);
  inline static const std::vector<Sizes> kShapes{{}, {4}, {3, 4}, {3, 1}, {2, 3, 4}, {4, 3}, {12}, {20, 24}};

  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(random_() % n); }
  ValueId any() { return visible_[below(visible_.size())]; }
  ValueId recent() { return visible_[visible_.size() - 1 - below(std::min<std::size_t>(visible_.size(), 6))]; }
  const Type& type(ValueId id) { return function_.type(id); }
  // A visible value of the shape of x, if luck has one.
  ValueId alike(ValueId x) {
    for (int i = 0; i < 10; ++i)
      if (ValueId y = i < 5 ? recent() : any(); same_shape(type(x), type(y))) return y;
    return x;
  }
  void add(ValueId id) { visible_.push_back(id); }

  // Bounded functions, so that values stay of moderate size.
  void elementwise() {
    ValueId x = recent();
    switch (below(9)) {
      case 0:
        return add(builder_.emit(Opcode::tanh, {x}));
      case 1:
        return add(builder_.emit(Opcode::sin, {x}));
      case 2:
        return add(builder_.emit(Opcode::relu, {x}));
      case 3:
        return add(builder_.emit(Opcode::mul, {builder_.constant(0.5, type(x)), x}));
      case 4:
        return add(builder_.emit(Opcode::maximum, {x, alike(x)}));
      case 5: {
        ValueId y = alike(x);
        return add(builder_.emit(Opcode::select, {builder_.emit(Opcode::lt, {x, y}), builder_.emit(Opcode::neg, {y}), x}));
      }
      case 6:
        return add(builder_.emit(Opcode::tanh, {builder_.emit(Opcode::add, {x, alike(x)})}));
      case 7: {  // a stretched operand
        for (int i = 0; i < 10; ++i)
          if (ValueId y = any(); type(y).rank() < type(x).rank() && type(x).rank() > 0) {
            Sizes tail = type(x).sizes();
            tail.erase(tail.begin(), tail.end() - static_cast<std::ptrdiff_t>(type(y).rank()));
            if (tail == type(y).sizes()) return add(builder_.emit(Opcode::sub, {y, x}));
          }
        return add(builder_.emit(Opcode::abs, {x}));
      }
      default:
        return add(builder_.emit(Opcode::add, {builder_.emit(Opcode::sigmoid, {x}), alike(x)}));
    }
  }

  void reduce() {
    ValueId x = recent();
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < type(x).rank(); ++i)
      if (below(2)) axes.push_back(static_cast<std::int64_t>(i));
    Opcode code = below(2) ? Opcode::reduce_sum : Opcode::reduce_max;
    add(builder_.emit(Opcode::tanh, {builder_.reduce(code, x, axes, below(2) != 0)}));
  }

  void move() {
    ValueId x = recent();
    std::size_t rank = type(x).rank();
    switch (below(4)) {
      case 0: {
        std::vector<std::int64_t> perm;
        for (std::size_t i = 0; i < rank; ++i) perm.push_back(static_cast<std::int64_t>(i));
        std::shuffle(perm.begin(), perm.end(), random_);
        return add(builder_.transpose(x, perm));
      }
      case 1: {
        for (const Sizes& sizes : kShapes)
          if (Type to = shaped(Element::f64, sizes); to.count() == type(x).count() && below(2)) return add(builder_.reshape(x, to.dims));
        return;
      }
      case 2:
        if (rank > 0) add(builder_.emit(Opcode::concat, {x, alike(x)}, {{Attr::axis, std::int64_t{below(rank)}}}));
        return;
      default:
        if (rank > 0)
          add(builder_.emit(Opcode::cumsum, {builder_.emit(Opcode::mul, {x, builder_.constant(0.1, type(x))})},
                            {{Attr::axis, std::int64_t{below(rank)}}, {Attr::reverse, below(2) != 0}}));
    }
  }

  // A part of x whose first index may be a loop index, and perhaps an update of
  // it.
  void index() {
    ValueId x = recent();
    if (type(x).rank() == 0) return;
    std::vector<std::int64_t> starts, sizes, steps, dynamic, drop;
    for (std::size_t i = 0; i < type(x).rank(); ++i) {
      std::int64_t n = type(x).size(i), size = 1 + below(static_cast<std::size_t>(n));
      starts.push_back(below(static_cast<std::size_t>(n - size + 1)));
      sizes.push_back(size);
      steps.push_back(1);
      if (size == n && below(2)) {
        starts.back() = n - 1;
        steps.back() = -1;
      }
      if (size == 1 && below(2)) drop.push_back(static_cast<std::int64_t>(i));
    }
    std::vector<ValueId> operands{x};
    if (index_.valid() && sizes[0] == 1) {
      starts[0] = 0;
      dynamic.push_back(0);
      operands.push_back(builder_.emit(Opcode::mod, {index_, builder_.integer(type(x).size(0), Element::i32)}));
    }
    Attributes attrs{{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::dynamic, dynamic}, {Attr::drop, drop}};
    ValueId part = builder_.emit(Opcode::slice, operands, attrs);
    if (below(3) == 0) return add(part);
    operands.insert(operands.begin() + 1, below(2) ? builder_.emit(Opcode::sin, {part}) : alike(part));
    if (below(2)) attrs.set(Attr::add, true);
    add(bounded(builder_.emit(Opcode::update, operands, attrs)));
  }

  ValueId bounded(ValueId x) { return below(2) ? x : builder_.emit(Opcode::tanh, {x}); }

  // Parts of x that tensors of indices name, and perhaps something added to
  // them.
  void gather() {
    ValueId x = recent();
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < type(x).rank(); ++i)
      if (below(2)) axes.push_back(static_cast<std::int64_t>(i));
    if (axes.empty()) return;
    ValueId given = index_.valid() && below(2) ? index_ : indices_[below(indices_.size())];
    std::vector<ValueId> operands{x};
    for (std::int64_t axis : axes) {
      std::int64_t n = type(x).size(static_cast<std::size_t>(axis));
      ValueId index = builder_.emit(Opcode::mod, {given, builder_.broadcast(builder_.integer(n, Element::i32), type(given).dims)});
      // Mostly known to be inside, sometimes not, sometimes counted from the
      // end.
      if (below(3) == 0)
        index = builder_.emit(Opcode::sub, {index, builder_.broadcast(builder_.integer(n, Element::i32), type(given).dims)});
      if (n > 7 && below(2)) index = given;
      operands.push_back(index);
    }
    ValueId part = builder_.emit(Opcode::gather, operands, {{Attr::axes, axes}});
    if (below(2)) return add(part);
    operands.insert(operands.begin() + 1, below(2) ? builder_.emit(Opcode::sin, {part}) : alike(part));
    add(bounded(builder_.emit(Opcode::scatter_add, operands, {{Attr::axes, axes}})));
  }

  void tape() {
    std::uint32_t dice = below(5);
    if (tapes_.empty() || dice == 0) {
      Type type = this->type(recent()).as_tape();
      return tapes_.push_back(builder_.emit(Opcode::tape, {}, {}, &type));
    }
    ValueId& tape = tapes_[below(tapes_.size())];
    if (dice < 4) {
      ValueId x = builder_.constant(0.5, type(tape).as_entry());
      for (int i = 0; i < 10; ++i)
        if (ValueId y = recent(); same_type(type(y), type(x))) x = y;
      tape = builder_.emit(Opcode::push, {tape, x});
    } else {
      Type types[] = {type(tape), type(tape).as_entry()};
      ir::OpId pop = builder_.emit_op(Opcode::pop, {{tape}}, {}, types);
      tape = function_.op(pop).results[0];
      add(function_.op(pop).results[1]);
    }
  }

  // A tape of that type, which is used up; often a new one.
  ValueId take_tape(const Type& wanted) {
    for (std::size_t i = 0; i < tapes_.size(); ++i)
      if (same_type(type(tapes_[i]), wanted) && below(4)) {
        ValueId tape = tapes_[i];
        tapes_.erase(tapes_.begin() + static_cast<std::ptrdiff_t>(i));
        return tape;
      }
    return builder_.emit(Opcode::tape, {}, {}, &wanted);
  }

  void contract() {
    ValueId x = recent();
    for (int i = 0; i < 10; ++i)
      if (ValueId y = any(); type(x).rank() == 2 && type(y).rank() == 2 && type(x).size(1) == type(y).size(0))
        return add(builder_.emit(Opcode::tanh, {builder_.emit(Opcode::einsum, {x, y}, {{Attr::spec, std::string("ij,jk->ik")}})}));
  }

  // Runs `body` in a region; what it adds is not seen outside.
  std::vector<ValueId> region(ir::BlockId block, const std::vector<ValueId>& arguments, std::span<const Type> yields, int depth) {
    ir::BlockId outer = builder_.block();
    auto seen = visible_.size();
    builder_.set_block(block);
    tapes_.clear();
    for (ValueId argument : arguments) (type(argument).tape ? tapes_ : visible_).push_back(argument);
    statements(region_length_, depth);
    std::vector<ValueId> results;
    for (const Type& wanted : yields) {
      if (wanted.tape) {
        results.push_back(take_tape(wanted));
        continue;
      }
      ValueId found;
      for (int i = 0; i < 30; ++i)
        if (ValueId x = i < 15 ? recent() : any(); !found.valid() && same_shape(type(x), wanted)) found = x;
      if (!found.valid()) found = builder_.constant(0.25, wanted);
      results.push_back(found);
    }
    function_.block(block).yields = results;
    visible_.resize(seen);
    builder_.set_block(outer);
    return results;
  }

  void control(int depth) {
    std::vector<ValueId> carried;
    std::vector<Type> types;
    for (std::uint32_t i = 0, n = 1 + below(3); i < n; ++i) carried.push_back(below(2) ? recent() : any());
    std::vector<ValueId> outer_tapes = std::exchange(tapes_, {});
    while (!outer_tapes.empty() && below(3)) {
      carried.push_back(outer_tapes.back());
      outer_tapes.pop_back();
    }
    for (ValueId id : carried) types.push_back(type(id));
    std::uint32_t dice = below(4);
    ir::OpId id = dice == 0   ? branch(carried, types, depth)
                  : dice == 1 ? while_loop(carried, types, depth)
                              : for_loop(carried, types, depth);
    tapes_ = outer_tapes;
    for (std::size_t i = dice == 1 ? 1 : 0; i < function_.op(id).results.size(); ++i) {
      ValueId result = function_.op(id).results[i];
      (type(result).tape ? tapes_ : visible_).push_back(result);
    }
  }

  ir::OpId branch(const std::vector<ValueId>& captured, const std::vector<Type>& types, int depth) {
    ValueId sum = builder_.reduce(Opcode::reduce_sum, any(), {}, false);
    while (type(sum).rank() > 0) sum = builder_.reduce(Opcode::reduce_sum, sum, {0}, false);
    ir::OpId id = builder_.emit_op(Opcode::if_else, {{builder_.emit(Opcode::lt, {sum, builder_.constant(0.3, kScalar)})}}, {}, types);
    for (int side = 0; side < 2; ++side) region(function_.add_block(id), captured, types, depth + 1);
    return id;
  }

  std::vector<ValueId> add_arguments(ir::BlockId block, std::span<const Type> types) {
    std::vector<ValueId> arguments;
    for (const Type& type : types) arguments.push_back(function_.add_argument(block, type, "c"));
    return arguments;
  }

  ir::OpId for_loop(const std::vector<ValueId>& carried, const std::vector<Type>& types, int depth) {
    std::vector<ValueId> operands{builder_.integer(0, Element::i32), builder_.integer(below(4), Element::i32),
                                  builder_.integer(1, Element::i32)};
    operands.insert(operands.end(), carried.begin(), carried.end());
    ir::OpId id = builder_.emit_op(Opcode::for_loop, operands, {}, types);
    ir::BlockId block = function_.add_block(id);
    ValueId outer_index = std::exchange(index_, function_.add_argument(block, shaped(Element::i32), "i"));
    region(block, add_arguments(block, types), types, depth + 1);
    index_ = outer_index;
    return id;
  }

  // Counts its turns in the first value that it carries.
  ir::OpId while_loop(std::vector<ValueId> carried, const std::vector<Type>& types, int depth) {
    carried.insert(carried.begin(), builder_.constant(0, kScalar));
    std::vector<Type> all{kScalar};
    all.insert(all.end(), types.begin(), types.end());
    ir::OpId id = builder_.emit_op(Opcode::while_loop, carried, {}, all);
    ir::BlockId condition = function_.add_block(id), body = function_.add_block(id), outer = builder_.block();
    std::vector<ValueId> arguments = add_arguments(condition, all);
    region(condition, arguments, {}, depth + 1);
    builder_.set_block(condition);
    function_.block(condition).yields = {builder_.emit(Opcode::lt, {arguments[0], builder_.constant(below(4), kScalar)})};
    builder_.set_block(outer);
    arguments = add_arguments(body, all);
    std::vector<ValueId> yields = region(body, arguments, types, depth + 1);
    builder_.set_block(body);
    yields.insert(yields.begin(), builder_.emit(Opcode::add, {arguments[0], builder_.constant(1, kScalar)}));
    function_.block(body).yields = yields;
    builder_.set_block(outer);
    return id;
  }

  void statements(int count, int depth) {
    for (int i = 0; i < count; ++i) {
      std::uint32_t dice = below(25);
      if (dice < 9)
        elementwise();
      else if (dice < 11)
        reduce();
      else if (dice < 13)
        move();
      else if (dice < 16)
        index();
      else if (dice < 18)
        contract();
      else if (dice < 20)
        gather();
      else if (dice < 23)
        tape();
      else if (depth < 3)
        control(depth);
    }
  }

  int length_, region_length_;  // in statements
  std::mt19937 random_;
  Function function_;
  Builder builder_;
  std::vector<ValueId> visible_, indices_;
  std::vector<ValueId> tapes_;  // not used yet
  ValueId index_;
};

}  // namespace

TEST_CASE("random programs") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Function function = Generator(seed, 25, 6).run();
    REQUIRE(ir::verify(function) == std::vector<std::string>());
    agree(function);
  }
}

TEST_CASE("random programs so long that they are cut into parts") {
  for (std::uint32_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    Function function = Generator(seed, 400, 6).run();
    REQUIRE(plan::make_plan(function, {}).frame.valid());
    agree(function);
  }
}

}  // namespace bpc::test
