#include "ir/clone.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "support/internal_error.h"

namespace bpc::ir {

const ValueId* Cloner::find(ValueId value) const {
  if (!is_within_one()) return value.index < copies_.size() && copies_[value.index].valid() ? &copies_[value.index] : nullptr;
  auto found = replaced_.find(value.index);
  return found == replaced_.end() ? nullptr : &found->second;
}

void Cloner::set(ValueId from, ValueId to) {
  if (is_within_one()) {
    replaced_[from.index] = to;
    return;
  }
  if (copies_.size() <= from.index) copies_.resize(std::max<std::size_t>(from_.value_count(), from.index + 1));
  copies_[from.index] = to;
}

ValueId Cloner::map(ValueId value) const {
  if (const ValueId* found = find(value)) return *found;
  if (!is_within_one()) throw InternalError("copy", fmt::format("value {} of {} was dropped and is used", value.index, from_.name));
  return value;
}

std::vector<ValueId> Cloner::map(const std::vector<ValueId>& values) const {
  std::vector<ValueId> result;
  for (ValueId value : values) result.push_back(map(value));
  return result;
}

OriginId Cloner::map(OriginId origin) {
  if (!origin.valid() || is_within_one()) return origin;
  if (origins_.size() <= origin.index) origins_.resize(origin.index + 1);
  OriginId& copy = origins_[origin.index];
  if (!copy.valid()) copy = builder_.function().add_origin(from_.origin(origin));
  return copy;
}

void Cloner::copied(ValueId from, ValueId to) {
  set(from, to);
  Function& function = builder_.function();
  if (function.value(to).name.empty()) function.value(to).name = std::string(from_.value(from).name);
  if (on_copy_) on_copy_(from, to);
}

OpId Cloner::clone(OpId id, const std::vector<bool>& keep) {
  if (!is_within_one()) return clone(from_.op(id), keep);
  const Op op = from_.op(id);  // a copy: emitting moves the ops
  return clone(op, keep);
}

OpId Cloner::clone(const Op& op, const std::vector<bool>& keep) {
  static const std::vector<bool> all;
  auto is_kept = [&](std::size_t result) { return keep.empty() || keep[result]; };
  const bool loops = is_loop(op.code);
  const std::size_t uncarried = uncarried_operands(op.code);
  std::vector<ValueId> operands;
  for (std::size_t i = 0; i < op.operands.size(); ++i)
    if (!loops || i < uncarried || is_kept(i - uncarried)) operands.push_back(map(op.operands[i]));
  std::vector<Type> types;
  for (std::size_t i = 0; i < op.results.size(); ++i)
    if (is_kept(i)) types.push_back(from_.type(op.results[i]));

  Function& function = builder_.function();
  const Builder outside = builder_;
  if (is_within_one() || keeps_origins_) builder_.set_origin(map(op.origin));
  Attributes attrs = op.attrs;
  if (runs_again_ && (has_dynamic_index(op) || op_info(op.code).rule == ShapeRule::solve)) attrs.set(Attr::checked, true);
  const OpId copy = builder_.emit_op(op.code, operands, std::move(attrs), types);
  const Builder behind = builder_;
  for (std::size_t i = 0; i < op.regions.size(); ++i) {
    const bool is_condition = op.code == Opcode::while_loop && i == 0;
    fill(function.add_block(copy), op.regions[i], loops ? uncarried_arguments(op.code) : SIZE_MAX, loops ? keep : all,
         is_condition ? all : keep);
  }
  builder_.return_to(behind);
  builder_.set_origin(outside.origin());
  for (std::size_t i = 0, kept = 0; i < op.results.size(); ++i)
    if (is_kept(i)) copied(op.results[i], function.op(copy).results[kept++]);
  return copy;
}

void Cloner::fill(BlockId to, BlockId from, std::size_t uncarried, const std::vector<bool>& keep_arguments,
                  const std::vector<bool>& keep_yields) {
  const std::vector<ValueId> arguments = from_.block(from).arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i >= uncarried && !keep_arguments.empty() && !keep_arguments[i - uncarried]) continue;
    const Value value = from_.value(arguments[i]);
    copied(arguments[i], builder_.function().add_argument(to, value.type, value.name));
  }
  builder_.set_block(to);
  std::vector<ValueId> yields = splice(from, keep_yields);
  builder_.function().block(to).yields = std::move(yields);
}

std::vector<ValueId> Cloner::splice(BlockId block, const std::vector<bool>& keep) {
  const std::vector<OpId> ops = from_.block(block).ops;
  for (OpId op : ops) {
    if (leaves_effects_out_ && op_info(from_.op(op).code).has(effect)) continue;
    if (!on_visit_ || !on_visit_(from_.op(op))) clone(op);
  }
  const std::vector<ValueId>& yields = from_.block(block).yields;
  std::vector<ValueId> kept;
  for (std::size_t i = 0; i < yields.size(); ++i)
    if (keep.empty() || keep[i]) kept.push_back(map(yields[i]));
  return kept;
}

BlockId Cloner::clone_block(BlockId block) {
  const Builder outside = builder_;
  const BlockId copy = builder_.function().add_block({});
  fill(copy, block, 0, {}, {});
  builder_.return_to(outside);
  return copy;
}

void attach_regions(Function& function, OpId op, std::initializer_list<BlockId> blocks) {
  for (BlockId block : blocks) {
    function.block(block).parent = op;
    function.op(op).regions.push_back(block);
  }
}

void replace_uses(Function& function, BlockId block, const std::unordered_map<std::uint32_t, ValueId>& replacements) {
  auto replace = [&](std::vector<ValueId>& values) {
    for (ValueId& value : values)
      if (auto found = replacements.find(value.index); found != replacements.end()) value = found->second;
  };
  for (OpId id : function.block(block).ops) {
    replace(function.op(id).operands);
    for (BlockId region : function.op(id).regions) replace_uses(function, region, replacements);
  }
  replace(function.block(block).yields);
}

std::vector<ValueId> tapes_read(const Function& function, const Op& op) {
  std::vector<ValueId> tapes;
  auto read = [&](ValueId value) {
    auto holds = [&](BlockId region) { return is_enclosed(function, function.value(value).block, region); };
    if (function.type(value).tape && std::none_of(op.regions.begin(), op.regions.end(), holds)) tapes.push_back(value);
  };
  for (ValueId operand : op.operands) read(operand);
  for (BlockId region : op.regions) for_each_use(function, region, read);
  return tapes;
}

void for_each_use(const Function& function, BlockId block, const std::function<void(ValueId)>& visit) {
  for (OpId id : function.block(block).ops) {
    for (ValueId operand : function.op(id).operands) visit(operand);
    for (BlockId region : function.op(id).regions) for_each_use(function, region, visit);
  }
  for (ValueId yield : function.block(block).yields) visit(yield);
}

}  // namespace bpc::ir
