#include "ir/function.h"

#include <algorithm>

#include "ir/ranges.h"

namespace bpc::ir {

const Origin& Function::origin(OriginId id) const {
  static const Origin nowhere;
  return id.valid() ? origins_[id.index] : nowhere;
}

const Op* Function::def(ValueId id) const {
  OpId op = values_[id.index].op;
  return op.valid() ? &ops_[op.index] : nullptr;
}

ValueId Function::add_parameter(Parameter::Kind kind, std::string path, Type type) {
  ValueId id{static_cast<std::uint32_t>(values_.size())};
  values_.push_back({std::move(type), path, OpId{}, body(), static_cast<std::uint32_t>(parameters.size())});
  parameters.push_back({kind, std::move(path), id, {}, {}});
  return id;
}

BlockId Function::add_block(OpId parent) {
  BlockId id{static_cast<std::uint32_t>(blocks_.size())};
  blocks_.push_back({{}, {}, {}, parent});
  if (parent.valid()) ops_[parent.index].regions.push_back(id);
  return id;
}

ValueId Function::add_argument(BlockId block, Type type, std::string name) {
  ValueId id{static_cast<std::uint32_t>(values_.size())};
  auto& arguments = blocks_[block.index].arguments;
  values_.push_back({std::move(type), std::move(name), OpId{}, block, static_cast<std::uint32_t>(arguments.size())});
  arguments.push_back(id);
  return id;
}

OpId Function::add_op(BlockId block, Op op, std::span<const Type> result_types, std::size_t at) {
  OpId id{static_cast<std::uint32_t>(ops_.size())};
  op.block = block;
  op.results.clear();
  for (const Type& type : result_types) {
    op.results.push_back({static_cast<std::uint32_t>(values_.size())});
    values_.push_back({type, {}, id, block, static_cast<std::uint32_t>(op.results.size() - 1)});
  }
  ops_.push_back(std::move(op));
  auto& ops = blocks_[block.index].ops;
  ops.insert(ops.begin() + static_cast<std::ptrdiff_t>(std::min(at, ops.size())), id);
  return id;
}

ValueId Function::add_result(OpId op, Type type, std::string name) {
  ValueId id{static_cast<std::uint32_t>(values_.size())};
  auto& results = ops_[op.index].results;
  values_.push_back({std::move(type), std::move(name), op, ops_[op.index].block, static_cast<std::uint32_t>(results.size())});
  results.push_back(id);
  return id;
}

OriginId Function::add_origin(Origin origin) {
  if (origins_.empty() || origins_.back() != origin) origins_.push_back(std::move(origin));
  return {static_cast<std::uint32_t>(origins_.size() - 1)};
}

namespace {

bool is_nonzero_constant(const Function& function, ValueId id) {
  const Op* def = function.def(id);
  return def && def->code == Opcode::constant && def->attrs.find(Attr::value) && def->attrs.integer(Attr::value) != 0;
}

}  // namespace

std::size_t region_count(Opcode code) {
  if (op_info(code).rule != ShapeRule::region) return 0;
  return code == Opcode::for_loop || code == Opcode::map || code == Opcode::checkpoint ? 1 : 2;
}
bool is_loop(Opcode code) {
  return code == Opcode::for_loop || code == Opcode::while_loop;
}
std::size_t uncarried_operands(Opcode code) {
  return code == Opcode::for_loop ? 3 : 0;
}
std::size_t uncarried_arguments(Opcode code) {
  return code == Opcode::for_loop ? 1 : 0;
}

bool is_of_loss(const Op& op) {
  return op.code == Opcode::grad && op.attrs.flag(Attr::implicit);
}
std::int64_t order_of(const Op& op) {
  return takes_order(op.code) ? op.attrs.integer(Attr::order) : 0;
}

bool has_dynamic_index(const Op& op) {
  ShapeRule rule = op_info(op.code).rule;
  bool gathers = rule == ShapeRule::gather || rule == ShapeRule::scatter;
  return gathers || ((rule == ShapeRule::slice || rule == ShapeRule::update) && !op.attrs.ints(Attr::dynamic).empty());
}

bool may_fail(const Function& function, const Op& op) {
  if (!op_info(op.code).has(partial)) return false;
  switch (op_info(op.code).rule) {
    case ShapeRule::pointwise:  // integer division
      return is_integer(function.type(op.operands[0]).element) && !is_nonzero_constant(function, op.operands[1]);
    case ShapeRule::slice:
    case ShapeRule::gather:
      return !op.attrs.flag(Attr::checked) && !is_known_inside(function, op, 1);
    case ShapeRule::update:
    case ShapeRule::scatter:
      return !op.attrs.flag(Attr::checked) && !is_known_inside(function, op, 2);
    case ShapeRule::solve:
      return !op.attrs.flag(Attr::checked);
    default:
      return true;
  }
}

bool may_fail_elsewhere(const Function& function, const Op& op) {
  if (!has_dynamic_index(op) && op_info(op.code).rule != ShapeRule::solve) return may_fail(function, op);
  Op unchecked = op;
  unchecked.attrs.set(Attr::checked, false);
  return may_fail(function, unchecked);
}

bool has_effect(const Function& function, const Op& op, bool loops_end) {
  if (op_info(op.code).has(effect) || may_fail(function, op)) return true;
  if (!loops_end && op.code == Opcode::while_loop) return true;
  if (!loops_end && op.code == Opcode::for_loop && !is_nonzero_constant(function, op.operands[2])) return true;
  for (BlockId region : op.regions)
    for (OpId inner : function.block(region).ops)
      if (has_effect(function, function.op(inner), loops_end)) return true;
  return false;
}

bool is_enclosed(const Function& function, BlockId block, BlockId by) {
  while (block != by) {
    OpId parent = function.block(block).parent;
    if (!parent.valid()) return false;
    block = function.op(parent).block;
  }
  return true;
}

}  // namespace bpc::ir
