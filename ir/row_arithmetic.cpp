// What elementwise operators, reductions and contractions make of rows, sums over rows and powers of their number.
#include <algorithm>

#include "ir/row_walk.h"
#include "ir/shape_rules.h"

namespace bpc::ir {

RowWalk::Share RowWalk::elementwise(const Op& op) {
  const std::size_t rank = type(op.results[0]).rank();
  std::optional<Share> rows;
  bool has_sum = false;
  for (ValueId operand : op.operands) {
    Share share = of(operand);
    has_sum |= share.kind == Kind::sum;
    if (share.kind != Kind::rows) continue;
    share.axis += rank - type(operand).rank();
    if (share.is_place && op.code != Opcode::cast) return unknown(op, Reason::place);
    if (rows && (rows->axis != share.axis || rows->inner != share.inner)) return unknown(op, Reason::together);
    rows = share;
  }
  if (rows && has_sum) return unknown(op, Reason::together);
  const std::optional<int> power = power_after(op, has_sum && !rows);
  const auto is_count = [&](ValueId operand) { return of(operand).kind == Kind::count; };
  const bool counts = std::ranges::any_of(op.operands, is_count);
  if (!power) return unknown(op, adds_twice(op) ? Reason::twice : has_sum && !counts ? Reason::together : Reason::number);
  if (rows) {
    rows->power = *power;
    return *rows;
  }
  if (has_sum) return {.kind = Kind::sum, .power = *power};
  return *power == 0 ? same() : Share{.kind = Kind::count, .power = *power};
}

bool RowWalk::adds_twice(const Op& op) {
  if (op.code != Opcode::add && op.code != Opcode::sub) return false;
  const Kind a = of(op.operands[0]).kind, b = of(op.operands[1]).kind;
  return (a == Kind::sum && b == Kind::same) || (a == Kind::same && b == Kind::sum);
}

std::optional<int> RowWalk::power_after(const Op& op, bool of_sums) {
  const std::vector<ValueId>& in = op.operands;
  const auto is_sum = [&](std::size_t i) { return of(in[i]).kind == Kind::sum; };
  switch (op.code) {
    case Opcode::neg:
    case Opcode::variable:
    case Opcode::stop_grad:
      return power(in[0]);
    case Opcode::cast:
      if (!is_real(type(op.results[0]).element) && (of_sums || power(in[0]) != 0)) return std::nullopt;
      return power(in[0]);
    case Opcode::mul:
    case Opcode::strong_mul:
      if (of_sums && is_sum(0) && is_sum(1)) return std::nullopt;
      return power(in[0]) + power(in[1]);
    case Opcode::div:
      if (of_sums && is_sum(1)) return std::nullopt;
      return power(in[0]) - power(in[1]);
    case Opcode::add:
    case Opcode::sub:
      return common_power(in[0], in[1], of_sums);
    case Opcode::select:
      if (of_sums && is_sum(0)) return std::nullopt;
      return power(in[0]) == 0 ? common_power(in[1], in[2], of_sums) : std::nullopt;
    default:
      for (ValueId operand : in)
        if (of_sums || power(operand) != 0) return std::nullopt;
      return 0;
  }
}

std::optional<int> RowWalk::common_power(ValueId a, ValueId b, bool of_sums) {
  if (of(a).is_zero) return power(b);
  if (of(b).is_zero) return power(a);
  const auto power_of_term = [&](ValueId term) { return of_sums && of(term).kind == Kind::same ? -1 : power(term); };
  if (of_sums && (of(a).kind == Kind::count || of(b).kind == Kind::count)) return std::nullopt;
  return power_of_term(a) == power_of_term(b) ? std::optional(power_of_term(a)) : std::nullopt;
}

RowWalk::Share RowWalk::reduction(const Op& op) {
  const Share share = of(op.operands[0]);
  if (share.is_place) return unknown(op, Reason::place);
  if (op.code == Opcode::cumsum) return along_rows(op, op.attrs.integer(Attr::axis));
  const auto& axes = op.attrs.ints(Attr::axes);
  const bool is_sum = op.code == Opcode::reduce_sum;
  if (share.kind == Kind::sum || share.kind == Kind::count) return is_sum ? share : unknown(op, Reason::together);
  if (share.kind != Kind::rows) return unknown(op, Reason::other);
  if (axes.empty()) return unknown(op, Reason::other);
  if (std::ranges::find(axes, static_cast<std::int64_t>(share.axis)) != axes.end())
    return is_sum ? Share{.kind = Kind::sum, .power = share.power} : unknown(op, Reason::together);
  if (!is_sum && share.power != 0) return unknown(op, Reason::number);
  Share result = share;
  if (!op.attrs.flag(Attr::keep))
    result.axis -= static_cast<std::size_t>(
        std::ranges::count_if(axes, [&](std::int64_t axis) { return axis < static_cast<std::int64_t>(share.axis); }));
  return result;
}

RowWalk::Share RowWalk::along_rows(const Op& op, std::int64_t axis) {
  const Share share = of(op.operands[0]);
  if (axis < 0 || share.kind != Kind::rows || share.is_place || share.power != 0) return unknown(op, Reason::other);
  return static_cast<std::size_t>(axis) == share.axis ? unknown(op, Reason::together) : share;
}

RowWalk::Share RowWalk::contraction(const Op& op) {
  const EinsumSpec spec = *parse_einsum(op.attrs.string(Attr::spec));
  const Share &a = of(op.operands[0]), &b = of(op.operands[1]);
  if (a.is_place || b.is_place) return unknown(op, Reason::place);
  if (a.kind == Kind::count || b.kind == Kind::count) return unknown(op, Reason::number);
  if (a.kind == Kind::sum || b.kind == Kind::sum) {
    const bool is_linear = a.kind == Kind::same || b.kind == Kind::same;
    return is_linear ? Share{.kind = Kind::sum, .power = a.power + b.power} : unknown(op, Reason::together);
  }
  const bool both = a.kind == Kind::rows && b.kind == Kind::rows;
  const char letter = a.kind == Kind::rows ? spec.a[a.axis] : spec.b[b.axis];
  const auto times = [&](const std::string& letters) { return std::ranges::count(letters, letter); };
  if (both && (spec.b[b.axis] != letter || a.inner != b.inner)) return unknown(op, Reason::together);
  if (times(spec.a) > 1 || times(spec.b) > 1) return unknown(op, Reason::together);
  const std::size_t place = spec.out.find(letter);
  if (place == std::string::npos) return {.kind = Kind::sum, .power = a.power + b.power};
  Share result = a.kind == Kind::rows ? a : b;
  result.axis = place;
  result.power = a.power + b.power;
  return result;
}

}  // namespace bpc::ir
