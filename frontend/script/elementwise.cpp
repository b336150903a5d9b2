// Operators and functions that work element by element.
#include <fmt/format.h>
#include <algorithm>

#include "frontend/script/function_writer.h"
#include "ir/shape_rules.h"
#include "ir/text.h"

namespace bpc::frontend::script {

using ir::Attr;
using ir::Group;
using ir::Op;
using ir::Opcode;
using ir::ValueId;

namespace {

Binding binding_of(std::string_view spelling) {
  if (spelling == "or") return disjunction;
  if (spelling == "and") return conjunction;
  if (spelling == "+" || spelling == "-") return sum;
  if (spelling == "*" || spelling == "/" || spelling == "//" || spelling == "%") return product;
  if (spelling == "^") return power;
  return spelling.find_first_of("<>=") != std::string_view::npos ? comparison : atom;
}

// A negative number whose absolute value is one of the same type.
bool is_short_negative(const Expr& expr) {
  return expr.is_literal && expr.binding == minus && expr.text.size() < 10;
}

Expr binary(const std::string& spelling, const Expr& a, const Expr& b) {
  Binding own = binding_of(spelling);
  if (own == power) {
    bool is_number = b.is_literal && b.binding >= minus;  // an exponent may carry a sign
    return {within(a, atom) + "^" + (is_number ? b.text : within(b, atom)), power};
  }
  bool chains = own != comparison;
  if (spelling == "+" && is_short_negative(b)) return binary("-", a, {b.text.substr(1), atom, true});
  Expr result{fmt::format("{} {} {}", within(a, chains ? own : own + 1), spelling, within(b, own + 1)), own};
  if (own == sum && a.binding == atom && ir::is_identifier(a.text)) {
    result.base = a.text;
    result.change = fmt::format("{}= {}", spelling, b.text);
  }
  return result;
}

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

Expr FunctionWriter::read_stretching(const Op& op, std::size_t operand, bool is_unstretched) {
  ValueId value = op.operands[operand];
  Expr expr = read(value);
  const Op* made = function_.def(value);
  return is_unstretched && is_splat(made) ? number(*made->attrs.find(Attr::value), function_.type(value).element, script_.module.real)
                                          : expr;
}

// As they are to be written: at least one of the operands that share a type is no literal, so that the others take its type.
std::vector<Expr> FunctionWriter::elementwise_operands(const Op& op) {
  std::vector<bool> flags = unstretched(op);
  std::vector<Expr> operands;
  for (std::size_t i = 0; i < op.operands.size(); ++i) operands.push_back(read_stretching(op, i, flags[i]));
  std::size_t first = op.code == Opcode::select ? 1 : 0;
  Element element = function_.type(op.operands[first]).element;
  if (!std::all_of(operands.begin() + static_cast<std::ptrdiff_t>(first), operands.end(), [](const Expr& e) { return e.is_literal; }))
    return operands;
  if (is_real(element)) {
    operands[first] = typed(operands[first], element);
  } else {  // a cast literal would still be a compile-time number
    operands[first] = {kept(operands[first], Type(element))};
  }
  return operands;
}

Expr FunctionWriter::elementwise(const Op& op) {
  std::vector<Expr> operands = elementwise_operands(op);
  const std::string spelling(ir::op_info(op.code).spelling);
  if (op.code == Opcode::neg) return {fmt::format("-{}", within(operands[0], power)), minus};
  if (op.code == Opcode::logical_not) return {fmt::format("not {}", within(operands[0], negation)), negation};
  if (binding_of(spelling) != atom) return binary(spelling, operands[0], operands[1]);
  std::vector<std::string> texts;
  if (op.code == Opcode::polygamma) texts.push_back(std::to_string(op.attrs.integer(Attr::order)));
  for (const Expr& operand : operands) texts.push_back(operand.text);
  return call(spelling, fmt::format("{}", fmt::join(texts, ", ")));
}

}  // namespace bpc::frontend::script
