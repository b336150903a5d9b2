#include "ir/ranges.h"

#include <algorithm>

namespace bpc::ir {

namespace {

constexpr int kMostSteps = 100;                          // expressions of indices are short
constexpr std::int64_t kModest = std::int64_t{1} << 30;  // beyond it, i32 arithmetic may wrap

using Maybe = std::optional<Range>;

Maybe modest(Range range) {
  return range.lo >= -kModest && range.hi <= kModest ? Maybe(range) : std::nullopt;
}

// `steps`: how many more ops may be looked at.
Maybe range_of(const Function& function, ValueId id, int& steps);

Maybe of_constant(const Op& op) {
  if (const AttrValue* value = op.attrs.find(Attr::value)) {
    const auto* whole = std::get_if<std::int64_t>(value);
    return whole ? Maybe({*whole, *whole}) : std::nullopt;
  }
  if (!op.attrs.find(Attr::ints) || op.attrs.ints(Attr::ints).empty()) return std::nullopt;
  auto [lo, hi] = std::ranges::minmax_element(op.attrs.ints(Attr::ints));
  return Range{*lo, *hi};
}

// The index of a map, or of a loop with constant bounds.
Maybe of_argument(const Function& function, const Value& value, int& steps) {
  OpId parent = function.block(value.block).parent;
  if (!parent.valid()) return std::nullopt;
  const Op& op = function.op(parent);
  if (op.code == Opcode::map) return Range{0, std::max<std::int64_t>(function.type(op.results[0]).size(value.slot) - 1, 0)};
  if (op.code != Opcode::for_loop || value.slot != 0) return std::nullopt;
  Maybe lo = range_of(function, op.operands[0], steps), hi = range_of(function, op.operands[1], steps),
        by = range_of(function, op.operands[2], steps);
  if (!lo || !hi || !by) return std::nullopt;
  if (by->lo > 0) return Range{lo->lo, std::max(hi->hi - 1, lo->lo)};
  if (by->hi < 0) return Range{std::min(hi->lo + 1, lo->hi), lo->hi};
  return std::nullopt;
}

Maybe of_arithmetic(Opcode code, Range a, Range b) {
  switch (code) {
    case Opcode::add:
      return modest({a.lo + b.lo, a.hi + b.hi});
    case Opcode::sub:
      return modest({a.lo - b.hi, a.hi - b.lo});
    case Opcode::mul: {
      auto [lo, hi] = std::minmax({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
      return modest({lo, hi});
    }
    case Opcode::select:
      return Range{std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
    default:
      return std::nullopt;
  }
}

// These bound what is not known.
Maybe of_bounding(Opcode code, Range a, Range b) {
  if (code == Opcode::minimum) return Range{std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
  if (code == Opcode::maximum) return Range{std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
  return b.lo == b.hi && b.lo > 0 ? Maybe({0, b.lo - 1}) : std::nullopt;  // mod
}

Maybe range_of(const Function& function, ValueId id, int& steps) {
  const Value& value = function.value(id);
  if (--steps < 0 || !is_integer(value.type.element)) return std::nullopt;
  if (!value.op.valid()) return of_argument(function, value, steps);
  const Op& op = function.op(value.op);
  if (op.code == Opcode::constant) return of_constant(op);
  if (op.code == Opcode::iota)
    return Range{0, std::max<std::int64_t>(value.type.size(static_cast<std::size_t>(op.attrs.integer(Attr::axis))) - 1, 0)};
  if (op.code == Opcode::argmax || op.code == Opcode::argmin) {
    std::int64_t choices = 1;
    for (std::int64_t axis : op.attrs.ints(Attr::axes)) choices *= function.type(op.operands[0]).size(static_cast<std::size_t>(axis));
    return Range{0, std::max<std::int64_t>(choices - 1, 0)};
  }
  if (op.operands.empty()) return std::nullopt;
  Group group = op_info(op.code).group;
  bool is_part = op.code == Opcode::reshape || op.code == Opcode::transpose || op.code == Opcode::broadcast || op.code == Opcode::slice ||
                 op.code == Opcode::gather || op.code == Opcode::window || op.code == Opcode::cast;
  std::size_t first = op.code == Opcode::select ? 1 : 0;
  Maybe a = is_part || group == Group::elementwise ? range_of(function, op.operands[first], steps) : std::nullopt;
  if (op.code == Opcode::minimum || op.code == Opcode::maximum || op.code == Opcode::mod) {
    Maybe b = range_of(function, op.operands[1], steps);
    constexpr Range kAny{INT64_MIN, INT64_MAX};
    return of_bounding(op.code, a.value_or(kAny), b.value_or(kAny));
  }
  if (!a || is_part) return a && modest(*a) ? a : std::nullopt;
  if (op.code == Opcode::neg) return modest(*a) ? Maybe({-a->hi, -a->lo}) : std::nullopt;
  if (op.operands.size() != first + 2) return std::nullopt;
  Maybe b = range_of(function, op.operands[first + 1], steps);
  return b && modest(*a) && modest(*b) ? of_arithmetic(op.code, *a, *b) : std::nullopt;
}

}  // namespace

std::optional<Range> integer_range(const Function& function, ValueId id) {
  int steps = kMostSteps;
  return range_of(function, id, steps);
}

std::uint64_t turn_count(std::int64_t lo, std::int64_t hi, std::int64_t by) {
  if (by > 0 ? lo >= hi : lo <= hi) return 0;
  const auto distance = by > 0 ? static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo)
                               : static_cast<std::uint64_t>(lo) - static_cast<std::uint64_t>(hi);
  const auto stride = by > 0 ? static_cast<std::uint64_t>(by) : -static_cast<std::uint64_t>(by);
  return (distance - 1) / stride + 1;
}

std::optional<ConstantBounds> constant_bounds(const Function& function, const Op& loop) {
  auto fixed = [&](std::size_t operand) -> std::optional<std::int64_t> {
    auto range = integer_range(function, loop.operands[operand]);
    return range && range->lo == range->hi && modest(*range) ? std::optional(range->lo) : std::nullopt;
  };
  auto lo = fixed(0), hi = fixed(1), by = fixed(2);
  if (!lo || !hi || !by || *by == 0) return std::nullopt;
  return ConstantBounds{*lo, *hi, *by, static_cast<std::int64_t>(turn_count(*lo, *hi, *by))};
}

bool is_known_inside(const Function& function, const Op& op, std::size_t first) {
  bool slices = op.code == Opcode::slice || op.code == Opcode::update;
  const auto& axes = op.attrs.ints(slices ? Attr::dynamic : Attr::axes);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto axis = static_cast<std::size_t>(axes[i]);
    Maybe range = integer_range(function, op.operands[first + i]);
    std::int64_t n = function.type(op.operands[0]).size(axis);
    // A negative start counts from the end, so that only one element fits there whatever the start; ranges across 0 are left to the check.
    std::int64_t reach = slices ? op.attrs.ints(Attr::steps)[axis] * std::max<std::int64_t>(op.attrs.ints(Attr::sizes)[axis] - 1, 0) : 0;
    std::int64_t lowest = reach == 0 ? -n : 0;
    if (!range || range->lo < lowest || range->hi >= n || range->lo + reach < lowest || range->hi + reach >= n) return false;
  }
  return true;
}

}  // namespace bpc::ir
