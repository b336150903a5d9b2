// Parts of tensors that indices name. Those only known at run time are checked before, on their own, so that loops are free of failures;
// those known to be inside are not checked at all.
#include <algorithm>
#include <functional>

#include "backend/plan/lower/elements.h"
#include "backend/plan/lower/groups.h"

namespace bpc::plan {

namespace {

bool reads(const Kernel& kernel, BufferId buffer, const Affine& other_than) {
  return std::any_of(kernel.body.begin(), kernel.body.end(), [&](const Instruction& instruction) {
    const auto* load = std::get_if<Load>(&instruction.what);
    return load && load->from.buffer == buffer && load->from.at != other_than;
  });
}

// A scalar index as i64, counted from the start.
RegisterId checked_index(Values& values, ir::OpId id, ir::ValueId index, CheckIndex check) {
  if (ir::may_fail(values.function, values.function.op(id))) {
    check.index = values.scalar(index);
    check.result = values.add_register(Element::i64);
    check.site = values.add_site(id);
    values.push({check});
    return check.result;
  }
  bool from_start = counts_from_start(values.function, index);
  if (from_start && values.type(index).element == Element::i64) return values.scalar(index);
  return values.host(Element::i64, Index{values.scalar(index), from_start ? 0 : check.size});
}

std::vector<RegisterId> checked_starts(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  const auto& dynamic = op.attrs.ints(ir::Attr::dynamic);
  std::size_t first = op.operands.size() - dynamic.size();
  std::vector<RegisterId> result;
  for (std::size_t i = 0; i < dynamic.size(); ++i) {
    auto axis = static_cast<std::size_t>(dynamic[i]);
    std::int64_t size = op.attrs.ints(ir::Attr::sizes)[axis];
    CheckIndex check;
    check.size = values.type(op.operands[0]).size(axis);
    check.span = size == 0 ? 0 : (size - 1) * op.attrs.ints(ir::Attr::steps)[axis];
    check.which = static_cast<std::uint32_t>(i);
    check.empty = size == 0;
    result.push_back(checked_index(values, id, op.operands[first + i], check));
  }
  return result;
}

// Of scalar indices, what they are; tensors of indices are only checked.
std::vector<RegisterId> checked_indices(Values& values, ir::OpId id, std::size_t first) {
  const ir::Op& op = values.function.op(id);
  const auto& axes = op.attrs.ints(ir::Attr::axes);
  std::vector<RegisterId> result;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    ir::ValueId index = op.operands[first + i];
    std::int64_t size = values.type(op.operands[0]).size(static_cast<std::size_t>(axes[i]));
    auto which = static_cast<std::uint32_t>(i);
    if (values.type(index).is_scalar()) {
      CheckIndex check;
      check.size = size;
      check.which = which;
      result.push_back(checked_index(values, id, index, check));
    } else if (ir::may_fail(values.function, op)) {
      values.push({CheckIndices{values.whole(index), size, values.add_site(id), which}});
    }
  }
  return result;
}

// Given the indices of an element of a part, those of the same element in x.
using Locate = std::function<std::vector<Affine>(Elements& body, std::span<const Affine> part)>;

// The result is x with the elements of v where `locate` says. Made in the memory of x if nothing reads x any more.
void write_part(Values& values, const ir::Op& op, const Locate& locate, bool adds) {
  ir::ValueId x = op.operands[0], v = op.operands[1], y = op.results[0];
  BufferId base = values.whole(x);
  values.release(x, base);
  BufferId buffer = values.add_buffer(y);
  Sizes space = values.sizes(v);
  Kernel kernel;
  for (std::int64_t size : space) kernel.axes.push_back({size, false});
  auto write = [&](auto element) {
    kernel.body.clear();
    Elements body(values, space.size(), kernel.body);
    RegisterId value = element(body);
    Affine at = compose(dense(values.sizes(x)), locate(body, identity_indices(space.size())), space.size());
    kernel.stores = {{value, {buffer, std::move(at)}, base, adds}};
  };
  write([&](Elements& body) { return body.element(v, identity_indices(space.size())); });
  // What v reads of x elsewhere is read first, so that x can be written in place.
  if (reads(kernel, base, kernel.stores[0].to.at)) {
    BufferId part = values.copy(v);
    write([&](Elements& body) { return body.emit(values.type(v).element, Load{{part, dense(space)}}); });
  }
  values.define_dense(y, buffer);
  values.push({std::move(kernel)});
}

}  // namespace

void lower_slice(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  ir::ValueId x = op.operands[0], y = op.results[0];
  std::vector<RegisterId> starts = checked_starts(values, id);
  std::size_t rank = values.type(y).rank();
  if (values.type(x).is_scalar()) return values.define(y, values.scalar(x));
  if (rank == 0) return values.define(y, host_element(values, x, slice_indices(op, starts, {})));
  if (values.definition(x).kind == Definition::Kind::lazy) return values.lazy_or_stored(op, std::move(starts));
  const Access& from = values.definition(x).view;
  values.define(y, Access{from.buffer, compose(from.at, slice_indices(op, starts, identity_indices(rank)), rank)});
}

void lower_gather(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  ir::ValueId x = op.operands[0], y = op.results[0];
  std::vector<RegisterId> starts = checked_indices(values, id, 1);
  if (starts.empty() || (values.definition(x).kind == Definition::Kind::lazy && !values.type(y).is_scalar()))
    return values.lazy_or_stored(op, std::move(starts));
  std::size_t rank = values.type(y).rank();
  std::vector<Instruction> none;
  std::vector<Affine> indices = Elements(values, rank, none).gathered(op, 1, starts, identity_indices(rank));
  if (rank == 0) return values.define(y, host_element(values, x, indices));
  const Access& from = values.definition(x).view;
  values.define(y, Access{from.buffer, compose(from.at, indices, rank)});
}

void lower_update(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  ir::ValueId x = op.operands[0], v = op.operands[1], y = op.results[0];
  std::vector<RegisterId> starts = checked_starts(values, id);
  bool adds = op.attrs.flag(ir::Attr::add);
  if (!values.type(x).is_scalar())
    return write_part(values, op, [&](Elements&, auto part) { return slice_indices(op, starts, part); }, adds);
  values.define(y, adds ? values.host(values.type(y).element, Compute{scalar::Operator::add, {values.scalar(x), values.scalar(v)}})
                        : values.scalar(v));
}

void lower_scatter_add(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  std::vector<RegisterId> starts = checked_indices(values, id, 2);
  write_part(values, op, [&](Elements& body, auto part) { return body.gathered(op, 2, starts, part); }, true);
}

}  // namespace bpc::plan
