#include <fmt/format.h>
#include <algorithm>

#include "ir/shape_rules.h"
#include "ir/verify.h"

namespace bpc::ir {

namespace {

std::string own_problem(const Op& op) {
  if (std::string problem = attribute_problem(op.code, op.attrs); !problem.empty()) return problem;
  if (op.code == Opcode::print && op.attrs.strings(Attr::text).size() != op.operands.size() + 1) return "needs one text more than items";
  if (op.code == Opcode::assert_true && op.attrs.strings(Attr::names).size() + 1 != op.operands.size())
    return "needs one name per shown operand";
  if (op.code == Opcode::assert_true && op.attrs.find(Attr::bound) && op.operands.size() != 2)
    return "needs the one operand that it bounds";
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
  auto all_fit = [&]<class T>(const T& data) {
    if constexpr (std::same_as<T, std::int64_t> || std::same_as<T, double>) return fits(data);
    if constexpr (std::same_as<T, std::vector<std::int64_t>> || std::same_as<T, std::vector<double>>)
      return std::ranges::all_of(data, fits);
    return false;
  };
  return std::visit(all_fit, op.attrs.items()[0].second) ? "" : fmt::format("holds a number that {} cannot", element_name(element));
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

std::string op_problem(const Function& function, const Op& op) {
  if (std::string problem = own_problem(op); !problem.empty()) return problem;
  if (op_info(op.code).rule == ShapeRule::region) return region_problem(function, op);
  if (!op.regions.empty()) return "has a region";
  return type_problem(function, op);
}

}  // namespace bpc::ir
