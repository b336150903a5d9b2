#include <fmt/format.h>
#include <algorithm>

#include "ir/verify.h"

namespace bpc::ir {

namespace {

using Types = std::vector<Type>;

bool same_types(std::span<const Type> a, std::span<const Type> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_type);
}

Types joined(std::initializer_list<std::span<const Type>> parts) {
  Types types;
  for (auto part : parts) types.insert(types.end(), part.begin(), part.end());
  return types;
}

// The types around a region op, and what its regions take and yield.
struct Regions {
  Types operands, results;
  std::vector<Types> arguments, yields;
};

Types types_of(const Function& function, const std::vector<ValueId>& values) {
  Types types;
  for (ValueId value : values) types.push_back(function.type(value));
  return types;
}

std::string branch_problem(const Regions& r) {
  if (!same_type(r.operands[0], Type(Element::boolean))) return "needs a scalar bool";
  if (!r.arguments[0].empty() || !r.arguments[1].empty()) return "has a region with arguments";
  bool yields = same_types(r.yields[0], r.results) && same_types(r.yields[1], r.results);
  return yields ? "" : "has a region that does not yield the types of its results";
}

std::string loop_problem(const Regions& r, Opcode code) {
  std::span<const Type> carried = std::span(r.operands).subspan(uncarried_operands(code));
  if (code == Opcode::for_loop) {
    const Type& index = r.operands[0];
    if (!index.is_scalar() || !is_integer(index.element) || !same_type(index, r.operands[1]) || !same_type(index, r.operands[2]))
      return "needs three integers of one type";
    if (r.arguments[0].empty() || !same_type(r.arguments[0][0], index)) return "has a region without an index of the type of its bounds";
  } else {
    const Type flag(Element::boolean);
    if (!same_types(r.arguments[0], carried)) return "has a region whose arguments are not the carried values";
    if (!same_types(r.yields[0], std::span(&flag, 1))) return "has a condition that does not yield one scalar bool";
  }
  if (!same_types(std::span(r.arguments.back()).subspan(uncarried_arguments(code)), carried))
    return "has a region whose arguments are not the carried values";
  if (!same_types(r.yields.back(), carried))
    return code == Opcode::for_loop ? "has a region that does not yield the types of the carried values"
                                    : "has a body that does not yield the types of the carried values";
  return same_types(r.results, carried) ? "" : "has results that are not its carried values";
}

std::string map_problem(const Regions& r) {
  std::size_t axes = r.arguments[0].size();
  for (const Type& index : r.arguments[0])
    if (!same_type(index, Type(Element::i32))) return "has an index that is not an i32";
  if (axes == 0 || r.results.empty() || r.results.size() != r.yields[0].size()) return "needs an index, and a result for each yield";
  for (std::size_t i = 0; i < r.results.size(); ++i) {
    const Type &whole = r.results[i], &part = r.yields[0][i];
    if (whole.rank() < axes) return "has a result without an axis for each index";
    auto outer = static_cast<std::ptrdiff_t>(axes);
    if (part.tape || !same_type(Type(whole.element, {whole.dims.begin() + outer, whole.dims.end()}), part) ||
        !same_shape(Type(part.element, {whole.dims.begin(), whole.dims.begin() + outer}),
                    Type(part.element, {r.results[0].dims.begin(), r.results[0].dims.begin() + outer})))
      return "has a result that is not the index axes, then what its region yields";
  }
  return "";
}

std::string custom_problem(const Regions& r) {
  if (!same_types(r.arguments[0], r.operands) || !same_types(r.yields[0], r.results)) return "has a region that is not of its own types";
  if (!same_types(r.arguments[1], joined({r.operands, r.results, r.results})) || !same_types(r.yields[1], r.operands))
    return "has an adjoint that does not take its operands, results and cotangents and yield cotangents of the operands";
  return "";
}

}  // namespace

std::string region_problem(const Function& function, const Op& op) {
  if (!op_info(op.code).takes(op.operands.size())) return fmt::format("does not take {} operands", op.operands.size());
  if (op.regions.size() != region_count(op.code)) return "has the wrong number of regions";
  Regions r{types_of(function, op.operands), types_of(function, op.results), {}, {}};
  for (BlockId region : op.regions) {
    r.arguments.push_back(types_of(function, function.block(region).arguments));
    r.yields.push_back(types_of(function, function.block(region).yields));
  }
  if (op.code == Opcode::if_else) return branch_problem(r);
  if (is_loop(op.code)) return loop_problem(r, op.code);
  if (op.code == Opcode::map) return map_problem(r);
  if (op.code == Opcode::custom) return custom_problem(r);
  return r.arguments[0].empty() && same_types(r.yields[0], r.results) ? "" : "has a region that does not yield the types of its results";
}

}  // namespace bpc::ir
