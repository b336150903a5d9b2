#include "ir/dependence.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "ir/leftover.h"

namespace bpc::ir {

namespace {

// Real values, and tapes of any kind: what is on them comes from where they began.
bool connects(const Type& type) {
  return is_real(type.element) || type.tape;
}

}  // namespace

void for_each_source(const Function& function, ValueId v, const std::function<void(ValueId)>& visit) {
  const Value& value = function.value(v);
  if (!connects(value.type)) return;
  if (!value.op.valid()) {
    OpId parent = function.block(value.block).parent;
    if (!parent.valid()) return;
    const Op& op = function.op(parent);
    if (op.code == Opcode::custom) {  // of a rule, the operands, the results, and cotangents, which come from elsewhere
      std::size_t operands = op.operands.size();
      if (value.slot < operands)
        visit(op.operands[value.slot]);
      else if (value.slot < operands + op.results.size())
        visit(function.block(op.regions[0]).yields[value.slot - operands]);
    }
    if (!is_loop(op.code)) return;
    // A loop's carried value comes from its initial value and from the end of each turn.
    std::size_t carried = value.slot - uncarried_arguments(op.code);
    visit(op.operands[uncarried_operands(op.code) + carried]);
    const Block& body = function.block(op.regions.back());
    if (carried < body.yields.size()) visit(body.yields[carried]);  // a loop still being built has none yet
    return;
  }
  const Op& op = function.op(value.op);
  switch (op.code) {
    case Opcode::stop_grad:
      return;
    case Opcode::if_else:
      for (BlockId region : op.regions) visit(function.block(region).yields[value.slot]);
      return;
    case Opcode::for_loop:
    case Opcode::while_loop:
      visit(op.operands[uncarried_operands(op.code) + value.slot]);
      visit(function.block(op.regions.back()).yields[value.slot]);
      return;
    case Opcode::map:
    case Opcode::checkpoint:
    case Opcode::custom:
      visit(function.block(op.regions[0]).yields[value.slot]);
      return;
    default:
      for (ValueId operand : op.operands) visit(operand);
  }
}

namespace {

template <class Enter>
std::vector<bool> closure(const Function& function, std::span<const ValueId> ys, Enter enter) {
  std::vector<bool> seen(function.value_count(), false);
  std::vector<ValueId> open(ys.begin(), ys.end());
  for (ValueId y : ys) seen[y.index] = true;
  while (!open.empty()) {
    ValueId v = open.back();
    open.pop_back();
    if (!enter(v)) continue;
    for_each_source(function, v, [&](ValueId source) {
      if (!seen[source.index] && connects(function.type(source))) {
        seen[source.index] = true;
        open.push_back(source);
      }
    });
  }
  return seen;
}

}  // namespace

std::vector<bool> ancestors(const Function& function, ValueId y) {
  return closure(function, {&y, 1}, [](ValueId) { return true; });
}

std::vector<bool> ancestors_within(const Function& function, std::span<const ValueId> ys, BlockId block) {
  return closure(function, ys, [&](ValueId v) { return is_enclosed(function, function.value(v).block, block); });
}

namespace {

// The op in whose region a value is an argument, or nullptr.
const Op* op_of_argument(const Function& function, ValueId v) {
  const Value& value = function.value(v);
  OpId parent = function.block(value.block).parent;
  return value.op.valid() || !parent.valid() ? nullptr : &function.op(parent);
}

bool is_rule(const Op& op, BlockId region) {
  return op.code == Opcode::custom && region != op.regions[0];
}

// An argument with a value of its own in each turn of a loop, or each run of a rule.
bool is_entry(const Function& function, ValueId v) {
  const Op* op = op_of_argument(function, v);
  return op && (is_loop(op->code) || is_rule(*op, function.value(v).block));
}

std::vector<ValueId> picked(const std::vector<ValueId>& values, const std::vector<std::size_t>& slots, std::size_t uncarried = 0) {
  std::vector<ValueId> result;
  for (std::size_t slot : slots) result.push_back(values[uncarried + slot]);
  return result;
}

// Whether some values depend on another one, all of them as they are at one moment. What a loop or branch gives is what its region has
// yielded, under another name: two results are followed together, through the same side and the same last turn. What a turn starts with is
// what the turn before has ended with.
class SameMoment {
 public:
  SameMoment(const Function& function, BlockId at) : function_(function), at_(at) {}

  // v itself stands for nothing else, but for what a loop carries.
  bool depend(const std::vector<ValueId>& ys, ValueId v) {
    const std::vector<bool> seen = reached(ys, v, {});
    return seen[v.index] || (!function_.value(v).op.valid() && depend_through_argument(ys, v, {}, seen));
  }

 private:
  using Resolved = std::vector<OpId>;  // ops whose results have been taken for what their regions yield

  // What ys were computed from, up to v and to what the turns of loops around v start with.
  std::vector<bool> reached(const std::vector<ValueId>& ys, ValueId v, const Resolved& resolved) const {
    const OpId made = function_.value(v).op;
    auto starts_turn = [&](ValueId u) {
      const Op* op = op_of_argument(function_, u);
      return op && is_loop(op->code) && is_enclosed(function_, function_.value(v).block, function_.value(u).block);
    };
    return closure(function_, ys, [&](ValueId u) {
      const OpId op = function_.value(u).op;
      return u != v && !starts_turn(u) &&
             !(op.valid() && (op == made || std::find(resolved.begin(), resolved.end(), op) != resolved.end()));
    });
  }

  bool depend(const std::vector<ValueId>& ys, ValueId v, const Resolved& resolved) {
    constexpr int kMost = 2000;
    if (++questions_ > kMost) return true;  // no script that a person writes; the answer is the careful one
    const OpId made = function_.value(v).op;
    const std::vector<bool> seen = reached(ys, v, resolved);
    if (seen[v.index]) return true;
    if (!made.valid()) return depend_through_argument(ys, v, resolved, seen);
    const Op& op = function_.op(made);
    if (op.regions.empty() || op.code == Opcode::map) return false;
    Resolved within = resolved;
    within.push_back(made);
    const std::vector<std::size_t> slots = slots_of(op.results, seen);
    std::size_t slot = function_.value(v).slot;
    if (is_loop(op.code)) return depend_before(op, slots, slot, ys, within) || depend_at_end(op, slots, slot, ys, within);
    for (BlockId region : op.regions) {
      if (is_rule(op, region)) continue;
      const auto& yields = function_.block(region).yields;
      if (depend(joined(ys, picked(yields, slots)), yields[slot], within)) return true;
    }
    return false;
  }

  // v is what a region starts with.
  bool depend_through_argument(const std::vector<ValueId>& ys, ValueId v, const Resolved& resolved, const std::vector<bool>& seen) {
    const Op* op = op_of_argument(function_, v);
    std::size_t slot = function_.value(v).slot;
    if (op && op->code == Opcode::custom && !is_rule(*op, function_.value(v).block) &&
        !is_enclosed(function_, at_, function_.value(v).block))
      return depend(ys, op->operands[slot], resolved);
    std::size_t uncarried = op ? uncarried_arguments(op->code) : 0;
    if (!op || !is_loop(op->code) || slot < uncarried) return false;
    std::vector<std::size_t> slots;
    for (BlockId region : op->regions)
      for (std::size_t i : slots_of(function_.block(region).arguments, seen))
        if (i >= uncarried) slots.push_back(i - uncarried);
    slot -= uncarried;
    return depend_at_end(*op, slots, slot, ys, resolved) || (!is_around(*op) && depend_before(*op, slots, slot, ys, resolved));
  }

  // What the loop's carried values hold before its first turn.
  bool depend_before(const Op& loop, const std::vector<std::size_t>& slots, std::size_t slot, const std::vector<ValueId>& ys,
                     const Resolved& resolved) {
    std::size_t uncarried = uncarried_operands(loop.code);
    return depend(joined(ys, picked(loop.operands, slots, uncarried)), loop.operands[uncarried + slot], resolved);
  }

  // And after one.
  bool depend_at_end(const Op& loop, const std::vector<std::size_t>& slots, std::size_t slot, const std::vector<ValueId>& ys,
                     const Resolved& resolved) {
    BlockId body = loop.regions.back();
    if (!asked_.insert({body, slots, slot}).second) return false;
    const auto& yields = function_.block(body).yields;
    return depend(joined(ys, picked(yields, slots)), yields[slot], resolved);
  }

  bool is_around(const Op& loop) const {
    return std::any_of(loop.regions.begin(), loop.regions.end(), [&](BlockId region) { return is_enclosed(function_, at_, region); });
  }

  static std::vector<std::size_t> slots_of(const std::vector<ValueId>& values, const std::vector<bool>& seen) {
    std::vector<std::size_t> slots;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (seen[values[i].index]) slots.push_back(i);
    return slots;
  }

  static std::vector<ValueId> joined(std::vector<ValueId> values, const std::vector<ValueId>& more) {
    values.insert(values.end(), more.begin(), more.end());
    return values;
  }

  const Function& function_;
  BlockId at_;
  int questions_ = 0;
  std::set<std::tuple<BlockId, std::vector<std::size_t>, std::size_t>> asked_;  // by body: which slots depend on which
};

}  // namespace

Dependences::Dependences(const Function& function, ValueId y, BlockId at)
    : function_(function), y_(y), at_(at), reached_(ancestors(function, y)), is_surrounded_(false) {
  for (OpId around = function.block(at).parent; around.valid(); around = function.block(at).parent) {
    const Op& op = function.op(around);
    is_surrounded_ |= is_loop(op.code) || is_rule(op, at);
    at = op.block;
  }
}

std::vector<bool> Dependences::held_fixed(ValueId x) const {
  std::vector<bool> fixed(function_.value_count(), false);
  for (std::uint32_t i = 0; i < fixed.size(); ++i) {
    const ValueId v{i};
    const Op* made = function_.def(v);
    if (!made || made->code != Opcode::variable || v == x || !is_enclosed(function_, function_.value(x).block, made->block)) continue;
    const std::vector<bool> before = closure(function_, made->operands, [&](ValueId u) {
      return u != x && !(is_entry(function_, u) && is_enclosed(function_, at_, function_.value(u).block));
    });
    fixed[i] = !before[x.index];
  }
  return fixed;
}

Dependence Dependences::on(ValueId x) const {
  using How = Dependence::How;
  if (!reached_[x.index]) return {How::none, {}};
  if (!is_surrounded_) return {How::complete, {}};
  const std::vector<bool> fixed = held_fixed(x);
  std::vector<ValueId> entries;  // by which y is reached from elsewhere
  const std::vector<bool> within = closure(function_, {&y_, 1}, [&](ValueId v) {
    if (v == x || fixed[v.index]) return false;
    if (!is_entry(function_, v) || !is_enclosed(function_, at_, function_.value(v).block)) return true;
    entries.push_back(v);
    return false;
  });
  for (ValueId entry : entries)
    if (SameMoment(function_, at_).depend({entry}, x)) return {within[x.index] ? How::partial : How::elsewhere, entry};
  if (!within[x.index]) return {How::none, {}};
  std::vector<bool> left(function_.value_count(), false);
  ValueId through;
  for (ValueId entry : entries)
    if (ancestors(function_, entry)[x.index]) left[(through = entry).index] = true;
  if (through.valid() && may_be_left_over(function_, y_, x, left, fixed)) return {How::partial, through};
  return {How::complete, {}};
}

}  // namespace bpc::ir
