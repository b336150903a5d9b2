#include "tools/bpc/train/categories.h"

#include <algorithm>

namespace bpc::tool {

namespace {

using ir::Opcode;
using ir::ValueId;

// The value whose elements these are, in another order or shape.
ValueId origin_of(const ir::Function& main, ValueId value) {
  const ir::Op* op = main.def(value);
  while (op) {
    const bool moves = op->code == Opcode::reshape || op->code == Opcode::cast || op->code == Opcode::transpose ||
                       op->code == Opcode::slice || op->code == Opcode::gather;
    if (!moves) break;
    value = op->operands[0];
    op = main.def(value);
  }
  return value;
}

}  // namespace

ClassNames::ClassNames(const ir::Function& main, const std::vector<frontend::Comparison>& comparisons, const Bindings& bindings)
    : main_(main), bindings_(bindings) {
  for (const auto& [dim, input] : bindings.class_dims)
    if (const auto found = bindings.categories.find(input); found != bindings.categories.end() && !found->second.empty())
      named_.emplace(dim, found->second[0]);
  for (const frontend::Comparison& comparison : comparisons) {
    if (comparison.function != "cross_entropy") continue;
    const Type& scores = main.type(comparison.output);
    if (runtime::Categories names = of_codes(comparison.target); !scores.dims.empty() && !names.empty())
      axes_.emplace_back(scores.dims.back(), std::move(names));
  }
}

runtime::Categories ClassNames::of_axis(const Dim& dim) const {
  if (const auto found = named_.find(dim.name.text); found != named_.end()) return found->second;
  for (const auto& [axis, names] : axes_)
    if (axis.size == dim.size && axis.name == dim.name) return names;
  return {};
}

runtime::Categories ClassNames::of_codes(ValueId value) const {
  if (!is_integer(main_.type(value).element)) return {};
  value = origin_of(main_, value);
  const ir::Op* op = main_.def(value);
  if (op && (op->code == Opcode::argmax || op->code == Opcode::argmin)) {
    const auto& axes = op->attrs.ints(ir::Attr::axes);
    return axes.size() == 1 ? of_axis(main_.type(op->operands[0]).dims[static_cast<std::size_t>(axes[0])]) : runtime::Categories{};
  }
  if (op && op->code == Opcode::argsort)
    return of_axis(main_.type(op->operands[0]).dims[static_cast<std::size_t>(op->attrs.integer(ir::Attr::axis))]);
  const auto parameter = std::ranges::find(main_.parameters, value, &ir::Parameter::value);
  const auto found = parameter == main_.parameters.end() ? bindings_.categories.end() : bindings_.categories.find(parameter->path);
  const bool is_one = found != bindings_.categories.end() && !found->second.empty() &&
                      std::ranges::all_of(found->second, [&](const auto& each) { return each == found->second[0]; });
  return is_one ? found->second[0] : runtime::Categories{};
}

runtime::Categories ClassNames::of_last_axis(ValueId value) const {
  const Type& type = main_.type(value);
  return type.rank() < 2 ? runtime::Categories{} : of_axis(type.dims.back());
}

}  // namespace bpc::tool
