#include "frontend/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "frontend/foreign.h"
#include "frontend/lower/builtins.h"
#include "frontend/resolve_adjoint.h"
#include "frontend/resolve_arguments.h"
#include "frontend/resolve_habits.h"
#include "frontend/resolve_outline.h"
#include "frontend/resolve_scopes.h"
#include "frontend/walk.h"

namespace bpc::frontend {

namespace {

using Kind = Symbol::Kind;

// Looking for a name that is close takes time in the number of names; after so many unknown ones it is no slip of the finger.
constexpr std::size_t kMostSuggestions = 50;
constexpr const char* kCommentHelp = "a comment starts with `#`";
constexpr const char* kCollectHelp = "compute it under another name, `total = …`, and declare it when it is whole: `loss J = total`";

bool is_exported(Kind kind) {
  return kind == Kind::dim || kind == Kind::constant || kind == Kind::function;
}

const std::vector<std::string>& element_types() {
  static const std::vector<std::string> names{"real", "f32", "f64", "i32", "i64", "bool"};
  return names;
}

class Resolver {
 public:
  Resolver(const Program& program, std::size_t index, const std::vector<Symbols>& exports, Diagnostics& diagnostics)
      : program_(program),
        exports_(exports),
        diagnostics_(diagnostics),
        ast_(*program.asts[index]),
        outline_(ast_),
        habits_(*program.sources, ast_, scopes_, diagnostics) {}

  Symbols run() {
    for (StmtId id : ast_.top) statement(id);
    for (const auto& [function, name] : called_)
      error(Code::E0209, name.span, fmt::format("`{}` is a value, not a function", name.text))
          .with_help(fmt::format("to multiply, write `{0}*(…)`; to index, `{0}[…]`", name.text));
    Symbols own;
    for (const auto& [name, symbol] : scopes_.outermost())
      if (is_exported(symbol.kind) && symbol.span.file == ast_.file) own.emplace(name, symbol);
    return own;
  }

 private:
  Diagnostic& error(Code code, Span at, std::string message) { return diagnostics_.error(code, at, std::move(message)); }

  // ---- scopes ----

  void define(const Name& name, Kind kind, const FnStmt* fn = nullptr) {
    if (!name.text.empty()) scopes_.define(name.text, {kind, name.span, fn});
  }

  void declare(const Name& name, Kind kind, const FnStmt* fn = nullptr) {
    if (const Symbol* old = scopes_.find_own(name.text)) {
      error(Code::E0104, name.span, fmt::format("`{}` is already {}", name.text, kind_name(old->kind)))
          .label(old->span, "first bound here")
          .label(name.span, "");
      return;
    }
    define(name, kind, fn);
  }

  void assign(const Name& name) {
    if (name.text.empty()) return;
    const Symbol* old = scopes_.find_own(name.text);
    if (!old) return define(name, Kind::variable);
    if (is_exported(old->kind) || old->kind == Kind::loss)
      error(Code::E0104, name.span, fmt::format("`{}` is {}, which keeps its value", name.text, kind_name(old->kind)))
          .label(old->span, "declared here")
          .label(name.span, "")
          .with_help(old->kind == Kind::loss ? kCollectHelp : "choose another name");
  }

  // ---- uses ----

  // `exponent` where it is the base of a power.
  void use(const std::string& name, Span at, ExprId exponent = {}) {
    if (scopes_.find(name) || name == "none" || name.empty() || is_builtin_constant(name)) return;
    if (is_builtin_function(name)) {
      error(Code::E0209, at, fmt::format("`{}` is a function, not a value", name)).with_help(fmt::format("call it: `{}(…)`", name));
      return;
    }
    report_unknown(exponent.valid() && !foreign_help(ForeignPlace::base, name, {}).empty() ? ForeignPlace::base : ForeignPlace::value, name,
                   at, exponent.valid() ? std::vector{habits_.captured(exponent)} : std::vector<Captured>{});
  }

  // `arguments` are those of a call, or the exponent of a base, for a help that shows how it is written here.
  void report_unknown(ForeignPlace place, const std::string& name, Span at, const std::vector<Captured>& arguments = {}) {
    if (!unknown_.insert(name).second) return;
    if (auto later = outline_.bound.find(name); later != outline_.bound.end() && later->second > at) {
      error(Code::E0103, at, fmt::format("`{}` is used before it is bound", name)).label(at, "").label(later->second, "bound here");
      return;
    }
    if (const Scopes::Lost* lost = scopes_.find_lost(name)) {
      error(Code::E0103, at, fmt::format("`{}` is not bound here: {}", name, lost->reason))
          .label(lost->span, "bound here")
          .label(at, "")
          .with_help(fmt::format("bind it before, as in `{0} = 0` or `{0} = zeros([4])`, in the shape that it takes", name));
      return;
    }
    const bool called = place == ForeignPlace::function;
    Diagnostic& unknown = error(Code::E0103, at, fmt::format("unknown {} `{}`", called ? "function" : "name", name));
    std::string help =
        name == "loss" && loss_.span.valid() ? fmt::format("the loss is called `{}`", loss_.text) : foreign_help(place, name, arguments);
    if (help.empty()) help = fallback_help_;
    if (help.empty() && unknown_.size() <= kMostSuggestions)
      if (std::string close = closest_match(name, names_of_kind(called)); !close.empty()) help = fmt::format("did you mean `{}`?", close);
    unknown.with_help(help);
  }

  // What may stand where a name does: functions where it is called, and values elsewhere. Tapes are for programs; nobody mistypes them.
  std::vector<std::string> names_of_kind(bool called) const {
    std::vector<std::string> names;
    for (const std::string& name : scopes_.names())
      if ((scopes_.find(name)->kind == Kind::function) == called) names.push_back(name);
    if (!called)
      for (const BuiltinConstant& constant : builtin_constants()) names.emplace_back(constant.name);
    else
      for (std::string& name : builtin_names())
        if (name != "push" && name != "pop" && name != "tape") names.push_back(std::move(name));
    return names;
  }

  void expr(ExprId id) {
    if (!id.valid()) return;
    std::vector<const BinaryExpr*> chain;  // long ones lean to the left
    while (const auto* binary = std::get_if<BinaryExpr>(&ast_.expr(id).node)) {
      chain.push_back(binary);
      id = binary->left;
    }
    const Expr& first = ast_.expr(id);
    if (!chain.empty() && habits_.report_differentials(*chain.back()))
      chain.pop_back();
    else if (!chain.empty() && habits_.report_called_with_sign(id, *chain.back()))
      ;  // what it is called with is looked at below
    else if (const auto* name = std::get_if<NameExpr>(&first.node))
      use(name->name, first.span, chain.empty() || chain.back()->spelling != "^" ? ExprId{} : chain.back()->right);
    else if (const auto* index = std::get_if<IndexExpr>(&first.node); index && habits_.report_added_axis(*index))
      expr(index->base);
    else if (const auto* comprehension = std::get_if<ComprehensionExpr>(&first.node))
      comprehend(*comprehension);
    else if (const auto* call_expr = std::get_if<CallExpr>(&first.node))
      call(*call_expr, first.span);
    else {
      if (chain.empty() && habits_.is_comment(id)) fallback_help_ = kCommentHelp;
      for_each_child(first.node, [&](ExprId child) { expr(child); });
    }
    for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
      if (habits_.starts_comment(**link)) fallback_help_ = kCommentHelp;
      const auto next = link + 1;
      if (next == chain.rend() || !habits_.report_called_with_sign((*link)->right, **next)) expr((*link)->right);
      fallback_help_.clear();
    }
  }
  void exprs(const std::vector<ExprId>& ids) {
    for (ExprId id : ids) expr(id);
  }

  void comprehend(const ComprehensionExpr& comprehension) {
    scopes_.open();
    for (const Generator& generator : comprehension.generators) {
      expr(generator.range);
      if (scopes_.innermost().contains(generator.variable.text))
        error(Code::E0104, generator.variable.span, fmt::format("two generators are called `{}`", generator.variable.text));
      define(generator.variable, Kind::variable);
    }
    expr(comprehension.body);
    scopes_.close();
  }

  void call(const CallExpr& call, Span at) {
    callee(call, at);
    for (const Argument& argument : call.arguments)
      if (!passes_function(argument, call.callee.text)) expr(argument.value);
  }

  void callee(const CallExpr& call, Span at) {
    const std::string& name = call.callee.text;
    const Symbol* symbol = scopes_.find(name);
    if (!symbol) {
      // A function sees those before it; itself and those after it only to be told that they cannot be called.
      if (auto later = outline_.calls.find(name);
          later != outline_.calls.end() && !function_.empty() && outline_.reaches(name, function_)) {
        error(Code::E0106, call.callee.span,
              name == function_ ? fmt::format("`{}` calls itself", name)
                                : fmt::format("`{}` calls `{}`, which calls it again", function_, name))
            .with_help("calls are inlined, so a function cannot recur; write a loop");
        return;
      }
      std::vector<Captured> arguments;
      for (const Argument& argument : call.arguments) arguments.push_back(habits_.captured(argument.value));
      if (!is_builtin_function(name)) report_unknown(ForeignPlace::function, name, call.callee.span, arguments);
      return;
    }
    if (in_rule_ && (name == function_ || outline_.reaches(name, function_))) {
      error(Code::E0106, call.callee.span,
            name == function_ ? fmt::format("the adjoint of `{}` calls it again", name)
                              : fmt::format("the adjoint of `{}` calls `{}`, which calls it again", function_, name))
          .with_help("the rule sees what the function gave, under the name after `->`");
      return;
    }
    if (symbol->kind != Kind::function) {
      if (is_parameter(name)) return called_parameter(call.callee);
      Diagnostic& wrong = error(Code::E0209, call.callee.span, fmt::format("`{}` is {}, not a function", name, kind_name(symbol->kind)));
      if (is_builtin_function(name))
        wrong.label(call.callee.span, "").label(symbol->span, "hides the function").with_help("choose another name for the value");
      else
        wrong.with_help(fmt::format("to multiply, write `{0}*(…)`; to index, `{0}[…]`", name));
      return;
    }
    if (symbol->fn) check_arguments(ast_, call, at, *symbol->fn, symbol->span, diagnostics_);
  }

  bool is_parameter(const std::string& name) const {
    return current_ && std::any_of(current_->parameters.begin(), current_->parameters.end(),
                                   [&](const FnParameter& parameter) { return parameter.name.text == name; });
  }
  // Said here unless a call passes a function, where it is said.
  void called_parameter(const Name& name) { called_.try_emplace(function_, name); }
  // A function as an argument is reported where it is passed.
  bool passes_function(const Argument& argument, const std::string& to) {
    const auto* name = std::get_if<NameExpr>(&ast_.expr(argument.value).node);
    const Symbol* callee = scopes_.find(to);
    if (!name || !callee || callee->kind != Kind::function) return false;
    const Symbol* symbol = scopes_.find(name->name);
    if (symbol ? symbol->kind != Kind::function : !is_builtin_function(name->name)) return false;
    called_.erase(to);
    error(Code::E0199, ast_.expr(argument.value).span, "a function as an argument is not implemented yet")
        .with_help(fmt::format("write a function that calls `{}` by its name, or pass its value, `{}(…)`", name->name, name->name));
    return true;
  }

  void type(const std::optional<TypeExpr>& type) {
    if (!type) return;
    element(*type);
    for (ExprId size : type->sizes) {
      if (const auto* name = std::get_if<NameExpr>(&ast_.expr(size).node)) fallback_help_ = fmt::format("declare it: `dim {}`", name->name);
      expr(size);
      fallback_help_.clear();
    }
  }
  void element(const TypeExpr& type) {
    const auto& known = element_types();
    if (type.element.empty() || std::find(known.begin(), known.end(), type.element) != known.end()) return;
    if (!unknown_types_.insert(type.element).second) return;
    Diagnostic& unknown = error(Code::E0103, type.span, fmt::format("unknown type `{}`", type.element));
    std::string help = foreign_help(ForeignPlace::type, type.element, {});
    const std::string close = help.empty() ? closest_match(type.element, known) : "";
    if (!close.empty()) help = fmt::format("did you mean `{}`?", close);
    unknown.with_help(help.empty() ? "the element types are real, f32, f64, i32, i64 and bool" : help);
  }

  // ---- statements ----

  std::string misplaced_help(const StmtNode& node) const {
    if (const auto* loss = std::get_if<LossStmt>(&node))
      return fmt::format(
          "`loss` declares, once and at the top level, what the script's gradients are of; a value of the moment is `{} = …`",
          loss->name.text == "loss" ? "J" : loss->name.text);
    return in_block_ ? "move it out of the block" : "move it to the top level";
  }

  void statement(StmtId id) {
    const Stmt& statement = ast_.stmt(id);
    if (const char* word = misplaced(statement.node)) {
      if (!statement.continues)
        error(Code::E0109, first_word(statement.span, word),
              fmt::format("`{}` cannot stand inside {}", word,
                          in_block_  ? "a block"
                          : in_rule_ ? "an adjoint"
                                     : "a function"))
            .with_help(misplaced_help(statement.node));
      std::visit(
          [&](const auto& node) {
            if constexpr (requires { node.name; }) unknown_.insert(node.name.text);  // what it would bind has been spoken of
            if constexpr (requires { node.name; })
              if (!scopes_.find(node.name.text))
                define(node.name, std::is_same_v<std::decay_t<decltype(node)>, FnStmt> ? Kind::function : Kind::variable);
          },
          statement.node);
      return;
    }
    std::visit([&](const auto& node) { visit(node, statement.span); }, statement.node);
  }

  static Span first_word(Span span, std::string_view word) {
    span.end_line = span.line;
    span.end_column = span.column + static_cast<std::uint32_t>(word.size());
    return span;
  }

  // The word of a declaration that cannot stand where we are, or null. Functions may hold params and consts.
  const char* misplaced(const StmtNode& node) const {
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
                          [&](const TrainStmt&) { return top_only("train"); },
                          [&](const AdjointStmt&) { return top_only("adjoint"); },
                          [&](const auto&) -> const char* { return nullptr; },
                      },
                      node);
  }

  void visit(const ImportStmt& import, Span) {
    auto found = program_.imports.find({ast_.file, import.path});
    if (found == program_.imports.end()) return;
    for (const auto& [name, symbol] : exports_[found->second]) {
      const Symbol* old = scopes_.find(name);
      if (old && old->span != symbol.span)
        error(Code::E0104, import.path_span, fmt::format("this file declares `{}`, which is already {}", name, kind_name(old->kind)))
            .label(import.path_span, "")
            .label(old->span, "first bound here");
      else
        scopes_.define(name, symbol);
    }
  }
  void visit(const DimStmt& dim, Span) {
    expr(dim.value);
    declare(dim.name, Kind::dim);
  }
  void visit(const ConstStmt& constant, Span) {
    type(constant.type);
    expr(constant.value);
    declare(constant.name, Kind::constant);
  }
  void visit(const InputStmt& input, Span) {
    type(input.type);
    expr(input.value);
    declare(input.name, Kind::input);
  }
  void visit(const ParamStmt& param, Span) {
    type(param.type);
    expr(param.value);
    declare(param.name, Kind::param);
  }
  void visit(const LossStmt& loss, Span) {
    expr(loss.value);
    if (loss_.span.valid()) {
      error(Code::E0109, loss.name.span, "a script has one loss")
          .label(loss_.span, "the first one")
          .label(loss.name.span, "")
          .with_help("add them: `loss J = a + b`");
      return;
    }
    loss_ = loss.name;
    declare(loss.name, Kind::loss);
  }
  void visit(const FnStmt& fn, Span) {
    for (const TypeExpr& result : fn.results) element(result);
    scopes_.open_function();
    function_ = fn.name.text;
    current_ = &fn;
    for (const FnParameter& parameter : fn.parameters) {
      if (parameter.type) generic_sizes(*parameter.type);
      expr(parameter.value);
    }
    for (const FnParameter& parameter : fn.parameters) {
      if (const Symbol* old = scopes_.find_own(parameter.name.text); old && old->kind != Kind::dim)
        error(Code::E0104, parameter.name.span, fmt::format("two parameters are called `{}`", parameter.name.text));
      define(parameter.name, Kind::variable);
    }
    for (const FnParameter& parameter : fn.parameters) type(parameter.type);
    for (const TypeExpr& result : fn.results) exprs(result.sizes);
    if (fn.expression.valid())
      expr(fn.expression);
    else
      statements(fn.body);
    scopes_.close();
    function_.clear();
    current_ = nullptr;
    declare(fn.name, Kind::function, &fn);
  }
  // In a signature, a size that is just a name, and no dim or const, stands for whatever size comes.
  void generic_sizes(const TypeExpr& type) {
    for (ExprId id : type.sizes) {
      const auto* name = std::get_if<NameExpr>(&ast_.expr(id).node);
      if (!name) continue;
      const Symbol* known = scopes_.find(name->name);
      if (!known || (known->kind != Kind::dim && known->kind != Kind::constant)) define({name->name, ast_.expr(id).span}, Kind::dim);
    }
  }
  void visit(const SeedStmt& seed, Span) { expr(seed.value); }
  void visit(const TrainStmt&, Span) {}  // its names (adam, accuracy …) are those of the trainer
  void visit(const AdjointStmt& rule, Span) {
    const Symbol* symbol = scopes_.find(rule.function.text);
    if (!symbol && !is_builtin_function(rule.function.text))
      report_unknown(ForeignPlace::function, rule.function.text, rule.function.span);
    else if (auto [first, is_new] = rules_.emplace(rule.function.text, rule.function.span); !is_new)
      error(Code::E0104, rule.function.span, fmt::format("`{}` has an adjoint already", rule.function.text))
          .label(first->second, "here")
          .label(rule.function.span, "");
    else
      check_adjoint(rule, symbol, ast_.file, diagnostics_);
    scopes_.open_function();
    function_ = rule.function.text;
    in_rule_ = true;
    auto bind = [&](const Name& name) {
      auto known = scopes_.innermost().find(name.text);
      if (known != scopes_.innermost().end() && known->second.kind != Kind::dim)
        error(Code::E0104, name.span, fmt::format("two values are called `{}` here", name.text));
      define(name, Kind::variable);
    };
    if (symbol && symbol->fn && symbol->span.file == ast_.file)
      for (const FnParameter& parameter : symbol->fn->parameters)
        if (parameter.type) generic_sizes(*parameter.type);
    for (const Name& input : rule.inputs) bind(input);
    for (const Name& output : rule.outputs) bind(output);
    for (const Name& output : rule.outputs) bind({"d" + output.text, output.span});
    statements(rule.body);
    scopes_.close();
    function_.clear();
    in_rule_ = false;
  }
  void visit(const AssignStmt& assignment, Span) {
    for (const Target& target : assignment.targets) type(target.type);
    const bool updates = assignment.spelling != "=";
    for (const Target& target : assignment.targets) {
      if (target.index || updates) {
        fallback_help_ = target.name.text == "loss"
                             ? kCollectHelp
                             : fmt::format("bind it before, as in `{} = {}`", target.name.text, target.index ? "zeros([4])" : "0");
        use(target.name.text, target.name.span);
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
  void visit(const ExprStmt& statement, Span at) {
    if (habits_.report_loop_word(statement, at)) return;
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
  void visit(const IfStmt& branch, Span) {
    expr(branch.condition);
    static constexpr const char* kReason = "only one side of an `if` binds it";
    scopes_.open();
    block(branch.then);
    Symbols then = scopes_.close(kReason);
    if (!branch.otherwise) return;
    scopes_.open();
    block(*branch.otherwise);
    Symbols otherwise = scopes_.close(kReason);
    for (const auto& [name, symbol] : then)
      if (otherwise.contains(name)) scopes_.define(name, symbol);
  }
  void visit(const ForStmt& loop, Span) {
    expr(loop.range);
    scopes_.open();
    define(loop.variable, Kind::variable);
    block(loop.body);
    scopes_.close("it is local to a loop");
  }
  void visit(const WhileStmt& loop, Span) {
    expr(loop.condition);
    scopes_.open();
    block(loop.body);
    scopes_.close("it is local to a loop");
  }
  void visit(const ReturnStmt& statement, Span at) {
    exprs(statement.values);
    if (function_.empty())
      error(Code::E0109, first_word(at, "return"), "`return` stands outside a function")
          .with_help("a script shows what it binds; `print x` shows a value where it stands");
    if (in_rule_)
      error(Code::E0109, first_word(at, "return"), "an adjoint returns nothing")
          .with_help("it assigns the cotangent of each parameter, as in `dx = …`");
  }
  void visit(const PrintStmt& print, Span) { exprs(print.items); }
  void visit(const AssertStmt& check, Span) { expr(check.condition); }

  void block(const Block& block) {
    const bool outer = std::exchange(in_block_, true);
    statements(block);
    in_block_ = outer;
  }
  void statements(const Block& block) {
    for (StmtId id : block.statements) statement(id);
  }

  const Program& program_;
  const std::vector<Symbols>& exports_;
  Diagnostics& diagnostics_;
  const Ast& ast_;
  Outline outline_;
  Scopes scopes_;
  const Habits habits_;
  std::string function_;                // the current one; empty at the top level
  const FnStmt* current_ = nullptr;     // that function, outside adjoints
  std::map<std::string, Name> called_;  // by function: a parameter that it calls
  bool in_block_ = false;
  bool in_rule_ = false;               // of an adjoint
  std::map<std::string, Span> rules_;  // functions that have an adjoint
  Name loss_;
  std::string fallback_help_;                      // for an unknown name here of which nothing else is to be said
  std::set<std::string> unknown_, unknown_types_;  // reported once each
};

}  // namespace

Symbols resolve(const Program& program, std::size_t index, const std::vector<Symbols>& exports, Diagnostics& diagnostics) {
  return Resolver(program, index, exports, diagnostics).run();
}

}  // namespace bpc::frontend
