#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "backend/llvm/kernel.h"

#include "backend/llvm/fold.h"
#include "backend/llvm/scalar.h"
#include "backend/plan/cost.h"
#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/parts.h"
#include "backend/plan/rows.h"

namespace bpc::backend {

using plan::Kernel;
using plan::Reduction;
using plan::RegisterId;

namespace {

// Instructions executed: so few that a call would cost more than it keeps apart; too few to repay code made for long loops.
constexpr double kLittleWork = 256, kModestWork = 16384;
constexpr std::int64_t kAtOnce = 16, kSmallGroup = 4;  // lanes
constexpr std::size_t kSmallBody = 8, kFormula = 20;   // instructions; those of an elementary function
constexpr std::size_t kLargeBody = 32;                 // instructions, which are not written more often for a few turns that are left
constexpr std::int64_t kFewInstructions = 512;  // of all turns of a loop: LLVM may write them all out, and no vectors are made along it

double work(const Kernel& kernel) {
  double turns = static_cast<double>(kernel.body.size());
  for (const plan::Axis& axis : kernel.axes) turns *= static_cast<double>(axis.size);
  return turns;
}

// How many of the axes, outermost first, are not folded.
std::size_t kept_levels(const Kernel& kernel) {
  std::size_t kept = 0;
  while (kept < kernel.axes.size() && !kernel.axes[kept].reduced) ++kept;
  return kernel.lanes > 0 ? std::min(kept, kernel.axes.size() - 1) : kept;
}

// How many turns LLVM shall put into one vector: those of the widest type that is folded.
std::int64_t width(const Code& code, const Kernel& kernel) {
  std::size_t widest = 1, work = 0;
  for (const plan::Instruction& instruction : kernel.body) {
    const auto* compute = std::get_if<plan::Compute>(&instruction.what);
    const bool in_double = compute && scalar::widens_f32(compute->code);
    work += compute && scalar::has_formula(compute->code) ? kFormula : 1;
    widest = std::max(widest, element_size(in_double ? Element::f64 : code.element(instruction.result)));
  }
  // Sums are made in f64; beside much that is not, they are two vectors to one.
  if (work <= kSmallBody)
    for (const Reduction& fold : kernel.reductions)
      if (fold.kind == Reduction::Kind::sum && is_real(code.element(fold.value)) && !fold.narrow) widest = element_size(Element::f64);
  return std::min(static_cast<std::int64_t>(code.plan.target.vector_bytes / widest),
                  kernel.tree.partials > 1 ? kernel.tree.partials : kAtOnce);
}

class LoopNest {
 public:
  // All of a kernel, or the part of it with this number.
  explicit LoopNest(Code& code, const Kernel& kernel, llvm::Value* part = nullptr)
      : code_(code),
        builder_(code.builder),
        kernel_(kernel),
        tree_(kernel.tree),
        part_(part),
        folded_end_(kernel.lanes > 0 ? kernel.axes.size() - 1 : kernel.axes.size()),
        width_(width(code, kernel)),
        calls_(plan::calls_functions(kernel)),
        shape_(work(kernel) <= kModestWork ? Code::Shape::compact : Code::Shape::ordinary) {}

  void run() {
    add_folds();
    kept(0);
  }

  // Joins what parts have left.
  void join(std::int64_t parts) {
    add_folds();
    if (kernel_.lanes > 0) lanes_ = Lanes{code_.integer(0), kernel_.axes.back().size};
    reset();
    loop(code_.integer(0), code_.integer(parts), 1,
         [&](llvm::Value* part) { each_left(part, [](Fold& fold, llvm::Value* lane, llvm::Value* place) { fold.join(lane, place); }); });
    finish();
  }

  // ---- the same, so many turns of the outermost axis at a time ----

  void begin() {
    add_folds();
    if (!kernel_.axes[0].reduced) return;
    if (kernel_.lanes > 0) lanes_ = Lanes{code_.integer(0), kernel_.axes.back().size};
    reset();
    if (tree_.block == 0) reset_partials();
  }
  void some(llvm::Value* from, std::int64_t count) {
    if (kernel_.axes[0].reduced)
      fold(0, from, count, nullptr);
    else
      turns(from, plus(from, count), [&] { kept(1); });
  }
  void end() {
    if (!kernel_.axes[0].reduced) return;
    if (tree_.block == 0) join_partials();
    end_results();
  }

 private:
  using Body = std::function<void()>;

  void add_folds() {
    for (const Reduction& fold : kernel_.reductions)
      folds_.emplace_back(code_, fold, std::max<std::int64_t>(kernel_.lanes, 1), tree_.partials, width_);
  }

  void loop(llvm::Value* from, llvm::Value* to, std::int64_t by, const std::function<void(llvm::Value* index)>& body) {
    code_.loop(from, to, by, shape_, body);
  }
  // The turns of an axis, from `from` up to `to`.
  void turns(llvm::Value* from, llvm::Value* to, const Body& body) {
    loop(from, to, 1, [&](llvm::Value* index) { at(index, body); });
  }
  void at(llvm::Value* index, const Body& body) {
    indices_.push_back(index);
    body();
    indices_.pop_back();
  }
  llvm::Value* plus(llvm::Value* index, std::int64_t count) { return builder_.CreateNSWAdd(index, code_.integer(count)); }

  bool is_cut(std::size_t level) const { return part_ && kernel_.cut.parts > 1 && level == kernel_.cut.axis; }
  // Where the part begins on the axis that is cut.
  llvm::Value* part_begin() { return builder_.CreateNSWMul(part_, code_.integer(kernel_.cut.turns)); }
  // How many turns it has there, at most those of a whole one.
  llvm::Value* part_turns() {
    const std::int64_t size = kernel_.axes[kernel_.cut.axis].size, turns = kernel_.cut.turns;
    if (size % turns == 0) return code_.integer(turns);
    llvm::Value* left = builder_.CreateNSWSub(code_.integer(size), part_begin());
    return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, left, code_.integer(turns));
  }

  // Whether the axis is the innermost, short, and walked side by side in all that is read and written. LLVM would write its turns out, and
  // make vectors along an axis further out, of elements that are far from each other.
  bool is_short_row(std::size_t level) const {
    const auto size = static_cast<std::int64_t>(kernel_.body.size()) * kernel_.axes[level].size;
    if (level + 1 != kernel_.axes.size() || calls_ || kernel_.axes[level].size < kSmallGroup || size > kFewInstructions) return false;
    bool all = true;
    plan::for_each_access(kernel_,
                          [&](const plan::Access& access) { all &= access.at.strides[level] == 0 || access.at.strides[level] == 1; });
    for (const plan::Instruction& instruction : kernel_.body) all &= !std::holds_alternative<plan::Index>(instruction.what);
    return all;
  }

  void kept(std::size_t level) {
    if (level < kept_levels(kernel_) && is_cut(level)) {
      llvm::Value* begin = part_begin();
      loop(code_.integer(0), part_turns(), 1, [&](llvm::Value* turn) { at(builder_.CreateNSWAdd(begin, turn), [&] { kept(level + 1); }); });
    } else if (level < kept_levels(kernel_) && (is_short_row(level) || (kernel_.in_strips && level + 1 == kernel_.axes.size())))
      side_by_side(code_.integer(0), kernel_.axes[level].size, kAtOnce, [&](llvm::Value*) { results(); });
    else if (level < kept_levels(kernel_))
      turns(code_.integer(0), code_.integer(kernel_.axes[level].size), [&] { kept(level + 1); });
    else if (kernel_.lanes > 0)
      strips();
    else
      results();
  }

  // Strip by strip of the lanes.
  void strips() {
    const std::int64_t size = kernel_.axes.back().size;
    if (!is_cut(kernel_.axes.size() - 1)) return strips(code_.integer(0), size);
    each_part([&](llvm::Value* from, std::int64_t count) { strips(from, count); });
  }
  // body(from, turns) for the part of the axis that is cut: the last one may have less turns than the others.
  void each_part(const std::function<void(llvm::Value* from, std::int64_t count)>& body) {
    const plan::Cut& cut = kernel_.cut;
    const std::int64_t before = (cut.parts - 1) * cut.turns, last = kernel_.axes[cut.axis].size - before;
    if (last == cut.turns) return body(part_begin(), cut.turns);
    code_.either(
        builder_.CreateICmpSLT(part_, code_.integer(cut.parts - 1)), [&] { body(part_begin(), cut.turns); },
        [&] { body(code_.integer(before), last); });
  }
  void strips(llvm::Value* begin, std::int64_t size) {
    const std::int64_t width = kernel_.lanes, ragged = size % width;
    auto strip = [&](llvm::Value* from, std::int64_t count) {
      lanes_ = Lanes{from, count};
      results();
    };
    if (size <= width) return strip(begin, size);
    if (ragged == 0 || !kernel_.stores.empty()) {
      loop(begin, plus(begin, size - ragged), width, [&](llvm::Value* from) { strip(from, width); });
      if (ragged != 0) strip(plus(begin, size - ragged), ragged);
      return;
    }
    // The last strip overlaps the one before it: the same sums are made twice, by the same code.
    loop(begin, plus(begin, size), width,
         [&](llvm::Value* from) { strip(builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, from, plus(begin, size - width)), width); });
  }

  // Turns that do not know of each other, in groups that LLVM makes vectors of; the last ones one by one, so that all places are constants.
  // `place` is the number of the turn in its group.
  using Side = std::function<void(llvm::Value* place)>;
  void side_by_side(llvm::Value* from, std::int64_t count, std::int64_t group, const Side& body) {
    auto at_once = [&](llvm::Value* first, std::int64_t offset, std::int64_t size) {
      code_.loop_at_once(size, std::min(width_, size), [&](llvm::Value* i) {
        llvm::Value* place = builder_.CreateNSWAdd(code_.integer(offset), i);
        at(builder_.CreateNSWAdd(first, place), [&] { body(place); });
      });
    };
    const std::int64_t whole = count / group * group;
    if (whole > 0) loop(from, plus(from, whole), group, [&](llvm::Value* first) { at_once(first, 0, group); });
    llvm::Value* rest = plus(from, whole);
    if (kernel_.body.size() > kLargeBody) return at_once(rest, 0, count - whole);
    std::int64_t done = 0;
    for (std::int64_t size = group / 2; size > 0; size = size > kSmallGroup ? size / 2 : size == 1 ? 0 : 1)
      for (; count - whole - done >= size; done += size) at_once(rest, done, size);
  }

  // Calls `body` for each lane of the strip, whose index is then the last of the indices; once where there are none.
  void each_lane(const std::function<void(llvm::Value* lane)>& body) {
    if (!lanes_) return body(nullptr);
    auto lane = [&] { body(builder_.CreateNSWSub(indices_.back(), lanes_->from)); };
    if (calls_) return turns(lanes_->from, plus(lanes_->from, lanes_->count), lane);
    side_by_side(lanes_->from, lanes_->count, kAtOnce, [&](llvm::Value*) { lane(); });
  }

  // Those of the kept indices at hand.
  void results() {
    reset();
    if (tree_.block == 0)
      block([&] { reduced(indices_.size(), nullptr); });
    else
      reduced(indices_.size(), nullptr);
    end_results();
  }
  // Finished, or left to be joined with those of the other parts.
  void end_results() {
    if (!part_ || !kernel_.left.valid()) return finish();
    each_left(part_, [](Fold& fold, llvm::Value* lane, llvm::Value* place) { fold.leave(lane, place); });
  }
  // Calls `body` for each accumulator of the part, and where it is left.
  void each_left(llvm::Value* part, const std::function<void(Fold& fold, llvm::Value* lane, llvm::Value* place)>& body) {
    llvm::Value* first = builder_.CreateNSWMul(part, code_.integer(plan::left_words(kernel_)));
    std::int64_t before = 0;
    for (std::size_t i = 0; i < folds_.size(); ++i) {
      llvm::Value* place = builder_.CreateInBoundsGEP(builder_.getInt64Ty(), code_.base(kernel_.left), plus(first, before));
      indices_.resize(folded_end_, code_.integer(0));
      each_lane([&](llvm::Value* lane) { body(folds_[i], lane, place); });
      indices_.clear();
      before += plan::left_words(kernel_.reductions[i]) * std::max<std::int64_t>(kernel_.lanes, 1);
    }
  }
  void reset() {
    each_lane([&](llvm::Value* lane) {
      for (Fold& fold : folds_) fold.reset(lane);
    });
  }
  void finish() {
    const std::size_t level = indices_.size();
    indices_.resize(folded_end_, code_.integer(0));  // finished values do not depend on the reduced axes
    each_lane([&](llvm::Value* lane) {
      for (Fold& fold : folds_) fold.finish(lane, indices_);
    });
    indices_.resize(level);
  }

  void reduced(std::size_t level, llvm::Value* partial) {
    if (level == folded_end_) return each_lane([&](llvm::Value* lane) { turn(lane, partial); });
    if (!is_cut(level)) return fold(level, code_.integer(0), kernel_.axes[level].size, partial);
    each_part([&](llvm::Value* from, std::int64_t count) { fold(level, from, count, partial); });
  }
  // `count` turns of an axis, block by block.
  void fold(std::size_t level, llvm::Value* from, std::int64_t count, llvm::Value* partial) {
    if (tree_.block == 0 || level != tree_.block_axis) return run(level, from, count, partial);
    auto block = [&](llvm::Value* from, std::int64_t count) {
      this->block([&] { run(level, from, count, partial); });
      each_lane([&](llvm::Value* lane) {
        for (Fold& fold : folds_) fold.end_block(lane);
      });
    };
    const std::int64_t whole = count / tree_.block * tree_.block;
    if (whole > 0) loop(from, plus(from, whole), tree_.block, [&](llvm::Value* first) { block(first, tree_.block); });
    if (whole < count) block(plus(from, whole), count - whole);
  }
  void block(const Body& body) {
    reset_partials();
    body();
    join_partials();
  }
  void reset_partials() {
    for (Fold& fold : folds_) fold.reset_partials();
  }
  void join_partials() {
    for (Fold& fold : folds_) fold.join_partials();
  }

  // `count` turns of an axis that is folded.
  void run(std::size_t level, llvm::Value* from, std::int64_t count, llvm::Value* partial) {
    if (tree_.partials == 1 || level != tree_.axis) return turns(from, plus(from, count), [&] { reduced(level + 1, partial); });
    if (lanes_ && kernel_.lanes >= width_) return one_by_one(level, from, count);
    side_by_side(from, count, tree_.partials, [&](llvm::Value* place) { reduced(level + 1, place); });
  }

  // Where lanes lie side by side, the partials are written out.
  void one_by_one(std::size_t level, llvm::Value* from, std::int64_t count) {
    auto group = [&](llvm::Value* first, std::int64_t size) {
      for (std::int64_t i = 0; i < size; ++i) at(plus(first, i), [&] { reduced(level + 1, code_.integer(i)); });
    };
    const std::int64_t whole = count / tree_.partials * tree_.partials;
    if (whole > 0) loop(from, plus(from, whole), tree_.partials, [&](llvm::Value* first) { group(first, tree_.partials); });
    group(plus(from, whole), count - whole);
  }

  void turn(llvm::Value* lane, llvm::Value* partial) {
    for (const plan::Instruction& instruction : kernel_.body) emit(code_, instruction, indices_);
    for (const plan::Store& store : kernel_.stores) {
      Element element = code_.element(store.value);
      llvm::Value *place = code_.address(store.to, indices_), *value = code_.get(store.value);
      if (store.adds) {
        llvm::Value* before = code_.load(element, place);
        value = is_real(element) ? builder_.CreateFAdd(before, value) : builder_.CreateAdd(before, value);
      }
      code_.store(value, element, place);
    }
    for (Fold& fold : folds_) fold.add(lane, partial, indices_);
  }

  struct Lanes {
    llvm::Value* from;
    std::int64_t count;
  };
  Code& code_;
  llvm::IRBuilder<>& builder_;
  const Kernel& kernel_;
  const plan::Tree& tree_;
  llvm::Value* const part_;
  const std::size_t folded_end_;
  const std::int64_t width_;  // of a vector of turns
  const bool calls_;
  const Code::Shape shape_;
  std::vector<Fold> folds_;
  std::vector<llvm::Value*> indices_;  // of the loops around what is being written
  std::optional<Lanes> lanes_;         // of the strip at hand
};

}  // namespace

void emit(Code& code, const Kernel& kernel) {
  for (const plan::Store& store : kernel.stores)
    if (store.base.valid()) code.copy(store.base, store.to.buffer);
  for (const plan::Axis& axis : kernel.axes)
    if (axis.size == 0 && !axis.reduced) return;

  auto body = [&] {
    if (kernel.cut.parts == 1) return LoopNest(code, kernel).run();
    code.parts(kernel.cut.parts, [&](llvm::Value* part) { LoopNest(code, kernel, part).run(); });
    if (kernel.left.valid()) LoopNest(code, kernel).join(kernel.cut.parts);
  };
  // A loop that may stop the run, or none at all, stays where it is.
  if (may_stop(kernel) || kernel.axes.empty())
    body();
  else
    code.outline("kernel", work(kernel) <= kLittleWork, given_to(kernel, plan::kernel_inputs(kernel)), plan::kernel_results(kernel), body);
}

namespace {

// Tiles of the rows: all, or those of the part with this number.
void emit_tiles(Code& code, const plan::Rows& rows, llvm::Value* part) {
  std::vector<LoopNest> nests;
  for (const Kernel& kernel : rows.kernels) nests.emplace_back(code, kernel, part);
  auto tile = [&](llvm::Value* start, std::int64_t count) {
    code.set(rows.start, start);
    for (std::size_t i = 0; i < nests.size(); ++i) {
      const std::int64_t turns = plan::turns_of_row(rows.kernels[i], rows.count);
      nests[i].some(code.builder.CreateNSWMul(start, code.integer(turns)), count * turns);
    }
  };
  auto tiles = [&](llvm::Value* from, llvm::Value* to) {
    code.loop(from, to, rows.tile, Code::Shape::rolled, [&](llvm::Value* start) { tile(start, rows.tile); });
  };
  const std::int64_t whole = rows.count / rows.tile * rows.tile;
  auto rest = [&] {
    if (whole < rows.count) tile(code.integer(whole), rows.count - whole);
  };
  for (LoopNest& nest : nests) nest.begin();
  if (part) {
    llvm::Value* from = code.builder.CreateNSWMul(part, code.integer(rows.cut.turns));
    llvm::Value* to = code.builder.CreateNSWAdd(from, code.integer(rows.cut.turns));
    tiles(from, code.builder.CreateBinaryIntrinsic(llvm::Intrinsic::smin, to, code.integer(whole)));
    if (whole < rows.count) code.when(code.builder.CreateICmpEQ(part, code.integer(rows.cut.parts - 1)), rest);
  } else {
    tiles(code.integer(0), code.integer(whole));
    rest();
  }
  for (LoopNest& nest : nests) nest.end();
}

}  // namespace

void emit(Code& code, const plan::Rows& rows) {
  code.outline("rows", false, given_to(rows, plan::kernel_inputs(rows)), plan::kernel_results(rows), [&] {
    if (rows.cut.parts == 1) return emit_tiles(code, rows, nullptr);
    code.parts(rows.cut.parts, [&](llvm::Value* part) {
      code.set(rows.part, part);
      emit_tiles(code, rows, part);
    });
    for (const Kernel& kernel : rows.kernels)
      if (kernel.left.valid()) LoopNest(code, kernel).join(rows.cut.parts);
  });
}

}  // namespace bpc::backend
