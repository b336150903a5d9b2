// The innermost code of a contraction: a tile of the result, in registers, walked along k.
#pragma once

#include "backend/llvm/packing.h"
#include "backend/plan/contraction.h"

namespace bpc::backend {

class RegisterTile {
 public:
  RegisterTile(Code& code, const plan::Contraction& contraction);

  // Where the result begins, in this turn of the batch.
  void set_result(llvm::Value* address) { c_ = address; }
  // Where a part has its tables of offsets, and its totals, if not where the buffers begin.
  void set_tables(llvm::Value* address) { tables_ = address; }
  void set_totals(llvm::Value* first) { first_total_ = first; }
  // To be said before tiles in rows m … m + height - 1 are made.
  void find_rows(llvm::Value* m, llvm::Value* height);

  struct Place {
    llvm::Value *a = nullptr, *b = nullptr;              // the tile's rows and panel
    llvm::Value *a_table = nullptr, *b_table = nullptr;  // of what is not packed, and walks k unevenly: its offsets
    llvm::Value *m = nullptr, *n = nullptr;              // of its first element
    llvm::Value* block_row = nullptr;                    // m, from the first row of the block
    llvm::Value *k = nullptr, *depth = nullptr;          // what is packed of k
  };
  // Adds up the products of this depth; at the end of k the sums are stored, those within the result.
  void emit(const Place& place);

 private:
  std::vector<llvm::Value*> products(const Place& place, llvm::Value* from, llvm::Value* to);
  llvm::Value* plus_product(llvm::Value* sum, llvm::Value* left, llvm::Value* right);
  llvm::Value* totals(const Place& place);
  void add_blocks(const Place& place, llvm::Value* totals);
  std::vector<llvm::Value*> rounded(llvm::Value* totals);
  void put(const std::vector<llvm::Value*>& sums, const Place& place);
  llvm::Value* fits(const Place& place);
  void put_piece(const Piece& piece, llvm::Value* values, llvm::Value* address);
  void put_whole(const std::vector<llvm::Value*>& sums, const Place& place);
  void put_part(const std::vector<llvm::Value*>& sums, const Place& place);
  llvm::Value* row(const Place& place, llvm::Value* i);
  llvm::Value* at(llvm::Value* base, llvm::Value* index) { return builder_.CreateInBoundsGEP(scalar_, base, index); }

  Code& code_;
  const plan::Contraction& contraction_;
  const plan::Tile& tile_;
  llvm::IRBuilder<>& builder_;
  const std::int64_t m_, n_, k_;
  const plan::Walk cm_, cn_;
  Element element_;
  llvm::Type* scalar_;
  llvm::FixedVectorType *vector_, *wide_;
  llvm::Value* c_ = nullptr;
  llvm::Value *tables_ = nullptr, *first_total_ = nullptr;
  llvm::Value* rows_ = nullptr;  // where the rows of the block are, if c walks them unevenly
};

}  // namespace bpc::backend
