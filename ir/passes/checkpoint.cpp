#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "ir/adjoint.h"
#include "ir/dependence.h"
#include "ir/passes/passes.h"
#include "ir/ranges.h"
#include "ir/rewrite.h"

namespace bpc::ir {

namespace {

constexpr double kMuch = 512.0 * 1024 * 1024;  // bytes on tapes for one loop

double bytes_of(const Type& type) {
  return type.tape ? 0 : static_cast<double>(type.count()) * static_cast<double>(element_size(type.element));
}

double turns_of(const Function& function, const Op& op) {
  auto bounds = op.code == Opcode::for_loop ? constant_bounds(function, op) : std::nullopt;
  return bounds ? static_cast<double>(bounds->turns) : 1;
}

// What an adjoint may keep of one run of a block, in bytes: an upper bound, since it computes cheap values again, and an array that a loop
// updates in place counts in each turn.
double most_bytes(const Function& function, BlockId block) {
  double bytes = 0;
  for (ValueId argument : function.block(block).arguments) bytes += bytes_of(function.type(argument));
  for (OpId id : function.block(block).ops) {
    const Op& op = function.op(id);
    if (!op_info(op.code).has(cheap))
      for (ValueId result : op.results) bytes += bytes_of(function.type(result));
    for (BlockId region : op.regions) bytes += turns_of(function, op) * most_bytes(function, region);
  }
  return bytes;
}

double pushed_bytes(const Function& function, BlockId block) {
  double bytes = 0;
  for (OpId id : function.block(block).ops) {
    const Op& op = function.op(id);
    if (op.code == Opcode::push) bytes += bytes_of(function.type(op.operands[1]));
    for (BlockId region : op.regions) bytes += turns_of(function, op) * pushed_bytes(function, region);
  }
  return bytes;
}

// What the loops of a function keep for their adjoints, found by expanding its derivatives once without any segments.
class KeptByLoops {
 public:
  explicit KeptByLoops(const Function& function) {
    Diagnostics none;  // the pass `adjoint` reports them
    const Function expanded = expand_gradients(function, none);
    for (std::uint32_t i = 0; i < expanded.op_count(); ++i) {
      const Op& op = expanded.op(OpId{i});
      if (op.code != Opcode::for_loop) continue;
      double& bytes = bytes_[place(expanded, op)];
      bytes = std::max(bytes, turns_of(expanded, op) * pushed_bytes(expanded, op.regions[0]));
    }
  }

  double bytes(const Function& function, const Op& loop) const {
    auto found = bytes_.find(place(function, loop));
    return found == bytes_.end() ? 0 : found->second;
  }

 private:
  // By which a loop is known again; one that a derivative has made has a rule.
  using Place = std::tuple<Span, std::vector<Span>, std::string, std::string>;
  static Place place(const Function& function, const Op& op) {
    const Origin& origin = function.origin(op.origin);
    return {origin.span, origin.calls, origin.path, origin.rule};
  }

  std::map<Place, double> bytes_;
};

// The values that some reverse derivative goes back through.
std::vector<bool> reversed_values(const Function& function) {
  std::vector<bool> reversed(function.value_count(), false);
  for (std::uint32_t i = 0; i < function.op_count(); ++i) {
    const Op& op = function.op(OpId{i});
    if (op.code != Opcode::grad && op.code != Opcode::vjp) continue;
    const std::vector<bool> one = ancestors(function, op.operands[0]);
    for (std::size_t v = 0; v < one.size(); ++v) reversed[v] = reversed[v] || one[v];
  }
  return reversed;
}

// for i in lo..hi by s { body }  as  for k in 0..n { checkpoint { for i in lo+k*c*s .. (the end of the segment, or hi) by s { body } } }
class Segments {
 public:
  Segments(Rewriter& rewriter, const Op& loop, const ConstantBounds& bounds)
      : rewriter_(rewriter),
        builder_(rewriter.builder()),
        function_(builder_.function()),
        loop_(loop),
        by_(bounds.by),
        length_(static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(bounds.turns))))),
        count_((bounds.turns + length_ - 1) / length_) {}

  void run() {
    rewriter_.copy(loop_);  // visits the body; the copy is moved into the segments
    const OpId inner = function_.value(rewriter_.map(loop_.results[0])).op;
    std::erase(function_.block(builder_.block()).ops, inner);
    const std::vector<ValueId> bounds(function_.op(inner).operands.begin(), function_.op(inner).operands.begin() + 3);
    std::vector<Type> types;
    for (ValueId result : function_.op(inner).results) types.push_back(function_.type(result));
    const Element element = function_.type(bounds[0]).element;

    std::vector<ValueId> operands{builder_.integer(0, element), builder_.integer(count_, element), builder_.integer(1, element)};
    operands.insert(operands.end(), function_.op(inner).operands.begin() + 3, function_.op(inner).operands.end());
    const OpId outer = builder_.emit_op(Opcode::for_loop, operands, {}, types);
    const Builder outside = builder_;
    const BlockId body = function_.add_block(outer);
    builder_.set_block(body);
    ValueId segment = function_.add_argument(body, Type(element), "segment");
    std::vector<ValueId> carried;
    for (std::size_t i = 3; i < operands.size(); ++i)
      carried.push_back(function_.add_argument(body, types[i - 3], function_.value(function_.op(inner).results[i - 3]).name));
    auto stride = [&] { return builder_.integer(by_ * length_, element); };
    ValueId start = builder_.emit(Opcode::add, {bounds[0], builder_.emit(Opcode::mul, {segment, stride()})});
    ValueId end = builder_.emit(by_ > 0 ? Opcode::minimum : Opcode::maximum, {builder_.emit(Opcode::add, {start, stride()}), bounds[1]});

    const OpId again = builder_.emit_op(Opcode::checkpoint, {}, {}, types);
    const BlockId region = function_.add_block(again);
    Op& moved = function_.op(inner);
    moved.operands = {start, end, bounds[2]};
    moved.operands.insert(moved.operands.end(), carried.begin(), carried.end());
    moved.block = region;
    for (ValueId result : moved.results) function_.value(result).block = region;
    function_.block(region).ops = {inner};
    function_.block(region).yields = moved.results;
    function_.block(body).yields = function_.op(again).results;
    builder_.return_to(outside);
    for (std::size_t i = 0; i < types.size(); ++i) {
      ValueId result = function_.op(outer).results[i];
      function_.value(result).name = function_.value(function_.op(inner).results[i]).name;
      rewriter_.set(loop_.results[i], result);
    }
  }

 private:
  Rewriter& rewriter_;
  Builder& builder_;
  Function& function_;
  const Op& loop_;
  const std::int64_t by_, length_, count_;  // the loop's step, turns of a segment, segments
};

// Segments of a square root of the turns each, where `is_long` says so of the turns and what each may keep.
template <class IsLong>
Function segmented(const Function& function, IsLong is_long) {
  if (!holds_grad(function)) return function;
  const std::vector<bool> reversed = reversed_values(function);
  Rewriter rewriter(function);
  return rewriter.finish([&](const Op& op) {
    if (op.code != Opcode::for_loop) return false;
    constexpr std::int64_t kFewest = 9;  // three segments of three turns
    const auto bounds = constant_bounds(function, op);
    bool is_reversed = std::any_of(op.results.begin(), op.results.end(), [&](ValueId result) { return reversed[result.index]; });
    bool has_tapes = std::any_of(op.results.begin(), op.results.end(), [&](ValueId result) { return function.type(result).tape; });
    if (!bounds || bounds->turns < kFewest || !is_reversed || has_tapes || !is_long(bounds->turns, op)) return false;
    Segments(rewriter, op, *bounds).run();
    return true;
  });
}

}  // namespace

Function checkpoint_long_loops(const Function& function, Diagnostics&) {
  std::optional<KeptByLoops> kept;
  return segmented(function, [&](std::int64_t turns, const Op& op) {
    if (static_cast<double>(turns) * most_bytes(function, op.regions[0]) <= kMuch) return false;
    if (!kept) kept.emplace(function);
    return kept->bytes(function, op) > kMuch;
  });
}

Function checkpoint_all_loops(const Function& function, Diagnostics&) {
  return segmented(function, [](std::int64_t, const Op&) { return true; });
}

}  // namespace bpc::ir
