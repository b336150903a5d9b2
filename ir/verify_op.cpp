#include <fmt/format.h>
#include <algorithm>

#include "ir/shape_rules.h"
#include "ir/verify.h"

namespace bpc::ir {

namespace {

// The attributes of ir/op.h that an op has; `needed` ones must be there, since no neutral value means anything.
struct AttrRule {
  std::vector<Attr> needed, optional;
};
AttrRule attributes_of(Opcode code) {
  switch (op_info(code).rule) {
    case ShapeRule::reduce:
    case ShapeRule::arg_reduce:
      return {{Attr::axes}, {Attr::keep}};
    case ShapeRule::scan:
      return {{Attr::axis}, {Attr::reverse}};
    case ShapeRule::einsum:
      return {{Attr::spec}, {}};
    case ShapeRule::transpose:
      return {{Attr::perm}, {}};
    case ShapeRule::slice:
      return {{Attr::starts, Attr::sizes, Attr::steps}, {Attr::dynamic, Attr::drop, Attr::checked}};
    case ShapeRule::update:
      return {{Attr::starts, Attr::sizes, Attr::steps}, {Attr::dynamic, Attr::drop, Attr::add, Attr::checked}};
    case ShapeRule::gather:
    case ShapeRule::scatter:
      return {{Attr::axes}, {Attr::checked}};
    case ShapeRule::concat:
      return {{Attr::axis}, {}};
    case ShapeRule::window:
      return {{Attr::axis, Attr::size, Attr::stride, Attr::dilation}, {}};
    case ShapeRule::window_add:
      return {{Attr::axis, Attr::length, Attr::stride, Attr::dilation}, {}};
    case ShapeRule::solve:
      if (code == Opcode::solve) return {{}, {Attr::checked, Attr::transposed}};
      return {{}, {Attr::checked, Attr::upper, Attr::transposed}};
    case ShapeRule::order:
      return {{Attr::axis}, {Attr::descending}};
    case ShapeRule::declared:
      if (code == Opcode::constant) return {{}, {Attr::value, Attr::ints, Attr::reals}};
      if (code == Opcode::iota) return {{Attr::axis}, {}};
      return {{Attr::stream, Attr::seed}, {}};
    case ShapeRule::nothing:
      if (code == Opcode::print) return {{Attr::text}, {}};
      return {{}, {Attr::size, Attr::message, Attr::names}};
    case ShapeRule::gradient:
      if (code == Opcode::vjp) return {};
      return {{}, {Attr::names, Attr::implicit}};
    case ShapeRule::pointwise:
      if (code == Opcode::polygamma) return {{Attr::order}, {}};
      return {};
    case ShapeRule::comparison:
    case ShapeRule::select:
    case ShapeRule::cast:
    case ShapeRule::reshape:
    case ShapeRule::broadcast:
    case ShapeRule::square:
    case ShapeRule::determinant:
    case ShapeRule::tape:
    case ShapeRule::push:
    case ShapeRule::pop:
    case ShapeRule::region:
    case ShapeRule::tangent:
      return {};
  }
  return {};
}

bool is_of_kind(const AttrValue& value, AttrKind kind) {
  if (kind == AttrKind::number) return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
  return value.index() == static_cast<std::size_t>(kind);
}

std::string attribute_problem(const Op& op) {
  auto [needed, optional] = attributes_of(op.code);
  auto has = [](const std::vector<Attr>& attrs, Attr attr) { return std::find(attrs.begin(), attrs.end(), attr) != attrs.end(); };
  for (const auto& [attr, value] : op.attrs.items()) {
    if (!has(needed, attr) && !has(optional, attr)) return fmt::format("has no attribute {}", attr_name(attr));
    if (!is_of_kind(value, attr_kind(attr))) return fmt::format("attribute {} is of the wrong kind", attr_name(attr));
  }
  for (Attr attr : needed)
    if (!op.attrs.find(attr)) return fmt::format("lacks attribute {}", attr_name(attr));
  if (op.code == Opcode::polygamma && op.attrs.integer(Attr::order) < 0) return "has a negative order";
  if (op.code == Opcode::print && op.attrs.strings(Attr::text).size() != op.operands.size() + 1) return "needs one text more than items";
  if (op.code == Opcode::assert_true && op.attrs.strings(Attr::names).size() + 1 != op.operands.size())
    return "needs one name per shown operand";
  if (op.code == Opcode::assert_true && op.attrs.find(Attr::size) && op.operands.size() != 2) return "needs the one operand that it bounds";
  return "";
}

bool holds(Element element, double value) {
  return element != Element::f32 || static_cast<float>(value) == value || value != value;
}
bool holds(Element element, std::int64_t value) {
  if (element == Element::boolean) return value == 0 || value == 1;
  return element != Element::i32 || (value >= INT32_MIN && value <= INT32_MAX);
}

// The numbers of a constant, whose kinds infer_types has checked.
std::string constant_problem(const Op& op, Element element) {
  auto fits = [&](auto value) { return holds(element, value); };
  const AttrValue* value = op.attrs.find(Attr::value);
  bool fit = !value ? std::all_of(op.attrs.ints(Attr::ints).begin(), op.attrs.ints(Attr::ints).end(), fits) &&
                          std::all_of(op.attrs.reals(Attr::reals).begin(), op.attrs.reals(Attr::reals).end(), fits)
             : std::holds_alternative<double>(*value) ? fits(std::get<double>(*value))
                                                      : fits(std::get<std::int64_t>(*value));
  return fit ? "" : fmt::format("holds a number that {} cannot", element_name(element));
}

// "operand 1 is f32, not [2]" made readable: the position in words.
std::string shape_problem(const ShapeError& error, const std::vector<Type>& operands) {
  std::string text = error.message;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    auto replace = [&](const std::string& mark, const std::string& by) {
      for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, mark.size(), by);
    };
    replace(fmt::format("{{{}}}", i), fmt::format("operand {} ({})", i, type_text(operands[i])));
    replace(fmt::format("{{{}.name}}", i), fmt::format("operand {}", i));
  }
  return text;
}

std::vector<Type> types_of(const Function& function, const std::vector<ValueId>& values) {
  std::vector<Type> types;
  for (ValueId value : values) types.push_back(function.type(value));
  return types;
}

std::string type_problem(const Function& function, const Op& op) {
  std::vector<Type> operands = types_of(function, op.operands), results = types_of(function, op.results);
  if (op_info(op.code).rule != ShapeRule::nothing && results.empty()) return "has no result";
  auto inferred = infer_types({op.code, operands, op.attrs, results.empty() ? nullptr : &results[0], false});
  if (const auto* error = std::get_if<ShapeError>(&inferred)) return shape_problem(*error, operands);
  const auto& types = std::get<std::vector<Type>>(inferred);
  if (types.size() != results.size()) return fmt::format("has {} results, not {}", results.size(), types.size());
  for (std::size_t i = 0; i < types.size(); ++i)
    if (!same_type(types[i], results[i])) return fmt::format("has a result of type {}, not {}", type_text(results[i]), type_text(types[i]));
  return op.code == Opcode::constant ? constant_problem(op, results[0].element) : "";
}

}  // namespace

AttrKind attr_kind(Attr attr) {
  switch (attr) {
    case Attr::keep:
    case Attr::reverse:
    case Attr::add:
    case Attr::checked:
    case Attr::upper:
    case Attr::transposed:
    case Attr::descending:
    case Attr::implicit:
      return AttrKind::boolean;
    case Attr::axis:
    case Attr::size:
    case Attr::stride:
    case Attr::dilation:
    case Attr::length:
    case Attr::order:
    case Attr::stream:
    case Attr::seed:
      return AttrKind::integer;
    case Attr::value:
      return AttrKind::number;
    case Attr::spec:
    case Attr::message:
      return AttrKind::string;
    case Attr::axes:
    case Attr::perm:
    case Attr::starts:
    case Attr::sizes:
    case Attr::steps:
    case Attr::dynamic:
    case Attr::drop:
    case Attr::ints:
      return AttrKind::integers;
    case Attr::reals:
      return AttrKind::reals;
    case Attr::text:
    case Attr::names:
      return AttrKind::strings;
  }
  return AttrKind::number;
}

std::string op_problem(const Function& function, const Op& op) {
  if (std::string problem = attribute_problem(op); !problem.empty()) return problem;
  if (op_info(op.code).rule == ShapeRule::region) return region_problem(function, op);
  if (!op.regions.empty()) return "has a region";
  return type_problem(function, op);
}

}  // namespace bpc::ir
