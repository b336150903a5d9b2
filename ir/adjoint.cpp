#include "ir/adjoint.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/adjoint/forward.h"
#include "ir/adjoint/reverse.h"
#include "ir/adjoint/squares.h"
#include "ir/batch/vectorise.h"
#include "ir/dependence.h"
#include "ir/passes/passes.h"
#include "ir/rewrite.h"
#include "ir/static_facts.h"

namespace bpc::ir {

namespace {

std::string shown_name(const Function& function, ValueId id, const std::string& otherwise) {
  const std::string& name = function.value(id).name;
  return name.empty() ? otherwise : fmt::format("`{}`", name);
}

std::string_view spelled(Opcode code) {
  return code == Opcode::grad ? "grad" : code == Opcode::vjp ? "vjp" : "jvp";
}

bool is_derivative(const Op& op) {
  return op_info(op.code).group == Group::derivative;
}

// The values that a derivative op differentiates by.
std::vector<ValueId> differentiated_by(const Op& op) {
  if (op.code == Opcode::jvp) return {op.operands[1]};
  return {op.operands.begin() + (op.code == Opcode::grad ? 1 : 2), op.operands.end()};
}

// The place of an op in the function whose code calls it, or the op itself, from `depth` calls on.
Span span_at_depth(const Origin& origin, std::size_t depth) {
  return origin.calls.size() > depth ? origin.calls[origin.calls.size() - 1 - depth] : origin.span;
}

// Where x, or in a loop what its next turn starts with, was bound.
Span bound_at(const Function& function, ValueId x, std::size_t depth) {
  OpId parent = function.block(function.value(x).block).parent;
  if (!function.value(x).op.valid() && parent.valid() && is_loop(function.op(parent).code)) {
    const Op& loop = function.op(parent);
    x = function.block(loop.regions.back()).yields[function.value(x).slot - uncarried_arguments(loop.code)];
  }
  const Op* made = function.def(x);
  return made ? span_at_depth(function.origin(made->origin), depth) : Span{};
}

// Whether y was computed from an older value of x's name.
bool is_rebound(const Function& function, ValueId x, const std::vector<bool>& reached) {
  const std::string& name = function.value(x).name;
  for (std::uint32_t i = 0; !name.empty() && i < reached.size(); ++i)
    if (reached[i] && function.value(ValueId{i}).name == name) return true;
  return false;
}

std::string loss_in_function(const Function& function, ValueId x) {
  const std::string& name = function.value(x).name;
  return name.empty() ? "put the loss into a function" : fmt::format("put the loss into a function: `grad(cost({0}), {0})`", name);
}

// A parameter of a function, or what an author has made one by `variable`.
bool is_variable(const Function& function, ValueId x) {
  const Op* made = function.def(x);
  return made && made->code == Opcode::variable;
}

void not_computed_from(const Function& function, const Op& op, ValueId x, Diagnostics& diagnostics) {
  const Origin& origin = function.origin(op.origin);
  ValueId y = op.operands[0];
  const std::string of = shown_name(function, y, fmt::format("the first argument of `{}`", spelled(op.code)));
  const std::string by = shown_name(function, x, "the value to differentiate by");
  Span bound = bound_at(function, x, origin.calls.size());
  Diagnostic diagnostic{Severity::error, Code::E0301, origin.span, fmt::format("{} was not computed from {}", of, by), {}, {}, {}};
  if (is_variable(function, x)) {
    diagnostic.help = origin.calls.empty() ? fmt::format("`variable` makes {} a value of its own: compute {} from it", by, of)
                                           : fmt::format("a parameter is a value of its own: compute {} from {} in the function", of, by);
  } else if (bound.valid() && is_rebound(function, x, ancestors(function, y))) {
    diagnostic.message = fmt::format("{} was rebound in line {} after {} was computed", by, bound.line, of);
    diagnostic.help = loss_in_function(function, x);
  }
  diagnostics.add(std::move(diagnostic));
}

void depends_elsewhere(const Function& function, const Op& op, ValueId x, const Dependence& dependence, Diagnostics& diagnostics) {
  ValueId y = op.operands[0], through = dependence.through;
  const std::string of = shown_name(function, y, "the value"), by = shown_name(function, x, "the other value");
  const std::string carried = shown_name(function, through, "the value");
  Span span = function.origin(op.origin).span;
  if (function.op(function.block(function.value(through).block).parent).code == Opcode::custom) {
    diagnostics.error(Code::E0304, span, fmt::format("{} depends on {} through {}, a parameter of the adjoint rule", of, by, carried))
        .with_help(fmt::format("differentiate by {}", carried));
    return;
  }
  std::string loss = dependence.how == Dependence::How::partial && !function.value(through).name.empty()
                         ? fmt::format("`stop_grad({})` holds fixed what the turns before have left", function.value(through).name)
                         : loss_in_function(function, x);
  diagnostics.error(Code::E0304, span, fmt::format("{} depends on {} through earlier turns of the loop", of, by))
      .with_help(fmt::format("{}; or put the loop in a function and take the gradient of its result", loss));
}

// Whether the derivatives that `op` asks for exist, judged on the program as written. Params that do not reach the loss lose their output.
void check_derivative(Function& function, const Op& op, Diagnostics& diagnostics) {
  if (const Op* inner = function.def(op.operands[0]);
      inner && is_derivative(*inner) && inner->origin == op.origin && diagnostics.has_errors())
    return;  // `hvp` and `hessian` are two of them, and the first one has been judged
  const Dependences dependences(function, op.operands[0], op.block);
  const std::vector<ValueId> xs = differentiated_by(op);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Dependence dependence = dependences.on(xs[i]);
    if (dependence.how == Dependence::How::complete) continue;
    if (dependence.how != Dependence::How::none) {
      depends_elsewhere(function, op, xs[i], dependence, diagnostics);
    } else if (op.attrs.flag(Attr::implicit)) {
      std::erase_if(function.outputs, [&](const Output& output) { return output.value == op.results[i]; });
      diagnostics.warning(Code::W0301, function.origin(op.origin).span,
                          fmt::format("param `{}` does not reach the loss `{}` and has no gradient", op.attrs.strings(Attr::names)[i],
                                      function.value(op.operands[0]).name));
    } else {
      not_computed_from(function, op, xs[i], diagnostics);
    }
  }
}

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

Function expand_gradients(const Function& function, Diagnostics& diagnostics) {
  Function checked = function;
  bool any = false;
  for (std::uint32_t i = 0; i < checked.op_count(); ++i)
    if (is_derivative(checked.op(OpId{i}))) {
      any = true;
      check_derivative(checked, Op(checked.op(OpId{i})), diagnostics);
    }
  if (!any || diagnostics.has_errors()) return checked;
  checked = with_variables(checked);
  checked = square_exactly(checked, variables(checked));

  Rewriter rewriter(checked);
  Builder& builder = rewriter.builder();
  Function expanded = rewriter.finish([&](const Op& op) {
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
    sweep.run(y, op.code == Opcode::vjp ? rewriter.map(op.operands[1]) : ValueId(), op.attrs.flag(Attr::implicit) ? checked.loss : "");
    for (std::size_t i = 0; i < xs.size(); ++i) {
      if (op.attrs.flag(Attr::implicit) && !is_output(checked, op.results[i])) continue;
      set_named(rewriter, op.results[i], checked.value(op.results[i]).name, sweep.gradient(xs[i]), values_before);
    }
    return true;
  });
  return drop_dead(without_variables(expanded), diagnostics);  // and the blocks that no op holds any more
}

}  // namespace bpc::ir
