#include "ir/tape_uses.h"

#include <optional>

#include "ir/uses.h"

namespace bpc::ir {

namespace {

// Whether `block` lies in a loop inside `outer`, so that it may run again.
bool repeats(const Function& function, BlockId block, BlockId outer) {
  for (; block != outer; block = function.op(function.block(block).parent).block) {
    Opcode around = function.op(function.block(block).parent).code;
    if (is_loop(around) || around == Opcode::map) return true;
  }
  return false;
}

// Whether the blocks lie on different sides of an if_else, so that only one of them runs. A yield and an op of one block both run.
bool exclude(const Function& function, BlockId a, BlockId b) {
  for (BlockId side = a;;) {
    OpId parent = function.block(side).parent;
    if (!parent.valid()) return false;
    const Op& op = function.op(parent);
    if (op.code == Opcode::if_else && !is_enclosed(function, b, side) && is_enclosed(function, b, op.regions[op.regions[0] == side]))
      return true;
    side = op.block;
  }
}

}  // namespace

std::vector<TapeMisuse> tape_misuses(const Function& function) {
  std::vector<std::vector<Use>> uses(function.value_count());
  for_each_use(function, [&](ValueId id, const Use& use) {
    if (function.type(id).tape && use.kind != Use::Kind::output) uses[id.index].push_back(use);
  });
  auto first_misuse = [&](ValueId tape, const std::vector<Use>& of) -> std::optional<TapeMisuse> {
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (repeats(function, of[i].block, function.value(tape).block)) return TapeMisuse{tape, of[i].user, {}};
      for (std::size_t k = 0; k < i; ++k)
        if (!exclude(function, of[i].block, of[k].block)) return TapeMisuse{tape, of[i].user, of[k].user};
    }
    return std::nullopt;
  };
  std::vector<TapeMisuse> misuses;
  for (std::uint32_t v = 0; v < uses.size(); ++v)
    if (auto misuse = first_misuse({v}, uses[v])) misuses.push_back(*misuse);
  return misuses;
}

}  // namespace bpc::ir
