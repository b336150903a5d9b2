// Operators and functions that work element by element.
#include <algorithm>

#include "frontend/script/function_writer.h"
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
std::vector<bool> FunctionWriter::unstretched(const Op& op) const {
  std::vector<bool> flags(op.operands.size(), false);
  bool changes = op.code == Opcode::update || (op.code == Opcode::scatter_add && placement(op).empty());
  if (!changes && (ir::op_info(op.code).group != Group::elementwise || op.operands.size() < 2)) return flags;
  std::vector<Type> types;
  for (ValueId operand : op.operands) types.push_back(function_.type(operand));
  const Type whole = changes ? types[1] : function_.type(op.results[0]);
  if (changes) types = {whole, whole};
  for (std::size_t i = changes ? 1 : 0; i < types.size(); ++i) {
    const Op* made = function_.def(op.operands[i]);
    if (!made || types[i].is_scalar() || !is_temporary(op.operands[i])) continue;
    Type stretched = types[i];
    if (is_splat(made))
      types[i].dims.clear();
    else if (made->code == Opcode::broadcast)
      types[i] = function_.type(made->operands[0]);
    else
      continue;
    auto dims = ir::broadcast_dims(types, false);
    flags[i] = dims && same_shape(Type(Element::f32, *dims), whole);
    if (!flags[i]) types[i] = stretched;
  }
  return flags;
}

bool FunctionWriter::is_unstretched(ValueId broadcast) const {
  const Use& use = uses_.of(broadcast);
  if (!is_temporary(broadcast) || !use.user.valid()) return false;
  const Op& user = function_.op(use.user);
  auto at = static_cast<std::size_t>(std::find(user.operands.begin(), user.operands.end(), broadcast) - user.operands.begin());
  return unstretched(user)[at];
}

Term FunctionWriter::read_stretching(const Op& op, std::size_t operand, bool is_unstretched) {
  ValueId value = op.operands[operand];
  const Term term = read(value);
  const Op* made = function_.def(value);
  return is_unstretched && is_splat(made) ? tree_.number(*made->attrs.find(Attr::value), function_.type(value).element) : term;
}

// As they are to be written: at least one of the operands that share a type is no literal, so that the others take its type.
std::vector<Term> FunctionWriter::elementwise_operands(const Op& op) {
  std::vector<bool> flags = unstretched(op);
  std::vector<Term> operands;
  for (std::size_t i = 0; i < op.operands.size(); ++i) operands.push_back(read_stretching(op, i, flags[i]));
  std::size_t first = op.code == Opcode::select ? 1 : 0;
  Element element = function_.type(op.operands[first]).element;
  if (!std::all_of(operands.begin() + static_cast<std::ptrdiff_t>(first), operands.end(), [](const Term& e) { return e.is_literal; }))
    return operands;
  // A cast literal would still be a compile-time number.
  operands[first] = is_real(element) ? typed(operands[first], element) : kept(operands[first], Type(element));
  return operands;
}

Term FunctionWriter::elementwise(const Op& op) {
  std::vector<Term> operands = elementwise_operands(op);
  const std::string spelling(ir::op_info(op.code).spelling);
  if (op.code == Opcode::neg) return tree_.negated(operands[0]);
  if (op.code == Opcode::logical_not) return tree_.negated(operands[0], "not");
  if (operator_level(spelling)) return tree_.binary(spelling, operands[0], operands[1]);
  return function(op, operands);
}

}  // namespace bpc::frontend::script
