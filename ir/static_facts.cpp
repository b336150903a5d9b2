#include "ir/static_facts.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace bpc::ir {

void StaticFacts::update() {
  nonfinite_.resize(function_.value_count(), false);
  for (; next_op_ < function_.op_count(); ++next_op_) {
    const Op& op = function_.op(OpId{static_cast<std::uint32_t>(next_op_)});
    bool nonfinite = nonfinite_result(op);
    for (ValueId result : op.results) nonfinite_[result.index] = nonfinite;
  }
}

bool StaticFacts::may_be_nonfinite(ValueId id) const {
  const Value& value = function_.value(id);
  bool carried = !value.op.valid() && value.block != function_.body();  // a loop's argument: anything may have happened to it
  return carried || (id.index < nonfinite_.size() && nonfinite_[id.index]);
}

bool StaticFacts::nonfinite_result(const Op& op) const {
  const OpInfo& info = op_info(op.code);
  if (!op.regions.empty()) return true;
  if (op.code == Opcode::constant) {
    auto infinite = [](double value) { return !std::isfinite(value); };
    const auto& reals = op.attrs.reals(Attr::reals);
    auto value = constant_value(function_, op.results[0]);
    return (value && infinite(*value)) || std::any_of(reals.begin(), reals.end(), infinite);
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
