// Parts of tensors that indices name. Those only known at run time are checked before, on their own, so that loops are free of failures;
// those known to be inside are not checked at all.
#include <algorithm>

#include "backend/plan/planner.h"
#include "ir/ranges.h"

namespace bpc::plan {

namespace {

bool counts_from_start(const ir::Function& function, ir::ValueId index) {
  auto range = ir::integer_range(function, index);
  return range && range->lo >= 0;
}

bool reads(const Kernel& kernel, BufferId buffer, const Affine& other_than) {
  return std::any_of(kernel.body.begin(), kernel.body.end(), [&](const Instruction& instruction) {
    const auto* load = std::get_if<Load>(&instruction.what);
    return load && load->from.buffer == buffer && load->from.at != other_than;
  });
}

}  // namespace

std::vector<Affine> slice_indices(const ir::Op& op, std::span<const RegisterId> starts, std::span<const Affine> part) {
  const auto& first = op.attrs.ints(ir::Attr::starts);
  const auto& steps = op.attrs.ints(ir::Attr::steps);
  const auto& dynamic = op.attrs.ints(ir::Attr::dynamic);
  const auto& drop = op.attrs.ints(ir::Attr::drop);
  std::vector<Affine> result;
  std::size_t next_part = 0, next_start = 0, axes = part.empty() ? 0 : part[0].strides.size();
  for (std::size_t i = 0; i < first.size(); ++i) {
    Affine index = affine_constant(first[i], axes);
    bool dropped = std::binary_search(drop.begin(), drop.end(), static_cast<std::int64_t>(i));
    if (std::binary_search(dynamic.begin(), dynamic.end(), static_cast<std::int64_t>(i))) index.terms.emplace_back(starts[next_start++], 1);
    if (!dropped) add_scaled(index, part[next_part++], steps[i]);
    result.push_back(std::move(index));
  }
  return result;
}

// A scalar index as i64, counted from the start.
RegisterId Planner::checked_index(ir::OpId id, ir::ValueId index, CheckIndex check) {
  if (ir::may_fail(function_, function_.op(id))) {
    check.index = scalar(index);
    check.result = add_register(Element::i64);
    check.site = add_site(id);
    push({check});
    return check.result;
  }
  bool from_start = counts_from_start(function_, index);
  if (from_start && type(index).element == Element::i64) return scalar(index);
  return host(Element::i64, Index{scalar(index), from_start ? 0 : check.size});
}

std::vector<RegisterId> Planner::checked_starts(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  const auto& dynamic = op.attrs.ints(ir::Attr::dynamic);
  std::size_t first = op.operands.size() - dynamic.size();
  std::vector<RegisterId> result;
  for (std::size_t i = 0; i < dynamic.size(); ++i) {
    auto axis = static_cast<std::size_t>(dynamic[i]);
    std::int64_t size = op.attrs.ints(ir::Attr::sizes)[axis];
    CheckIndex check;
    check.size = type(op.operands[0]).size(axis);
    check.span = size == 0 ? 0 : (size - 1) * op.attrs.ints(ir::Attr::steps)[axis];
    check.which = static_cast<std::uint32_t>(i);
    check.empty = size == 0;
    result.push_back(checked_index(id, op.operands[first + i], check));
  }
  return result;
}

// Of scalar indices, what they are; tensors of indices are only checked.
std::vector<RegisterId> Planner::checked_indices(ir::OpId id, std::size_t first) {
  const ir::Op& op = function_.op(id);
  const auto& axes = op.attrs.ints(ir::Attr::axes);
  std::vector<RegisterId> result;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    ir::ValueId index = op.operands[first + i];
    std::int64_t size = type(op.operands[0]).size(static_cast<std::size_t>(axes[i]));
    auto which = static_cast<std::uint32_t>(i);
    if (type(index).is_scalar()) {
      CheckIndex check;
      check.size = size;
      check.which = which;
      result.push_back(checked_index(id, index, check));
    } else if (ir::may_fail(function_, op)) {
      push({CheckIndices{whole(index), size, add_site(id), which}});
    }
  }
  return result;
}

std::vector<Affine> BodyBuilder::gathered(const ir::Op& op, std::size_t first, std::span<const RegisterId> starts,
                                          std::span<const Affine> part) {
  const auto& axes = op.attrs.ints(ir::Attr::axes);
  const Type& x = planner_.type(op.operands[0]);
  std::span<const Affine> of_index = part.first(planner_.type(op.operands[first]).rank());
  std::size_t next_part = of_index.size(), next_index = 0;
  std::vector<Affine> result;
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(axis))) {
      result.push_back(part[next_part++]);
      continue;
    }
    ir::ValueId index = op.operands[first + next_index];
    bool from_start = counts_from_start(planner_.function_, index);
    RegisterId start =
        starts.empty() ? emit(Element::i64, Index{element(index, of_index), from_start ? 0 : x.size(axis)}) : starts[next_index];
    ++next_index;
    result.push_back(affine_constant(0, axes_));
    result.back().terms.emplace_back(start, 1);
  }
  return result;
}

void Planner::slice(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  ir::ValueId x = op.operands[0], y = op.results[0];
  std::vector<RegisterId> starts = checked_starts(id);
  std::size_t rank = type(y).rank();
  if (type(x).is_scalar()) return define(y, scalar(x));
  if (rank == 0) return define(y, host_value(x, slice_indices(op, starts, {})));
  if (definition(x).kind == Definition::Kind::lazy) return lazy_or_stored(op, std::move(starts));
  const Access& from = definition(x).view;
  define(y, Access{from.buffer, compose(from.at, slice_indices(op, starts, identity_indices(rank)), rank)});
}

void Planner::gather(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  ir::ValueId x = op.operands[0], y = op.results[0];
  std::vector<RegisterId> starts = checked_indices(id, 1);
  if (starts.empty() || (definition(x).kind == Definition::Kind::lazy && !type(y).is_scalar()))
    return lazy_or_stored(op, std::move(starts));
  std::size_t rank = type(y).rank();
  std::vector<Instruction> none;
  std::vector<Affine> indices = BodyBuilder(*this, rank, none).gathered(op, 1, starts, identity_indices(rank));
  if (rank == 0) return define(y, host_value(x, indices));
  const Access& from = definition(x).view;
  define(y, Access{from.buffer, compose(from.at, indices, rank)});
}

void Planner::update(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  ir::ValueId x = op.operands[0], v = op.operands[1], y = op.results[0];
  std::vector<RegisterId> starts = checked_starts(id);
  bool adds = op.attrs.flag(ir::Attr::add);
  if (!type(x).is_scalar()) return write_part(op, [&](BodyBuilder&, auto part) { return slice_indices(op, starts, part); }, adds);
  define(y, adds ? host(type(y).element, Compute{scalar::Operator::add, {scalar(x), scalar(v)}}) : scalar(v));
}

void Planner::scatter_add(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  std::vector<RegisterId> starts = checked_indices(id, 2);
  write_part(op, [&](BodyBuilder& body, auto part) { return body.gathered(op, 2, starts, part); }, true);
}

// The result is x with the elements of v where `locate` says. Made in the memory of x if nothing reads x any more.
void Planner::write_part(const ir::Op& op, const Locate& locate, bool adds) {
  ir::ValueId x = op.operands[0], v = op.operands[1], y = op.results[0];
  BufferId base = whole(x);
  release(x, base);
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  Sizes space = sizes(v);
  Kernel kernel;
  for (std::int64_t size : space) kernel.axes.push_back({size, false});
  auto write = [&](auto element) {
    kernel.body.clear();
    BodyBuilder body(*this, space.size(), kernel.body);
    RegisterId value = element(body);
    Affine at = compose(dense(sizes(x)), locate(body, identity_indices(space.size())), space.size());
    kernel.stores = {{value, {buffer, std::move(at)}, base, adds}};
  };
  write([&](BodyBuilder& body) { return body.element(v, identity_indices(space.size())); });
  // What v reads of x elsewhere is read first, so that x can be written in place.
  if (reads(kernel, base, kernel.stores[0].to.at)) {
    BufferId part = copy(v);
    write([&](BodyBuilder& body) { return body.emit(type(v).element, Load{{part, dense(space)}}); });
  }
  define_dense(y, buffer);
  push({std::move(kernel)});
}

// Parts of x that are needed after x is written are copied, which is less than a copy of all of x.
void Planner::release(ir::ValueId x, BufferId base) {
  if (is_needed(x)) return;
  std::vector<ir::ValueId> parts;
  std::int64_t count = 0;
  for (ir::ValueId reader : readers_[base.index]) {
    if (reader == x || !is_needed(reader)) continue;
    const Definition& held = definition(reader);
    if (held.kind == Definition::Kind::view && held.view.buffer != base) continue;  // copied before
    if (function_.value(reader).block != scope_.block) return;                      // a copy made here would not be seen there
    count += type(reader).count();
    parts.push_back(reader);
  }
  if (count >= type(x).count()) return;
  for (ir::ValueId part : parts) define_dense(part, copy(part));
}

}  // namespace bpc::plan
