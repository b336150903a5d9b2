#include "frontend/names/resolver.h"

#include <fmt/format.h>

#include <utility>

#include "frontend/builtins/builtins.h"
#include "frontend/names/arguments.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend {

namespace {

constexpr const char* kCommentHelp = "a comment starts with `#`";

}  // namespace

const Symbols& Resolver::file(Imported imported) {
  imported_ = std::move(imported);
  for (StmtId id : ast_.top) statement(id);
  if (train_) settings(*train_);
  return scopes_.outermost();
}

void Resolver::alone(ExprId id, Symbols visible) {
  scopes_ = Scopes(std::move(visible));
  expr(id);
}

void Resolver::settings_alone(Symbols visible) {
  scopes_ = Scopes(std::move(visible));
  for (StmtId id : ast_.top)
    if (const auto* train = std::get_if<TrainStmt>(&ast_.stmt(id).node)) settings(*train);
}

// ---- uses ----

const Definition* Resolver::use(const std::string& name, Span at, ExprId exponent) {
  if (const Definition* found = scopes_.find(name)) return found;
  if (is_path(name)) return &path(name);
  const Definition* built_in = name.empty() ? nullptr : names_.built_in(name, sources_.file(ast_.file).is_prelude);
  if (built_in && built_in->kind != Kind::builtin && built_in->kind != Kind::library) return built_in;
  if (built_in)
    error(Code::E0209, at, fmt::format("`{}` is a function, not a value", name)).with_help(fmt::format("call it: `{}(…)`", name));
  else if (!name.empty() && exponent.valid() && !foreign_help(ForeignPlace::base, name, {}).empty())
    unknown_.report(ForeignPlace::base, name, at, {habits_.captured(exponent)}, fallback_help_);
  else if (!name.empty())
    unknown_.report(ForeignPlace::value, name, at, exponent.valid() ? std::vector{habits_.captured(exponent)} : std::vector<Captured>{},
                    fallback_help_);
  return nullptr;
}

Definition& Resolver::path(const std::string& name) {
  Definition& made = names_.make(Kind::param, {name, {}});
  scopes_.define_outermost(made);
  names_.set_path(made);
  return made;
}

void Resolver::expr(ExprId id) {
  if (!id.valid()) return;
  std::vector<const BinaryExpr*> chain;  // long ones lean to the left
  while (const auto* binary = std::get_if<BinaryExpr>(&ast_.expr(id).node)) {
    chain.push_back(binary);
    id = binary->left;
  }
  if (!chain.empty() && habits_.report_differentials(*chain.back()))
    chain.pop_back();
  else
    operand(id, chain.empty() ? nullptr : chain.back());
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    if (habits_.starts_comment(**link)) fallback_help_ = kCommentHelp;
    const auto next = link + 1;
    if (next == chain.rend() || !habits_.report_called_with_sign((*link)->right, **next)) expr((*link)->right);
    fallback_help_.clear();
  }
}

void Resolver::exprs(const std::vector<ExprId>& ids) {
  for (ExprId id : ids) expr(id);
}

void Resolver::operand(ExprId id, const BinaryExpr* next) {
  const Expr& first = ast_.expr(id);
  if (next && habits_.report_called_with_sign(id, *next)) return;  // what it is called with is looked at after it
  if (const auto* name = std::get_if<NameExpr>(&first.node))
    return names_.use(id, use(name->name, first.span, next && next->spelling == "^" ? next->right : ExprId{}));
  if (const auto* index = std::get_if<IndexExpr>(&first.node); index && habits_.report_added_axis(*index)) return expr(index->base);
  if (const auto* comprehension = std::get_if<ComprehensionExpr>(&first.node)) return comprehend(*comprehension);
  if (const auto* written = std::get_if<FunctionExpr>(&first.node)) {
    error(Code::E0209, first.span, "a function without a name stands only among the arguments of a call")
        .with_help("to give it a name, write `fn f(x) = …`");
    function(*written);
    return names_.bind(written->fn.name, nullptr);  // said
  }
  if (const auto* called = std::get_if<CallExpr>(&first.node)) return call(id, *called, first.span);
  if (!next && habits_.is_comment(id)) fallback_help_ = kCommentHelp;
  for_each_child(first.node, [&](ExprId child) { expr(child); });
}

void Resolver::comprehend(const ComprehensionExpr& comprehension) {
  scopes_.open();
  for (const Generator& generator : comprehension.generators) {
    expr(generator.range);
    if (scopes_.innermost().contains(generator.variable.text))
      error(Code::E0104, generator.variable.span, fmt::format("two generators are called `{}`", generator.variable.text));
    define(generator.variable, Kind::index);
  }
  expr(comprehension.body);
  scopes_.close();
}

// ---- calls ----

void Resolver::call(ExprId id, const CallExpr& call, Span at) {
  names_.use(id, callee(call, at));
  for (const Argument& argument : call.arguments) passed(argument.value);
}

const Definition* Resolver::callee(const CallExpr& call, Span at) {
  const std::string& name = call.callee.text;
  const Definition* found = scopes_.find(name);
  if (!found) return unknown_callee(call);
  if (found->kind == Kind::unknown) return nullptr;
  if (in_rule_ && (name == function_ || reaches(name, function_))) {
    error(Code::E0106, call.callee.span,
          name == function_ ? fmt::format("the adjoint of `{}` calls it again", name)
                            : fmt::format("the adjoint of `{}` calls `{}`, which calls it again", function_, name))
        .with_help("the rule sees what the function gave, under the name after `->`");
    return nullptr;
  }
  if (found->kind == Kind::parameter) {  // whether it is a function, a call tells
    names_.set_called(*found);
    return found;
  }
  if (found->kind != Kind::function) {
    Diagnostic& wrong = error(Code::E0209, call.callee.span, fmt::format("`{}` is {}, not a function", name, kind_name(found->kind)));
    if (is_builtin_function(name))
      wrong.label(call.callee.span, "").label(found->span, "hides the function").with_help("choose another name for the value");
    else
      wrong.with_help(fmt::format("to multiply, write `{0}*(…)`; to index, `{0}[…]`", name));
    return nullptr;
  }
  return !found->fn || arguments_fit(call, at, *found) ? found : nullptr;
}

bool Resolver::arguments_fit(const CallExpr& call, Span at, const Definition& function) {
  std::vector<GivenArgument> given;
  for (const Argument& argument : call.arguments)
    given.push_back({argument.name ? &*argument.name : nullptr, ast_.expr(argument.value).span});
  const Parameters parameters = parameters_of(*function.fn);
  const ArgumentMatch match = match_arguments(parameters, given, at);
  for (const ArgumentMatch::Fault& fault : match.faults)
    error(Code::E0105, fault.span, fault.message)
        .label(fault.span, "")
        .label(function.span, fmt::format("{}({})", parameters.function, fmt::join(parameters.names, ", ")))
        .with_help(fault.help);
  for (std::size_t i = 0; i < match.arguments.size(); ++i)
    if (const auto argument = match.arguments[i]; argument && given[*argument].name)
      names_.bind(*given[*argument].name, function.parameters[i]);
  return match.faults.empty();
}

const Definition* Resolver::unknown_callee(const CallExpr& call) {
  const std::string& name = call.callee.text;
  // A function sees itself and those before it; those after it only to be told that they cannot be called.
  if (outline_.calls.contains(name) && !function_.empty() && reaches(name, function_)) {
    error(Code::E0106, call.callee.span, fmt::format("`{}` calls `{}`, which calls it again", function_, name))
        .with_help("make one function of the two: a function may call itself, with a smaller argument that is known at compile time");
    return nullptr;
  }
  const Definition* built_in = names_.built_in(name, sources_.file(ast_.file).is_prelude);
  if (built_in && (built_in->kind == Kind::builtin || built_in->kind == Kind::library)) {
    for (const Argument& argument : call.arguments)
      if (argument.name) names_.bind(*argument.name, &names_.make(Kind::parameter, {argument.name->text, {}}));
    return built_in;
  }
  std::vector<Captured> arguments;
  for (const Argument& argument : call.arguments) arguments.push_back(habits_.captured(argument.value));
  unknown_.report(ForeignPlace::function, name, call.callee.span, arguments, fallback_help_);
  return nullptr;
}

void Resolver::passed(ExprId id) {
  if (!id.valid()) return;
  const Expr& e = ast_.expr(id);
  if (const auto* written = std::get_if<FunctionExpr>(&e.node)) return function(*written);
  const auto* name = std::get_if<NameExpr>(&e.node);
  const Definition* own = name ? scopes_.find(name->name) : nullptr;
  const Definition* known = name && !own ? names_.built_in(name->name, sources_.file(ast_.file).is_prelude) : nullptr;
  if ((known && (known->kind == Kind::builtin || known->kind == Kind::library)) || (own && own->kind == Kind::function))
    return names_.use(id, own ? own : known);
  expr(id);
}

void Resolver::function(const FunctionExpr& function) {
  Definition& made = names_.make(Kind::function, function.fn.name);
  made.fn = &function.fn;
  names_.bind(function.fn.name, &made);
  scopes_.open();
  for (const FnParameter& parameter : function.fn.parameters) {
    if (scopes_.innermost().contains(parameter.name.text))
      error(Code::E0104, parameter.name.span, fmt::format("two parameters are called `{}`", parameter.name.text));
    made.parameters.push_back(&define(parameter.name, Kind::parameter));
  }
  expr(function.fn.expression);
  scopes_.close();
}

// ---- types ----

void Resolver::type(const std::optional<TypeExpr>& type) {
  if (!type) return;
  unknown_.check_element(*type);
  for (ExprId size : type->sizes) {
    if (const auto* name = std::get_if<NameExpr>(&ast_.expr(size).node)) fallback_help_ = fmt::format("declare it: `dim {}`", name->name);
    expr(size);
    fallback_help_.clear();
  }
}

void Resolver::generic_sizes(const TypeExpr& type, std::vector<const Definition*>& sizes) {
  for (ExprId id : type.sizes) {
    const auto* name = std::get_if<NameExpr>(&ast_.expr(id).node);
    if (!name) continue;
    const Definition* known = scopes_.find(name->name);
    const bool is_outside = known && (known->kind == Kind::dim || known->kind == Kind::constant);
    if (is_outside || scopes_.innermost().contains(name->name)) continue;
    sizes.push_back(&define({name->name, ast_.expr(id).span}, Kind::size));
  }
}

// ---- entries ----

Symbols resolve(const SourceMap& sources, const Ast& ast, Meanings& names, Imported imported, Diagnostics& diagnostics) {
  return Resolver(sources, ast, names, diagnostics).file(std::move(imported));
}

Symbols exported(Symbols own, const Ast& ast) {
  std::erase_if(own, [&](const auto& entry) {
    const Definition::Kind kind = entry.second->kind;
    return !(is_exported(kind) || kind == Definition::Kind::unknown) || entry.second->span.file != ast.file;
  });
  return own;
}

const Definition* resolve_library(const SourceMap& sources, const Ast& ast, Meanings& names) {
  Diagnostics problems;
  Resolver resolver(sources, ast, names, problems);
  const Symbols& top = resolver.file([](const ImportStmt&) { return nullptr; });
  return problems.has_errors() || top.empty() ? nullptr : top.begin()->second;
}

void resolve_settings(const SourceMap& sources, const Ast& ast, Symbols visible, Meanings& names, Diagnostics& diagnostics) {
  Resolver(sources, ast, names, diagnostics).settings_alone(std::move(visible));
}

bool resolve_expression(const SourceMap& sources, const Ast& ast, ExprId id, Symbols visible, Meanings& names) {
  Diagnostics problems;
  Resolver(sources, ast, names, problems).alone(id, std::move(visible));
  return !problems.has_errors();
}

}  // namespace bpc::frontend
