#include "ir/row_walk.h"

#include <algorithm>
#include <cmath>

#include "ir/shape_rules.h"

namespace bpc::ir {

void RowWalk::run() {
  if (function_.op_count() != all_function_.op_count() || function_.value_count() != all_function_.value_count()) {
    for (Share& share : result_.shares_) share = {.kind = Kind::unknown, .reason = Reason::number};
    return;
  }
  for (const Parameter& parameter : function_.parameters) of(parameter.value) = {.kind = Kind::same};
  block(function_.body());
}

void RowWalk::block(BlockId id) {
  for (OpId op : std::vector<OpId>(function_.block(id).ops)) visit(op);
}

void RowWalk::visit(OpId id) {
  const Op op = function_.op(id);
  const Op& twin = all_function_.op(id);
  if (op.results.empty()) return;
  if (op.code != twin.code || op.operands != twin.operands) return give_all(op, unknown(op, Reason::number));
  if (!op.regions.empty()) return control(op);
  if (op_info(op.code).group == Group::derivative) return derivative(op);
  of(op.results[0]) = fitting(op, straight(id, op, twin));
  for (std::size_t i = 1; i < op.results.size(); ++i) of(op.results[i]) = unknown(op, Reason::other);
}

RowWalk::Share RowWalk::fitting(const Op& op, Share share) const {
  const Type &mine = type(op.results[0]), &whole = all_type(op.results[0]);
  if (share.kind == Kind::unknown) return share;
  const auto rows = rows_of(mine, whole);
  const bool fits = share.kind == Kind::rows ? rows && rows->axis == share.axis && rows->inner == share.inner : same_shape(mine, whole);
  if (!fits) return unknown(op, Reason::together);
  const bool keeps_zero = op.code == Opcode::cast || op.code == Opcode::broadcast || op.code == Opcode::reshape;
  share.is_zero = keeps_zero ? result_.shares_[op.operands[0].index].is_zero : op.code == Opcode::constant && number(op) == 0.0;
  return share;
}

void RowWalk::give_all(const Op& op, const Share& share) {
  for (ValueId result : op.results) of(result) = share;
}

std::optional<RowWalk::Share> RowWalk::settled(const Op& op, const Op& twin) {
  bool all_same = same_shape(type(op.results[0]), all_type(op.results[0])) && op.attrs == twin.attrs && !op.operands.empty();
  for (ValueId operand : op.operands) {
    if (of(operand).kind == Kind::unknown) return of(operand);
    all_same &= of(operand).kind == Kind::same;
  }
  return all_same ? std::optional(same()) : std::nullopt;
}

RowWalk::Share RowWalk::straight(OpId id, const Op& op, const Op& twin) {
  if (op.code == Opcode::slice && is_order(op.operands[0])) return {.kind = Kind::rows};
  if (auto share = settled(op, twin)) return *share;
  const bool may_differ = op.code == Opcode::constant || op.code == Opcode::slice || op.code == Opcode::update;
  if (!may_differ && op.attrs != twin.attrs) return unknown(op, Reason::number);
  switch (op_info(op.code).group) {
    case Group::elementwise:
      return elementwise(op);
    case Group::reduction:
      return reduction(op);
    case Group::contraction:
      return contraction(op);
    case Group::movement:
      return movement(op, twin);
    case Group::source:
      return source(op, twin);
    case Group::random:
      return draw(id, op);
    case Group::library:
      return along_rows(op, op.code == Opcode::argsort ? op.attrs.integer(Attr::axis) : -1);
    default:
      return unknown(op, Reason::other);
  }
}

bool RowWalk::is_order(ValueId value) const {
  return std::ranges::any_of(function_.parameters,
                             [&](const Parameter& parameter) { return parameter.value == value && parameter.path == order_; });
}

std::optional<RowWalk::Share> RowWalk::rows_of(const Type& share, const Type& all) const {
  if (share.rank() != all.rank()) return std::nullopt;
  std::optional<Share> found;
  for (std::size_t axis = 0; axis < share.rank(); ++axis) {
    const std::int64_t mine = share.size(axis), whole = all.size(axis);
    if (mine == whole) continue;
    if (found || mine % result_.rows_ != 0 || mine / result_.rows_ * result_.all_ != whole) return std::nullopt;
    found = Share{.kind = Kind::rows, .axis = axis, .inner = mine / result_.rows_};
  }
  return found;
}

RowWalk::Share RowWalk::source(const Op& op, const Op& twin) {
  const Type &mine = type(op.results[0]), &whole = all_type(op.results[0]);
  const auto rows = rows_of(mine, whole);
  if (op.code == Opcode::iota) {
    if (same_shape(mine, whole)) return same();
    if (!rows) return unknown(op, Reason::number);
    if (static_cast<std::size_t>(op.attrs.integer(Attr::axis)) != rows->axis) return *rows;
    Share place = *rows;
    place.is_place = true;
    return place.inner == 1 ? place : unknown(op, Reason::place);
  }
  const std::optional<double> value = number(op), other = number(twin);
  if (same_shape(mine, whole)) {
    if (op.attrs == twin.attrs) return same();
    return value && other ? power_of(op, *value, *other) : unknown(op, Reason::number);
  }
  if (rows && value && value == other) return *rows;
  return unknown(op, Reason::place);
}

std::optional<double> RowWalk::number(const Op& op) {
  const AttrValue* value = op.attrs.find(Attr::value);
  if (!value) return std::nullopt;
  if (const auto* whole = std::get_if<std::int64_t>(value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(value)) return *real;
  return std::nullopt;
}

RowWalk::Share RowWalk::power_of(const Op& op, double mine, double whole) const {
  const double ratio = static_cast<double>(result_.rows_) / static_cast<double>(result_.all_);
  for (int power : {-2, -1, 1, 2})
    if (std::fabs(mine / whole / std::pow(ratio, power) - 1) < 1e-6) return {.kind = Kind::count, .power = power};
  return unknown(op, Reason::number);
}

RowWalk::Share RowWalk::draw(OpId id, const Op& op) {
  const auto rows = rows_of(type(op.results[0]), all_type(op.results[0]));
  const bool is_plain = op.operands.empty() || (of(op.operands[0]).kind == Kind::same && type(op.operands[0]).is_scalar());
  if (op.operands.empty() && same_shape(type(op.results[0]), all_type(op.results[0]))) return same();
  if (!rows || rows->inner != 1 || !is_plain) return unknown(op, Reason::place);
  const SharedDraw draw{id, rows->axis, all_type(op.results[0])};
  if (std::ranges::none_of(result_.draws_, [&](const SharedDraw& known) { return known.op == id; })) result_.draws_.push_back(draw);
  return *rows;
}

}  // namespace bpc::ir
