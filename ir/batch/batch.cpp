#include "ir/batch/batch.h"

namespace bpc::ir {

Batch::Batch(Builder& builder, const Op& map, const Varying& varying)
    : builder_(builder), function_(builder.function()), map_(map), varying_(varying), copies_(builder) {
  const std::vector<ValueId> indices = function_.block(map_.regions[0]).arguments;
  for (std::size_t i = 0; i < indices.size(); ++i) sizes_.push_back(function_.type(map_.results[0]).dims[i]);
  for (std::size_t i = 0; i < indices.size(); ++i) copies_.set(indices[i], batch_index(i, {}));
}

std::vector<ValueId> Batch::run() {
  block(map_.regions[0]);
  std::vector<ValueId> results;
  for (ValueId yield : std::vector<ValueId>(function_.block(map_.regions[0]).yields)) results.push_back(batched(yield));
  return results;
}

void Batch::block(BlockId from) {
  for (OpId id : std::vector<OpId>(function_.block(from).ops)) op(id);
}

void Batch::op(OpId id) {
  const Op op = function_.op(id);
  builder_.set_origin(op.origin);
  if (!op.regions.empty()) return control(op);
  bool varies = op.code == Opcode::tape && varying_[op.results[0]];
  for (ValueId operand : op.operands) varies |= varying_[operand];
  if (!varies) {
    copies_.clone(id);
    return;
  }
  straight(op);
}

// A copy of a region on its way into a batched op. Each yield varies as its value in `yields_like` does.
BlockId Batch::region(BlockId from, std::vector<ValueId> yields_like) {
  const Block old = function_.block(from);
  const Builder outside = builder_;
  BlockId made = function_.add_block({});
  builder_.set_block(made);
  for (ValueId argument : old.arguments) {
    Type type = old_type(argument);
    if (varying_[argument]) type.dims = with_batch(type.dims);
    copies_.set(argument, function_.add_argument(made, type, std::string(function_.value(argument).name)));
  }
  block(from);
  std::vector<ValueId> yields;
  for (std::size_t i = 0; i < old.yields.size(); ++i)
    yields.push_back(varying_[yields_like[i]] ? batched(old.yields[i]) : now(old.yields[i]));
  function_.block(made).yields = std::move(yields);
  builder_.return_to(outside);
  return made;
}

void Batch::control(const Op& op) {
  if (op.code == Opcode::if_else && varying_[op.operands[0]]) return choose(op);
  std::vector<ValueId> operands;
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    std::size_t uncarried = uncarried_operands(op.code);
    bool varies = is_loop(op.code) ? i >= uncarried && varying_[op.results[i - uncarried]]
                                   : op.code == Opcode::custom && varying_[function_.block(op.regions[0]).arguments[i]];
    operands.push_back(varies ? batched(op.operands[i]) : now(op.operands[i]));
  }
  std::vector<Type> types;
  for (ValueId result : op.results) {
    types.push_back(old_type(result));
    if (varying_[result]) types.back().dims = with_batch(types.back().dims);
  }
  std::vector<BlockId> regions;
  for (BlockId from : op.regions) {
    bool is_condition = op.code == Opcode::while_loop && from == op.regions[0];
    bool is_rule = op.code == Opcode::custom && from == op.regions[1];
    regions.push_back(region(from, is_condition ? function_.block(from).yields : is_rule ? op.operands : op.results));
  }
  OpId made = builder_.emit_op(op.code, operands, op.attrs, types);
  for (BlockId block : regions) attach_regions(function_, made, {block});
  const std::vector<ValueId> results = function_.op(made).results;
  for (std::size_t i = 0; i < results.size(); ++i) {
    copies_.set(op.results[i], results[i]);
    function_.value(results[i]).name = std::string(function_.value(op.results[i]).name);
  }
}

// A branch that some indices take: both sides run for all, and each index picks its own.
void Batch::choose(const Op& op) {
  for (BlockId side : op.regions) block(side);
  builder_.set_origin(op.origin);
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    ValueId then = batched(function_.block(op.regions[0]).yields[i]), otherwise = batched(function_.block(op.regions[1]).yields[i]);
    std::size_t to = old_type(op.results[i]).rank();
    ValueId condition = builder_.broadcast(widened(now(op.operands[0]), 0, to), with_batch(old_type(op.results[i]).dims));
    ValueId chosen =
        builder_.emit(Opcode::select, {condition, then, otherwise}, {}, nullptr, std::string(function_.value(op.results[i]).name));
    copies_.set(op.results[i], chosen);
  }
}

// ---- values ----

std::vector<Dim> Batch::with_batch(const std::vector<Dim>& dims) const {
  std::vector<Dim> all = sizes_;
  all.insert(all.end(), dims.begin(), dims.end());
  return all;
}

ValueId Batch::batched(ValueId old) {
  ValueId value = now(old);
  return varying_[old] ? value : as_batched(value);
}

ValueId Batch::as_batched(ValueId value) {
  return builder_.broadcast(value, with_batch(function_.type(value).dims));
}

ValueId Batch::widened(ValueId value, std::size_t old_rank, std::size_t to_rank) {
  std::vector<Dim> dims = function_.type(value).dims;
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(dims.size() - old_rank), to_rank - old_rank, Dim{1, {}});
  return builder_.reshape(value, std::move(dims));
}

ValueId Batch::batch_index(std::size_t axis, const std::vector<Dim>& dims) {
  Type type(Element::i32, with_batch(dims));
  return builder_.emit(Opcode::iota, {}, {{Attr::axis, static_cast<std::int64_t>(axis)}}, &type);
}

ValueId Batch::spread(ValueId index, const std::vector<Dim>& dims) {
  return builder_.broadcast(widened(index, 0, dims.size()), with_batch(dims));
}

std::vector<std::int64_t> Batch::shifted(const std::vector<std::int64_t>& axes) const {
  std::vector<std::int64_t> result;
  for (std::int64_t axis : axes) result.push_back(axis + static_cast<std::int64_t>(rank()));
  return result;
}

Attributes Batch::shifted(const Attributes& attrs) const {
  Attributes result = attrs;
  for (const auto& [attr, value] : attrs.items()) {
    if (attr_info(attr).written == Written::one_axis) result.set(attr, attrs.integer(attr) + static_cast<std::int64_t>(rank()));
    if (attr_info(attr).written == Written::some_axes) result.set(attr, shifted(attrs.ints(attr)));
  }
  return result;
}

}  // namespace bpc::ir
