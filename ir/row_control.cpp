// Derivatives, branches, loops and rules of the author's: what holds for all ways that a run may take.
#include "ir/row_walk.h"
#include "ir/shape_rules.h"

namespace bpc::ir {

RowWalk::Share RowWalk::joined(const Share& a, const Share& b, const Op& op) const {
  if (a == b || b.kind == Kind::none) return a;
  if (a.kind == Kind::none) return b;
  if (a.kind == Kind::unknown) return a;
  if (b.kind == Kind::unknown) return b;
  if (a.kind == Kind::same && b.kind == Kind::same) return same();
  if (a.kind == Kind::rows && b.kind == Kind::rows && a.axis == b.axis && a.inner == b.inner && a.is_place == b.is_place &&
      (a.is_zero || b.is_zero || a.power == b.power)) {
    Share both = a.is_zero ? b : a;
    both.is_zero = false;
    return both;
  }
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)})
    if (one->kind == Kind::same && other->kind == Kind::sum && (one->is_zero || other->power == -1)) return *other;
  return unknown(op, Reason::together);
}

void RowWalk::derivative(const Op& op) {
  if (op.code != Opcode::grad) return give_all(op, unknown(op, Reason::other));
  const Share y = of(op.operands[0]);
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    const Share x = of(op.operands[i + 1]);
    Share& result = of(op.results[i]);
    if (y.kind == Kind::unknown || x.kind == Kind::unknown)
      result = y.kind == Kind::unknown ? y : x;
    else if (y.kind == Kind::same && x.kind == Kind::same)
      result = same();
    else if (y.kind == Kind::sum && x.kind == Kind::same)
      result = {.kind = Kind::sum, .power = y.power};
    else if (y.kind == Kind::sum && x.kind == Kind::rows && !x.is_place && x.power == 0)
      result = {.kind = Kind::rows, .power = y.power, .axis = x.axis, .inner = x.inner};
    else
      result = unknown(op, Reason::together);
  }
}

void RowWalk::control(const Op& op) {
  switch (op.code) {
    case Opcode::if_else:
      if (!are_same_first(op, 1)) return give_all(op, unknown(op, Reason::together));
      for (BlockId region : op.regions) {
        block(region);
        for (std::size_t i = 0; i < op.results.size(); ++i) {
          Share& result = of(op.results[i]);
          result = joined(result, of(function_.block(region).yields[i]), op);
        }
      }
      return;
    case Opcode::checkpoint:
      block(op.regions[0]);
      for (std::size_t i = 0; i < op.results.size(); ++i) of(op.results[i]) = of(function_.block(op.regions[0]).yields[i]);
      return;
    case Opcode::for_loop:
    case Opcode::while_loop:
      return loop(op);
    case Opcode::custom:
      return custom(op);
    default:
      return give_all(op, unknown(op, Reason::other));
  }
}

bool RowWalk::are_same_first(const Op& op, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    if (of(op.operands[i]).kind != Kind::same) return false;
  return true;
}

void RowWalk::loop(const Op& op) {
  const std::size_t lead = uncarried_operands(op.code);
  if (!are_same_first(op, lead)) return give_all(op, unknown(op, Reason::together));
  std::vector<Share> carried;
  for (std::size_t i = lead; i < op.operands.size(); ++i) carried.push_back(of(op.operands[i]));
  const BlockId body = op.regions.back();
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (BlockId region : op.regions) {
      const std::vector<ValueId>& arguments = function_.block(region).arguments;
      const std::size_t before = arguments.size() - carried.size();
      for (std::size_t i = 0; i < arguments.size(); ++i) of(arguments[i]) = i < before ? same() : carried[i - before];
      block(region);
    }
    const std::vector<ValueId>& yields = function_.block(body).yields;
    for (std::size_t i = 0; i < carried.size(); ++i) {
      Share next = joined(carried[i], of(yields[i]), op);
      if (next.kind == Kind::unknown && carried[i].kind == Kind::unknown) next = carried[i];
      has_changed |= next != carried[i];
      carried[i] = next;
    }
  }
  const bool is_same_often = op.code == Opcode::for_loop || of(function_.block(op.regions[0]).yields[0]).kind == Kind::same;
  for (std::size_t i = 0; i < op.results.size(); ++i) of(op.results[i]) = is_same_often ? carried[i] : unknown(op, Reason::together);
}

void RowWalk::custom(const Op& op) {
  constexpr int kMark = 64;  // a power that no other number has
  const Block primal = function_.block(op.regions[0]), adjoint = function_.block(op.regions[1]);
  const std::size_t inputs = op.operands.size(), outputs = op.results.size();
  for (std::size_t i = 0; i < inputs; ++i) of(primal.arguments[i]) = of(adjoint.arguments[i]) = of(op.operands[i]);
  block(op.regions[0]);
  for (std::size_t i = 0; i < outputs; ++i) {
    const Share y = of(primal.yields[i]);
    of(op.results[i]) = of(adjoint.arguments[inputs + i]) = y;
    Share dy = y;
    dy.power = kMark;
    if (y.kind == Kind::same) dy = {.kind = Kind::sum, .power = kMark};
    if (y.kind == Kind::sum || y.kind == Kind::count || y.power != 0) dy = unknown(op, Reason::other);
    of(adjoint.arguments[inputs + outputs + i]) = dy;
  }
  block(op.regions[1]);
  for (std::size_t i = 0; i < adjoint.yields.size(); ++i) {
    const Share &x = of(op.operands[i]), &dx = of(adjoint.yields[i]);
    if (dx.is_zero && dx.kind != Kind::unknown) continue;
    const bool fits = x.kind == Kind::rows ? dx.kind == Kind::rows && dx.axis == x.axis && dx.inner == x.inner && dx.power == kMark
                                           : x.kind == Kind::same && dx.kind == Kind::sum && dx.power == kMark;
    if (!fits) return give_all(op, dx.kind == Kind::unknown ? dx : unknown(op, Reason::together));
  }
}

}  // namespace bpc::ir
