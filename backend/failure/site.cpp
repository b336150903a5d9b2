#include "backend/failure/site.h"

#include <fmt/format.h>

namespace bpc::backend {

namespace {

using ir::Attr;
using ir::Function;
using ir::Op;
using ir::Opcode;

// An index of a slice or update counts for a part, one of a gather or scatter_add for an element.
Indexing indexing(const Function& function, const Op& op) {
  const bool of_parts = op.code == Opcode::slice || op.code == Opcode::update;
  const std::vector<std::int64_t>& axes = op.attrs.ints(of_parts ? Attr::dynamic : Attr::axes);
  const std::string& name = function.value(op.operands[0]).name;
  Indexing result;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i]);
    const ir::ValueId index = op.operands[op.operands.size() - axes.size() + i];
    IndexedAxis indexed;
    indexed.n = function.type(op.operands[0]).size(axis);
    indexed.whole = fmt::format("axis {} of {}, size {}", axis, name.empty() ? "the value" : name, indexed.n);
    if (of_parts) {
      indexed.size = op.attrs.ints(Attr::sizes)[axis];
      indexed.step = op.attrs.ints(Attr::steps)[axis];
    }
    indexed.index = function.value(index).name;
    indexed.index_type = function.type(index);
    result.axes.push_back(std::move(indexed));
  }
  return result;
}

std::vector<Type> types_from(const Function& function, const Op& op, std::size_t first) {
  std::vector<Type> types;
  for (std::size_t i = first; i < op.operands.size(); ++i) types.push_back(function.type(op.operands[i]));
  return types;
}

Assertion assertion(const Function& function, const Op& op) {
  Assertion result{op.attrs.string(Attr::message), op.attrs.strings(Attr::names), types_from(function, op, 1), {}};
  if (op.attrs.find(Attr::bound)) result.labels = op.attrs.integer(Attr::bound);
  return result;
}

Factorization::Stops stops(Opcode code) {
  if (code == Opcode::cholesky) return Factorization::Stops::not_positive_definite;
  return code == Opcode::solve ? Factorization::Stops::singular_pivot : Factorization::Stops::singular_diagonal;
}

decltype(Site::what) what_of(const Function& function, const Op& op) {
  switch (ir::op_info(op.code).group) {
    case ir::Group::movement:
      if (ir::has_dynamic_index(op)) return indexing(function, op);
      return Elsewhere{};
    case ir::Group::library:
      return Factorization{stops(op.code), function.value(op.operands[0]).name, function.type(op.operands[0])};
    case ir::Group::elementwise:
      if (!ir::op_info(op.code).has(ir::partial)) return Elsewhere{};
      return Division{std::string(ir::op_info(op.code).spelling), function.value(op.operands[1]).name,
                      function.type(op.operands[1]).is_scalar()};
    case ir::Group::effect:
      if (op.code == Opcode::assert_true) return assertion(function, op);
      return PrintedLine{op.attrs.strings(Attr::text), types_from(function, op, 0)};
    case ir::Group::control:
    case ir::Group::tape:
    case ir::Group::reduction:
    case ir::Group::contraction:
    case ir::Group::source:
    case ir::Group::random:
    case ir::Group::derivative:
      return Elsewhere{};
  }
  return Elsewhere{};
}

}  // namespace

Site site_of(const Function& function, const Op& op) {
  const ir::Origin& origin = function.origin(op.origin);
  return {origin.span, origin.calls, what_of(function, op)};
}

runtime::Signature signature_of(const Function& function) {
  runtime::Signature signature;
  for (const ir::Parameter& parameter : function.parameters) signature.inputs.push_back({parameter.path, function.type(parameter.value)});
  for (const ir::Output& output : function.outputs) {
    runtime::Port port{output.path, function.type(output.value)};
    for (std::size_t i = 0; i < function.parameters.size(); ++i)
      if (!output.donor.empty() && function.parameters[i].path == output.donor) port.donor = i;
    signature.outputs.push_back(std::move(port));
  }
  return signature;
}

}  // namespace bpc::backend
