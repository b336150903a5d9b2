#include "frontend/lower/statements.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/convert.h"
#include "frontend/lower/declarations.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"
#include "frontend/syntax/exits.h"
#include "frontend/syntax/precedence.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::ValueId;

// What a plain name may hold: values, and compile-time integers that have a type (dims, sizes) or lists of them (shapes). Everything else
// becomes a value, a weak number a real one.
bool stays_compile_time(const Item& item) {
  if (const Number* number = item.as<Number>()) return number->element.has_value();
  const List* list = item.as<List>();
  return list && std::all_of(list->items.begin(), list->items.end(), [](const Item& inner) {
           const Number* number = inner.as<Number>();
           return number && number->element;
         });
}

// The type that a literal takes when it is assigned to this name: the declared one, or inside a block that of the value it replaces.
std::optional<Element> element_for(Context& c, const Definition* name, const Binding* old) {
  if (!old) return std::nullopt;
  const auto& own = c.frame->scopes.back().names;
  bool outside_block = c.frame->scopes.size() > 1 && (own.find(name) == own.end() || c.frame->scopes.back().carried.contains(name));
  const ValueId* id = old->item.as<ValueId>();
  return id && outside_block ? std::optional(c.type(*id).element) : std::nullopt;
}

std::optional<Item> bindable(Context& c, const Definition* name, const Item& item, const std::optional<Type>& declared) {
  if (declared) return to_declared(c, item, *declared, fmt::format("`{}`", name->name), true);
  if (stays_compile_time(item)) return item;
  auto element = element_for(c, name, c.find_own(name));
  const Number* number = item.as<Number>();
  bool whole = number && number->is_integer();
  if (element && (*element == Element::boolean || (!is_real(*element) && !whole))) element.reset();
  return to_value(c, item, element);
}

void poison(Context& c, const Target& target, Span span) {
  c.bind(c.meaning(target.name), {Poison{}, target.span}, span);
}

// `x[i] = v` and `x[i] += v`; what is added to a part needs no reading of it.
std::optional<Item> update_part(Context& c, const Item& base, const Part& place, Span target, const std::string& spelling, Span sign,
                                const Item& v, Span span) {
  if (spelling == "=") return write_part(c, span, base, place, v);
  if (spelling == "+=") return add_to_part(c, span, base, place, v);
  std::optional<Item> item;
  if (spelling == "-=") {
    auto value = is_compile_time(v) ? std::optional(v) : to_value(c, v, c.type(base).element);
    item = value ? unary(c, v.span, "-", *value) : std::nullopt;
    return item ? add_to_part(c, span, base, place, *item) : std::nullopt;
  }
  auto before = read_part(c, target, base, place);
  item = before ? binary(c, span, sign, spelling.substr(0, spelling.size() - 1), *before, v) : std::nullopt;
  return item ? write_part(c, span, base, place, *item) : std::nullopt;
}

void assign_target(Context& c, const Target& target, const std::string& spelling, Span sign, std::optional<Item> item, Span span) {
  const Definition* name = c.meaning(target.name);
  if (!name || !item || item->failed()) return poison(c, target, span);
  if (is_path(name->name) && !c.lookup(name, target.name.span)) return poison(c, target, span);
  if (target.index) {
    auto old = c.lookup(c.frame->names->before(target.name), target.name.span);
    auto base = old ? to_value(c, *old) : std::nullopt;
    auto place = base ? resolve_index(c, *base, *target.index, target.span) : std::nullopt;
    auto updated = place ? update_part(c, *base, *place, target.span, spelling, sign, *item, span) : std::nullopt;
    if (!updated) return poison(c, target, span);
    c.note_type(target.name.span, *updated);
    const Binding* binding = c.find_own(name);
    return assign_name(c, name, *updated, span, binding ? binding->declared : std::nullopt);
  }
  if (spelling != "=") {
    auto old = c.lookup(c.frame->names->before(target.name), target.name.span);
    item = old ? binary(c, span, sign, spelling.substr(0, spelling.size() - 1), *old, *item) : std::nullopt;
    if (!item) return poison(c, target, span);
  }
  std::optional<Type> declared;
  if (target.type) {
    declared = to_type(c, *target.type);
    if (!declared) return poison(c, target, span);
  } else if (const Binding* old = c.find_own(name)) {
    declared = old->declared;
  }
  auto bound = bindable(c, name, *item, declared);
  if (!bound) return poison(c, target, span);
  c.note_type(target.name.span, *bound);
  assign_name(c, name, std::move(*bound), span, std::move(declared));
}

void print_statement(Context& c, const PrintStmt& s, Span span) {
  if (c.options.entry != Entry::run) return;
  std::vector<std::string> text{""};
  std::vector<ValueId> operands;
  bool ok = true;
  for (std::size_t i = 0; i < s.items.size(); ++i) {
    auto item = expression(c, s.items[i]);
    ok &= item.has_value();
    if (!item) continue;
    if (i > 0) text.back() += " ";
    const Number* number = item->as<Number>();
    if (const Text* literal = item->as<Text>()) {
      text.back() += literal->text;
    } else if (const bool* truth = item->as<bool>()) {
      text.back() += *truth ? "true" : "false";
    } else if (number && number->is_integer()) {
      text.back() += std::to_string(number->integer());
    } else {
      auto shown = reject_tape(c, *item, "`print`") ? to_value(c, *item) : std::nullopt;
      ok &= shown.has_value();
      if (!shown) continue;
      operands.push_back(*shown->as<ValueId>());
      text.push_back("");
    }
  }
  if (!ok) return;
  c.set_origin(span);
  c.builder->emit_op(ir::Opcode::print, operands, {{Attr::text, text}}, {});
}

// What the call at hand was given for the parameter of that name.
const Binding* argument_called(Context& c, std::string_view name) {
  for (const Definition* each : c.frame->scopes.front().order)
    if (each->name == name) return c.find_own(each);
  return nullptr;
}

// What an assert of the library says of the author's call: a parameter `{x}` is the argument with its shape; what follows a semicolon is a
// fix.
Diagnostic refusal(Context& c, const std::string& message, Span span) {
  Diagnostic diagnostic = error_at(Code::E0210, span, "");  // of numbers, unless it speaks of shapes
  for (std::size_t at = 0; at < message.size();) {
    std::size_t open = std::min(message.find('{', at), message.size()), close = std::min(message.find('}', open), message.size());
    diagnostic.message += message.substr(at, open - at);
    if (const Binding* argument = argument_called(c, std::string_view(message).substr(std::min(open + 1, close), close - open - 1))) {
      diagnostic.message += c.described(argument->item);
      if (const ValueId* id = argument->item.as<ValueId>()) diagnostic.label(argument->item.span, shape_text(c.type(*id).dims));
      if (argument->item.holds<ValueId>() || argument->item.holds<List>()) diagnostic.code = Code::E0201;
    }
    at = close + 1;
  }
  if (std::size_t semicolon = diagnostic.message.find("; "); semicolon != std::string::npos) {
    diagnostic.help = diagnostic.message.substr(semicolon + 2);
    diagnostic.message.resize(semicolon);
  }
  return diagnostic;
}

// Whether to go on. In the library a condition known at compile time is a check of the call: where it holds nothing is left of it, and
// otherwise the call is wrong.
bool assert_statement(Context& c, const AssertStmt& s, Span span) {
  const Expr& e = c.expr(s.condition);
  const auto* comparison = std::get_if<BinaryExpr>(&e.node);
  if (comparison && operator_level(comparison->spelling) != Level::comparison) comparison = nullptr;
  std::vector<Item> shown;
  std::optional<Item> condition;
  auto checked = [&] { return condition && c.is_in_prelude(span) ? condition->as<bool>() : nullptr; };
  if (comparison) {  // its operands are shown when it fails
    auto a = expression(c, comparison->left), b = expression(c, comparison->right);
    if (!a || !b) return true;
    condition = binary(c, e.span, comparison->spelling_span, comparison->spelling, *a, *b);
    for (const Item& side : {*a, *b}) {
      const Number* number = side.as<Number>();
      bool says_itself = is_compile_time(side) && (!number || !number->element);  // a literal
      bool is_shown = condition && !checked() && !says_itself;
      if (auto value = is_shown ? to_value(c, side) : std::nullopt) shown.push_back(std::move(*value));
    }
  } else {
    condition = expression(c, s.condition);
  }
  if (const bool* holds = checked()) {
    if (!*holds) c.report(refusal(c, s.message.value_or(""), span));
    return *holds;
  }
  if (condition) condition = condition_value(c, *condition, "the condition of `assert`");
  if (!condition) return true;
  std::vector<ValueId> operands{*condition->as<ValueId>()};
  std::vector<std::string> names;
  for (const Item& item : shown) {
    operands.push_back(*item.as<ValueId>());
    names.push_back(c.text_of(item.span));
  }
  c.set_origin(span);
  c.builder->emit_op(ir::Opcode::assert_true, operands, {{Attr::message, s.message.value_or("")}, {Attr::names, names}}, {});
  return true;
}

// A function whose results have failed.
Outcome failed(Span span) {
  return {{true, span}, {true, span}, {true, span}, {Item{Poison{}, span}}};
}

Outcome return_statement(Context& c, const ReturnStmt& s, Span span) {
  Outcome outcome{{true, span}, {true, span}, {true, span}};
  for (ExprId id : s.values) {
    auto item = expression(c, id);
    outcome.values.push_back(item ? std::move(*item) : Item{Poison{}, c.expr(id).span});
  }
  return outcome;
}

struct Visit {
  Context& c;
  Span span;

  void operator()(const ImportStmt& s) { import(c, s); }
  void operator()(const DimStmt& s) { declare_dim(c, s); }
  void operator()(const ConstStmt& s) { declare_const(c, s); }
  void operator()(const InputStmt& s) { declare_input(c, s, span); }
  void operator()(const ParamStmt& s) { declare_param(c, s, span); }
  void operator()(const LossStmt& s) { declare_loss(c, s, span); }
  void operator()(const FnStmt&) {}  // bound before the file's first statement
  void operator()(const SeedStmt& s) { declare_seed(c, s); }
  void operator()(const RealStmt&) {}     // decided before (declared_real)
  void operator()(const TrainStmt&) {}    // of no concern to `run`
  void operator()(const AdjointStmt&) {}  // bound to its function
  void operator()(const AssignStmt& s) { assignment(c, s, span); }
  void operator()(const ExprStmt&) {}  // refused before lowering
  void operator()(const IfStmt& s) { if_statement(c, s); }
  void operator()(const ForStmt& s) { for_statement(c, s, span); }
  void operator()(const WhileStmt& s) { while_statement(c, s, span); }
  void operator()(const BreakStmt&) {}  // see run
  void operator()(const ContinueStmt&) {}
  void operator()(const ReturnStmt&) {}
  void operator()(const PrintStmt& s) { print_statement(c, s, span); }
  void operator()(const AssertStmt&) {}
  void operator()(const ErrorStmt& s) {
    for (const Name& name : s.assigned) c.bind(name, {Poison{}, name.span}, span);
    c.frame->returns_unknown = true;
  }
};

}  // namespace

std::string value_name(const Definition& name) {
  std::string text = name.name;
  std::ranges::replace(text, '.', '_');
  return text;
}

void assign_name(Context& c, const Definition* name, Item item, Span span, std::optional<Type> declared) {
  if (const ValueId* id = item.as<ValueId>())
    if (ir::Value& value = c.function().value(*id); value.name.empty()) value.name = value_name(*name);
  bool at_top = c.frame == c.top && c.frame->scopes.size() == 1;
  if (at_top && !is_path(name->name) && c.shown_names.insert(name).second) c.shown.push_back(name);
  c.bind(name, std::move(item), span, std::move(declared));
}

void assignment(Context& c, const AssignStmt& s, Span span) {
  Temporarily<std::string> binding(c.frame->binding, s.targets[0].name.text);
  Temporarily<const TypeExpr*> declared(c.frame->declared, s.targets[0].type ? &*s.targets[0].type : nullptr);
  std::vector<std::optional<Item>> items;
  for (ExprId id : s.values) items.push_back(expression(c, id));
  if (items.size() == 1 && s.targets.size() > 1 && items[0]) {  // a, b = f(x)
    const Tuple* tuple = items[0]->as<Tuple>();
    std::size_t count = tuple ? tuple->items.size() : 1;
    if (count != s.targets.size()) {
      c.error(Code::E0105, items[0]->span,
              fmt::format("`{}` gives {} value{}, and {} names are assigned", c.text_of(items[0]->span), count, count == 1 ? "" : "s",
                          s.targets.size()));
      items[0].reset();
    } else {
      std::vector<Item> parts = tuple->items;
      items.assign(parts.begin(), parts.end());
    }
  }
  items.resize(s.targets.size());  // what is missing has failed
  for (std::size_t i = 0; i < s.targets.size(); ++i) assign_target(c, s.targets[i], s.spelling, s.spelling_span, std::move(items[i]), span);
}

Outcome run(Context& c, const Block& block) {
  return run(c, {&block.statements, 0, nullptr});
}

Outcome run(Context& c, Rest rest) {
  for (; rest.at < rest.statements->size(); ++rest.at) {
    const StmtId id = (*rest.statements)[rest.at];
    if (c.frame->names->is_refused(id)) {
      c.frame->returns_unknown = true;  // it may have been meant to
      continue;
    }
    const Stmt& stmt = c.stmt(id);
    const Nesting nesting(c, stmt.span);
    if (const auto* s = std::get_if<ReturnStmt>(&stmt.node)) return return_statement(c, *s, stmt.span);
    if (std::holds_alternative<BreakStmt>(stmt.node)) return {{true, stmt.span}, {true, stmt.span}};
    if (std::holds_alternative<ContinueStmt>(stmt.node)) return {{true, stmt.span}};
    if (const auto* s = std::get_if<AssertStmt>(&stmt.node)) {
      if (!assert_statement(c, *s, stmt.span)) return failed(stmt.span);
      continue;
    }
    if (!exits_of(*c.frame->ast, id).any()) {
      std::visit(Visit{c, stmt.span}, stmt.node);
      continue;
    }
    const Rest after{rest.statements, rest.at + 1, rest.next};
    if (const auto* branch = std::get_if<IfStmt>(&stmt.node)) return leaving_if(c, *branch, after);
    const auto* loop = std::get_if<ForStmt>(&stmt.node);
    return go_on(c, loop ? for_statement(c, *loop, stmt.span) : while_statement(c, std::get<WhileStmt>(stmt.node), stmt.span), after);
  }
  return rest.next ? run(c, *rest.next) : Outcome{};
}

}  // namespace bpc::frontend::lowering
