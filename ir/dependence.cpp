#include "ir/dependence.h"

#include <algorithm>

namespace bpc::ir {

namespace {

// Calls `visit` with each value that `v` is directly computed from.
template <class Visit>
void for_each_source(const Function& function, ValueId v, Visit visit) {
  const Value& value = function.value(v);
  if (!is_real(value.type.element)) return;
  if (!value.op.valid()) {  // a loop's carried value comes from its initial value and from the end of each turn
    OpId parent = function.block(value.block).parent;
    if (!parent.valid()) return;
    const Op& loop = function.op(parent);
    std::size_t bounds = loop.code == Opcode::for_loop ? 3 : 0;
    std::size_t counters = loop.code == Opcode::for_loop ? 1 : 0;
    std::size_t carried = value.slot - counters;
    visit(loop.operands[bounds + carried]);
    const Block& body = function.block(loop.regions.back());
    if (carried < body.yields.size()) visit(body.yields[carried]);  // a loop still being built has none yet
    return;
  }
  const Op& op = function.op(value.op);
  switch (op.code) {
    case Opcode::stop_grad:
      return;
    case Opcode::if_else:
      for (BlockId region : op.regions) visit(function.block(region).yields[value.slot]);
      return;
    case Opcode::for_loop:
    case Opcode::while_loop:
      visit(op.operands[(op.code == Opcode::for_loop ? 3 : 0) + value.slot]);
      visit(function.block(op.regions.back()).yields[value.slot]);
      return;
    default:
      for (ValueId operand : op.operands) visit(operand);
  }
}

template <class Enter>
std::vector<bool> closure(const Function& function, ValueId y, Enter enter) {
  std::vector<bool> seen(function.value_count(), false);
  std::vector<ValueId> open{y};
  seen[y.index] = true;
  while (!open.empty()) {
    ValueId v = open.back();
    open.pop_back();
    if (!enter(v)) continue;
    for_each_source(function, v, [&](ValueId source) {
      if (!seen[source.index] && is_real(function.type(source).element)) {
        seen[source.index] = true;
        open.push_back(source);
      }
    });
  }
  return seen;
}

}  // namespace

std::vector<bool> ancestors(const Function& function, ValueId y) {
  return closure(function, y, [](ValueId) { return true; });
}

bool depends_through_earlier_turns(const Function& function, ValueId y, ValueId x) {
  // The carried values that y uses within this turn: walk back, but not beyond x nor beyond a loop's arguments.
  BlockId here = function.value(y).block;
  std::vector<ValueId> carried;
  auto is_carried = [&](ValueId v) {
    const Value& value = function.value(v);
    return !value.op.valid() && function.block(value.block).parent.valid() && is_enclosed(function, here, value.block);
  };
  closure(function, y, [&](ValueId v) {
    if (v == x) return false;
    if (!is_carried(v)) return true;
    carried.push_back(v);
    return false;
  });
  return std::any_of(carried.begin(), carried.end(), [&](ValueId v) {
    bool x_outside = !is_enclosed(function, function.value(x).block, function.value(v).block);
    return x_outside && ancestors(function, v)[x.index];
  });
}

}  // namespace bpc::ir
