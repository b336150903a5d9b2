#include "backend/llvm/packing.h"

#include <llvm/IR/Intrinsics.h>

namespace bpc::backend {

namespace {

llvm::FixedVectorType* vector_type(Code& code, Element element, std::int64_t lanes) {
  return llvm::FixedVectorType::get(code.type(element), static_cast<unsigned>(lanes));
}

llvm::Value* least(Code& code, llvm::Value* x, llvm::Value* y) {
  return code.builder.CreateBinaryIntrinsic(llvm::Intrinsic::smin, x, y);
}

// Whether a lane holds one of the piece's elements.
llvm::Value* mask(Code& code, const Piece& piece, std::int64_t lanes) {
  std::vector<llvm::Constant*> numbers;
  for (std::int64_t lane = 0; lane < lanes; ++lane) numbers.push_back(code.builder.getInt32(static_cast<std::uint32_t>(lane)));
  llvm::Value* count = code.builder.CreateTrunc(piece.count, code.builder.getInt32Ty());
  return code.builder.CreateICmpSLT(llvm::ConstantVector::get(numbers),
                                    code.builder.CreateVectorSplat(static_cast<unsigned>(lanes), count));
}

llvm::Value* element_at(Code& code, Element element, llvm::Value* base, llvm::Value* index) {
  return code.builder.CreateInBoundsGEP(code.type(element), base, index);
}

// Rows become columns: at each step, squares of half the size change places.
void transpose(Code& code, std::vector<llvm::Value*>& rows) {
  const std::size_t size = rows.size();
  for (std::size_t half = size / 2; half > 0; half /= 2) {
    std::vector<int> low, high;
    for (std::size_t lane = 0; lane < size; ++lane) {
      const bool second = (lane & half) != 0;
      low.push_back(static_cast<int>(second ? size + lane - half : lane));
      high.push_back(static_cast<int>(second ? size + lane : lane + half));
    }
    for (std::size_t i = 0; i < size; ++i) {
      if ((i & half) != 0) continue;
      llvm::Value *first = rows[i], *second = rows[i + half];
      rows[i] = code.builder.CreateShuffleVector(first, second, low);
      rows[i + half] = code.builder.CreateShuffleVector(first, second, high);
    }
  }
}

}  // namespace

llvm::Value* offset(Code& code, const plan::Walk& walk, llvm::Value* index) {
  auto& builder = code.builder;
  llvm::Value* sum = nullptr;
  for (std::size_t i = walk.sizes.size(); i-- > 0;) {
    llvm::Value* own = i > 0 ? builder.CreateURem(index, code.integer(walk.sizes[i])) : index;
    if (i > 0) index = builder.CreateUDiv(index, code.integer(walk.sizes[i]));
    llvm::Value* term = builder.CreateNSWMul(own, code.integer(walk.strides[i]));
    sum = sum ? builder.CreateNSWAdd(sum, term) : term;
  }
  return sum ? sum : code.integer(0);
}

void fill_offsets(Code& code, const plan::Walk& walk, llvm::Value* from, llvm::Value* length, llvm::Value* table) {
  auto& builder = code.builder;
  code.loop(code.integer(0), length, 1, Code::Shape::compact, [&](llvm::Value* i) {
    llvm::Value* index = least(code, builder.CreateNSWAdd(from, i), code.integer(walk.count - 1));
    code.store(offset(code, walk, index), Element::i64, builder.CreateInBoundsGEP(builder.getInt64Ty(), table, i));
  });
}

llvm::Value* Offsets::at(Code& code, llvm::Value* index) const {
  auto& builder = code.builder;
  if (table_) return code.load(Element::i64, builder.CreateInBoundsGEP(builder.getInt64Ty(), table_, index));
  llvm::Value* number = builder.CreateNSWAdd(from_, index);
  if (may_pass_end_) number = least(code, number, code.integer(walk_->count - 1));
  return offset(code, *walk_, number);
}

void for_each_piece(Code& code, const plan::Walk& walk, std::int64_t lanes, llvm::Value* from, llvm::Value* length,
                    const std::function<void(const Piece&)>& body) {
  auto& builder = code.builder;
  llvm::Value* zero = code.integer(0);
  if (walk.is_even() && walk.stride() == 1) {
    llvm::Value* rest = builder.CreateURem(length, code.integer(lanes));
    llvm::Value* whole = builder.CreateNSWSub(length, rest);
    code.loop(zero, whole, lanes, Code::Shape::rolled,
              [&](llvm::Value* position) { body({builder.CreateNSWAdd(from, position), position, nullptr, false}); });
    code.loop(whole, length, lanes, Code::Shape::rolled,
              [&](llvm::Value* position) { body({builder.CreateNSWAdd(from, position), position, rest, false}); });
    return;
  }
  if (walk.run() == 1) {
    code.loop(zero, length, 1, Code::Shape::rolled,
              [&](llvm::Value* position) { body({offset(code, walk, builder.CreateNSWAdd(from, position)), position, nullptr, true}); });
    return;
  }
  llvm::BasicBlock *before = builder.GetInsertBlock(), *turn = code.block("piece"), *done = code.block("pieces");
  builder.CreateCondBr(builder.CreateICmpSLT(zero, length), turn, done);
  builder.SetInsertPoint(turn);
  llvm::PHINode* position = builder.CreatePHI(builder.getInt64Ty(), 2, "position");
  position->addIncoming(zero, before);
  llvm::Value* index = builder.CreateNSWAdd(from, position);
  llvm::Value* left = builder.CreateNSWSub(code.integer(walk.run()), builder.CreateURem(index, code.integer(walk.run())));
  llvm::Value* count = least(code, least(code, left, code.integer(lanes)), builder.CreateNSWSub(length, position));
  body({offset(code, walk, index), position, count, false});
  llvm::Value* next = builder.CreateNSWAdd(position, count);
  position->addIncoming(next, builder.GetInsertBlock());
  code.set_shape(builder.CreateCondBr(builder.CreateICmpSLT(next, length), turn, done), Code::Shape::rolled);
  builder.SetInsertPoint(done);
}

llvm::Value* load(Code& code, const Piece& piece, Element element, std::int64_t lanes, llvm::Value* address) {
  llvm::FixedVectorType* type = vector_type(code, element, lanes);
  const llvm::Align align(element_size(element));
  if (piece.is_single) return code.load(element, address);
  if (!piece.count) return code.builder.CreateAlignedLoad(type, address, align);
  return code.builder.CreateMaskedLoad(type, address, align, mask(code, piece, lanes), llvm::Constant::getNullValue(type));
}

void store(Code& code, const Piece& piece, Element element, std::int64_t lanes, llvm::Value* values, llvm::Value* address) {
  const llvm::Align align(element_size(element));
  if (piece.is_single || !piece.count)
    code.builder.CreateAlignedStore(values, address, align);
  else
    code.builder.CreateMaskedStore(values, address, align, mask(code, piece, lanes));
}

void copy(Code& code, const Block& block, const Offsets& outer, llvm::Value* count) {
  auto& builder = code.builder;
  auto strip = [&](const Piece& piece, llvm::Value* i) {
    llvm::Value* from = builder.CreateNSWAdd(outer.at(code, i), piece.offset);
    llvm::Value* values = load(code, piece, block.element, block.lanes, element_at(code, block.element, block.source, from));
    llvm::Value* to = builder.CreateNSWAdd(builder.CreateNSWMul(i, code.integer(block.row)), piece.position);
    store(code, piece, block.element, block.lanes, values, element_at(code, block.element, block.target, to));
  };
  auto loop = [&](const std::function<void(llvm::Value*)>& body) { code.loop(code.integer(0), count, 1, Code::Shape::compact, body); };
  auto* known = llvm::dyn_cast<llvm::ConstantInt>(block.length);
  const bool whole = block.inner->is_even() && block.inner->stride() == 1 && known && known->getSExtValue() % block.lanes == 0;
  if (whole && known->getSExtValue() <= 4 * block.lanes) {
    loop([&](llvm::Value* i) {
      for (std::int64_t position = 0; position < known->getSExtValue(); position += block.lanes)
        strip({builder.CreateNSWAdd(block.from, code.integer(position)), code.integer(position), nullptr, false}, i);
    });
    return;
  }
  for_each_piece(code, *block.inner, block.lanes, block.from, block.length,
                 [&](const Piece& piece) { loop([&](llvm::Value* i) { strip(piece, i); }); });
}

void turn(Code& code, const Block& block, const Offsets& outer, std::int64_t count) {
  auto& builder = code.builder;
  for_each_piece(code, *block.inner, block.lanes, block.from, block.length, [&](const Piece& piece) {
    llvm::Value* first = builder.CreateNSWMul(piece.position, code.integer(block.row));
    code.loop(code.integer(0), code.integer(count), block.lanes, Code::Shape::compact, [&](llvm::Value* i) {
      std::vector<llvm::Value*> square;
      for (std::int64_t lane = 0; lane < block.lanes; ++lane) {
        llvm::Value* from = builder.CreateNSWAdd(outer.at(code, builder.CreateNSWAdd(i, code.integer(lane))), piece.offset);
        square.push_back(load(code, piece, block.element, block.lanes, element_at(code, block.element, block.source, from)));
      }
      transpose(code, square);
      llvm::Value* to = element_at(code, block.element, block.target, builder.CreateNSWAdd(first, i));
      for (std::int64_t lane = 0; lane < block.lanes; ++lane)
        builder.CreateAlignedStore(square[static_cast<std::size_t>(lane)],
                                   element_at(code, block.element, to, code.integer(lane * block.row)),
                                   llvm::Align(element_size(block.element)));
    });
  });
}

}  // namespace bpc::backend
