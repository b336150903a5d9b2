#include "backend/llvm/fold.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "backend/plan/parts.h"

namespace bpc::backend {

using plan::Reduction;
using plan::RegisterId;

Fold::Fold(Code& code, const Reduction& fold, std::int64_t lanes, std::int64_t partials, std::int64_t width)
    : code_(code),
      builder_(code.builder),
      fold_(fold),
      lanes_(lanes),
      partials_(partials),
      width_(width),
      along_lanes_(lanes >= width),
      element_(code.element(fold.value)) {
  part_element_ = element_;
  if (fold.kind == Reduction::Kind::sum && element_ == Element::f32) element_ = Element::f64;
  if (!fold.narrow) part_element_ = element_;
  type_ = code.memory_type(element_);
  const auto count = static_cast<std::uint64_t>(lanes);
  value_ = code.local(type_, count, "sum");
  if (partials > 1) {
    parts_ = code.local(code.memory_type(part_element_), static_cast<std::uint64_t>(lanes * partials), "partials");
    parts_->setAlignment(llvm::Align(plan::kAlignment));
  }
  if (fold.compensated) {
    total_ = code.local(type_, count, "total");
    lost_ = code.local(type_, count, "lost");
  }
  if (!plan::gives_position(fold)) return;
  const auto* place = std::get_if<plan::Access>(&fold.to);
  position_type_ = code.type(place ? code.plan.at(place->buffer).element : code.element(std::get<RegisterId>(fold.to)));
  position_ = code.local(position_type_, count, "at");
  if (partials == 1) return;
  part_positions_ = code.local(position_type_, static_cast<std::uint64_t>(lanes * partials), "positions");
  part_positions_->setAlignment(llvm::Align(plan::kAlignment));
}

llvm::Value* Fold::slot(llvm::Value* array, llvm::Type* type, llvm::Value* lane) {
  return lane && lanes_ > 1 ? builder_.CreateInBoundsGEP(type, array, lane) : array;
}

llvm::Type* Fold::part_type(const llvm::AllocaInst* array) const {
  return array == part_positions_ ? position_type_ : code_.memory_type(part_element_);
}

llvm::Value* Fold::partial_slot(llvm::AllocaInst* array, llvm::Value* lane, llvm::Value* partial) {
  if (!lane) lane = code_.integer(0);
  llvm::Value *row = along_lanes_ ? partial : lane, *column = along_lanes_ ? lane : partial;
  llvm::Value* at = builder_.CreateNSWAdd(builder_.CreateNSWMul(row, code_.integer(along_lanes_ ? lanes_ : partials_)), column);
  return builder_.CreateInBoundsGEP(part_type(array), array, at);
}

// What changes nothing it is combined with.
llvm::Value* Fold::start(llvm::Type* type) {
  auto extreme = [&](bool least) -> llvm::Value* {
    if (is_real(element_)) return llvm::ConstantFP::getInfinity(type, least);
    const unsigned bits = type->getScalarSizeInBits();
    return llvm::ConstantInt::get(type, least ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getSignedMaxValue(bits));
  };
  switch (fold_.kind) {
    case Reduction::Kind::sum:
    case Reduction::Kind::any:
      break;
    case Reduction::Kind::all:
      return llvm::ConstantInt::get(type, 1);
    case Reduction::Kind::max:
    case Reduction::Kind::argmax:
      return extreme(true);
    case Reduction::Kind::min:
    case Reduction::Kind::argmin:
      return extreme(false);
  }
  return llvm::Constant::getNullValue(type);
}

// Scalars or vectors of them.
llvm::Value* Fold::combine(llvm::Value* before, llvm::Value* value) {
  const bool real = is_real(element_);
  switch (fold_.kind) {
    case Reduction::Kind::sum:
      return real ? builder_.CreateFAdd(before, value) : builder_.CreateAdd(before, value);
    case Reduction::Kind::max:
    case Reduction::Kind::argmax:
      return builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::maximum : llvm::Intrinsic::smax, before, value);
    case Reduction::Kind::min:
    case Reduction::Kind::argmin:
      return builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::minimum : llvm::Intrinsic::smin, before, value);
    case Reduction::Kind::any:
      return builder_.CreateOr(before, value);
    case Reduction::Kind::all:
      return builder_.CreateAnd(before, value);
  }
  return nullptr;
}

void Fold::reset(llvm::Value* lane) {
  builder_.CreateStore(start(type_), slot(value_, type_, lane));
  for (llvm::AllocaInst* sum : {total_, lost_})
    if (sum) builder_.CreateStore(llvm::Constant::getNullValue(type_), slot(sum, type_, lane));
  if (position_) builder_.CreateStore(llvm::Constant::getNullValue(position_type_), slot(position_, position_type_, lane));
}

void Fold::add(llvm::Value* lane, llvm::Value* partial, Indices indices) {
  const Element element = partial ? part_element_ : element_;
  llvm::Value* value = code_.convert(code_.get(fold_.value), code_.element(fold_.value), element);
  llvm::Value* place = partial ? partial_slot(parts_, lane, partial) : slot(value_, type_, lane);
  if (position_) {
    llvm::Value* at = partial ? partial_slot(part_positions_, lane, partial) : slot(position_, position_type_, lane);
    llvm::Value* position = builder_.CreateTruncOrBitCast(code_.form(fold_.position, indices), position_type_);
    const Term best = better({code_.load(element, place), builder_.CreateLoad(position_type_, at)}, {value, position}, true);
    code_.store(best.value, element, place);
    builder_.CreateStore(best.position, at);
    return;
  }
  llvm::Value* after = combine(code_.load(element, place), value);
  code_.store(after, element, place);
  if (!fold_.running) return;
  const Element written = code_.element(fold_.value);
  code_.store(code_.convert(after, element_, written), written, code_.address(std::get<plan::Access>(fold_.to), indices));
}

// argmax, argmin: the first of the best; a NaN is better than all else. What is later is better only if it is more.
Fold::Term Fold::better(Term before, Term other, bool is_later) {
  if (!before.position) return {combine(before.value, other.value), nullptr};
  llvm::Value *low = before.value, *high = other.value;
  if (fold_.kind == Reduction::Kind::argmin) std::swap(low, high);
  const bool real = is_real(element_);
  llvm::Value* takes = real ? builder_.CreateFCmpOGT(high, low) : builder_.CreateICmpSGT(high, low);
  llvm::Value* ties = is_later ? nullptr : real ? builder_.CreateFCmpOEQ(high, low) : builder_.CreateICmpEQ(high, low);
  if (real) {
    llvm::Value* is_nan = builder_.CreateFCmpUNO(other.value, other.value);
    takes = builder_.CreateOr(takes, builder_.CreateAnd(is_nan, builder_.CreateFCmpORD(before.value, before.value)));
    if (ties) ties = builder_.CreateOr(ties, builder_.CreateAnd(is_nan, builder_.CreateFCmpUNO(before.value, before.value)));
  }
  if (ties) takes = builder_.CreateOr(takes, builder_.CreateAnd(ties, builder_.CreateICmpSLT(other.position, before.position)));
  return {builder_.CreateSelect(takes, other.value, before.value), builder_.CreateSelect(takes, other.position, before.position)};
}

void Fold::end_block(llvm::Value* lane) {
  if (!total_) return;
  llvm::Value *value = slot(value_, type_, lane), *total_place = slot(total_, type_, lane), *lost_place = slot(lost_, type_, lane);
  llvm::Value *sum = code_.load(element_, value), *before = code_.load(element_, total_place);
  llvm::Value *total = builder_.CreateFAdd(before, sum), *added = builder_.CreateFSub(total, before);
  llvm::Value* lost = builder_.CreateFAdd(builder_.CreateFSub(before, builder_.CreateFSub(total, added)), builder_.CreateFSub(sum, added));
  code_.store(total, element_, total_place);
  code_.store(builder_.CreateFAdd(code_.load(element_, lost_place), lost), element_, lost_place);
  builder_.CreateStore(start(type_), value);
}

void Fold::finish(llvm::Value* lane, Indices indices) {
  if (fold_.running) return;
  const auto* result_register = std::get_if<RegisterId>(&fold_.to);
  const auto* place = std::get_if<plan::Access>(&fold_.to);
  const Element result = place ? code_.plan.at(place->buffer).element : code_.element(*result_register);
  Element element = element_;
  llvm::Value* value = nullptr;
  if (position_) {
    element = result;
    value = builder_.CreateLoad(position_type_, slot(position_, position_type_, lane));
  } else if (total_) {  // of an infinite total nothing was lost
    llvm::Value *total = code_.load(element, slot(total_, type_, lane)), *lost = code_.load(element, slot(lost_, type_, lane));
    value = builder_.CreateSelect(builder_.CreateFCmpORD(lost, lost), builder_.CreateFAdd(total, lost), total);
  } else {
    value = code_.load(element, slot(value_, type_, lane));
  }
  value = code_.convert(value, element, result);
  if (place)
    code_.store(value, result, code_.address(*place, indices));
  else
    code_.set(*result_register, value);
}

llvm::Value* Fold::left(llvm::Value* lane, llvm::Value* place) {
  if (!lane) return place;
  llvm::Value* word = builder_.CreateNSWMul(lane, code_.integer(plan::left_words(fold_)));
  return builder_.CreateInBoundsGEP(builder_.getInt64Ty(), place, word);
}

void Fold::leave(llvm::Value* lane, llvm::Value* place) {
  place = left(lane, place);
  if (!total_) return code_.store(code_.load(element_, slot(value_, type_, lane)), element_, place);
  code_.store(code_.load(element_, slot(total_, type_, lane)), element_, place);
  code_.store(code_.load(element_, slot(lost_, type_, lane)), element_, builder_.CreateConstInBoundsGEP1_64(type_, place, 1));
}

void Fold::join(llvm::Value* lane, llvm::Value* place) {
  place = left(lane, place);
  llvm::Value *value = slot(value_, type_, lane), *made = code_.load(element_, place);
  if (!total_) return code_.store(combine(code_.load(element_, value), made), element_, value);
  code_.store(made, element_, value);
  end_block(lane);
  llvm::Value *lost = slot(lost_, type_, lane), *more = code_.load(element_, builder_.CreateConstInBoundsGEP1_64(type_, place, 1));
  code_.store(builder_.CreateFAdd(code_.load(element_, lost), more), element_, lost);
}

// In pieces of the size of those that LLVM makes of the turns, so that they meet in registers.
void Fold::reset_partials() {
  if (!parts_) return;
  llvm::Type* type = code_.memory_type(part_element_);
  const std::int64_t width = along_lanes_ ? 1 : width_;
  for (std::int64_t i = 0; i < lanes_ * partials_; i += width) {
    const auto at = static_cast<std::uint64_t>(i);
    builder_.CreateStore(start(piece(type)), builder_.CreateConstInBoundsGEP1_64(type, parts_, at));
    if (part_positions_)
      builder_.CreateStore(llvm::Constant::getNullValue(piece(position_type_)),
                           builder_.CreateConstInBoundsGEP1_64(position_type_, part_positions_, at));
  }
}

void Fold::join_partials() {
  if (!parts_) return;
  for (std::int64_t lane = 0; lane < lanes_; ++lane) join_lane(lane);
}

// So many elements as vectors of turns have.
llvm::Type* Fold::piece(llvm::Type* type) const {
  return along_lanes_ ? type : llvm::FixedVectorType::get(type, static_cast<unsigned>(width_));
}

void Fold::join_lane(std::int64_t lane) {
  const std::int64_t width = along_lanes_ ? 1 : width_;
  std::vector<Term> parts;
  for (std::int64_t i = 0; i < partials_; i += width) {
    auto load = [&](llvm::AllocaInst* array) -> llvm::Value* {
      return builder_.CreateLoad(piece(part_type(array)), partial_slot(array, code_.integer(lane), code_.integer(i)));
    };
    Term& part = parts.emplace_back(Term{load(parts_), part_positions_ ? load(part_positions_) : nullptr});
    if (fold_.narrow) part.value = builder_.CreateFPExt(part.value, piece(type_));
  }
  for (; parts.size() > 1; parts.resize(parts.size() / 2))
    for (std::size_t i = 0; i < parts.size() / 2; ++i) parts[i] = better(parts[i], parts[i + parts.size() / 2], false);
  auto each = [&](const Term& term, const auto& change) {
    return Term{change(term.value), term.position ? change(term.position) : nullptr};
  };
  Term joined = parts[0];
  for (std::int64_t half = width / 2; half > 0; half /= 2) {
    std::vector<int> low, high;
    for (std::int64_t i = 0; i < half; ++i) {
      low.push_back(static_cast<int>(i));
      high.push_back(static_cast<int>(i + half));
    }
    auto lanes = [&](const std::vector<int>& of) {
      return each(joined, [&](llvm::Value* value) { return builder_.CreateShuffleVector(value, of); });
    };
    joined = better(lanes(low), lanes(high), false);
  }
  if (!along_lanes_) joined = each(joined, [&](llvm::Value* value) { return builder_.CreateExtractElement(value, std::uint64_t{0}); });
  llvm::Value* place = slot(value_, type_, code_.integer(lane));
  llvm::Value* at = position_ ? slot(position_, position_type_, code_.integer(lane)) : nullptr;
  const Term all = better({builder_.CreateLoad(type_, place), at ? builder_.CreateLoad(position_type_, at) : nullptr}, joined, false);
  builder_.CreateStore(all.value, place);
  if (at) builder_.CreateStore(all.position, at);
}

}  // namespace bpc::backend
