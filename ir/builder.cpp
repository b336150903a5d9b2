#include "ir/builder.h"

#include <fmt/format.h>

#include "ir/limits.h"
#include "ir/shape_rules.h"
#include "support/internal_error.h"

namespace bpc::ir {

ValueId Builder::emit(Opcode code, std::span<const ValueId> operands, Attributes attrs, const Type* declared, std::string name) {
  std::vector<Type> types;
  for (ValueId operand : operands) types.push_back(function_.type(operand));
  attrs = with_defaults(code, std::move(attrs));
  auto inferred = infer_types({code, types, attrs, declared, false});
  if (const auto* error = std::get_if<ShapeError>(&inferred)) {
    if (error->misshapen) limit_reached(error->code, function_.origin(origin_), "on the way to this result, " + error->message);
    std::string operand_types;
    for (const Type& type : types) operand_types += fmt::format(" {}", type_text(type));
    throw InternalError("build", fmt::format("{}{}: {}", op_info(code).name, operand_types, error->message),
                        function_.origin(origin_).span);
  }
  OpId op = emit_op(code, operands, std::move(attrs), std::get<std::vector<Type>>(inferred));
  ValueId result = function_.op(op).results.at(0);
  function_.value(result).name = std::move(name);
  return result;
}

OpId Builder::emit_op(Opcode code, std::span<const ValueId> operands, Attributes attrs, std::span<const Type> result_types) {
  Op op{code, {operands.begin(), operands.end()}, {}, with_defaults(code, std::move(attrs)), {}, origin_, block_};
  if (const std::string problem = attribute_problem(code, op.attrs); !problem.empty())
    throw InternalError("build", fmt::format("{} {}", op_info(code).name, problem), function_.origin(origin_).span);
  if (function_.op_count() >= kMostOps)
    limit_reached(Code::E0107, function_.origin(origin_), fmt::format("the script expands to more than {} operations", kMostOps));
  OpId id = function_.add_op(block_, std::move(op), result_types, at_);
  if (at_ != SIZE_MAX) ++at_;
  return id;
}

ValueId Builder::constant(double value, const Type& type) {
  AttrValue attr = is_real(type.element) ? AttrValue(type.element == Element::f32 ? static_cast<double>(static_cast<float>(value)) : value)
                                         : AttrValue(static_cast<std::int64_t>(value));
  return emit(Opcode::constant, {}, {{Attr::value, attr}}, &type);
}

ValueId Builder::integer(std::int64_t value, Element element) {
  Type type(element);
  return emit(Opcode::constant, {}, {{Attr::value, value}}, &type);
}

ValueId Builder::zero(Type type) {
  return type.tape ? emit(Opcode::tape, {}, {}, &type) : constant(0, type);
}

ValueId Builder::cast(ValueId x, Element element) {
  Type to = function_.type(x).with_element(element);
  return to.element == function_.type(x).element ? x : emit(Opcode::cast, {x}, {}, &to);
}

ValueId Builder::reshape(ValueId x, std::vector<Dim> dims) {
  Type to(function_.type(x).element, std::move(dims));
  return same_shape(to, function_.type(x)) ? x : emit(Opcode::reshape, {x}, {}, &to);
}

ValueId Builder::broadcast(ValueId x, std::vector<Dim> dims) {
  Type to(function_.type(x).element, std::move(dims));
  return same_shape(to, function_.type(x)) ? x : emit(Opcode::broadcast, {x}, {}, &to);
}

ValueId Builder::transpose(ValueId x, std::vector<std::int64_t> perm) {
  if (std::ranges::is_sorted(perm)) return x;
  return emit(Opcode::transpose, {x}, {{Attr::perm, std::move(perm)}});
}

ValueId Builder::reduce(Opcode code, ValueId x, std::vector<std::int64_t> axes, bool keep) {
  return emit(code, {x}, {{Attr::axes, std::move(axes)}, {Attr::keep, keep}});
}

}  // namespace bpc::ir
