#include "ir/adjoint/turns.h"

#include <algorithm>

#include "ir/ranges.h"

namespace bpc::ir {

namespace {

// Makes the loop carry the number of its turns; returns what it is after the loop.
ValueId count_turns(const Builder& builder, OpId id) {
  Builder place = builder;
  Function& function = place.function();
  BlockId around = function.op(id).block;
  const auto& ops = function.block(around).ops;
  place.set_position(around, static_cast<std::size_t>(std::find(ops.begin(), ops.end(), id) - ops.begin()));
  ValueId zero = place.integer(0, Element::i64);  // emitting moves the ops
  function.op(id).operands.push_back(zero);
  const std::vector<BlockId> regions = function.op(id).regions;
  ValueId turn;
  for (BlockId region : regions) turn = function.add_argument(region, Type(Element::i64), "turns");
  place.set_block(regions.back());
  ValueId next = place.emit(Opcode::add, {turn, place.integer(1, Element::i64)}, {}, nullptr, "turns");
  function.block(regions.back()).yields.push_back(next);
  return function.add_result(id, Type(Element::i64), "turns");
}

}  // namespace

Turns reversed_turns(Builder& builder, OpId id) {
  Function& function = builder.function();
  if (function.op(id).code == Opcode::for_loop) {
    const Op loop = function.op(id);
    ValueId index = function.block(loop.regions[0]).arguments[0];
    Element element = function.type(index).element;
    if (auto bounds = constant_bounds(function, loop)) {
      auto number = [&](std::int64_t value) { return builder.integer(value, element); };
      auto [lo, hi, by, turns] = *bounds;
      return {number(lo + (turns - 1) * by), number(lo - by), number(-by), function.value(index).name, false, turns > 0};
    }
  }
  ValueId turns = count_turns(builder, id), minus_one = builder.integer(-1, Element::i64);
  return {builder.emit(Opcode::add, {turns, minus_one}), minus_one, minus_one, "turn", true, false};
}

ValueId index_of_turn(const Builder& builder, BlockId block, const Op& loop, ValueId turn) {
  Builder start = builder;
  start.set_position(block, 0);
  Element element = start.function().type(loop.operands[0]).element;
  ValueId steps = start.emit(Opcode::mul, {start.cast(turn, element), loop.operands[2]});
  return start.emit(Opcode::add, {loop.operands[0], steps});
}

}  // namespace bpc::ir
