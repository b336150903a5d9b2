#include "ir/shape_rule.h"

#include <fmt/format.h>
#include <algorithm>

#include "support/internal_error.h"

namespace bpc::ir::shape_rule {

namespace {

bool names_clash(const Dim& a, const Dim& b) {
  return !a.name.empty() && !b.name.empty() && a.name != b.name;
}

}  // namespace

ShapeError error(Code code, std::string message, std::vector<std::string> notes, std::string help) {
  return {code, std::move(message), std::move(notes), std::move(help)};
}

bool sizes_match(const Dim& a, const Dim& b, bool strict) {
  return a.size == b.size && !(strict && names_clash(a, b));
}

bool stretches(const std::vector<Dim>& from, const std::vector<Dim>& to, bool strict) {
  if (from.size() > to.size()) return false;
  std::size_t offset = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    bool stretched = offset == 0 && from[i].size == 1;
    if (!stretched && !sizes_match(from[i], to[offset + i], strict)) return false;
  }
  return true;
}

std::vector<Dim> with_names(std::vector<Dim> dims, std::span<const Type> operands) {
  for (const Type& operand : operands) {
    std::size_t offset = dims.size() - operand.rank();
    for (std::size_t i = 0; i < operand.rank(); ++i)
      if (Dim& dim = dims[offset + i]; dim.name.empty() && dim.size == operand.size(i)) dim.name = operand.dims[i].name;
  }
  return dims;
}

std::string symbol(Opcode code) {
  const OpInfo& info = op_info(code);
  return std::string(info.spelling.empty() ? info.name : info.spelling);
}

const Type& declared_type(const ShapeQuery& query) {
  if (!query.declared) throw InternalError("shape rules", std::string(op_info(query.code).name) + " needs a declared type");
  return *query.declared;
}

bool valid_axes(const std::vector<std::int64_t>& axes, std::size_t rank) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] < 0 || axes[i] >= static_cast<std::int64_t>(rank) || (i > 0 && axes[i] <= axes[i - 1])) return false;
  return true;
}

ShapeError bad_axis(const ShapeQuery& query) {
  return error(
      Code::E0204, fmt::format("`{}` names an axis that {{0}} does not have", symbol(query.code)),
      {fmt::format("{}: axes 0 to {}", shape_text(query.operands[0].dims), static_cast<std::int64_t>(query.operands[0].rank()) - 1)});
}

std::vector<Dim> reduced(const Type& type, const std::vector<std::int64_t>& axes, bool keep) {
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < type.rank(); ++i) {
    bool is_reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) != axes.end();
    if (!is_reduced)
      dims.push_back(type.dims[i]);
    else if (keep)
      dims.push_back({1, {}});
  }
  return dims;
}

}  // namespace bpc::ir::shape_rule
