#include "ir/dependence.h"

#include <algorithm>

namespace bpc::ir {

namespace {

// Real values, and tapes of any kind: what is on them comes from where they began.
bool connects(const Type& type) {
  return is_real(type.element) || type.tape;
}

// Calls `visit` with each value that `v` is directly computed from.
template <class Visit>
void for_each_source(const Function& function, ValueId v, Visit visit) {
  const Value& value = function.value(v);
  if (!connects(value.type)) return;
  if (!value.op.valid()) {
    OpId parent = function.block(value.block).parent;
    if (!parent.valid()) return;
    const Op& op = function.op(parent);
    if (op.code == Opcode::custom && value.slot < op.operands.size()) visit(op.operands[value.slot]);
    if (!is_loop(op.code)) return;
    // A loop's carried value comes from its initial value and from the end of each turn.
    std::size_t carried = value.slot - uncarried_arguments(op.code);
    visit(op.operands[uncarried_operands(op.code) + carried]);
    const Block& body = function.block(op.regions.back());
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
      visit(op.operands[uncarried_operands(op.code) + value.slot]);
      visit(function.block(op.regions.back()).yields[value.slot]);
      return;
    case Opcode::map:
    case Opcode::checkpoint:
    case Opcode::custom:
      visit(function.block(op.regions[0]).yields[value.slot]);
      return;
    default:
      for (ValueId operand : op.operands) visit(operand);
  }
}

template <class Enter>
std::vector<bool> closure(const Function& function, std::span<const ValueId> ys, Enter enter) {
  std::vector<bool> seen(function.value_count(), false);
  std::vector<ValueId> open(ys.begin(), ys.end());
  for (ValueId y : ys) seen[y.index] = true;
  while (!open.empty()) {
    ValueId v = open.back();
    open.pop_back();
    if (!enter(v)) continue;
    for_each_source(function, v, [&](ValueId source) {
      if (!seen[source.index] && connects(function.type(source))) {
        seen[source.index] = true;
        open.push_back(source);
      }
    });
  }
  return seen;
}

}  // namespace

std::vector<bool> ancestors(const Function& function, ValueId y) {
  return closure(function, {&y, 1}, [](ValueId) { return true; });
}

std::vector<bool> ancestors_within(const Function& function, std::span<const ValueId> ys, BlockId block) {
  return closure(function, ys, [&](ValueId v) { return is_enclosed(function, function.value(v).block, block); });
}

bool depends_through_earlier_turns(const Function& function, ValueId y, ValueId x) {
  // The carried values that y uses within this turn: walk back, but not beyond x nor beyond a loop's arguments.
  BlockId here = function.value(y).block;
  std::vector<ValueId> carried;
  auto is_carried = [&](ValueId v) {
    const Value& value = function.value(v);
    OpId parent = function.block(value.block).parent;
    return !value.op.valid() && parent.valid() && is_loop(function.op(parent).code) && is_enclosed(function, here, value.block);
  };
  closure(function, {&y, 1}, [&](ValueId v) {
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
