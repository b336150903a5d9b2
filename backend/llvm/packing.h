// Blocks of an operand of a contraction, read where it lies, whatever axes it walks, and put side by side.
#pragma once

#include "backend/llvm/code.h"
#include "backend/plan/contraction.h"

namespace bpc::backend {

// How far element `index` of a walk is from the first one.
llvm::Value* offset(Code& code, const plan::Walk& walk, llvm::Value* index);
// table[i] = how far element min(from + i, count - 1) is from the first one, for i below `length`.
void fill_offsets(Code& code, const plan::Walk& walk, llvm::Value* from, llvm::Value* length, llvm::Value* table);

// Where the elements of a block are along one of its sides: in a table, or evenly apart.
class Offsets {
 public:
  // Evenly, from element `from` on; those behind the last are where the last one is.
  Offsets(const plan::Walk& walk, llvm::Value* from, bool may_pass_end) : walk_(&walk), from_(from), may_pass_end_(may_pass_end) {}
  explicit Offsets(llvm::Value* table) : table_(table) {}
  llvm::Value* at(Code& code, llvm::Value* index) const;

 private:
  const plan::Walk* walk_ = nullptr;
  llvm::Value *from_ = nullptr, *table_ = nullptr;
  bool may_pass_end_ = false;
};

// Elements side by side: at most the lanes of a vector.
struct Piece {
  llvm::Value* offset = nullptr;    // of the first, from the first of the walk
  llvm::Value* position = nullptr;  // of the first, from where the pieces begin
  llvm::Value* count = nullptr;     // nullptr: all lanes
  bool is_single = false;           // one element, of a walk that has no two side by side
};
// The elements from `from` on of a walk, as pieces.
void for_each_piece(Code& code, const plan::Walk& walk, std::int64_t lanes, llvm::Value* from, llvm::Value* length,
                    const std::function<void(const Piece&)>& body);
llvm::Value* load(Code& code, const Piece& piece, Element element, std::int64_t lanes, llvm::Value* address);  // 0 in the other lanes
void store(Code& code, const Piece& piece, Element element, std::int64_t lanes, llvm::Value* values, llvm::Value* address);

// Of a block that is copied: where it is read and put, and how its sides are walked.
struct Block {
  Element element = Element::f32;
  std::int64_t lanes = 0;
  llvm::Value *source = nullptr, *target = nullptr;
  std::int64_t row = 0;                            // of the target, in elements
  const plan::Walk* inner = nullptr;               // along the vectors of the source
  llvm::Value *from = nullptr, *length = nullptr;  // of it
};
// target[row * i + j] = source[outer(i) + inner(j)], for i below `count`.
void copy(Code& code, const Block& block, const Offsets& outer, llvm::Value* count);
// target[row * j + i] = source[outer(i) + inner(j)], for i below `count`, a multiple of the lanes, which are turned as squares; zeros may
// be written to as many rows behind the last.
void turn(Code& code, const Block& block, const Offsets& outer, std::int64_t count);

}  // namespace bpc::backend
