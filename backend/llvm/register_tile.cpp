#include "backend/llvm/register_tile.h"

#include <llvm/IR/Intrinsics.h>

namespace bpc::backend {

using plan::Group;
using plan::Packing;

RegisterTile::RegisterTile(Code& code, const plan::Contraction& contraction)
    : code_(code),
      contraction_(contraction),
      tile_(contraction.tile),
      builder_(code.builder),
      m_(plan::count(contraction.m)),
      n_(plan::count(contraction.n)),
      k_(plan::count(contraction.k)),
      cm_(plan::walk(contraction, Group::m, contraction.c)),
      cn_(plan::walk(contraction, Group::n, contraction.c)),
      element_(code.plan.at(contraction.c.buffer).element),
      scalar_(code.type(element_)) {
  const auto lanes = static_cast<unsigned>(tile_.lanes);
  vector_ = llvm::FixedVectorType::get(scalar_, lanes);
  wide_ = llvm::FixedVectorType::get(builder_.getDoubleTy(), lanes);
}

void RegisterTile::find_rows(llvm::Value* m, llvm::Value* height) {
  if (cm_.is_even()) return;
  llvm::Value* tables = tables_ ? tables_ : code_.base(contraction_.offsets);
  rows_ = builder_.CreateInBoundsGEP(builder_.getInt64Ty(), tables, code_.integer(2 * tile_.depth));
  fill_offsets(code_, cm_, m, height, rows_);
}

void RegisterTile::emit(const Place& place) {
  if (contraction_.block == 0) return put(products(place, code_.integer(0), place.depth), place);
  llvm::Value* totals = this->totals(place);
  add_blocks(place, totals);
  if (!plan::keeps_totals(contraction_)) return put(rounded(totals), place);
  llvm::Value* end = builder_.CreateNSWAdd(place.k, place.depth);
  code_.when(builder_.CreateICmpEQ(end, code_.integer(k_)), [&] { put(rounded(totals), place); });
}

// The sums of products for k from..to-1 of the block, as vectors row by row.
std::vector<llvm::Value*> RegisterTile::products(const Place& place, llvm::Value* from, llvm::Value* to) {
  const plan::Walk am = plan::walk(contraction_, Group::m, contraction_.a);
  auto step = [&](Packing packing, const plan::Access& operand, std::int64_t packed) {
    return packing == Packing::none ? plan::walk(contraction_, Group::k, operand).stride() : packed;
  };
  const std::int64_t left_step = step(tile_.a, contraction_.a, tile_.a == Packing::along_k ? 1 : tile_.rows);
  const std::int64_t right_step = step(tile_.b, contraction_.b, tile_.panel());
  auto row = [&](std::int64_t i) {  // where the rows of an operand in place are not evenly apart, they are so in each tile alike
    return tile_.a == Packing::none ? plan::offset(am, i) : tile_.a == Packing::along_k ? i * plan::row_length(contraction_) : i;
  };
  const llvm::Align align(tile_.b == Packing::none ? element_size(element_)
                                                   : static_cast<std::uint64_t>(tile_.lanes) * element_size(element_));
  llvm::BasicBlock *before = builder_.GetInsertBlock(), *turn = code_.block("tile"), *done = code_.block("tiled");
  builder_.CreateBr(turn);
  builder_.SetInsertPoint(turn);
  llvm::PHINode* k = builder_.CreatePHI(builder_.getInt64Ty(), 2, "k");
  k->addIncoming(from, before);
  std::vector<llvm::PHINode*> sums;
  for (std::int64_t i = 0; i < tile_.rows * tile_.vectors; ++i) {
    sums.push_back(builder_.CreatePHI(vector_, 2));
    sums.back()->addIncoming(llvm::Constant::getNullValue(vector_), before);
  }
  auto after = [&](llvm::Value* table, std::int64_t step) -> llvm::Value* {
    if (!table) return builder_.CreateNSWMul(k, code_.integer(step));
    return code_.load(Element::i64, builder_.CreateInBoundsGEP(builder_.getInt64Ty(), table, k));
  };
  llvm::Value* right_row = at(place.b, after(place.b_table, right_step));
  std::vector<llvm::Value*> right, results;
  for (std::int64_t j = 0; j < tile_.vectors; ++j)
    right.push_back(builder_.CreateAlignedLoad(vector_, at(right_row, code_.integer(j * tile_.lanes)), align));
  llvm::Value* left_column = at(place.a, after(place.a_table, left_step));
  for (std::int64_t i = 0; i < tile_.rows; ++i) {
    llvm::Value* element = code_.load(element_, at(left_column, code_.integer(row(i))));
    llvm::Value* left = builder_.CreateVectorSplat(static_cast<unsigned>(tile_.lanes), element);
    for (std::int64_t j = 0; j < tile_.vectors; ++j)
      results.push_back(plus_product(sums[static_cast<std::size_t>(i * tile_.vectors + j)], left, right[static_cast<std::size_t>(j)]));
  }
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i]->addIncoming(results[i], turn);
  llvm::Value* next = builder_.CreateNSWAdd(k, code_.integer(1));
  k->addIncoming(next, turn);
  code_.set_shape(builder_.CreateCondBr(builder_.CreateICmpSLT(next, to), turn, done), Code::Shape::rolled);
  builder_.SetInsertPoint(done);
  return results;
}

llvm::Value* RegisterTile::plus_product(llvm::Value* sum, llvm::Value* left, llvm::Value* right) {
  if (!contraction_.fused) return builder_.CreateFAdd(sum, builder_.CreateFMul(left, right));
  return builder_.CreateIntrinsic(llvm::Intrinsic::fma, {vector_}, {left, right, sum});
}

// ---- blocks of products, added up in f64 ----

// Where the totals of the tile are: zeros where k begins.
llvm::Value* RegisterTile::totals(const Place& place) {
  const std::uint64_t count = static_cast<std::uint64_t>(tile_.rows * tile_.panel());
  llvm::Value* place_of = nullptr;
  auto clear = [&] { builder_.CreateMemSet(place_of, builder_.getInt8(0), count * sizeof(double), llvm::Align(sizeof(double))); };
  if (!plan::keeps_totals(contraction_)) {
    place_of = code_.local(wide_, static_cast<std::uint64_t>(tile_.rows * tile_.vectors), "totals");
    clear();
    return place_of;
  }
  const std::int64_t panels = (n_ + tile_.panel() - 1) / tile_.panel() * tile_.panel();
  llvm::Value* first = builder_.CreateNSWAdd(builder_.CreateNSWMul(place.m, code_.integer(panels)),
                                             builder_.CreateNSWMul(place.n, code_.integer(tile_.rows)));
  if (first_total_) first = builder_.CreateNSWAdd(first, first_total_);
  place_of = builder_.CreateInBoundsGEP(builder_.getDoubleTy(), code_.base(contraction_.totals), first);
  code_.when(builder_.CreateICmpEQ(place.k, code_.integer(0)), clear);
  return place_of;
}

void RegisterTile::add_blocks(const Place& place, llvm::Value* totals) {
  code_.loop(code_.integer(0), place.depth, contraction_.block, Code::Shape::rolled, [&](llvm::Value* from) {
    llvm::Value* to = builder_.CreateNSWAdd(from, code_.integer(contraction_.block));
    const std::vector<llvm::Value*> sums = products(place, from, builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, to, place.depth));
    for (std::size_t i = 0; i < sums.size(); ++i) {
      llvm::Value* total = builder_.CreateConstInBoundsGEP1_64(wide_, totals, i);
      llvm::Value* before = builder_.CreateAlignedLoad(wide_, total, llvm::Align(sizeof(double)));
      llvm::Value* after = builder_.CreateFAdd(before, builder_.CreateFPCast(sums[i], wide_));
      builder_.CreateAlignedStore(after, total, llvm::Align(sizeof(double)));
    }
  });
}

std::vector<llvm::Value*> RegisterTile::rounded(llvm::Value* totals) {
  std::vector<llvm::Value*> sums;
  for (std::int64_t i = 0; i < tile_.rows * tile_.vectors; ++i) {
    llvm::Value* total = builder_.CreateConstInBoundsGEP1_64(wide_, totals, static_cast<std::uint64_t>(i));
    sums.push_back(builder_.CreateFPCast(builder_.CreateAlignedLoad(wide_, total, llvm::Align(sizeof(double))), vector_));
  }
  return sums;
}

// ---- the result ----

void RegisterTile::put(const std::vector<llvm::Value*>& sums, const Place& place) {
  llvm::Value* fits = this->fits(place);
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(fits)) return known->isOne() ? put_whole(sums, place) : put_part(sums, place);
  code_.either(fits, [&] { put_whole(sums, place); }, [&] { put_part(sums, place); });
}

// Whether all rows of the tile are in the result, and each lies there side by side.
llvm::Value* RegisterTile::fits(const Place& place) {
  const std::int64_t run = cn_.run();
  llvm::Value* result = builder_.getTrue();
  auto both = [&](llvm::Value* holds) { result = llvm::isa<llvm::ConstantInt>(result) ? holds : builder_.CreateAnd(result, holds); };
  if (run < tile_.panel()) return builder_.getFalse();
  const bool cut = tile_.b != Packing::none && n_ % tile_.panel() != 0;
  if (tile_.a != Packing::none && m_ % tile_.rows != 0)
    both(builder_.CreateICmpSLE(builder_.CreateNSWAdd(place.m, code_.integer(tile_.rows)), code_.integer(m_)));
  if (cut) both(builder_.CreateICmpSLE(builder_.CreateNSWAdd(place.n, code_.integer(tile_.panel())), code_.integer(n_)));
  if (!cn_.is_even() && (run % tile_.panel() != 0 || n_ % tile_.panel() != 0))
    both(builder_.CreateICmpULE(builder_.CreateURem(place.n, code_.integer(run)), code_.integer(run - tile_.panel())));
  return result;
}

llvm::Value* RegisterTile::row(const Place& place, llvm::Value* i) {
  if (!rows_) return builder_.CreateNSWMul(builder_.CreateNSWAdd(place.m, i), code_.integer(cm_.stride()));
  return code_.load(Element::i64, builder_.CreateInBoundsGEP(builder_.getInt64Ty(), rows_, builder_.CreateNSWAdd(place.block_row, i)));
}

void RegisterTile::put_piece(const Piece& piece, llvm::Value* values, llvm::Value* address) {
  if (contraction_.base.valid()) values = builder_.CreateFAdd(load(code_, piece, element_, tile_.lanes, address), values);
  store(code_, piece, element_, tile_.lanes, values, address);
}

void RegisterTile::put_whole(const std::vector<llvm::Value*>& sums, const Place& place) {
  llvm::Value* first = at(c_, offset(code_, cn_, place.n));
  for (std::int64_t i = 0; i < tile_.rows; ++i) {
    llvm::Value* start = at(first, row(place, code_.integer(i)));
    for (std::int64_t j = 0; j < tile_.vectors; ++j)
      put_piece({}, sums[static_cast<std::size_t>(i * tile_.vectors + j)], at(start, code_.integer(j * tile_.lanes)));
  }
}

void RegisterTile::put_part(const std::vector<llvm::Value*>& sums, const Place& place) {
  // A piece is read as a vector, behind the last of which there may be nothing.
  llvm::Value* tile = code_.local(vector_, sums.size() + 1, "tile");
  for (std::size_t i = 0; i < sums.size(); ++i) builder_.CreateStore(sums[i], builder_.CreateConstInBoundsGEP1_64(vector_, tile, i));
  auto left = [&](llvm::Value* from, std::int64_t size, std::int64_t most) {
    return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, builder_.CreateNSWSub(code_.integer(size), from), code_.integer(most));
  };
  llvm::Value* rows = left(place.m, m_, tile_.rows);
  for_each_piece(code_, cn_, tile_.lanes, place.n, left(place.n, n_, tile_.panel()), [&](const Piece& piece) {
    code_.loop(code_.integer(0), rows, 1, Code::Shape::rolled, [&](llvm::Value* i) {
      llvm::Value* from = builder_.CreateNSWAdd(builder_.CreateNSWMul(i, code_.integer(tile_.panel())), piece.position);
      llvm::Value* values = piece.is_single ? code_.load(element_, at(tile, from))
                                            : builder_.CreateAlignedLoad(vector_, at(tile, from), llvm::Align(element_size(element_)));
      put_piece(piece, values, at(c_, builder_.CreateNSWAdd(row(place, i), piece.offset)));
    });
  });
}

}  // namespace bpc::backend
