// Copies of ops, within one function or from another one, with some of the values they read replaced by others.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "ir/builder.h"

namespace bpc::ir {

class Cloner {
 public:
  explicit Cloner(Builder& builder) : Cloner(builder, builder.function()) {}
  // From another function: its values have no meaning here, so that all that are read must be copied or set. The copies have the builder's
  // origin.
  Cloner(Builder& builder, const Function& from) : builder_(builder), from_(from) {}

  // The copies run after what they are copies of: effects are left out, and indices are not checked again.
  void run_again() { runs_again_ = leaves_effects_out_ = true; }
  // The copies print nothing and assert nothing.
  void leave_effects_out() { leaves_effects_out_ = true; }
  // Called with each value that is copied and its copy, arguments of regions included.
  void on_copy(std::function<void(ValueId from, ValueId to)> action) { on_copy_ = std::move(action); }

  // What stands for a value: itself unless it was replaced.
  ValueId map(ValueId value) const;
  std::vector<ValueId> map(const std::vector<ValueId>& values) const;
  void set(ValueId from, ValueId to) { map_[from.index] = to; }

  // Emits a copy of the op, with its regions, where the builder stands, and maps its results to the copy's.
  OpId clone(OpId op);
  // Emits copies of the ops of a block where the builder stands and returns what stands for its yields.
  std::vector<ValueId> splice(BlockId block);
  // A copy of a region's arguments and ops as a new block without a parent, its yields included.
  BlockId clone_block(BlockId block);

 private:
  void copied(ValueId from, ValueId to);

  Builder& builder_;
  const Function& from_;
  std::unordered_map<std::uint32_t, ValueId> map_;
  std::function<void(ValueId, ValueId)> on_copy_;
  bool runs_again_ = false, leaves_effects_out_ = false;
};

// Puts blocks without a parent under an op, as its regions, in order.
void attach_regions(Function& function, OpId op, std::initializer_list<BlockId> blocks);

// Replaces, in a block and the regions inside it, values that are read by others.
void replace_uses(Function& function, BlockId block, const std::unordered_map<std::uint32_t, ValueId>& replacements);

// The tapes from outside that an op, or an op in its regions, reads: a copy of the op needs tapes of its own.
std::vector<ValueId> tapes_read(const Function& function, const Op& op);

// Calls `visit` with each value that the block or a region inside it reads, yields included.
void for_each_use(const Function& function, BlockId block, const std::function<void(ValueId)>& visit);

}  // namespace bpc::ir
