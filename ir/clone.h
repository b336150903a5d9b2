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
  // origin, unless theirs are kept.
  Cloner(Builder& builder, const Function& from) : builder_(builder), from_(from) {}

  void keep_origins() { keeps_origins_ = true; }
  // The copies run after what they are copies of: effects are left out, and indices are not checked again.
  void run_again() { runs_again_ = leaves_effects_out_ = true; }
  // The copies print nothing and assert nothing.
  void leave_effects_out() { leaves_effects_out_ = true; }
  // Called with each op of a block, regions included, before it is copied: true if it is not to be, since its results are set, or not used.
  using Visit = std::function<bool(const Op& op)>;
  void on_visit(Visit visit) { on_visit_ = std::move(visit); }
  // Called with each value that is copied and its copy, arguments of regions included.
  void on_copy(std::function<void(ValueId from, ValueId to)> action) { on_copy_ = std::move(action); }

  // What stands for a value. Within one function: itself unless it was replaced; InternalError for a value of another one without a copy.
  ValueId map(ValueId value) const;
  std::vector<ValueId> map(const std::vector<ValueId>& values) const;
  bool has(ValueId value) const { return find(value) != nullptr; }
  void set(ValueId from, ValueId to);
  OriginId map(OriginId origin);

  // Emits a copy of the op, with its regions, where the builder stands, and maps its results to the copy's. With `keep`, one flag per
  // result, a region op loses the other results and, if it is a loop, the carried values that go with them: nothing copied may still use
  // these.
  OpId clone(OpId op, const std::vector<bool>& keep = {});
  // Emits copies of the ops of a block where the builder stands and returns what stands for its yields; with `keep`, one flag per yield,
  // for no more than that.
  std::vector<ValueId> splice(BlockId block, const std::vector<bool>& keep = {});
  // A copy of a region's arguments and ops as a new block without a parent, its yields included.
  BlockId clone_block(BlockId block);

 private:
  friend class Rewriter;
  OpId clone(const Op& op, const std::vector<bool>& keep);
  // `uncarried`: arguments before the carried ones, which `keep` is about.
  void fill(BlockId to, BlockId from, std::size_t uncarried, const std::vector<bool>& keep_arguments, const std::vector<bool>& keep_yields);
  void copied(ValueId from, ValueId to);
  const ValueId* find(ValueId value) const;
  bool is_within_one() const { return &from_ == &builder_.function(); }

  Builder& builder_;
  const Function& from_;
  // By value: few of those of one function are replaced, nearly all of another one's are copied.
  std::unordered_map<std::uint32_t, ValueId> replaced_;
  std::vector<ValueId> copies_;
  std::vector<OriginId> origins_;
  Visit on_visit_;
  std::function<void(ValueId, ValueId)> on_copy_;
  bool keeps_origins_ = false, runs_again_ = false, leaves_effects_out_ = false;
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
