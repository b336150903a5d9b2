#include "ir/batch/varying.h"

#include <algorithm>

namespace bpc::ir {

Varying::Varying(const Function& function, const Op& map) : function_(function), varying_(function.value_count(), false) {
  BlockId region = map.regions[0];
  for (ValueId index : function.block(region).arguments) varying_[index.index] = true;
  while (walk(region)) {
  }
  check(region);
}

bool Varying::any(const std::vector<ValueId>& values) const {
  return std::any_of(values.begin(), values.end(), [&](ValueId value) { return varying_[value.index]; });
}

// Whether that was news.
bool Varying::mark(ValueId id, bool varying) {
  if (!varying || varying_[id.index]) return false;
  varying_[id.index] = true;
  return true;
}

// Two names of one tape, or of a value that both have to hold.
bool Varying::unite(ValueId a, ValueId b) {
  return mark(a, varying_[b.index]) | (function_.type(a).tape && mark(b, varying_[a.index]));
}

bool Varying::walk(BlockId block) {
  bool news = false;
  for (OpId id : function_.block(block).ops) news |= visit(function_.op(id));
  return news;
}

bool Varying::visit(const Op& op) {
  if (!op.regions.empty()) return visit_region(op);
  bool news = false;
  if (op.code == Opcode::push || op.code == Opcode::pop) {
    news |= unite(op.results[0], op.operands[0]);
    ValueId top = op.code == Opcode::push ? op.operands[1] : op.results[1];
    return news | (op.code == Opcode::push ? mark(op.results[0], varying_[top.index]) : mark(top, varying_[op.results[0].index]));
  }
  for (ValueId result : op.results) news |= mark(result, any(op.operands));
  return news;
}

bool Varying::visit_region(const Op& op) {
  bool news = false;
  if (op.code == Opcode::custom) {
    // All that its two regions exchange varies together.
    bool varies = any(op.operands);
    for (BlockId region : op.regions) {
      for (ValueId argument : function_.block(region).arguments) news |= mark(argument, varies);
      news |= walk(region);
    }
    for (std::size_t i = 0; i < op.results.size(); ++i) {
      news |= mark(op.results[i], varies || varying_[function_.block(op.regions[0]).yields[i].index]);
      news |= mark(function_.block(op.regions[1]).arguments[op.operands.size() + i], varying_[op.results[i].index]);
    }
    return news;
  }
  for (BlockId region : op.regions) {
    news |= walk(region);
    const Block& block = function_.block(region);
    for (std::size_t i = 0; is_loop(op.code) && i < op.results.size(); ++i) {
      ValueId argument = block.arguments[i + uncarried_arguments(op.code)];
      news |= unite(argument, op.operands[i + uncarried_operands(op.code)]);
      news |= unite(argument, function_.block(op.regions.back()).yields[i]);
      news |= unite(op.results[i], argument);
    }
    bool yields_results = !is_loop(op.code);
    for (std::size_t i = 0; yields_results && i < op.results.size(); ++i) news |= unite(op.results[i], block.yields[i]);
  }
  if (op.code == Opcode::if_else && varying_[op.operands[0].index])
    for (ValueId result : op.results) news |= mark(result, true);
  return news;
}

void Varying::check(BlockId block) {
  for (OpId id : function_.block(block).ops) {
    const Op& op = function_.op(id);
    can_batch_ &= !stands_alone(op);
    for (BlockId region : op.regions) check(region);
  }
}

bool Varying::stands_alone(const Op& op) const {
  if (op_info(op.code).has(effect)) return true;
  auto varies = [&](std::size_t i) { return varying_[op.operands[i].index]; };
  switch (op.code) {
    case Opcode::update:
      return !op.attrs.flag(Attr::add) &&
             std::any_of(op.operands.begin() + 2, op.operands.end(), [&](ValueId start) { return varying_[start.index]; });
    case Opcode::for_loop:
      return varies(0) || varies(1) || varies(2);
    case Opcode::while_loop:
      return any(function_.block(op.regions[0]).yields);
    case Opcode::if_else:
      return varies(0) && (has_effect(function_, op) ||
                           std::any_of(op.results.begin(), op.results.end(), [&](ValueId result) { return function_.type(result).tape; }));
    default:
      return false;
  }
}

}  // namespace bpc::ir
