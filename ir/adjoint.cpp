#include "ir/adjoint.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/adjoint/forward.h"
#include "ir/adjoint/reverse.h"
#include "ir/batch/vectorise.h"
#include "ir/dependence.h"
#include "ir/passes/passes.h"
#include "ir/rewrite.h"

namespace bpc::ir {

namespace {

std::string shown_name(const Function& function, ValueId id, const std::string& otherwise) {
  const std::string& name = function.value(id).name;
  return name.empty() ? otherwise : "`" + name + "`";
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

// Whether the derivatives that `op` asks for exist, judged on the program as written. Params that do not reach the loss lose their output.
void check_derivative(Function& function, const Op& op, Diagnostics& diagnostics) {
  Span span = function.origin(op.origin).span;
  ValueId y = op.operands[0];
  std::vector<bool> reached = ancestors(function, y);
  const std::vector<ValueId> xs = differentiated_by(op);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    ValueId x = xs[i];
    if (!reached[x.index]) {
      if (op.attrs.flag(Attr::implicit)) {
        std::erase_if(function.outputs, [&](const Output& output) { return output.value == op.results[i]; });
        diagnostics.warning(Code::W0301, span,
                            fmt::format("param `{}` does not reach the loss `{}` and has no gradient", op.attrs.strings(Attr::names)[i],
                                        function.value(y).name));
      } else {
        diagnostics.error(
            Code::E0301, span,
            fmt::format("{} was not computed from {}", shown_name(function, y, fmt::format("the first argument of `{}`", spelled(op.code))),
                        shown_name(function, x, "the value to differentiate by")));
      }
    } else if (depends_through_earlier_turns(function, y, x)) {
      diagnostics
          .error(Code::E0304, span,
                 fmt::format("{} depends on {} through earlier turns of the loop", shown_name(function, y, "the value"),
                             shown_name(function, x, "the other value")))
          .with_help("put the loop in a function and take the gradient of its result");
    }
  }
}

bool is_output(const Function& function, ValueId id) {
  return std::any_of(function.outputs.begin(), function.outputs.end(), [&](const Output& output) { return output.value == id; });
}

// The author's name for a derivative, unless it is a value that was there before.
void set_named(Rewriter& rewriter, ValueId old, const std::string& name, ValueId derivative, std::size_t values_before) {
  if (!name.empty() && derivative.index >= values_before) rewriter.builder().function().value(derivative).name = name;
  rewriter.set(old, derivative);
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

  Rewriter rewriter(checked);
  Builder& builder = rewriter.builder();
  const Function expanded = rewriter.finish([&](const Op& op) {
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
  return drop_dead(expanded, diagnostics);  // and the blocks that no op holds any more
}

}  // namespace bpc::ir
