#include "ir/static_facts.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace bpc::ir {

// The arguments of a loop that is still being built stay infinite: anything may happen to them.
StaticFacts::StaticFacts(const Function& function)
    : function_(function), next_op_(function.op_count()), nonfinite_(function.value_count(), true) {
  for (const Parameter& parameter : function.parameters) nonfinite_[parameter.value.index] = false;
  walk(function.body());
}

void StaticFacts::walk(BlockId block) {
  for (OpId id : function_.block(block).ops) {
    const Op& op = function_.op(id);
    if (!op.regions.empty()) {
      enter(op);
      continue;
    }
    bool nonfinite = nonfinite_result(op);
    for (ValueId result : op.results) nonfinite_[result.index] = nonfinite;
  }
}

void StaticFacts::enter(const Op& op) {
  for (BlockId region : op.regions) {
    const auto& block_arguments = function_.block(region).arguments;
    for (std::size_t i = 0; i < block_arguments.size(); ++i)
      nonfinite_[block_arguments[i].index] = op.code == Opcode::custom && (region != op.regions[0] || nonfinite_[op.operands[i].index]);
  }
  std::size_t operands = uncarried_operands(op.code), arguments = uncarried_arguments(op.code);
  for (bool changed = true; changed;) {
    changed = false;
    for (BlockId region : op.regions) {
      walk(region);
      const Block& block = function_.block(region);
      if (!is_loop(op.code)) continue;
      for (std::size_t i = arguments; i < block.arguments.size(); ++i) {
        changed |= widen(block.arguments[i], nonfinite_[op.operands[operands + i - arguments].index]);
        const auto& yields = function_.block(op.regions.back()).yields;  // none yet in a loop that is still being built
        changed |= widen(block.arguments[i], yields.empty() || nonfinite_[yields[i - arguments].index]);
      }
    }
  }
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    bool nonfinite = false;
    for (BlockId region : op.regions) {
      const auto& yields = function_.block(region).yields;
      bool is_condition = op.code == Opcode::while_loop && region == op.regions[0];
      bool is_rule = op.code == Opcode::custom && region != op.regions[0];
      bool yields_results = yields.size() == op.results.size() && !is_condition && !is_rule;
      if (yields_results) nonfinite |= nonfinite_[yields[i].index];
    }
    if (is_loop(op.code)) nonfinite |= nonfinite_[op.operands[operands + i].index];
    nonfinite_[op.results[i].index] = nonfinite;
  }
}

// Whether that was news.
bool StaticFacts::widen(ValueId id, bool nonfinite) {
  if (!nonfinite || nonfinite_[id.index]) return false;
  nonfinite_[id.index] = true;
  return true;
}

void StaticFacts::assume(ValueId id, bool nonfinite) {
  nonfinite_.resize(function_.value_count(), true);
  nonfinite_[id.index] = nonfinite;
}

void StaticFacts::update() {
  nonfinite_.resize(function_.value_count(), true);
  for (; next_op_ < function_.op_count(); ++next_op_) {
    const Op& op = function_.op(OpId{static_cast<std::uint32_t>(next_op_)});
    bool nonfinite = !op.regions.empty() || nonfinite_result(op);
    for (ValueId result : op.results) nonfinite_[result.index] = nonfinite;
  }
}

bool StaticFacts::nonfinite_result(const Op& op) const {
  const OpInfo& info = op_info(op.code);
  if (op.code == Opcode::pop) return true;
  if (op.code == Opcode::constant) {
    auto infinite = [](double value) { return !std::isfinite(value); };
    auto value = constant_value(function_, op.results[0]);
    return value ? infinite(*value) : op.attrs.find(Attr::reals) && std::ranges::any_of(op.attrs.reals(Attr::reals), infinite);
  }
  auto value = op.code == Opcode::div ? constant_value(function_, op.operands[1]) : std::nullopt;
  bool harmless = value && *value != 0;  // division by a number
  if (info.has(unbounded) && !harmless) return true;
  return std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) { return may_be_nonfinite(operand); });
}

std::optional<double> constant_value(const Function& function, ValueId id) {
  const Op* def = function.def(id);
  while (def && (def->code == Opcode::broadcast || def->code == Opcode::cast || def->code == Opcode::reshape))
    def = function.def(def->operands[0]);
  const AttrValue* value = def && def->code == Opcode::constant ? def->attrs.find(Attr::value) : nullptr;
  if (!value) return std::nullopt;
  if (const double* real = std::get_if<double>(value)) return *real;
  return static_cast<double>(def->attrs.integer(Attr::value));
}

}  // namespace bpc::ir
