#include "frontend/lower.h"

#include <fmt/format.h>

#include "frontend/lower/context.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/declarations.h"
#include "frontend/lower/training.h"
#include "frontend/lower/uncalled.h"
#include "ir/adjoint/existence.h"
#include "ir/dependence.h"
#include "ir/limits.h"

namespace bpc::frontend {

namespace {

using namespace lowering;
using ir::ValueId;

// ---- a loss without params ----

bool takes_derivatives(const ir::Function& function) {
  for (std::uint32_t i = 0; i < function.op_count(); ++i)
    if (const ir::Op& op = function.op(ir::OpId{i}); ir::is_derivative(op) && !ir::is_of_loss(op)) return true;
  return false;
}

// Nobody learns anything then, nor does a run show a gradient. (Params without a loss are no mistake: a gradient script has them, and so
// does one that applies what another has learned.)
void check_loss_has_params(Context& c) {
  if (takes_derivatives(c.main)) return;
  const std::vector<bool> reached = ir::ancestors(c.main, *c.loss);
  std::string help = "declare what is learned as a `param`";
  for (const ir::Parameter& parameter : c.main.parameters)
    if (reached[parameter.value.index] && is_real(c.main.type(parameter.value).element)) {
      help += fmt::format("; the gradient by an input is `grad({}, {})`", c.main.loss, parameter.path);
      break;
    }
  c.report({Severity::warning,
            Code::W0303,
            c.loss_span,
            fmt::format("there is no `param`, so that the loss `{}` has no gradient", c.main.loss),
            {},
            help,
            {}});
}

// ---- outputs ----

void add_value_outputs(Context& c) {
  for (const Definition* name : c.shown) {
    const Binding& binding = c.top->scopes[0].names.at(name);
    auto value = binding.item.failed() ? std::nullopt : to_value(c, binding.item);
    if (!value || c.main.type(*value->as<ValueId>()).tape) continue;
    ir::Value& result = c.main.value(*value->as<ValueId>());
    if (result.name.empty()) result.name = name->name;
    c.main.outputs.push_back({ir::Output::Kind::value, name->name, *value->as<ValueId>()});
  }
}

// The gradient of the loss by every param, still as one op.
void add_gradients(Context& c) {
  if (!c.loss) return;
  std::vector<ValueId> operands{*c.loss};
  std::vector<Type> types;
  std::vector<std::string> paths;
  for (const ir::Parameter& parameter : c.main.parameters) {
    if (parameter.kind != ir::Parameter::Kind::param) continue;
    operands.push_back(parameter.value);
    types.push_back(c.main.type(parameter.value));
    paths.push_back(parameter.path);
  }
  if (paths.empty()) return check_loss_has_params(c);
  const ir::Op* loss = c.main.def(*c.loss);
  c.builder->set_origin(loss ? loss->origin : ir::OriginId{});
  ir::OpId grad = c.builder->emit_op(ir::Opcode::grad, operands, {{ir::Attr::names, paths}, {ir::Attr::implicit, true}}, types);
  for (std::size_t i = 0; i < paths.size(); ++i)
    c.main.outputs.push_back({ir::Output::Kind::gradient, paths[i], c.main.op(grad).results[i]});
}

bool has_training(const Context& c) {
  const Ast& ast = *c.program.asts[0];
  return c.program.flags || std::ranges::any_of(ast.top, [&](StmtId id) { return std::holds_alternative<TrainStmt>(ast.stmt(id).node); });
}

// What the script says of its training, and the step that it makes, which is of no use here.
void check_training(Context& c, const Diagnostics& diagnostics) {
  if (!c.options.training && !has_training(c)) return;
  ir::Module made = c.module;
  Training unread;
  const Settings settings = read_settings(c, c.options.training ? *c.options.training : unread);
  if (has_training(c) && !diagnostics.has_errors()) check_step(c, settings);
  c.module = std::move(made);
}

void lower_program(Context& c, const Diagnostics& diagnostics) {
  c.module.seed = c.options.seed.value_or(0);
  if (learns(c.options.entry)) {
    c.step = c.main.add_parameter(ir::Parameter::Kind::input, kStep, Type(Element::i64));
    c.counters.push_back({{}, {*c.step}});  // each step draws afresh
  }
  lower_file(c, 0);
  Temporarily<Frame*> enter(c.frame, c.top);
  const bool is_run = c.options.entry == Entry::run || c.options.entry == Entry::predict;
  if (is_run) check_training(c, diagnostics);
  if (diagnostics.has_errors()) return;
  if (is_run) {
    add_value_outputs(c);
    add_gradients(c);
  } else {
    Training unread;
    add_training_outputs(c, read_settings(c, c.options.training ? *c.options.training : unread));
  }
  for (const ir::Function* function : {&c.init, &c.main}) check_tapes(c, *function);
}

}  // namespace

std::optional<ir::Module> lower(const Program& program, const LowerOptions& options, Diagnostics& diagnostics) {
  Context c(program, options, diagnostics);
  c.files.resize(program.asts.size());
  try {
    lower_program(c, diagnostics);
    if (const std::vector<Callable> uncalled = uncalled_functions(c); !uncalled.empty()) {
      ir::Module made = c.module;  // what they are lowered into is of no use
      for (const Callable& function : uncalled) check_uncalled(c, function);
      c.module = std::move(made);
    }
  } catch (ir::LimitReached& limit) {
    if (limit.diagnostic) diagnostics.add(std::move(*limit.diagnostic));
  }
  diagnostics.sort(program.order);
  if (diagnostics.has_errors()) return std::nullopt;
  for (FileId id = 0; id < program.sources->size(); ++id) c.module.files.push_back(program.sources->file(id).path);
  return std::move(c.module);
}

}  // namespace bpc::frontend
