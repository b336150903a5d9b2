#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "backend/llvm/kernel.h"

#include "backend/llvm/scalar.h"
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

class LoopNest {
 public:
  LoopNest(Code& code, const Kernel& kernel)
      : code_(code),
        builder_(code.builder),
        kernel_(kernel),
        shape_(work(kernel) <= kModestWork ? Code::Shape::compact : Code::Shape::ordinary) {}

  void run() {
    std::uint64_t strip = kernel_.lanes ? static_cast<std::uint64_t>(std::min(kLanes, kernel_.axes.back().size)) : 1;
    for (const Reduction& fold : kernel_.reductions) accumulators_.push_back(make_accumulator(fold, strip));
    std::vector<llvm::Value*> indices;
    nest(0, indices);
  }

 private:
  struct Accumulator {
    llvm::AllocaInst* value = nullptr;
    llvm::AllocaInst* position = nullptr;                // argmax, argmin
    llvm::AllocaInst *total = nullptr, *lost = nullptr;  // of a long sum: `value` is that of a block
    Element element = Element::f32;
  };

  void loop(llvm::Value* from, llvm::Value* to, std::int64_t by, const std::function<void(llvm::Value* index)>& body) {
    code_.loop(from, to, by, shape_, body);
  }

  void nest(std::size_t level, std::vector<llvm::Value*>& indices) {
    if (level < kept_levels(kernel_)) {
      loop(code_.integer(0), code_.integer(kernel_.axes[level].size), 1, [&](llvm::Value* index) {
        indices.push_back(index);
        nest(level + 1, indices);
        indices.pop_back();
      });
      return;
    }
    if (kernel_.lanes) return lanes(indices);
    for (std::size_t i = 0; i < accumulators_.size(); ++i) reset(kernel_.reductions[i], accumulators_[i], nullptr);
    reduced_nest(level, indices, nullptr);
    indices.resize(kernel_.axes.size(), code_.integer(0));  // finished values do not depend on the reduced axes
    for (std::size_t i = 0; i < accumulators_.size(); ++i) finish(kernel_.reductions[i], accumulators_[i], nullptr, indices);
    indices.resize(level);
  }

  void reduced_nest(std::size_t level, std::vector<llvm::Value*>& indices, llvm::Value* lane) {
    if (level == kernel_.axes.size()) return turn(indices, lane);
    auto turns = [&](llvm::Value* from, llvm::Value* to) {
      loop(from, to, 1, [&](llvm::Value* index) {
        indices.push_back(index);
        reduced_nest(level + 1, indices, lane);
        indices.pop_back();
      });
    };
    const std::int64_t size = kernel_.axes[level].size, block = block_turns(kernel_, level);
    bool has_totals = std::any_of(accumulators_.begin(), accumulators_.end(), [](const Accumulator& a) { return a.total != nullptr; });
    if (block == 0 || !has_totals) return turns(code_.integer(0), code_.integer(size));
    auto add = [&](llvm::Value* from, llvm::Value* to) {
      turns(from, to);
      for (const Accumulator& accumulator : accumulators_)
        if (accumulator.total) add_block(accumulator);
    };
    const std::int64_t whole = size / block * block;
    loop(code_.integer(0), code_.integer(whole), block,
         [&](llvm::Value* from) { add(from, builder_.CreateNSWAdd(from, code_.integer(block))); });
    if (whole < size) add(code_.integer(whole), code_.integer(size));
  }

  // Adds the sum of a block to the total, and what rounding loses there to what was lost before (Knuth's two-sum).
  void add_block(const Accumulator& accumulator) {
    llvm::Value *sum = code_.load(Element::f64, accumulator.value), *before = code_.load(Element::f64, accumulator.total);
    llvm::Value *total = builder_.CreateFAdd(before, sum), *added = builder_.CreateFSub(total, before);
    llvm::Value* lost =
        builder_.CreateFAdd(builder_.CreateFSub(before, builder_.CreateFSub(total, added)), builder_.CreateFSub(sum, added));
    code_.store(total, Element::f64, accumulator.total);
    code_.store(builder_.CreateFAdd(code_.load(Element::f64, accumulator.lost), lost), Element::f64, accumulator.lost);
    code_.store(llvm::ConstantFP::get(builder_.getDoubleTy(), 0), Element::f64, accumulator.value);
  }

  // Strip by strip of the innermost, kept axis: reset the strip's accumulators, fold, finish.
  void lanes(std::vector<llvm::Value*>& indices) {
    std::int64_t size = kernel_.axes.back().size;
    std::size_t first = indices.size(), last = kernel_.axes.size() - 1;
    auto strip = [&](llvm::Value* from, llvm::Value* to) {
      auto each_lane = [&](const std::function<void(llvm::Value * lane)>& body) {
        loop(from, to, 1, [&](llvm::Value* index) {
          indices.push_back(index);
          body(builder_.CreateNSWSub(index, from));
          indices.pop_back();
        });
      };
      auto each_fold = [&](auto f) {
        for (std::size_t i = 0; i < accumulators_.size(); ++i) f(kernel_.reductions[i], accumulators_[i]);
      };
      each_lane([&](llvm::Value* lane) {
        each_fold([&](const Reduction& fold, const Accumulator& accumulator) { reset(fold, accumulator, lane); });
      });
      std::function<void(std::size_t)> folded = [&](std::size_t level) {
        if (level == last) return each_lane([&](llvm::Value* lane) { turn(indices, lane); });
        loop(code_.integer(0), code_.integer(kernel_.axes[level].size), 1, [&](llvm::Value* index) {
          indices.push_back(index);
          folded(level + 1);
          indices.pop_back();
        });
      };
      folded(first);
      indices.resize(last, code_.integer(0));
      each_lane([&](llvm::Value* lane) {
        each_fold([&](const Reduction& fold, const Accumulator& accumulator) { finish(fold, accumulator, lane, indices); });
      });
      indices.resize(first);
    };
    auto whole_strip = [&](llvm::Value* from) { strip(from, builder_.CreateNSWAdd(from, code_.integer(kLanes))); };
    std::int64_t ragged = size % kLanes;
    if (size <= kLanes) return strip(code_.integer(0), code_.integer(size));
    if (ragged == 0 || !kernel_.stores.empty()) {
      loop(code_.integer(0), code_.integer(size - ragged), kLanes, whole_strip);
      if (ragged != 0) strip(code_.integer(size - ragged), code_.integer(size));
      return;
    }
    // The last strip overlaps the one before it: the same sums are made twice, by the same code.
    loop(code_.integer(0), code_.integer(size), kLanes, [&](llvm::Value* from) {
      whole_strip(builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, from, code_.integer(size - kLanes)));
    });
  }

  void turn(Indices indices, llvm::Value* lane) {
    for (const plan::Instruction& instruction : kernel_.body) emit(code_, instruction, indices);
    for (const plan::Store& store : kernel_.stores) {
      Element element = code_.element(store.value);
      llvm::Value *place = code_.address(store.to, indices), *value = code_.get(store.value);
      if (store.adds) {
        llvm::Value* before = code_.load(element, place);
        value = is_real(element) ? builder_.CreateFAdd(before, value) : builder_.CreateAdd(before, value);
      }
      code_.store(value, element, place);
    }
    for (std::size_t i = 0; i < accumulators_.size(); ++i) fold_in(kernel_.reductions[i], accumulators_[i], lane, indices);
  }

  Accumulator make_accumulator(const Reduction& fold, std::uint64_t count) {
    Element element = code_.element(fold.value);
    const bool in_blocks = sums_in_blocks(kernel_, fold, element);
    if (fold.kind == Reduction::Kind::sum && element == Element::f32) element = Element::f64;
    Accumulator result{code_.local(code_.memory_type(element), count, "sum"), nullptr, nullptr, nullptr, element};
    if (in_blocks) {
      result.total = code_.local(code_.memory_type(element), count, "total");
      result.lost = code_.local(code_.memory_type(element), count, "lost");
    }
    if (is_arg(fold)) result.position = code_.local(builder_.getInt64Ty(), count, "at");
    return result;
  }

  llvm::Value* slot(llvm::AllocaInst* array, llvm::Type* type, llvm::Value* lane) {
    return lane && array->getAllocatedType()->isArrayTy() ? builder_.CreateInBoundsGEP(type, array, lane) : array;
  }

  void reset(const Reduction& fold, const Accumulator& accumulator, llvm::Value* lane) {
    llvm::Type* type = code_.type(accumulator.element);
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
    code_.store(start, accumulator.element, slot(accumulator.value, code_.memory_type(accumulator.element), lane));
    for (llvm::AllocaInst* sum : {accumulator.total, accumulator.lost})
      if (sum) code_.store(start, accumulator.element, sum);
    if (accumulator.position) builder_.CreateStore(code_.integer(0), slot(accumulator.position, builder_.getInt64Ty(), lane));
  }

  void fold_in(const Reduction& fold, const Accumulator& accumulator, llvm::Value* lane, Indices indices) {
    llvm::Value* value = code_.convert(code_.get(fold.value), code_.element(fold.value), accumulator.element);
    llvm::Value* place = slot(accumulator.value, code_.memory_type(accumulator.element), lane);
    llvm::Value* before = code_.load(accumulator.element, place);
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
        llvm::Value* position =
            builder_.CreateSelect(better, code_.form(fold.position, indices), builder_.CreateLoad(builder_.getInt64Ty(), at));
        builder_.CreateStore(position, at);
        after = builder_.CreateSelect(better, value, before);
        break;
      }
    }
    code_.store(after, accumulator.element, place);
    if (!fold.running) return;
    const Element written = code_.element(fold.value);
    code_.store(code_.convert(after, accumulator.element, written), written, code_.address(std::get<plan::Access>(fold.to), indices));
  }

  void finish(const Reduction& fold, const Accumulator& accumulator, llvm::Value* lane, Indices indices) {
    if (fold.running) return;
    const auto* result_register = std::get_if<RegisterId>(&fold.to);
    const auto* place = std::get_if<plan::Access>(&fold.to);
    Element result = place ? code_.plan.at(place->buffer).element : code_.element(*result_register);
    if (accumulator.total) {  // of an infinite total nothing was lost
      llvm::Value *total = code_.load(Element::f64, accumulator.total), *lost = code_.load(Element::f64, accumulator.lost);
      llvm::Value* is_number = builder_.CreateFCmpORD(lost, lost);
      code_.store(builder_.CreateSelect(is_number, builder_.CreateFAdd(total, lost), total), Element::f64, accumulator.value);
    }
    llvm::Value* value =
        accumulator.position
            ? code_.convert(builder_.CreateLoad(builder_.getInt64Ty(), slot(accumulator.position, builder_.getInt64Ty(), lane)),
                            Element::i64, result)
            : code_.convert(code_.load(accumulator.element, slot(accumulator.value, code_.memory_type(accumulator.element), lane)),
                            accumulator.element, result);
    if (place)
      code_.store(value, result, code_.address(*place, indices));
    else
      code_.set(*result_register, value);
  }

  Code& code_;
  llvm::IRBuilder<>& builder_;
  const Kernel& kernel_;
  const Code::Shape shape_;
  std::vector<Accumulator> accumulators_;
};

}  // namespace

void emit(Code& code, const Kernel& kernel) {
  for (const plan::Store& store : kernel.stores)
    if (store.base.valid()) code.copy(store.base, store.to.buffer);
  for (const plan::Axis& axis : kernel.axes)
    if (axis.size == 0 && !axis.reduced) return;

  std::vector<plan::BufferId> buffers;
  std::vector<RegisterId> results;
  plan::for_each_buffer(kernel, [&](plan::Role, plan::BufferId id) { buffers.push_back(id); });
  for (const Reduction& fold : kernel.reductions)
    if (const auto* result = std::get_if<RegisterId>(&fold.to)) results.push_back(*result);
  auto body = [&] { LoopNest(code, kernel).run(); };
  // A loop that may stop the run, or none at all, stays where it is.
  if (may_stop(kernel) || kernel.axes.empty())
    body();
  else
    code.outline("kernel", work(kernel) <= kLittleWork, buffers, plan::kernel_inputs(kernel), results, body);
}

}  // namespace bpc::backend
