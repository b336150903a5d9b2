// What each statement binds and reads, and where it may stand.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "frontend/builtins/builtins.h"
#include "frontend/names/adjoint.h"
#include "frontend/names/resolver.h"
#include "frontend/syntax/exits.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend {

namespace {

constexpr const char* kCollectHelp = "compute it under another name, `total = …`, and declare it when it is whole: `loss J = total`";

Span first_word(Span span, std::string_view word) {
  span.end_line = span.line;
  span.end_column = span.column + static_cast<std::uint32_t>(word.size());
  return span;
}

}  // namespace

// ---- definitions ----

Definition& Resolver::define(const Name& name, Kind kind) {
  Definition& made = names_.make(kind, name);
  names_.bind(name, &made);
  if (!name.text.empty()) scopes_.define(made);
  return made;
}

Definition& Resolver::declare(const Name& name, Kind kind) {
  const Definition* old = scopes_.find_own(name.text);
  if (!old || old->kind == Kind::unknown) return define(name, kind);
  error(Code::E0104, name.span, fmt::format("`{}` is already {}", name.text, kind_name(old->kind)))
      .label(old->span, "first bound here")
      .label(name.span, "");
  Definition& unused = names_.make(kind, name);
  names_.bind(name, &unused);
  return unused;
}

void Resolver::assign(const Name& name) {
  if (name.text.empty()) return;
  if (is_path(name.text)) {
    const Definition* known = scopes_.find(name.text);
    return names_.bind(name, known ? known : &path(name.text));
  }
  const Definition* old = scopes_.find_own(name.text);
  if (old && old->kind == Kind::unknown) old = nullptr;
  for (const Symbols* twin : twins_)
    if (auto found = twin->find(name.text); !old && found != twin->end()) {
      old = found->second;
      scopes_.define(*old);
    }
  if (!old) {
    define(name, Kind::value);
    return;
  }
  names_.bind(name, old);
  if (!is_exported(old->kind) && old->kind != Kind::size && old->kind != Kind::loss) return;
  error(Code::E0104, name.span, fmt::format("`{}` is {}, which keeps its value", name.text, kind_name(old->kind)))
      .label(old->span, "declared here")
      .label(name.span, "")
      .with_help(old->kind == Kind::loss ? kCollectHelp : "choose another name");
  names_.bind(name, &names_.make(Kind::value, name));  // of no effect
}

void Resolver::leave_unknown(const Name& name) {
  unknown_.silence(name.text);
  if (!scopes_.find(name.text)) define(name, Kind::unknown);
}

// ---- places ----

const char* Resolver::misplaced(const StmtNode& node) const {
  const bool in_function = !function_.empty();
  auto top_only = [&](const char* word) { return in_block_ || in_function ? word : nullptr; };
  auto outside_blocks = [&](const char* word) { return in_block_ ? word : nullptr; };
  return std::visit(overloaded{
                        [&](const ImportStmt&) { return top_only("import"); },
                        [&](const DimStmt&) { return top_only("dim"); },
                        [&](const ConstStmt&) { return outside_blocks("const"); },
                        [&](const InputStmt&) { return top_only("input"); },
                        [&](const ParamStmt&) { return in_rule_ ? "param" : outside_blocks("param"); },
                        [&](const LossStmt&) { return top_only("loss"); },
                        [&](const FnStmt&) { return top_only("fn"); },
                        [&](const SeedStmt&) { return top_only("seed"); },
                        [&](const RealStmt&) { return top_only("real"); },
                        [&](const TrainStmt&) { return top_only("train"); },
                        [&](const AdjointStmt&) { return top_only("adjoint"); },
                        [&](const auto&) -> const char* { return nullptr; },
                    },
                    node);
}

std::string Resolver::misplaced_help(const StmtNode& node) const {
  if (const auto* loss = std::get_if<LossStmt>(&node))
    return fmt::format("`loss` declares, once and at the top level, what the script's gradients are of; a value of the moment is `{} = …`",
                       loss->name.text == "loss" ? "J" : loss->name.text);
  return in_block_ ? "move it out of the block" : "move it to the top level";
}

void Resolver::refuse(StmtId id, const char* word) {
  const Stmt& statement = ast_.stmt(id);
  if (!statement.continues)
    error(Code::E0109, first_word(statement.span, word),
          fmt::format("`{}` cannot stand inside {}", word,
                      in_block_  ? "a block"
                      : in_rule_ ? "an adjoint"
                                 : "a function"))
        .with_help(misplaced_help(statement.node));
  names_.refuse(id);
  std::visit(
      [&](const auto& node) {
        if constexpr (requires { node.name; }) leave_unknown(node.name);
      },
      statement.node);
}

void Resolver::statement(StmtId id) {
  const StmtNode& node = ast_.stmt(id).node;
  if (const char* word = misplaced(node)) return refuse(id, word);
  std::visit([&](const auto& one) { visit(one, id); }, node);
}

void Resolver::statements(const Block& block) {
  for (std::size_t i = 0; i < block.statements.size(); ++i) {
    const StmtId id = block.statements[i];
    statement(id);
    if (i + 1 == block.statements.size() || names_.is_refused(id) || !always_leaves(ast_, id)) continue;
    diagnostics_.warning(Code::W0101, ast_.stmt(block.statements[i + 1]).span, "this is never reached")
        .label(ast_.stmt(block.statements[i + 1]).span, "")
        .label(ast_.stmt(id).span, "nothing goes on from here");
  }
}

void Resolver::block(const Block& block) {
  const bool outer = std::exchange(in_block_, true);
  statements(block);
  in_block_ = outer;
}

// ---- declarations ----

void Resolver::visit(const ImportStmt& import, StmtId) {
  const Symbols* brought = imported_(import);
  if (!brought) return unknown_.silence_all();
  for (const auto& [name, meaning] : *brought) {
    const Definition* old = scopes_.find(name);
    if (old && old != meaning)
      error(Code::E0104, import.path_span, fmt::format("this file declares `{}`, which is already {}", name, kind_name(old->kind)))
          .label(import.path_span, "")
          .label(old->span, "first bound here");
    else
      scopes_.define(*meaning);
  }
}

void Resolver::visit(const DimStmt& dim, StmtId) {
  expr(dim.value);
  declare(dim.name, Kind::dim);
}

void Resolver::declaration(const auto& statement, Kind kind) {
  type(statement.type);
  expr(statement.value);
  declare(statement.name, kind);
}

void Resolver::visit(const ConstStmt& constant, StmtId) {
  declaration(constant, Kind::constant);
}

void Resolver::visit(const InputStmt& input, StmtId) {
  expr(input.of);
  declaration(input, Kind::input);
}

void Resolver::visit(const ParamStmt& param, StmtId) {
  declaration(param, Kind::param);
}

void Resolver::visit(const LossStmt& loss, StmtId id) {
  expr(loss.value);
  if (unknown_.loss.span.valid()) {
    error(Code::E0109, loss.name.span, "a script has one loss")
        .label(unknown_.loss.span, "the first one")
        .label(loss.name.span, "")
        .with_help("add them: `loss J = a + b`");
    leave_unknown(loss.name);
    return names_.refuse(id);
  }
  unknown_.loss = loss.name;
  declare(loss.name, Kind::loss);
}

void Resolver::visit(const FnStmt& fn, StmtId) {
  for (const TypeExpr& result : fn.results) unknown_.check_element(result);
  Definition& made = declare(fn.name, Kind::function);  // its body may call it
  made.fn = &fn;
  std::vector<const Definition*>&sizes = made.sizes, &parameters = made.parameters;
  scopes_.open_function();
  function_ = fn.name.text;
  for (const FnParameter& parameter : fn.parameters) {
    passed(parameter.value);  // which may read the parameters before it
    if (scopes_.innermost().contains(parameter.name.text))
      error(Code::E0104, parameter.name.span, fmt::format("two parameters are called `{}`", parameter.name.text));
    parameters.push_back(&define(parameter.name, Kind::parameter));
  }
  for (const FnParameter& parameter : fn.parameters)
    if (parameter.type) generic_sizes(*parameter.type, sizes);
  for (const FnParameter& parameter : fn.parameters) type(parameter.type);
  for (const TypeExpr& result : fn.results) exprs(result.sizes);
  if (fn.expression.valid())
    expr(fn.expression);
  else
    statements(fn.body);
  scopes_.close();
  function_.clear();
}

void Resolver::visit(const SeedStmt& seed, StmtId) {
  expr(seed.value);
}

void Resolver::visit(const RealStmt& real, StmtId id) {
  if (real_.valid()) {
    error(Code::E0104, real.element.span, "the script says already what `real` is").label(real_, "here").label(real.element.span, "");
    names_.refuse(id);
  }
  real_ = real.element.span;
}

void Resolver::visit(const TrainStmt& train, StmtId id) {
  if (train_) {
    error(Code::E0104, first_word(ast_.stmt(id).span, "train"), "the script has a `train` block already").with_help("join the two");
    names_.refuse(id);
  } else {
    train_ = &train;
  }
}

void Resolver::visit(const AdjointStmt& rule, StmtId) {
  const Definition* function = scopes_.find(rule.function.text);
  if (!function && !is_builtin_function(rule.function.text)) {
    unknown_.report(ForeignPlace::function, rule.function.text, rule.function.span, {}, fallback_help_);
  } else if (auto [first, is_new] = rules_.emplace(rule.function.text, rule.function.span); !is_new) {
    error(Code::E0104, rule.function.span, fmt::format("`{}` has an adjoint already", rule.function.text))
        .label(first->second, "here")
        .label(rule.function.span, "");
  } else if (!function || function->kind != Kind::unknown) {
    if (check_adjoint(rule, function, ast_.file, diagnostics_)) names_.set_rule(*function, rule);
  }
  names_.bind(rule.function, function);
  scopes_.open_function();
  function_ = rule.function.text;
  in_rule_ = true;
  auto bind = [&](const Name& name) -> Definition& {
    auto known = scopes_.innermost().find(name.text);
    if (known != scopes_.innermost().end() && known->second->kind != Kind::size)
      error(Code::E0104, name.span, fmt::format("two values are called `{}` here", name.text));
    return define(name, Kind::parameter);
  };
  if (function && function->span.file == ast_.file)
    for (const Definition* size : function->sizes) scopes_.define(*size);
  for (const Name& input : rule.inputs) bind(input);
  for (const Name& output : rule.outputs) bind(output);
  for (const Name& output : rule.outputs) {
    const Definition* value = names_.of(output);
    names_.set_cotangent(output, &bind({"d" + output.text, output.span}));
    names_.bind(output, value);
  }
  statements(rule.body);
  for (const Name& input : rule.inputs) names_.set_cotangent(input, scopes_.find_own("d" + input.text));
  scopes_.close();
  function_.clear();
  in_rule_ = false;
}

// ---- statements ----

void Resolver::visit(const AssignStmt& assignment, StmtId) {
  for (const Target& target : assignment.targets) type(target.type);
  const bool updates = assignment.spelling != "=";
  for (const Target& target : assignment.targets) {
    if (target.index || updates) {
      fallback_help_ = target.name.text == "loss"
                           ? kCollectHelp
                           : fmt::format("bind it before, as in `{} = {}`", target.name.text, target.index ? "zeros([4])" : "0");
      names_.set_before(target.name, use(target.name.text, target.name.span));
      fallback_help_.clear();
    }
    if (target.index) exprs(*target.index);
  }
  exprs(assignment.values);
  std::set<std::string> seen;
  for (const Target& target : assignment.targets) {
    if (!target.index && !seen.insert(target.name.text).second)
      error(Code::E0104, target.name.span, fmt::format("`{}` is bound twice in one statement", target.name.text));
    assign(target.name);
  }
}

void Resolver::visit(const ExprStmt& statement, StmtId id) {
  const Span at = ast_.stmt(id).span;
  names_.refuse(id);
  if (const auto binding = habits_.report_binding(statement, at)) {
    expr(binding->value);
    return assign(binding->name);
  }
  const std::size_t before = diagnostics_.all().size();
  expr(statement.value);
  if (diagnostics_.all().size() > before) return;
  error(Code::E0109, at, "this value is not used")
      .with_help(habits_.starts_with_sign(statement.value)
                     ? "to continue the line above, end that one with `-`; a value is bound, `y = …`, or printed, `print …`"
                 : function_.empty() || in_rule_ ? "bind it to a name, `y = …`, or print it, `print …`"
                                                 : fill_help("to give it, write `return {1}`", {habits_.captured(statement.value)}));
}

void Resolver::visit(const IfStmt& branch, StmtId) {
  expr(branch.condition);
  static constexpr const char* kReason = "only one side of an `if` binds it";
  scopes_.open();
  block(branch.then);
  const Symbols then = scopes_.close(kReason);
  if (!branch.otherwise) return;
  scopes_.open();
  twins_.push_back(&then);
  block(*branch.otherwise);
  twins_.pop_back();
  const Symbols otherwise = scopes_.close(kReason);
  for (const auto& [name, meaning] : then)
    if (otherwise.contains(name)) scopes_.define(*meaning);
}

void Resolver::loop_body(const Block& body) {
  ++loops_;
  block(body);
  --loops_;
  scopes_.close("it is local to a loop");
}

void Resolver::visit(const ForStmt& loop, StmtId) {
  expr(loop.range);
  scopes_.open();
  define(loop.variable, Kind::index);
  loop_body(loop.body);
}

void Resolver::visit(const WhileStmt& loop, StmtId) {
  expr(loop.condition);
  scopes_.open();
  loop_body(loop.body);
}

void Resolver::leave_loop(StmtId id, const char* word) {
  if (loops_ > 0) return;
  error(Code::E0109, ast_.stmt(id).span, fmt::format("`{}` stands outside a loop", word))
      .with_help(!function_.empty() && !in_rule_ ? "to leave the function, write `return`"
                                                 : "it stands in the block of a `for` or `while`");
  names_.refuse(id);
}

void Resolver::visit(const BreakStmt&, StmtId id) {
  leave_loop(id, "break");
}

void Resolver::visit(const ContinueStmt&, StmtId id) {
  leave_loop(id, "continue");
}

void Resolver::visit(const ReturnStmt& statement, StmtId id) {
  const Span at = first_word(ast_.stmt(id).span, "return");
  exprs(statement.values);
  if (function_.empty())
    error(Code::E0109, at, "`return` stands outside a function")
        .with_help("a script shows what it binds; `print x` shows a value where it stands");
  if (in_rule_)
    error(Code::E0109, at, "an adjoint returns nothing").with_help("it assigns the cotangent of each parameter, as in `dx = …`");
  if (function_.empty() || in_rule_) names_.refuse(id);
}

void Resolver::visit(const PrintStmt& print, StmtId) {
  exprs(print.items);
}

void Resolver::visit(const AssertStmt& check, StmtId) {
  expr(check.condition);
}

void Resolver::visit(const ErrorStmt& broken, StmtId) {
  if (broken.imports) unknown_.silence_all();
  for (const Name& name : broken.assigned) {
    const Definition* old = scopes_.find_own(name.text);
    if (old && (old->kind == Kind::value || old->kind == Kind::parameter || old->kind == Kind::param || old->kind == Kind::input))
      names_.bind(name, old);
    else
      leave_unknown(name);
  }
  for (const Name& name : broken.mentioned) leave_unknown(name);
}

}  // namespace bpc::frontend
