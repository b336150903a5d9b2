// The accumulators of one reduction: stack slots, which LLVM turns into registers.
#pragma once

#include "backend/llvm/code.h"

namespace bpc::backend {

class Fold {
 public:
  // `lanes` results side by side, and so many partials of each, in vectors of `width`: along the partials of a lane, or along the lanes
  // where these are as many.
  Fold(Code& code, const plan::Reduction& fold, std::int64_t lanes, std::int64_t partials, std::int64_t width);

  // Each of these is code for one lane; null: there are no lanes.
  void reset(llvm::Value* lane);
  // The value of this turn goes to the accumulator, or to its partial if one is given.
  void add(llvm::Value* lane, llvm::Value* partial, Indices indices);
  // The accumulator goes to the total, and what rounding loses there to what was lost before (Knuth's two-sum).
  void end_block(llvm::Value* lane);
  void finish(llvm::Value* lane, Indices indices);
  // What a part has folded goes to memory, and from there to the accumulator (plan::left_words).
  void leave(llvm::Value* lane, llvm::Value* place);
  void join(llvm::Value* lane, llvm::Value* place);

  // Of all lanes, whose number is small. The partials are joined by halves, and go to the accumulator.
  void reset_partials();
  void join_partials();

 private:
  llvm::Value* left(llvm::Value* lane, llvm::Value* place);
  llvm::Value* slot(llvm::Value* array, llvm::Type* type, llvm::Value* lane);
  llvm::Type* part_type(const llvm::AllocaInst* array) const;
  llvm::Value* partial_slot(llvm::AllocaInst* array, llvm::Value* lane, llvm::Value* partial);
  void join_lane(std::int64_t lane);
  llvm::Value* start(llvm::Type* type);
  llvm::Value* combine(llvm::Value* before, llvm::Value* value);
  // A term, or vectors of them; with its position, where positions are folded.
  struct Term {
    llvm::Value *value = nullptr, *position = nullptr;
  };
  Term better(Term before, Term other, bool is_later);
  llvm::Type* piece(llvm::Type* type) const;

  Code& code_;
  llvm::IRBuilder<>& builder_;
  const plan::Reduction& fold_;
  const std::int64_t lanes_, partials_, width_;
  const bool along_lanes_;
  Element element_;                      // of the accumulators
  llvm::Type* type_;                     // of them in memory
  Element part_element_;                 // of partials
  llvm::AllocaInst* value_ = nullptr;    // by lane
  llvm::AllocaInst* parts_ = nullptr;    // of each partial of each lane
  llvm::Type* position_type_ = nullptr;  // argmax, argmin
  llvm::AllocaInst *position_ = nullptr, *part_positions_ = nullptr;
  llvm::AllocaInst *total_ = nullptr, *lost_ = nullptr;  // of a compensated sum
};

}  // namespace bpc::backend
