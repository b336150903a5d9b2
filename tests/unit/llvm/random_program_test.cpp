// Random well-typed functions with loops, branches, updates and much to fuse: compiled and interpreted values agree.
#include <random>

#include "harness.h"

namespace bpc::test {

namespace {

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed), builder_(function_) {}

  Function run() {
    for (const auto& sizes : kShapes) visible_.push_back(parameter(function_, shaped(Element::f64, sizes)));
    visible_.push_back(parameter(function_, shaped(Element::f64)));
    statements(25, 0);
    for (int i = 0; i < 6; ++i) output(function_, any());
    return std::move(function_);
  }

 private:
  using Sizes = std::vector<std::int64_t>;
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

  // A part of x whose first index may be a loop index, and perhaps an update of it.
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
    add(builder_.emit(Opcode::update, operands, attrs));
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
    visible_.insert(visible_.end(), arguments.begin(), arguments.end());
    statements(6, depth);
    std::vector<ValueId> results;
    for (const Type& wanted : yields) {
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
    for (std::uint32_t i = 0, n = 1 + below(3); i < n; ++i) {
      carried.push_back(below(2) ? recent() : any());
      types.push_back(type(carried.back()));
    }
    bool branch = below(3) == 0;
    std::vector<ValueId> operands;
    if (branch) {
      ValueId sum = builder_.reduce(Opcode::reduce_sum, any(), {}, false);
      while (type(sum).rank() > 0) sum = builder_.reduce(Opcode::reduce_sum, sum, {0}, false);
      operands.push_back(builder_.emit(Opcode::lt, {sum, builder_.constant(0.3, shaped(Element::f64))}));
    } else {
      std::int64_t turns = below(4);
      operands = {builder_.integer(0, Element::i32), builder_.integer(turns, Element::i32), builder_.integer(1, Element::i32)};
      operands.insert(operands.end(), carried.begin(), carried.end());
    }
    ir::OpId id = builder_.emit_op(branch ? Opcode::if_else : Opcode::for_loop, operands, {}, types);
    ValueId outer_index = index_;
    for (int side = 0; side < (branch ? 2 : 1); ++side) {
      ir::BlockId block = function_.add_block(id);
      std::vector<ValueId> arguments;
      if (!branch) {
        index_ = function_.add_argument(block, shaped(Element::i32), "i");
        for (const Type& type : types) arguments.push_back(function_.add_argument(block, type, "c"));
      }
      region(block, arguments, types, depth + 1);
    }
    index_ = outer_index;
    for (ValueId result : function_.op(id).results) add(result);
  }

  void statements(int count, int depth) {
    for (int i = 0; i < count; ++i) {
      std::uint32_t dice = below(20);
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
      else if (depth < 3)
        control(depth);
    }
  }

  std::mt19937 random_;
  Function function_;
  Builder builder_;
  std::vector<ValueId> visible_;
  ValueId index_;
};

}  // namespace

TEST_CASE("random programs") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    agree(Generator(seed).run());
  }
}

}  // namespace bpc::test
