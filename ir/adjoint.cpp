#include "ir/adjoint.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "ir/adjoint/existence.h"
#include "ir/adjoint/forward.h"
#include "ir/adjoint/reverse.h"
#include "ir/adjoint/squares.h"
#include "ir/batch/vectorise.h"
#include "ir/passes/passes.h"
#include "ir/rewrite.h"
#include "ir/static_facts.h"

namespace bpc::ir {

namespace {

// By value: whether some derivative is taken by it.
std::vector<bool> variables(const Function& function) {
  std::vector<bool> marked(function.value_count(), false);
  for (std::uint32_t i = 0; i < function.op_count(); ++i)
    if (is_derivative(function.op(OpId{i})))
      for (ValueId x : differentiated_by(function.op(OpId{i}))) marked[x.index] = true;
  return marked;
}

// What is differentiated by becomes a value of its own: no equation looks at its number, and the equation of the op that made it, where it
// is written by the op's result, does not vary with it (tanh' = 1 - tanh(x)^2 is a function of x).
Function with_variables(const Function& function) {
  const std::vector<bool> varied = variables(function);
  Rewriter rewriter(function);
  return rewriter.finish([&](const Op& op) {
    if (std::none_of(op.results.begin(), op.results.end(), [&](ValueId result) { return varied[result.index]; })) return false;
    rewriter.copy(op);
    for (ValueId result : op.results)
      if (varied[result.index]) rewriter.set(result, rewriter.builder().emit(Opcode::variable, {rewriter.map(result)}));
    return true;
  });
}

// What a checkpoint reads of an array outside is read before it: what runs again finds those parts, and no loop around keeps the array for
// it.
class PartsBeforeCheckpoints {
 public:
  explicit PartsBeforeCheckpoints(const Function& function)
      : function_(function), rewriter_(function), is_read_(function.value_count(), false) {}

  Function run() {
    return rewriter_.finish([&](const Op& op) {
      if (!op.results.empty() && is_read_[op.results[0].index]) return true;
      if (op.code == Opcode::checkpoint) read_parts(op.regions[0], op.regions[0], true);
      return false;
    });
  }

 private:
  // Of what is in `region`, which is `checkpoint` or in it; what could fail only where the region runs whenever that does, and only up to
  // an effect, which comes first.
  void read_parts(BlockId region, BlockId checkpoint, bool may_fail_here) {
    for (OpId id : function_.block(region).ops) {
      const Op& op = function_.op(id);
      if (op.code != Opcode::custom)  // its rule reads its arguments alone
        for (BlockId inner : op.regions) read_parts(inner, checkpoint, may_fail_here && op.code == Opcode::checkpoint);
      if (is_part_or_index(op) && is_outside(op, checkpoint) && (may_fail_here || !may_fail_elsewhere(function_, op))) {
        if (!is_read_[op.results[0].index]) rewriter_.copy(op);
        is_read_[op.results[0].index] = true;
      } else if (has_effect(function_, op)) {
        may_fail_here = false;
      }
    }
  }

  bool is_outside(const Op& op, BlockId checkpoint) const {
    return std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) {
      return is_read_[operand.index] || !is_enclosed(function_, function_.value(operand).block, checkpoint);
    });
  }

  bool is_part_or_index(const Op& op) const {
    return op.code == Opcode::slice || op.code == Opcode::gather ||
           (op.results.size() == 1 && op.regions.empty() && function_.type(op.results[0]).is_scalar() &&
            is_integer(function_.type(op.results[0]).element));
  }

  const Function& function_;
  Rewriter rewriter_;
  std::vector<bool> is_read_;
};

// Derivatives of one value in one block, of one cotangent, are those of one op: a sweep finds them all, and what it goes through, loops and
// checkpoints among that, is gone through once.
class JoinedDerivatives {
 public:
  explicit JoinedDerivatives(const Function& function) : function_(function), rewriter_(function) {
    for (std::uint32_t i = 0; i < function.op_count(); ++i)
      if (can_be_joined(function.op(OpId{i}))) alike_[key(function.op(OpId{i}))].push_back(OpId{i});
  }

  Function run() {
    return rewriter_.finish([&](const Op& op) {
      if (!can_be_joined(op)) return false;
      const std::vector<OpId>& alike = alike_.at(key(op));
      if (alike.size() == 1) return false;
      if (op.results[0] == function_.op(alike[0]).results[0]) emit(alike);
      return true;
    });
  }

 private:
  using Key = std::tuple<BlockId, Opcode, std::vector<ValueId>>;

  static bool can_be_joined(const Op& op) { return (op.code == Opcode::grad || op.code == Opcode::vjp) && !is_of_loss(op); }

  static Key key(const Op& op) {
    const std::size_t by = differentiated_by(op).size();
    return {op.block, op.code, {op.operands.begin(), op.operands.end() - static_cast<std::ptrdiff_t>(by)}};
  }

  // What a derivative is taken by stands before its y, and so before the first of them.
  void emit(const std::vector<OpId>& alike) {
    std::vector<ValueId> operands = rewriter_.map(std::get<2>(key(function_.op(alike[0]))));
    std::vector<Type> types;
    for (OpId id : alike)
      for (std::size_t i = 0; i < function_.op(id).results.size(); ++i) {
        operands.push_back(rewriter_.map(differentiated_by(function_.op(id))[i]));
        types.push_back(function_.type(function_.op(id).results[i]));
      }
    const OpId joined = rewriter_.builder().emit_op(function_.op(alike[0]).code, operands, {}, types);
    std::size_t next = 0;
    for (OpId id : alike)
      for (ValueId old : function_.op(id).results) rewriter_.set(old, rewriter_.to().op(joined).results[next++]);
  }

  const Function& function_;
  Rewriter rewriter_;
  std::map<Key, std::vector<OpId>> alike_;  // in program order
};

bool is_output(const Function& function, ValueId id) {
  return std::any_of(function.outputs.begin(), function.outputs.end(), [&](const Output& output) { return output.value == id; });
}

// The author's name for a derivative, unless it is a value that was there before.
void set_named(Rewriter& rewriter, ValueId old, const std::string& name, ValueId derivative, std::size_t values_before) {
  if (!name.empty() && derivative.index >= values_before) rewriter.builder().function().value(derivative).name = name;
  rewriter.set(old, derivative);
}

Function without_variables(const Function& function) {
  Rewriter rewriter(function);
  return rewriter.finish([&](const Op& op) {
    if (op.code != Opcode::variable) return false;
    rewriter.set(op.results[0], rewriter.map(op.operands[0]));
    return true;
  });
}

}  // namespace

namespace {

// The same program, with derivatives that exist, and with what they are taken by as values of their own. nullopt where some do not exist.
std::optional<Function> check_derivatives(const Function& function, Diagnostics& diagnostics) {
  Function checked = function;
  for (std::uint32_t i = 0; i < checked.op_count(); ++i)
    if (is_derivative(checked.op(OpId{i}))) check_derivative(checked, Op(checked.op(OpId{i})), diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  checked = with_variables(PartsBeforeCheckpoints(checked).run());
  return square_exactly(checked, variables(checked));
}

// Expands the derivatives, and the maps that hold derivatives, for which `wanted` holds.
Function expand(const Function& checked, const std::function<bool(const Op& op)>& wanted, Diagnostics& diagnostics) {
  Rewriter rewriter(checked);
  Builder& builder = rewriter.builder();
  return rewriter.finish([&](const Op& op) {
    if (!wanted(op)) return false;
    if (op.code == Opcode::map) {  // its inside holds derivatives, and what follows may differentiate it
      vectorise_visited(rewriter, op);
      return true;
    }
    if (!is_derivative(op)) return false;
    const std::size_t values_before = builder.function().value_count();
    const std::vector<ValueId> xs = rewriter.map(differentiated_by(op));
    ValueId y = rewriter.map(op.operands[0]);
    if (op.code == Opcode::jvp) {
      ForwardSweep sweep(builder, xs[0], rewriter.map(op.operands[2]), diagnostics);
      set_named(rewriter, op.results[0], checked.value(op.results[0]).name, sweep.run(y), values_before);
      return true;
    }
    ReverseSweep sweep(builder, xs);
    sweep.run(y, op.code == Opcode::vjp ? rewriter.map(op.operands[1]) : ValueId(), is_of_loss(op) ? checked.loss : "");
    for (std::size_t i = 0; i < xs.size(); ++i) {
      if (is_of_loss(op) && !is_output(checked, op.results[i])) continue;
      set_named(rewriter, op.results[i], checked.value(op.results[i]).name, sweep.gradient(xs[i]), values_before);
    }
    return true;
  });
}

bool is_in_rule(const Function& function, const Op& op) {
  for (OpId around = function.block(op.block).parent; around.valid(); around = function.block(function.op(around).block).parent)
    if (function.op(around).code == Opcode::custom) return true;
  return false;
}

}  // namespace

Function expand_gradients(const Function& function, Diagnostics& diagnostics) {
  bool any = false;
  for (std::uint32_t i = 0; i < function.op_count() && !any; ++i) any = is_derivative(function.op(OpId{i}));
  if (!any) return function;
  const std::optional<Function> checked = check_derivatives(function, diagnostics);
  if (!checked) return function;
  const Function expanded = expand(JoinedDerivatives(*checked).run(), [](const Op&) { return true; }, diagnostics);
  return drop_dead(without_variables(expanded), diagnostics);  // and the blocks that no op holds any more
}

std::optional<Function> prepare_derivatives(const Function& function, Diagnostics& diagnostics) {
  const std::optional<Function> checked = check_derivatives(function, diagnostics);
  if (!checked) return std::nullopt;
  return drop_dead(expand(*checked, [&](const Op& op) { return is_in_rule(*checked, op); }, diagnostics), diagnostics);
}

}  // namespace bpc::ir
