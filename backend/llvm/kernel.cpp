// Loop nests. Accumulators are stack slots, which LLVM turns into registers.
#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "backend/llvm/emitter.h"
#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"

namespace bpc::backend {

using plan::Kernel;
using plan::Reduction;
using plan::RegisterId;

namespace {

// Instructions executed: so few that a call would cost more than it keeps apart; too few to repay code made for long loops.
constexpr double kLittleWork = 256, kModestWork = 16384;
constexpr std::int64_t kLanes = 128;  // of one strip of accumulators

bool may_stop(const Kernel& kernel) {
  for (const plan::Instruction& instruction : kernel.body)
    if (const auto* compute = std::get_if<plan::Compute>(&instruction.what); compute && compute->fails.valid()) return true;
  return false;
}

bool is_arg(const Reduction& fold) {
  return fold.kind == Reduction::Kind::argmax || fold.kind == Reduction::Kind::argmin;
}

double work(const Kernel& kernel) {
  double turns = static_cast<double>(kernel.body.size());
  for (const plan::Axis& axis : kernel.axes) turns *= static_cast<double>(axis.size);
  return turns;
}

// Turns that are added up before their sum is added to the total, whose rounding errors are summed beside it.
constexpr std::int64_t kBlock = 256;

// How many turns of this axis make a block; 0 where blocks are made of another axis, or none are.
std::int64_t block_turns(const Kernel& kernel, std::size_t level) {
  std::int64_t inside = 1;
  for (std::size_t i = level + 1; i < kernel.axes.size(); ++i) {
    if (kernel.axes[i].size == 0) return 0;
    if (inside > kBlock / kernel.axes[i].size) return 0;
    inside *= kernel.axes[i].size;
  }
  return kernel.axes[level].size > kBlock / inside ? kBlock / inside : 0;
}

bool sums_in_blocks(const Kernel& kernel, const Reduction& fold, Element element) {
  if (kernel.lanes || fold.kind != Reduction::Kind::sum || fold.running || element != Element::f64) return false;
  for (std::size_t level = 0; level < kernel.axes.size(); ++level)
    if (kernel.axes[level].reduced && block_turns(kernel, level) > 0) return true;
  return false;
}

// How many of the axes, outermost first, are not folded in a nest whose accumulators are registers.
std::size_t kept_levels(const Kernel& kernel) {
  std::size_t kept = 0;
  while (kept < kernel.axes.size() && !kernel.axes[kept].reduced) ++kept;
  return kept;
}

}  // namespace

void Emitter::emit(const Kernel& kernel) {
  for (const plan::Store& store : kernel.stores)
    if (store.base.valid()) copy(store.base, store.to.buffer);
  for (const plan::Axis& axis : kernel.axes)
    if (axis.size == 0 && !axis.reduced) return;

  std::vector<plan::BufferId> buffers;
  std::vector<RegisterId> results;
  plan::for_each_buffer(kernel, [&](plan::Role, plan::BufferId id) { buffers.push_back(id); });
  for (const Reduction& fold : kernel.reductions)
    if (const auto* result = std::get_if<RegisterId>(&fold.to)) results.push_back(*result);
  auto body = [&] {
    accumulators_.clear();
    std::uint64_t strip = kernel.lanes ? static_cast<std::uint64_t>(std::min(kLanes, kernel.axes.back().size)) : 1;
    for (const Reduction& fold : kernel.reductions) accumulators_.push_back(make_accumulator(kernel, fold, strip));
    std::vector<llvm::Value*> indices;
    shape_ = work(kernel) <= kModestWork ? Shape::compact : Shape::ordinary;
    nest(kernel, 0, indices);
    shape_ = Shape::ordinary;
  };
  // A loop that may stop the run, or none at all, stays where it is.
  if (may_stop(kernel) || kernel.axes.empty())
    body();
  else
    outline("kernel", work(kernel) <= kLittleWork, buffers, plan::kernel_inputs(kernel), results, body);
}

void Emitter::nest(const Kernel& kernel, std::size_t level, std::vector<llvm::Value*>& indices) {
  if (level < kept_levels(kernel)) {
    loop(integer(0), integer(kernel.axes[level].size), 1, [&](llvm::Value* index) {
      indices.push_back(index);
      nest(kernel, level + 1, indices);
      indices.pop_back();
    });
    return;
  }
  if (kernel.lanes) return lanes(kernel, indices);
  for (std::size_t i = 0; i < accumulators_.size(); ++i) reset(kernel.reductions[i], accumulators_[i], nullptr);
  reduced_nest(kernel, level, indices, nullptr);
  indices.resize(kernel.axes.size(), integer(0));  // finished values do not depend on the reduced axes
  for (std::size_t i = 0; i < accumulators_.size(); ++i) finish(kernel.reductions[i], accumulators_[i], nullptr, indices);
  indices.resize(level);
}

void Emitter::reduced_nest(const Kernel& kernel, std::size_t level, std::vector<llvm::Value*>& indices, llvm::Value* lane) {
  if (level == kernel.axes.size()) return turn(kernel, indices, lane);
  auto turns = [&](llvm::Value* from, llvm::Value* to) {
    loop(from, to, 1, [&](llvm::Value* index) {
      indices.push_back(index);
      reduced_nest(kernel, level + 1, indices, lane);
      indices.pop_back();
    });
  };
  const std::int64_t size = kernel.axes[level].size, block = block_turns(kernel, level);
  bool has_totals = std::any_of(accumulators_.begin(), accumulators_.end(), [](const Accumulator& a) { return a.total != nullptr; });
  if (block == 0 || !has_totals) return turns(integer(0), integer(size));
  auto add = [&](llvm::Value* from, llvm::Value* to) {
    turns(from, to);
    for (const Accumulator& accumulator : accumulators_)
      if (accumulator.total) add_block(accumulator);
  };
  const std::int64_t whole = size / block * block;
  loop(integer(0), integer(whole), block, [&](llvm::Value* from) { add(from, builder_.CreateNSWAdd(from, integer(block))); });
  if (whole < size) add(integer(whole), integer(size));
}

// Adds the sum of a block to the total, and what rounding loses there to what was lost before (Knuth's two-sum).
void Emitter::add_block(const Accumulator& accumulator) {
  llvm::Value *sum = load(Element::f64, accumulator.value), *before = load(Element::f64, accumulator.total);
  llvm::Value *total = builder_.CreateFAdd(before, sum), *added = builder_.CreateFSub(total, before);
  llvm::Value* lost = builder_.CreateFAdd(builder_.CreateFSub(before, builder_.CreateFSub(total, added)), builder_.CreateFSub(sum, added));
  store(total, Element::f64, accumulator.total);
  store(builder_.CreateFAdd(load(Element::f64, accumulator.lost), lost), Element::f64, accumulator.lost);
  store(llvm::ConstantFP::get(builder_.getDoubleTy(), 0), Element::f64, accumulator.value);
}

// Strip by strip of the innermost, kept axis: reset the strip's accumulators, fold, finish.
void Emitter::lanes(const Kernel& kernel, std::vector<llvm::Value*>& indices) {
  std::int64_t size = kernel.axes.back().size;
  std::size_t first = indices.size(), last = kernel.axes.size() - 1;
  auto strip = [&](llvm::Value* from, llvm::Value* to) {
    auto each_lane = [&](const std::function<void(llvm::Value * lane)>& body) {
      loop(from, to, 1, [&](llvm::Value* index) {
        indices.push_back(index);
        body(builder_.CreateNSWSub(index, from));
        indices.pop_back();
      });
    };
    auto each_fold = [&](auto f) {
      for (std::size_t i = 0; i < accumulators_.size(); ++i) f(kernel.reductions[i], accumulators_[i]);
    };
    each_lane([&](llvm::Value* lane) {
      each_fold([&](const Reduction& fold, const Accumulator& accumulator) { reset(fold, accumulator, lane); });
    });
    std::function<void(std::size_t)> folded = [&](std::size_t level) {
      if (level == last) return each_lane([&](llvm::Value* lane) { turn(kernel, indices, lane); });
      loop(integer(0), integer(kernel.axes[level].size), 1, [&](llvm::Value* index) {
        indices.push_back(index);
        folded(level + 1);
        indices.pop_back();
      });
    };
    folded(first);
    indices.resize(last, integer(0));
    each_lane([&](llvm::Value* lane) {
      each_fold([&](const Reduction& fold, const Accumulator& accumulator) { finish(fold, accumulator, lane, indices); });
    });
    indices.resize(first);
  };
  auto whole_strip = [&](llvm::Value* from) { strip(from, builder_.CreateNSWAdd(from, integer(kLanes))); };
  std::int64_t ragged = size % kLanes;
  if (size <= kLanes) return strip(integer(0), integer(size));
  if (ragged == 0 || !kernel.stores.empty()) {
    loop(integer(0), integer(size - ragged), kLanes, whole_strip);
    if (ragged != 0) strip(integer(size - ragged), integer(size));
    return;
  }
  // The last strip overlaps the one before it: the same sums are made twice, by the same code.
  loop(integer(0), integer(size), kLanes,
       [&](llvm::Value* from) { whole_strip(builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, from, integer(size - kLanes))); });
}

void Emitter::turn(const Kernel& kernel, Indices indices, llvm::Value* lane) {
  for (const plan::Instruction& instruction : kernel.body) emit(instruction, indices);
  for (const plan::Store& store : kernel.stores) {
    Element element = this->element(store.value);
    llvm::Value *place = address(store.to, indices), *value = get(store.value);
    if (store.adds) {
      llvm::Value* before = load(element, place);
      value = is_real(element) ? builder_.CreateFAdd(before, value) : builder_.CreateAdd(before, value);
    }
    this->store(value, element, place);
  }
  for (std::size_t i = 0; i < accumulators_.size(); ++i) fold_in(kernel.reductions[i], accumulators_[i], lane, indices);
}

Emitter::Accumulator Emitter::make_accumulator(const Kernel& kernel, const Reduction& fold, std::uint64_t count) {
  Element element = this->element(fold.value);
  const bool in_blocks = sums_in_blocks(kernel, fold, element);
  if (fold.kind == Reduction::Kind::sum && element == Element::f32) element = Element::f64;
  Accumulator result{local(memory_type(element), count, "sum"), nullptr, nullptr, nullptr, element};
  if (in_blocks) {
    result.total = local(memory_type(element), count, "total");
    result.lost = local(memory_type(element), count, "lost");
  }
  if (is_arg(fold)) result.position = local(builder_.getInt64Ty(), count, "at");
  return result;
}

llvm::Value* Emitter::slot(llvm::AllocaInst* array, llvm::Type* type, llvm::Value* lane) {
  return lane && array->getAllocatedType()->isArrayTy() ? builder_.CreateInBoundsGEP(type, array, lane) : array;
}

void Emitter::reset(const Reduction& fold, const Accumulator& accumulator, llvm::Value* lane) {
  llvm::Type* type = this->type(accumulator.element);
  llvm::Value* start = llvm::Constant::getNullValue(type);
  auto extreme = [&](bool least) -> llvm::Value* {
    if (is_real(accumulator.element)) return llvm::ConstantFP::getInfinity(type, least);
    unsigned bits = type->getIntegerBitWidth();
    return llvm::ConstantInt::get(type, least ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getSignedMaxValue(bits));
  };
  switch (fold.kind) {
    case Reduction::Kind::sum:
    case Reduction::Kind::any:
      break;
    case Reduction::Kind::all:
      start = builder_.getTrue();
      break;
    case Reduction::Kind::max:
    case Reduction::Kind::argmax:
      start = extreme(true);
      break;
    case Reduction::Kind::min:
    case Reduction::Kind::argmin:
      start = extreme(false);
      break;
  }
  store(start, accumulator.element, slot(accumulator.value, memory_type(accumulator.element), lane));
  for (llvm::AllocaInst* sum : {accumulator.total, accumulator.lost})
    if (sum) store(start, accumulator.element, sum);
  if (accumulator.position) builder_.CreateStore(integer(0), slot(accumulator.position, builder_.getInt64Ty(), lane));
}

void Emitter::fold_in(const Reduction& fold, const Accumulator& accumulator, llvm::Value* lane, Indices indices) {
  llvm::Value* value = convert(get(fold.value), element(fold.value), accumulator.element);
  llvm::Value* place = slot(accumulator.value, memory_type(accumulator.element), lane);
  llvm::Value* before = load(accumulator.element, place);
  bool real = is_real(accumulator.element);
  llvm::Value* after = nullptr;
  switch (fold.kind) {
    case Reduction::Kind::sum:
      after = real ? builder_.CreateFAdd(before, value) : builder_.CreateAdd(before, value);
      // Partial sums side by side; the tree is fixed when the code is made. A running sum has an order.
      if (auto* sum = llvm::dyn_cast<llvm::Instruction>(after); sum && real && !fold.running) sum->setHasAllowReassoc(true);
      break;
    case Reduction::Kind::max:
      after = builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::maximum : llvm::Intrinsic::smax, before, value);
      break;
    case Reduction::Kind::min:
      after = builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::minimum : llvm::Intrinsic::smin, before, value);
      break;
    case Reduction::Kind::any:
      after = builder_.CreateOr(before, value);
      break;
    case Reduction::Kind::all:
      after = builder_.CreateAnd(before, value);
      break;
    case Reduction::Kind::argmax:
    case Reduction::Kind::argmin: {
      llvm::Value *low = before, *high = value;
      if (fold.kind == Reduction::Kind::argmin) std::swap(low, high);
      llvm::Value* better = real ? builder_.CreateFCmpOGT(high, low) : builder_.CreateICmpSGT(high, low);
      if (real) {  // the first NaN wins
        llvm::Value* first = builder_.CreateAnd(builder_.CreateFCmpUNO(value, value), builder_.CreateFCmpORD(before, before));
        better = builder_.CreateOr(better, first);
      }
      llvm::Value* at = slot(accumulator.position, builder_.getInt64Ty(), lane);
      llvm::Value* position = builder_.CreateSelect(better, form(fold.position, indices), builder_.CreateLoad(builder_.getInt64Ty(), at));
      builder_.CreateStore(position, at);
      after = builder_.CreateSelect(better, value, before);
      break;
    }
  }
  store(after, accumulator.element, place);
  if (!fold.running) return;
  const Element written = element(fold.value);
  this->store(convert(after, accumulator.element, written), written, address(std::get<plan::Access>(fold.to), indices));
}

void Emitter::finish(const Reduction& fold, const Accumulator& accumulator, llvm::Value* lane, Indices indices) {
  if (fold.running) return;
  const auto* result_register = std::get_if<RegisterId>(&fold.to);
  const auto* place = std::get_if<plan::Access>(&fold.to);
  Element result = place ? plan_.at(place->buffer).element : element(*result_register);
  if (accumulator.total) {  // of an infinite total nothing was lost
    llvm::Value *total = load(Element::f64, accumulator.total), *lost = load(Element::f64, accumulator.lost);
    llvm::Value* is_number = builder_.CreateFCmpORD(lost, lost);
    store(builder_.CreateSelect(is_number, builder_.CreateFAdd(total, lost), total), Element::f64, accumulator.value);
  }
  llvm::Value* value = accumulator.position
                           ? convert(builder_.CreateLoad(builder_.getInt64Ty(), slot(accumulator.position, builder_.getInt64Ty(), lane)),
                                     Element::i64, result)
                           : convert(load(accumulator.element, slot(accumulator.value, memory_type(accumulator.element), lane)),
                                     accumulator.element, result);
  if (place)
    store(value, result, address(*place, indices));
  else
    set(*result_register, value);
}

}  // namespace bpc::backend
