// What becomes of the rows' axis where elements are only moved.
#include <algorithm>

#include "ir/row_walk.h"
#include "ir/shape_rules.h"

namespace bpc::ir {

RowWalk::Share RowWalk::movement(const Op& op, const Op& twin) {
  const Share share = of(op.operands[0]);
  switch (op.code) {
    case Opcode::reshape:
      return share.kind == Kind::rows ? reshaped(op, share) : share;
    case Opcode::transpose: {
      if (share.kind != Kind::rows) return share;
      const auto& perm = op.attrs.ints(Attr::perm);
      Share result = share;
      result.axis = static_cast<std::size_t>(std::ranges::find(perm, static_cast<std::int64_t>(share.axis)) - perm.begin());
      return result;
    }
    case Opcode::broadcast:
      return stretched(op, share);
    case Opcode::slice:
      return part(op, twin, share);
    case Opcode::update:
      return updated(op, twin, share);
    case Opcode::gather:
      return gathered(op, share);
    case Opcode::concat:
      return joined(op);
    case Opcode::window:
    case Opcode::window_add: {
      const auto axis = static_cast<std::size_t>(op.attrs.integer(Attr::axis));
      if (share.kind == Kind::sum) return share;
      const bool is_beside = share.kind == Kind::rows && !share.is_place && share.axis != axis &&
                             (op.code == Opcode::window || share.axis + 1 != type(op.operands[0]).rank());
      return is_beside ? share : unknown(op, Reason::together);
    }
    default:
      return unknown(op, Reason::other);
  }
}

RowWalk::Share RowWalk::reshaped(const Op& op, Share share) const {
  const Type &from = type(op.operands[0]), &to = type(op.results[0]), &all = all_type(op.results[0]);
  std::int64_t before = 1, passed = 1;
  for (std::size_t axis = 0; axis < share.axis; ++axis) before *= from.size(axis);
  for (std::size_t axis = 0; axis < to.rank(); passed *= to.size(axis), ++axis) {
    const std::int64_t mine = to.size(axis), whole = all.size(axis);
    if (passed != before || mine == whole) continue;
    if (mine % result_.rows_ != 0 || mine / result_.rows_ * result_.all_ != whole) break;
    const std::int64_t inner = mine / result_.rows_;
    if (share.is_place && inner != 1) return unknown(op, Reason::place);
    share.axis = axis;
    share.inner = inner;
    return share;
  }
  return unknown(op, Reason::together);
}

RowWalk::Share RowWalk::stretched(const Op& op, Share share) const {
  const Type& to = type(op.results[0]);
  if (share.kind == Kind::rows) {
    share.axis += to.rank() - type(op.operands[0]).rank();
    return share;
  }
  if (same_shape(to, all_type(op.results[0]))) return share;
  const auto rows = rows_of(to, all_type(op.results[0]));
  if (share.kind == Kind::sum) return unknown(op, Reason::together);
  if (!rows) return unknown(op, Reason::number);
  Share result = *rows;
  result.power = share.power;
  return result;
}

bool RowWalk::are_same(const Op& op, std::size_t from) {
  for (std::size_t i = from; i < op.operands.size(); ++i)
    if (of(op.operands[i]).kind != Kind::same) return false;
  return true;
}

bool RowWalk::takes_whole(const Op& op, std::size_t axis, const Type& of) {
  const auto lists = [&](Attr attr) { return std::ranges::count(op.attrs.ints(attr), static_cast<std::int64_t>(axis)) > 0; };
  const auto at = [&](Attr attr) { return op.attrs.ints(attr)[axis]; };
  return !lists(Attr::dynamic) && !lists(Attr::drop) && at(Attr::starts) == 0 && at(Attr::steps) == 1 && at(Attr::sizes) == of.size(axis);
}

bool RowWalk::takes_rows(const Op& op, const Op& twin, const Share& share) const {
  return takes_whole(op, share.axis, type(op.operands[0])) && takes_whole(twin, share.axis, all_type(op.operands[0]));
}

std::size_t RowWalk::dropped_before(const Op& op, std::size_t axis) {
  return static_cast<std::size_t>(
      std::ranges::count_if(op.attrs.ints(Attr::drop), [&](std::int64_t each) { return each < static_cast<std::int64_t>(axis); }));
}

RowWalk::Share RowWalk::part(const Op& op, const Op& twin, Share share) {
  if (!are_same(op, 1)) return unknown(op, Reason::together);
  if (share.kind != Kind::rows) return share;
  if (!takes_rows(op, twin, share)) return unknown(op, Reason::together);
  share.axis -= dropped_before(op, share.axis);
  return share;
}

RowWalk::Share RowWalk::updated(const Op& op, const Op& twin, const Share& share) {
  const Share& with = of(op.operands[1]);
  if (!are_same(op, 2) || share.is_place || with.is_place) return unknown(op, Reason::together);
  if (share.kind == Kind::rows && with.kind == Kind::rows) {
    const bool fits = takes_rows(op, twin, share) && with.axis == share.axis - dropped_before(op, share.axis) &&
                      with.inner == share.inner && (with.power == share.power || share.is_zero);
    Share result = share;
    result.power = with.power;
    return fits ? result : unknown(op, Reason::together);
  }
  if (share.kind == Kind::rows || with.kind == Kind::rows) return unknown(op, Reason::together);
  const Share both = joined(share, with, op);
  return both.kind == Kind::sum ? both : unknown(op, Reason::other);
}

RowWalk::Share RowWalk::gathered(const Op& op, Share share) {
  const auto& axes = op.attrs.ints(Attr::axes);
  const std::size_t index_rank = type(op.operands[1]).rank();
  if (are_same(op, 1)) {
    if (share.kind != Kind::rows) return share;
    if (share.is_place || std::ranges::count(axes, static_cast<std::int64_t>(share.axis)) > 0) return unknown(op, Reason::together);
    const auto gone = std::ranges::count_if(axes, [&](std::int64_t axis) { return axis < static_cast<std::int64_t>(share.axis); });
    share.axis += index_rank - static_cast<std::size_t>(gone);
    return share;
  }
  // By an index for each row: from what is the same, or each row from itself.
  std::optional<Share> index;
  bool is_by_itself = false;
  for (std::size_t i = 1; i < op.operands.size(); ++i) {
    const Share& each = of(op.operands[i]);
    if (each.kind != Kind::rows || each.power != 0 || (index && (index->axis != each.axis || index->inner != each.inner)))
      return unknown(op, Reason::together);
    const bool is_of_rows = share.kind == Kind::rows && axes[i - 1] == static_cast<std::int64_t>(share.axis);
    if (each.is_place != is_of_rows) return unknown(op, is_of_rows ? Reason::together : Reason::place);
    is_by_itself |= is_of_rows;
    index = each;
  }
  if (share.kind == Kind::sum || (share.kind == Kind::rows && (!is_by_itself || share.inner != 1))) return unknown(op, Reason::together);
  index->is_place = share.is_place;
  index->power = share.power;
  return *index;
}

RowWalk::Share RowWalk::joined(const Op& op) {
  const Share first = of(op.operands[0]);
  for (ValueId operand : op.operands) {
    const Share& share = of(operand);
    if (share.kind == Kind::rows && static_cast<std::size_t>(op.attrs.integer(Attr::axis)) == share.axis)
      return unknown(op, Reason::together);
    if (share.is_place) return unknown(op, Reason::place);
  }
  Share all = first;
  for (ValueId operand : op.operands) all = joined(all, of(operand), op);
  return all;
}

}  // namespace bpc::ir
