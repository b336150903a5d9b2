#include "frontend/script/elementwise.h"

#include <algorithm>

#include "frontend/script/expressions.h"
#include "frontend/script/parts.h"
#include "ir/shape_rules.h"

namespace bpc::frontend::script {

using ir::Attr;
using ir::Group;
using ir::Op;
using ir::Opcode;
using ir::ValueId;

namespace {

bool is_splat(const Op* op) {
  return op && op->code == Opcode::constant && op->attrs.find(Attr::value);
}

}  // namespace

// For each operand whether it is written without the broadcast that made it, or as a number, because it stretches by itself to the shape
// that the others have; of an update, to the part that it goes into.
std::vector<bool> unstretched(const Draft& d, const Op& op) {
  std::vector<bool> flags(op.operands.size(), false);
  bool changes = op.code == Opcode::update || (op.code == Opcode::scatter_add && placement(d, op).empty());
  if (!changes && (ir::op_info(op.code).group != Group::elementwise || op.operands.size() < 2)) return flags;
  std::vector<Type> types;
  for (ValueId operand : op.operands) types.push_back(d.function.type(operand));
  const Type whole = changes ? types[1] : d.function.type(op.results[0]);
  if (changes) types = {whole, whole};
  for (std::size_t i = changes ? 1 : 0; i < types.size(); ++i) {
    const Op* made = d.function.def(op.operands[i]);
    if (!made || types[i].is_scalar() || !d.is_temporary(op.operands[i])) continue;
    Type stretched = types[i];
    if (is_splat(made))
      types[i].dims.clear();
    else if (made->code == Opcode::broadcast)
      types[i] = d.function.type(made->operands[0]);
    else
      continue;
    auto dims = ir::broadcast_dims(types, false);
    flags[i] = dims && same_shape(Type(Element::f32, *dims), whole);
    if (!flags[i]) types[i] = stretched;
  }
  return flags;
}

bool is_unstretched(const Draft& d, ValueId broadcast) {
  const Use& use = d.uses.of(broadcast);
  if (!d.is_temporary(broadcast) || !use.user.valid()) return false;
  const Op& user = d.function.op(use.user);
  auto at = static_cast<std::size_t>(std::find(user.operands.begin(), user.operands.end(), broadcast) - user.operands.begin());
  return unstretched(d, user)[at];
}

Term read_stretching(Draft& d, const Op& op, std::size_t operand, bool is_unstretched) {
  ValueId value = op.operands[operand];
  const Term term = d.read(value);
  const Op* made = d.function.def(value);
  return is_unstretched && is_splat(made) ? d.tree.number(*made->attrs.find(Attr::value), d.function.type(value).element) : term;
}

namespace {

// As they are to be written: at least one of the operands that share a type is no literal, so that the others take its type.
std::vector<Term> elementwise_operands(Draft& d, const Op& op) {
  std::vector<bool> flags = unstretched(d, op);
  std::vector<Term> operands;
  for (std::size_t i = 0; i < op.operands.size(); ++i) operands.push_back(read_stretching(d, op, i, flags[i]));
  std::size_t first = op.code == Opcode::select ? 1 : 0;
  Element element = d.function.type(op.operands[first]).element;
  if (!std::all_of(operands.begin() + static_cast<std::ptrdiff_t>(first), operands.end(), [](const Term& e) { return e.is_literal; }))
    return operands;
  // A cast literal would still be a compile-time number.
  operands[first] = is_real(element) ? d.typed(operands[first], element) : d.kept(operands[first], Type(element));
  return operands;
}

}  // namespace

Term elementwise(Draft& d, const Op& op) {
  std::vector<Term> operands = elementwise_operands(d, op);
  const std::string spelling(ir::op_info(op.code).spelling);
  if (op.code == Opcode::neg) return d.tree.negated(operands[0]);
  if (op.code == Opcode::logical_not) return d.tree.negated(operands[0], "not");
  if (operator_level(spelling)) return d.tree.binary(spelling, operands[0], operands[1]);
  return function_call(d, op, operands);
}

}  // namespace bpc::frontend::script
