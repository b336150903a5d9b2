#include "ir/clone.h"

#include <algorithm>

namespace bpc::ir {

ValueId Cloner::map(ValueId value) const {
  auto found = map_.find(value.index);
  return found == map_.end() ? value : found->second;
}

std::vector<ValueId> Cloner::map(const std::vector<ValueId>& values) const {
  std::vector<ValueId> result;
  for (ValueId value : values) result.push_back(map(value));
  return result;
}

void Cloner::copied(ValueId from, ValueId to) {
  set(from, to);
  Function& function = builder_.function();
  if (function.value(to).name.empty()) function.value(to).name = std::string(from_.value(from).name);
  if (on_copy_) on_copy_(from, to);
}

OpId Cloner::clone(OpId id) {
  Function& function = builder_.function();
  const Op op = from_.op(id);  // a copy: emitting moves the ops
  std::vector<Type> types;
  for (ValueId result : op.results) types.push_back(from_.type(result));
  std::vector<BlockId> regions;
  for (BlockId region : op.regions) regions.push_back(clone_block(region));
  OriginId outside = builder_.origin();
  if (&from_ == &function) builder_.set_origin(op.origin);
  Attributes attrs = op.attrs;
  if (runs_again_ && (has_dynamic_index(op) || op_info(op.code).rule == ShapeRule::solve)) attrs.set(Attr::checked, true);
  OpId copy = builder_.emit_op(op.code, map(op.operands), attrs, types);
  builder_.set_origin(outside);
  for (BlockId region : regions) attach_regions(function, copy, {region});
  for (std::size_t i = 0; i < op.results.size(); ++i) copied(op.results[i], function.op(copy).results[i]);
  return copy;
}

std::vector<ValueId> Cloner::splice(BlockId block) {
  const std::vector<OpId> ops = from_.block(block).ops;
  for (OpId op : ops)
    if (!leaves_effects_out_ || !op_info(from_.op(op).code).has(effect)) clone(op);
  return map(from_.block(block).yields);
}

BlockId Cloner::clone_block(BlockId block) {
  Function& function = builder_.function();
  const Builder outside = builder_;
  BlockId copy = function.add_block({});
  const std::vector<ValueId> arguments = from_.block(block).arguments;
  for (ValueId argument : arguments) {
    const Value value = from_.value(argument);
    copied(argument, function.add_argument(copy, value.type, value.name));
  }
  builder_.set_block(copy);
  std::vector<ValueId> yields = splice(block);
  function.block(copy).yields = std::move(yields);
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
