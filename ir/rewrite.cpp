#include "ir/rewrite.h"

namespace bpc::ir {

Rewriter::Rewriter(const Function& from) : from_(from), builder_(to_), copies_(builder_, from) {
  copies_.keep_origins();
  to_.name = from.name;
  to_.loss = from.loss;
  for (const Parameter& parameter : from.parameters) {
    ValueId value = to_.add_parameter(parameter.kind, parameter.path, from.type(parameter.value));
    to_.parameters.back().origin = copies_.map(parameter.origin);
    to_.parameters.back().source = parameter.source;
    to_.parameters.back().classes = parameter.classes;
    to_.value(value).name = from.value(parameter.value).name;
    copies_.set(parameter.value, value);
  }
}

void Rewriter::set(ValueId old, ValueId replacement) {
  copies_.set(old, replacement);
  const Op* made = to_.def(replacement);
  bool is_shared_number = made && made->code == Opcode::constant && replacement.index < visited_from_;
  if (std::string& name = to_.value(replacement).name; name.empty() && !is_shared_number) name = from_.value(old).name;
}

Function Rewriter::finish(const Visit& visit) {
  copies_.on_visit([&](const Op& op) {
    builder_.set_origin(copies_.map(op.origin));
    visited_from_ = to_.value_count();
    return visit(op);
  });
  copies_.splice(from_.body());
  to_.outputs = from_.outputs;
  for (Output& output : to_.outputs) output.value = map(output.value);
  return std::move(to_);
}

std::vector<ValueId> Rewriter::splice(BlockId region, const std::vector<bool>& keep) {
  OriginId origin = builder_.origin();
  std::vector<ValueId> yields = copies_.splice(region, keep);
  builder_.set_origin(origin);
  return yields;
}

void Rewriter::put_inside(const Op& op) {
  const std::vector<ValueId>& arguments = from_.block(op.regions[0]).arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) set(arguments[i], map(op.operands[i]));
  const std::vector<ValueId> yields = splice(op.regions[0]);
  for (std::size_t i = 0; i < yields.size(); ++i) set(op.results[i], yields[i]);
}

}  // namespace bpc::ir
