#include "ir/leftover.h"

#include <algorithm>

#include "ir/static_facts.h"

namespace bpc::ir {

namespace {

// What a value can be computed from, by the sides of branches: a set of these. Of several operands, the strongest counts.
enum Origins : std::uint8_t { others = 1, an_earlier_turn = 2, x_itself = 4 };

class Leftover {
 public:
  Leftover(const Function& function, ValueId x, const std::vector<bool>& left)
      : function_(function), x_(x), left_(left), origins_(function.value_count(), 0) {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::uint32_t i = 0; i < origins_.size(); ++i) {
        const std::uint8_t found = origins_[i] | of(ValueId{i});
        changed |= found != origins_[i];
        origins_[i] = found;
      }
    }
  }

  bool is_possible(ValueId y) const { return origins_[y.index] & an_earlier_turn; }

 private:
  std::uint8_t of(ValueId v) const {
    if (v == x_) return x_itself;
    if (left_[v.index]) return an_earlier_turn;
    const Value& value = function_.value(v);
    if (!is_real(value.type.element) && !value.type.tape) return others;
    const OpId parent = function_.block(value.block).parent;
    if (!value.op.valid()) return parent.valid() ? of_argument(function_.op(parent), value) : others;
    const Op& op = function_.op(value.op);
    switch (op.code) {
      case Opcode::stop_grad:
        return others;
      case Opcode::if_else:
        return of_yield(op.regions[0], value.slot) | of_yield(op.regions[1], value.slot);
      case Opcode::for_loop:
      case Opcode::while_loop:
        return of_yield(op.regions.back(), value.slot) | (surely_runs(op) ? 0 : of_start(op, value.slot));
      case Opcode::map:
      case Opcode::checkpoint:
      case Opcode::custom:
        return of_yield(op.regions[0], value.slot);
      default:
        return of_all(op.operands);
    }
  }

  std::uint8_t of_argument(const Op& op, const Value& value) const {
    const std::size_t uncarried = uncarried_arguments(op.code);
    if (is_loop(op.code)) {
      if (value.slot < uncarried) return others;
      return of_start(op, value.slot - uncarried) | of_yield(op.regions.back(), value.slot - uncarried);
    }
    return op.code == Opcode::custom && value.slot < op.operands.size() ? origins_[op.operands[value.slot].index] : others;
  }

  std::uint8_t of_start(const Op& loop, std::size_t carried) const {
    return origins_[loop.operands[uncarried_operands(loop.code) + carried].index];
  }
  std::uint8_t of_yield(BlockId region, std::size_t slot) const { return origins_[function_.block(region).yields[slot].index]; }

  std::uint8_t of_all(const std::vector<ValueId>& operands) const {
    std::uint8_t all = others;
    for (ValueId operand : operands) {
      const std::uint8_t one = origins_[operand.index];
      if (one == 0) return 0;  // not known yet
      std::uint8_t both = 0;
      for (std::uint8_t a : {others, an_earlier_turn, x_itself})
        for (std::uint8_t b : {others, an_earlier_turn, x_itself})
          if ((all & a) && (one & b)) both |= std::max(a, b);
      all = both;
    }
    return all;
  }

  bool surely_runs(const Op& loop) const {
    if (loop.code != Opcode::for_loop) return false;
    auto lo = constant_value(function_, loop.operands[0]), hi = constant_value(function_, loop.operands[1]);
    return lo && hi && *lo < *hi;
  }

  const Function& function_;
  ValueId x_;
  const std::vector<bool>& left_;
  std::vector<std::uint8_t> origins_;  // by value
};

}  // namespace

bool may_be_left_over(const Function& function, ValueId y, ValueId x, const std::vector<bool>& left) {
  return Leftover(function, x, left).is_possible(y);
}

}  // namespace bpc::ir
