#include "ir/rewrite.h"

#include "support/internal_error.h"

namespace bpc::ir {

Rewriter::Rewriter(const Function& from) : from_(from), builder_(to_), map_(from.value_count()) {
  to_.name = from.name;
  to_.loss = from.loss;
  for (const Parameter& parameter : from.parameters) {
    ValueId value = to_.add_parameter(parameter.kind, parameter.path, from.type(parameter.value));
    to_.parameters.back().origin = copy_origin(parameter.origin);
    to_.parameters.back().source = parameter.source;
    to_.value(value).name = from.value(parameter.value).name;
    map_[parameter.value.index] = value;
  }
}

ValueId Rewriter::map(ValueId old) const {
  ValueId value = map_[old.index];
  if (!value.valid())
    throw InternalError("rewrite", "value " + std::to_string(old.index) + " of " + from_.name + " was dropped and is used");
  return value;
}

std::vector<ValueId> Rewriter::map(const std::vector<ValueId>& old) const {
  std::vector<ValueId> values;
  for (ValueId value : old) values.push_back(map(value));
  return values;
}

void Rewriter::set(ValueId old, ValueId replacement) {
  map_[old.index] = replacement;
  const Op* made = to_.def(replacement);
  bool is_shared_number = made && made->code == Opcode::constant && replacement.index < visited_from_;
  if (std::string& name = to_.value(replacement).name; name.empty() && !is_shared_number) name = from_.value(old).name;
}

Function Rewriter::finish(const Visit& visit) {
  visit_ = &visit;
  walk(from_.body());
  to_.outputs = from_.outputs;
  for (Output& output : to_.outputs) output.value = map(output.value);
  return std::move(to_);
}

void Rewriter::walk(BlockId from) {
  for (OpId id : from_.block(from).ops) {
    const Op& op = from_.op(id);
    builder_.set_origin(copy_origin(op.origin));
    visited_from_ = to_.value_count();
    if (!(*visit_)(op)) copy(op);
  }
}

void Rewriter::copy(const Op& op, const std::vector<bool>& keep) {
  auto is_kept = [&](std::size_t result) { return keep.empty() || keep[result]; };
  bool loops = is_loop(op.code);
  std::size_t uncarried = uncarried_operands(op.code);
  std::vector<ValueId> operands;
  for (std::size_t i = 0; i < op.operands.size(); ++i)
    if (!loops || i < uncarried || is_kept(i - uncarried)) operands.push_back(map(op.operands[i]));
  std::vector<Type> types;
  for (std::size_t i = 0; i < op.results.size(); ++i)
    if (is_kept(i)) types.push_back(from_.type(op.results[i]));

  OpId id = builder_.emit_op(op.code, operands, op.attrs, types);
  for (std::size_t i = 0; i < op.regions.size(); ++i)
    copy_region(op.regions[i], id, loops ? uncarried_arguments(op.code) : SIZE_MAX, keep, !(op.code == Opcode::while_loop && i == 0));
  for (std::size_t i = 0, kept = 0; i < op.results.size(); ++i)
    if (is_kept(i)) set(op.results[i], to_.op(id).results[kept++]);
}

// `uncarried`: arguments before the carried ones, or SIZE_MAX where none is carried.
void Rewriter::copy_region(BlockId region, OpId to_op, std::size_t uncarried, const std::vector<bool>& keep, bool yields_carried) {
  const Block& block = from_.block(region);
  BlockId outside = builder_.block(), inside = to_.add_block(to_op);
  OriginId origin = builder_.origin();
  for (std::size_t i = 0; i < block.arguments.size(); ++i) {
    if (i >= uncarried && !keep.empty() && !keep[i - uncarried]) continue;
    const Value& argument = from_.value(block.arguments[i]);
    map_[block.arguments[i].index] = to_.add_argument(inside, argument.type, argument.name);
  }
  builder_.set_block(inside);
  walk(region);
  for (std::size_t i = 0; i < block.yields.size(); ++i)
    if (!yields_carried || keep.empty() || keep[i]) to_.block(inside).yields.push_back(map(block.yields[i]));
  builder_.set_block(outside);
  builder_.set_origin(origin);
}

std::vector<ValueId> Rewriter::splice(BlockId region, const std::vector<bool>& keep) {
  OriginId origin = builder_.origin();
  walk(region);
  builder_.set_origin(origin);
  const std::vector<ValueId>& yields = from_.block(region).yields;
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < yields.size(); ++i)
    if (keep.empty() || keep[i]) values.push_back(map(yields[i]));
  return values;
}

void Rewriter::put_inside(const Op& op) {
  const std::vector<ValueId>& arguments = from_.block(op.regions[0]).arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) set(arguments[i], map(op.operands[i]));
  const std::vector<ValueId> yields = splice(op.regions[0]);
  for (std::size_t i = 0; i < yields.size(); ++i) set(op.results[i], yields[i]);
}

OriginId Rewriter::copy_origin(OriginId old) {
  if (!old.valid()) return old;
  if (origins_.size() <= old.index) origins_.resize(old.index + 1);
  OriginId& origin = origins_[old.index];
  if (!origin.valid()) origin = to_.add_origin(from_.origin(old));
  return origin;
}

}  // namespace bpc::ir
