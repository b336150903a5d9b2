#include "ir/adjoint/existence.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/dependence.h"

namespace bpc::ir {

bool is_derivative(const Op& op) {
  return op_info(op.code).group == Group::derivative;
}

std::vector<ValueId> differentiated_by(const Op& op) {
  if (op.code == Opcode::jvp) return {op.operands[1]};
  return {op.operands.begin() + (op.code == Opcode::grad ? 1 : 2), op.operands.end()};
}

namespace {

std::string shown_name(const Function& function, ValueId id, const std::string& otherwise) {
  const std::string& name = function.value(id).name;
  return name.empty() ? otherwise : fmt::format("`{}`", name);
}

std::string_view spelled(Opcode code) {
  return code == Opcode::grad ? "grad" : code == Opcode::vjp ? "vjp" : "jvp";
}

// The place of an op in the function whose code calls it, or the op itself, from `depth` calls on.
Span span_at_depth(const Origin& origin, std::size_t depth) {
  return origin.calls.size() > depth ? origin.calls[origin.calls.size() - 1 - depth] : origin.span;
}

// Where x, or in a loop what its next turn starts with, was bound.
Span bound_at(const Function& function, ValueId x, std::size_t depth) {
  const OpId parent = function.block(function.value(x).block).parent;
  if (!function.value(x).op.valid() && parent.valid() && is_loop(function.op(parent).code)) {
    const Op& loop = function.op(parent);
    x = function.block(loop.regions.back()).yields[function.value(x).slot - uncarried_arguments(loop.code)];
  }
  const Op* made = function.def(x);
  for (; made && is_loop(made->code); made = function.def(x)) x = function.block(made->regions.back()).yields[function.value(x).slot];
  return made ? span_at_depth(function.origin(made->origin), depth) : Span{};
}

// Whether y was computed from an older value of x's name.
bool is_rebound(const Function& function, ValueId x, const std::vector<bool>& reached) {
  const std::string& name = function.value(x).name;
  for (std::uint32_t i = 0; !name.empty() && i < reached.size(); ++i)
    if (reached[i] && function.value(ValueId{i}).name == name) return true;
  return false;
}

// All names by which a value of y's name is differentiated somewhere, in the order of the program.
std::vector<std::string> variables_of(const Function& function, ValueId y) {
  const std::string& name = function.value(y).name;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < function.op_count(); ++i) {
    const Op& op = function.op(OpId{i});
    if (!is_derivative(op) || is_of_loss(op) || (op.operands[0] != y && (name.empty() || function.value(op.operands[0]).name != name)))
      continue;
    for (ValueId x : differentiated_by(op))
      if (const std::string& by = function.value(x).name; !by.empty() && std::find(names.begin(), names.end(), by) == names.end())
        names.push_back(by);
  }
  return names;
}

// `by`: what the derivative at hand is taken by.
std::string loss_in_function(const Function& function, ValueId y, const std::vector<std::string>& by) {
  const std::vector<std::string> all = variables_of(function, y);
  if (all.empty() || by.empty()) return "put the loss into a function";
  if (all.size() > by.size())
    return fmt::format("put the loss into a function, and take all gradients before any of these changes: `grad(cost({0}), {0})`",
                       fmt::join(all, ", "));
  return fmt::format("put the loss into a function: `grad(cost({}), {})`", fmt::join(all, ", "), fmt::join(by, ", "));
}

std::vector<std::string> names_of(const Function& function, const std::vector<ValueId>& values) {
  std::vector<std::string> names;
  for (ValueId value : values)
    if (const std::string& name = function.value(value).name; !name.empty()) names.push_back(name);
  return names;
}

// Whether some derivative is taken by a value of that name, as by a param that a loop trains.
bool is_trained(const Function& function, const std::string& name) {
  for (std::uint32_t i = 0; i < function.op_count(); ++i)
    if (const Op& op = function.op(OpId{i}); is_derivative(op))
      for (ValueId x : differentiated_by(op))
        if (function.value(x).name == name) return true;
  return false;
}

// A parameter of a function, or what an author has made one by `variable`.
bool is_variable(const Function& function, ValueId x) {
  const Op* made = function.def(x);
  return made && made->code == Opcode::variable;
}

// Whether a value depends on another one but for `stop_grad`.
bool is_cut(const Function& function, ValueId y, ValueId x) {
  std::vector<bool> seen = ancestors(function, y);
  for (std::uint32_t i = 0; i < seen.size(); ++i) {
    const Op* made = seen[i] ? function.def(ValueId{i}) : nullptr;
    if (made && made->code == Opcode::stop_grad && ancestors(function, made->operands[0])[x.index]) return true;
  }
  return false;
}

// For a derivative of what x was computed from.
std::string swapped_help(const Function& function, const Op& op, ValueId x) {
  const std::string &of = function.value(op.operands[0]).name, &by = function.value(x).name;
  if (of.empty() || by.empty()) return "what is differentiated stands first, and what by after it";
  return fmt::format("`{0}` was computed from `{1}`; what is differentiated stands first: `{2}({0}, {1}{3})`", by, of, spelled(op.code),
                     op.code == Opcode::grad ? "" : ", …");
}

// Where a param is declared, or `otherwise`.
Span declared_at(const Function& function, ValueId param, const Span& otherwise) {
  for (const Parameter& parameter : function.parameters)
    if (parameter.value == param && parameter.origin.valid()) return function.origin(parameter.origin).span;
  return otherwise;
}

// None of xs reaches y.
void not_computed_from(const Function& function, const Op& op, const std::vector<ValueId>& xs, Diagnostics& diagnostics) {
  const Origin& origin = function.origin(op.origin);
  const ValueId y = op.operands[0];
  const std::string of = shown_name(function, y, fmt::format("the first argument of `{}`", spelled(op.code)));
  const std::vector<bool> reached = ancestors(function, y);
  std::vector<ValueId> rebound;
  for (ValueId x : xs) {
    const Span bound = bound_at(function, x, origin.calls.size());
    if (!is_variable(function, x) && bound.valid() && is_rebound(function, x, reached)) {
      rebound.push_back(x);
      continue;
    }
    const std::string by = shown_name(function, x, "the value to differentiate by");
    Diagnostic diagnostic{Severity::error, Code::E0301, origin.span, fmt::format("{} was not computed from {}", of, by), {}, {}, {}};
    if (is_cut(function, y, x))
      diagnostic.help = fmt::format("it was, through a `stop_grad`, which makes a constant of what is in it: keep {} outside of that", by);
    else if (ancestors(function, x)[y.index])
      diagnostic.help = swapped_help(function, op, x);
    else if (is_variable(function, x))
      diagnostic.help = origin.calls.empty() ? fmt::format("`variable` makes {} a value of its own: compute {} from it", by, of)
                                             : fmt::format("a parameter is a value of its own: compute {} from {} in the function", of, by);
    diagnostics.add(std::move(diagnostic));
  }
  if (rebound.empty()) return;
  const std::vector<std::string> names = names_of(function, rebound);
  const std::string help = loss_in_function(function, y, names_of(function, differentiated_by(op)));
  for (const Diagnostic& earlier : diagnostics.all())
    if (earlier.code == Code::E0301 && earlier.help == help) return;  // following it mends this one as well
  const std::uint32_t line = bound_at(function, rebound.front(), origin.calls.size()).line;
  diagnostics
      .error(Code::E0301, origin.span,
             fmt::format("`{}` {} rebound{} after {} was computed", fmt::join(names, "`, `"), names.size() == 1 ? "was" : "were",
                         names.size() == 1 ? fmt::format(" in line {}", line) : "", of))
      .with_help(help);
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
  const std::string& name = function.value(through).name;
  const std::vector<std::string> xs = names_of(function, {x});
  std::string loss;
  if (dependence.how != Dependence::How::partial || name.empty())
    loss = loss_in_function(function, y, xs);
  else if (through != x && !xs.empty() && is_trained(function, name))
    loss = fmt::format("take both gradients before either value changes, `grad(…, {}, {})`", xs[0], name);
  else
    loss = fmt::format("`{0} = stop_grad({0})` at the start of the turn holds fixed what the turns before have left", name);
  diagnostics.error(Code::E0304, span, fmt::format("{} depends on {} through earlier turns of the loop", of, by))
      .with_help(fmt::format("{}; or put the loop in a function and take the gradient of its result", loss));
}

}  // namespace

void check_derivative(Function& function, const Op& op, Diagnostics& diagnostics) {
  if (const Op* inner = function.def(op.operands[0]);
      inner && is_derivative(*inner) && inner->origin == op.origin && diagnostics.has_errors())
    return;  // `hvp` and `hessian` are two of them, and the first one has been judged
  const Dependences dependences(function, op.operands[0], op.block);
  const std::vector<ValueId> xs = differentiated_by(op);
  std::vector<ValueId> apart;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Dependence dependence = dependences.on(xs[i]);
    if (dependence.how == Dependence::How::complete) continue;
    if (dependence.how != Dependence::How::none) {
      depends_elsewhere(function, op, xs[i], dependence, diagnostics);
    } else if (is_of_loss(op)) {
      std::erase_if(function.outputs, [&](const Output& output) { return output.value == op.results[i]; });
      diagnostics.warning(Code::W0301, declared_at(function, xs[i], function.origin(op.origin).span),
                          fmt::format("param `{}` does not reach the loss `{}` and has no gradient", op.attrs.strings(Attr::names)[i],
                                      function.value(op.operands[0]).name));
    } else {
      apart.push_back(xs[i]);
    }
  }
  not_computed_from(function, op, apart, diagnostics);
}

}  // namespace bpc::ir
