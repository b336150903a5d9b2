#include "frontend/write_expression.h"

#include <algorithm>

#include "frontend/script/expressions.h"
#include "ir/static_facts.h"

namespace bpc::frontend {

using namespace script;

namespace {

constexpr double kLongest = 1000;  // what nobody would read; without a limit, each step of a solver doubles it

bool is_expression(const ir::Op& op) {
  switch (ir::op_info(op.code).group) {
    case ir::Group::elementwise:
    case ir::Group::reduction:
    case ir::Group::contraction:
    case ir::Group::movement:
    case ir::Group::library:
    case ir::Group::source:
    case ir::Group::random:
      return op.results.size() == 1 && op.regions.empty() && op.code != ir::Opcode::update && op.code != ir::Opcode::scatter_add;
    case ir::Group::tape:
    case ir::Group::control:
    case ir::Group::effect:
    case ir::Group::derivative:
      return false;
  }
  return false;
}

bool is_zero(const ir::Function& function, ir::ValueId value) {
  return ir::constant_value(function, value) == 0.0;
}

// What a derivative by a part of a tensor is: zeros, with something at a place. nullopt for what is none of that.
std::optional<Term> placed(Draft& draft, const ir::Op& op) {
  const bool is_update = op.code == ir::Opcode::update;
  if ((!is_update && op.code != ir::Opcode::scatter_add) || !is_zero(draft.function, op.operands[0])) return std::nullopt;
  std::vector<Term> indices;
  for (std::size_t i = 2; i < op.operands.size(); ++i) indices.push_back(draft.terms[op.operands[i].index]);
  if (!is_update) indices = {draft.terms[op.operands[1].index]};
  const Term value = draft.terms[op.operands[is_update ? 1 : 2].index];
  if (!is_update) return draft.tree.call("scattered", {draft.terms[op.operands[1].index], draft.terms[op.operands[2].index]});
  const bool is_dynamic = !indices.empty();
  const Term place = is_dynamic ? draft.tree.list(indices) : draft.tree.integers(op.attrs.ints(ir::Attr::starts));
  return draft.tree.call("placed", {value, place});
}

}  // namespace

WrittenExpressions write_expressions(const ir::Function& function, Element real, const std::map<ir::ValueId, std::string>& names,
                                     std::span<const ir::ValueId> wanted) {
  const ir::Module module({}, real, 0, {});
  Script script{module, Names({})};
  std::map<std::string, std::string> parameters;
  for (const ir::Parameter& parameter : function.parameters) parameters[parameter.path] = names.at(parameter.value);
  Draft draft(script, function, parameters, {}, false);
  std::vector<bool> is_written(function.value_count(), false);
  std::vector<double> length(function.value_count(), 1);  // in operations: what is read twice is written twice
  for (const ir::Parameter& parameter : function.parameters) is_written[parameter.value.index] = true;
  for (ir::OpId id : function.block(function.body()).ops) {
    const ir::Op& op = function.op(id);
    const bool placeable =
        std::all_of(op.operands.begin(), op.operands.end(), [&](ir::ValueId operand) { return is_written[operand.index]; });
    double operations = 1;
    for (ir::ValueId operand : op.operands) operations += length[operand.index];
    const bool can_be = is_expression(op) && placeable && operations <= kLongest;
    for (ir::ValueId result : op.results) {
      const auto name = names.find(result);
      const std::optional<Term> at_place = placeable && name == names.end() && operations <= kLongest ? placed(draft, op) : std::nullopt;
      if (name == names.end() && !can_be && !at_place) continue;
      draft.terms[result.index] = name != names.end() ? script.tree.name(name->second) : at_place ? *at_place : expression(draft, op);
      is_written[result.index] = true;
      if (name == names.end()) length[result.index] = operations;
    }
  }
  WrittenExpressions written;
  for (ir::ValueId value : wanted)
    written.expressions.push_back(is_written[value.index] ? std::optional(draft.terms[value.index].id) : std::nullopt);
  written.ast = script.tree.take();
  return written;
}

}  // namespace bpc::frontend
