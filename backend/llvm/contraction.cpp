#include <llvm/IR/Intrinsics.h>

#include "backend/llvm/contraction.h"

#include "backend/plan/operands.h"

namespace bpc::backend {

namespace {

// The emission of one contraction, given the indices of its outer axes.
class TileEmitter {
 public:
  TileEmitter(Code& code, const plan::Contraction& c) : e_(code), c_(c), b_(code.builder) {
    element_ = e_.plan.at(c.c.buffer).element;
    scalar_ = e_.type(element_);
    lanes_ = c.lanes;
    vector_ = llvm::FixedVectorType::get(scalar_, static_cast<unsigned>(lanes_));
  }

  void run(std::vector<llvm::Value*>& indices) {
    if (indices.size() < c_.outer.size()) {
      e_.loop(e_.integer(0), e_.integer(c_.outer[indices.size()]), 1, Code::Shape::ordinary, [&](llvm::Value* index) {
        indices.push_back(index);
        run(indices);
        indices.pop_back();
      });
      return;
    }
    outer_ = indices;
    std::int64_t whole = c_.n / c_.panel * c_.panel;
    e_.loop(e_.integer(0), e_.integer(whole), c_.panel, Code::Shape::ordinary, [&](llvm::Value* n) { panel(n, c_.panel); });
    if (whole < c_.n) panel(e_.integer(whole), c_.n - whole);
  }

 private:
  llvm::Value* at(const plan::Access& access, llvm::Value* m, llvm::Value* n, llvm::Value* k) {
    std::vector<llvm::Value*> indices = outer_;
    indices.insert(indices.end(), {m, n, k});
    return e_.address(access, indices);
  }
  llvm::Value* zero() { return e_.integer(0); }
  llvm::Value* plus(llvm::Value* index, std::int64_t offset) { return b_.CreateNSWAdd(index, e_.integer(offset)); }

  void panel(llvm::Value* n, std::int64_t columns) {
    pack(n, columns);
    std::int64_t whole = c_.m / c_.rows * c_.rows;
    e_.loop(zero(), e_.integer(whole), c_.rows, Code::Shape::ordinary, [&](llvm::Value* m) { tile(m, n, c_.rows, columns); });
    if (whole < c_.m) tile(e_.integer(whole), n, c_.m - whole, columns);
  }

  // scratch[k][j] = b[k][n + j], 0 past the last column.
  void pack(llvm::Value* n, std::int64_t columns) {
    llvm::Value* scratch = e_.base(c_.scratch);
    e_.loop(zero(), e_.integer(c_.k), 1, Code::Shape::ordinary, [&](llvm::Value* k) {
      llvm::Value* row = b_.CreateInBoundsGEP(scalar_, scratch, b_.CreateNSWMul(k, e_.integer(c_.panel)));
      e_.loop(zero(), e_.integer(columns), 1, Code::Shape::ordinary, [&](llvm::Value* j) {
        llvm::Value* value = e_.load(element_, at(c_.b, zero(), b_.CreateNSWAdd(n, j), k));
        e_.store(value, element_, b_.CreateInBoundsGEP(scalar_, row, j));
      });
      for (std::int64_t j = columns; j < c_.panel; ++j)
        e_.store(llvm::ConstantFP::get(scalar_, 0), element_, b_.CreateConstInBoundsGEP1_64(scalar_, row, static_cast<std::uint64_t>(j)));
    });
  }

  std::int64_t vectors(std::int64_t columns) const { return (columns + lanes_ - 1) / lanes_; }

  // The products of `rows` rows of a with the panel, for k from..to-1, as vectors row by row.
  std::vector<llvm::Value*> products(llvm::Value* m, llvm::Value* from, llvm::Value* to, std::int64_t rows, std::int64_t columns) {
    std::int64_t per_row = vectors(columns);
    llvm::BasicBlock* before = b_.GetInsertBlock();
    auto* turn = e_.block("tile");
    auto* done = e_.block("tiled");
    b_.CreateBr(turn);
    b_.SetInsertPoint(turn);
    llvm::PHINode* k = b_.CreatePHI(b_.getInt64Ty(), 2, "k");
    k->addIncoming(from, before);
    std::vector<llvm::PHINode*> sums;
    for (std::int64_t i = 0; i < rows * per_row; ++i) {
      sums.push_back(b_.CreatePHI(vector_, 2));
      sums.back()->addIncoming(llvm::Constant::getNullValue(vector_), before);
    }
    llvm::Value* row = b_.CreateInBoundsGEP(scalar_, e_.base(c_.scratch), b_.CreateNSWMul(k, e_.integer(c_.panel)));
    std::vector<llvm::Value*> right;
    for (std::int64_t j = 0; j < per_row; ++j)
      right.push_back(b_.CreateAlignedLoad(vector_, b_.CreateConstInBoundsGEP1_64(scalar_, row, static_cast<std::uint64_t>(j * lanes_)),
                                           llvm::Align(static_cast<std::uint64_t>(lanes_) * element_size(element_))));
    std::vector<llvm::Value*> results;
    for (std::int64_t i = 0; i < rows; ++i) {
      llvm::Value* left = b_.CreateVectorSplat(static_cast<unsigned>(lanes_), e_.load(element_, at(c_.a, plus(m, i), zero(), k)));
      for (std::int64_t j = 0; j < per_row; ++j)
        results.push_back(plus_product(sums[static_cast<std::size_t>(i * per_row + j)], left, right[static_cast<std::size_t>(j)]));
    }
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i]->addIncoming(results[i], turn);
    llvm::Value* next = plus(k, 1);
    k->addIncoming(next, turn);
    e_.set_shape(b_.CreateCondBr(b_.CreateICmpSLT(next, to), turn, done), Code::Shape::rolled);
    b_.SetInsertPoint(done);
    return results;
  }

  llvm::Value* plus_product(llvm::Value* sum, llvm::Value* left, llvm::Value* right) {
    if (!c_.fused) return b_.CreateFAdd(sum, b_.CreateFMul(left, right));
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {vector_}, {left, right, sum});
  }

  void tile(llvm::Value* m, llvm::Value* n, std::int64_t rows, std::int64_t columns) {
    if (c_.block == 0) return put(products(m, zero(), e_.integer(c_.k), rows, columns), m, n, rows, columns);
    auto* wide = llvm::FixedVectorType::get(b_.getDoubleTy(), static_cast<unsigned>(lanes_));
    auto count = static_cast<std::size_t>(rows * vectors(columns));
    std::vector<llvm::AllocaInst*> totals;
    for (std::size_t i = 0; i < count; ++i) {
      totals.push_back(e_.local(wide, 1, "total"));
      b_.CreateStore(llvm::Constant::getNullValue(wide), totals.back());
    }
    auto add = [&](llvm::Value* from, llvm::Value* to) {
      std::vector<llvm::Value*> sums = products(m, from, to, rows, columns);
      for (std::size_t i = 0; i < count; ++i)
        b_.CreateStore(b_.CreateFAdd(b_.CreateLoad(wide, totals[i]), b_.CreateFPExt(sums[i], wide)), totals[i]);
    };
    std::int64_t whole = c_.k / c_.block * c_.block;
    e_.loop(zero(), e_.integer(whole), c_.block, Code::Shape::ordinary, [&](llvm::Value* k) { add(k, plus(k, c_.block)); });
    if (whole < c_.k) add(e_.integer(whole), e_.integer(c_.k));
    std::vector<llvm::Value*> results;
    for (llvm::AllocaInst* total : totals) results.push_back(b_.CreateFPTrunc(b_.CreateLoad(wide, total), vector_));
    put(results, m, n, rows, columns);
  }

  void put(const std::vector<llvm::Value*>& tile, llvm::Value* m, llvm::Value* n, std::int64_t rows, std::int64_t columns) {
    std::int64_t per_row = vectors(columns);
    bool dense = c_.c.at.strides[c_.outer.size() + 1] == 1;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < per_row; ++j) {
        llvm::Value* values = tile[static_cast<std::size_t>(i * per_row + j)];
        std::int64_t held = std::min(lanes_, columns - j * lanes_);
        if (dense && held == lanes_) {
          b_.CreateAlignedStore(values, at(c_.c, plus(m, i), plus(n, j * lanes_), zero()), llvm::Align(element_size(element_)));
          continue;
        }
        for (std::int64_t lane = 0; lane < held; ++lane)
          e_.store(b_.CreateExtractElement(values, static_cast<std::uint64_t>(lane)), element_,
                   at(c_.c, plus(m, i), plus(n, j * lanes_ + lane), zero()));
      }
  }

  Code& e_;
  const plan::Contraction& c_;
  llvm::IRBuilder<>& b_;
  Element element_;
  llvm::Type* scalar_;
  std::int64_t lanes_;
  llvm::FixedVectorType* vector_;
  std::vector<llvm::Value*> outer_;
};

}  // namespace

void emit(Code& code, const plan::Contraction& contraction) {
  std::vector<plan::BufferId> buffers;
  std::vector<plan::RegisterId> uses;
  plan::for_each_buffer(contraction, [&](plan::Role, plan::BufferId id) { buffers.push_back(id); });
  plan::for_each_register(contraction, [&](plan::Role, plan::RegisterId id) { uses.push_back(id); });
  code.outline("contraction", false, buffers, std::move(uses), {}, [&] {
    std::vector<llvm::Value*> indices;
    TileEmitter(code, contraction).run(indices);
  });
}

}  // namespace bpc::backend
