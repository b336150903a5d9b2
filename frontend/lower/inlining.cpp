#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "frontend/lower/calls.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/statements.h"
#include "frontend/lower/types.h"

namespace bpc::frontend::lowering {

namespace {

using ir::ValueId;

const Differentiation& differentiation(Context& c, const Callable& callee) {
  return differentiation(c, callee, callee.fn->expression.valid() ? callee.ast->expr(callee.fn->expression).span : callee.fn->body.span);
}

bool has_params(const Callable& callee) {
  return std::any_of(callee.fn->body.statements.begin(), callee.fn->body.statements.end(),
                     [&](StmtId id) { return std::holds_alternative<ParamStmt>(callee.ast->stmt(id).node); });
}

// The call path: the caller's, the name being assigned, the function. One that holds params and would repeat gets _2, _3 ….
std::string call_path(Context& c, const Callable& callee) {
  std::string path = c.frame->path;
  for (const std::string& step : {c.frame->binding, callee.fn->name.text})
    if (!step.empty()) path += (path.empty() ? "" : ".") + step;
  if (!has_params(callee)) return path;
  std::string unique = path;
  for (int n = 2; !c.call_paths.insert(unique).second; ++n) unique = fmt::format("{}_{}", path, n);
  return unique;
}

// Matches the sizes of a signature against a value's: names that stand for nothing yet are bound. The callee's frame is the current one.
class Unifier {
 public:
  explicit Unifier(Context& c) : c_(c) {}

  // Direct names first (of every parameter), expressions of them later.
  void bind_names(const TypeExpr& type, const std::vector<Dim>& dims, Span span) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (!std::holds_alternative<NameExpr>(c_.expr(type.sizes[i]).node)) continue;
      const Definition* name = c_.meaning(type.sizes[i]);
      const Binding* known = c_.find(name);
      bool is_known = known && known->item.holds<Number>();
      if (!is_known) c_.bind(name, {Number{dims[i].size, Element::i32, dims[i].name}, span}, span);
    }
  }

  // The first size that does not match, as a sentence; nullopt when all do.
  struct Misfit {
    Code code;
    std::string text;
  };
  std::optional<Misfit> compare(const TypeExpr& type, const std::vector<Dim>& dims) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      auto item = expression(c_, type.sizes[i]);
      auto size = item ? to_size(c_, *item) : std::nullopt;
      if (!size) return Misfit{Code::E0205, {}};  // reported
      std::string written = c_.text_of(c_.expr(type.sizes[i]).span);
      if (size->size != dims[i].size)
        return Misfit{Code::E0201, written == size_text(*size) ? std::string{} : fmt::format(" where {} is {}", written, size_text(*size))};
      if (!size->name.empty() && !dims[i].name.empty() && size->name != dims[i].name)
        return Misfit{Code::E0202, fmt::format(" where {} is {}", written, size->name.text)};
    }
    return std::nullopt;
  }

 private:
  Context& c_;
};

// The argument as a value of the declared element type. `real` takes either float as it is, and integers converted.
std::optional<Item> to_parameter(Context& c, const Item& item, const TypeExpr& type, const std::string& what) {
  auto element = to_element(c, type);
  if (!element) return std::nullopt;
  if (type.scalar && *element == Element::boolean && item.holds<bool>()) return item;  // what is known at compile time stays so
  if (type.scalar) {
    const Number* number = item.as<Number>();
    if (number && number->is_integer() && is_integer(*element)) return whole_number(c, item.span, number->integer(), *element);
  }
  auto value = to_value(c, item, *element);
  if (!value) return std::nullopt;
  Type given = c.type(*value);
  bool any_real = type.element.empty() || type.element == "real";
  if (any_real && is_real(given.element) && !given.tape) return value;
  if (!given.tape && widens(given.element, *element)) return cast_to(c, *value, *element, item.span);
  c.error(Code::E0206, item.span, fmt::format("{} is declared {}, and this is {}", what, c.text_of(type.span), type_text(given)));
  return std::nullopt;
}

// Declared types of a list of items (parameters or results), checked and their generic sizes bound. Stops at the first misfit, which
// decides what the sizes after it stand for.
bool check_declared(Context& c, const std::vector<const TypeExpr*>& types, std::vector<Item>& items, const std::vector<std::string>& what,
                    std::optional<Code> code = std::nullopt) {
  Unifier unifier(c);
  auto misfit = [&](std::size_t i, Code otherwise, const std::string& why) {
    const ValueId* id = items[i].as<ValueId>();
    std::string given = id && !c.type(*id).is_scalar() ? shape_text(c.type(*id).dims) : "a scalar";
    c.report(error_at(code.value_or(otherwise), items[i].span,
                      fmt::format("{} is declared {}{}, and this is {}", what[i], c.text_of(types[i]->span), why, given))
                 .label(items[i].span, given));
    return false;
  };
  auto dims_of = [&](const Item& item) { return item.holds<ValueId>() ? c.type(item).dims : std::vector<Dim>{}; };
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!types[i]) continue;
    auto value = to_parameter(c, items[i], *types[i], what[i]);
    if (!value) return false;
    items[i] = std::move(*value);
    std::vector<Dim> dims = dims_of(items[i]);
    if (dims.size() != types[i]->sizes.size()) return misfit(i, Code::E0204, "");
    unifier.bind_names(*types[i], dims, items[i].span);
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!types[i]) continue;
    auto clash = unifier.compare(*types[i], dims_of(items[i]));
    if (clash && clash->code == Code::E0205) return false;  // reported
    if (clash) return misfit(i, clash->code, clash->text);
  }
  return true;
}

// Functions of the library take values, what is known at compile time of numbers and shapes, and functions where they call them. E0209.
bool may_go_to_library(Context& c, const Item& item, const Callable& callee, std::size_t parameter) {
  if (c.frame->caller->authors_call || c.is_in_prelude(item.span)) return true;  // from one of its functions to another
  if (callee.names->is_called(*callee.meaning->parameters[parameter])) {
    if (!is_function(item))
      c.error(Code::E0209, item.span,
              fmt::format("`{}` of `{}` is a function, and `{}` is none", callee.fn->parameters[parameter].name.text, callee.fn->name.text,
                          c.text_of(item.span)),
              "pass one by its name, or write it: `fn(x) = …`");
    return is_function(item);
  }
  return (!is_function(item) && !item.holds<Text>() && !item.holds<Tuple>()) || strength(c, item);
}

// Binds the parameters in the callee's frame, and returns what they are.
std::optional<std::vector<Item>> bind_parameters(Context& c, const Callable& callee, std::vector<std::optional<Item>> given) {
  const auto& parameters = callee.fn->parameters;
  std::vector<const TypeExpr*> types;
  std::vector<Item> items;
  std::vector<std::string> what;
  bool ok = true;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const FnParameter& parameter = parameters[i];
    auto item = given[i] ? given[i] : expression(c, parameter.value);
    if (item && c.frame->authors_call && !may_go_to_library(c, *item, callee, i)) item.reset();
    if (item && !parameter.type && differentiation(c, callee).by.contains(c.meaning(parameter.name))) item = to_value(c, *item);
    ok &= item.has_value();
    if (!item) continue;
    c.bind(c.meaning(parameter.name), *item, parameter.name.span);  // the defaults after it may read it
    types.push_back(parameter.type ? &*parameter.type : nullptr);
    items.push_back(std::move(*item));
    what.push_back(fmt::format("`{}` of `{}`", parameter.name.text, callee.fn->name.text));
  }
  if (!ok || !check_declared(c, types, items, what)) return std::nullopt;
  // A function that is given what it differentiates is also given what that was computed from.
  const Differentiation& taken = differentiation(c, callee);
  const bool is_given_loss =
      std::any_of(parameters.begin(), parameters.end(), [&](const FnParameter& p) { return taken.of.contains(c.meaning(p.name)); });
  c.frame->separates = taken.is_any && !is_given_loss;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Name& name = parameters[i].name;
    if (c.frame->separates && !taken.separated.contains(c.meaning(name))) separate(c, items[i], name.text);
    c.bind(name, items[i], name.span);
  }
  return items;
}

ActiveCall active_call(Context& c, const FnStmt& fn, const std::vector<std::optional<Item>>& arguments) {
  ActiveCall call{&fn, {}, {}, c.active_call};
  for (const auto& argument : arguments) {
    const Number* number = argument ? argument->as<Number>() : nullptr;
    const ValueId* value = argument ? argument->as<ValueId>() : nullptr;
    call.sizes.push_back(number && number->is_integer() ? std::optional(number->integer())
                         : value                        ? std::optional(c.type(*value).count())
                                                        : std::nullopt);
    const Callable* written = argument ? argument->as<Callable>() : nullptr;
    const LibraryFunction* built_in = argument ? argument->as<LibraryFunction>() : nullptr;
    call.functions.push_back(written    ? static_cast<const void*>(written->fn)
                             : built_in ? static_cast<const void*>(built_in->function)
                                        : nullptr);
  }
  return call;
}

// A function that calls itself comes to an end only by what is known at compile time. E0106. Where it is given another function, that one
// may be what calls it, written outside of it.
bool check_recursion(Context& c, const ActiveCall& call, Span span) {
  const ActiveCall* outer = call.around;
  while (outer && outer->function != call.function) outer = outer->around;
  if (!outer || call.functions != outer->functions) return true;
  for (std::size_t i = 0; i < call.sizes.size(); ++i)
    if (call.sizes[i] && outer->sizes[i] && *call.sizes[i] < *outer->sizes[i]) return true;
  c.error(
      Code::E0106, span,
      fmt::format("`{}` calls itself, and no argument that is known at compile time is smaller than before", call.function->name.text),
      "calls are inlined: a literal, a dim or the size of a tensor may get smaller with each, as in `fn f(n) = 1 if n < 2 else n * f(n - "
      "1)`; where a run decides how often, write a loop");
  return false;
}

// The name that the last statement binds is probably what it should give.
std::string return_help(const Callable& callee) {
  const auto& body = callee.fn->body.statements;
  const auto* last = body.empty() ? nullptr : std::get_if<AssignStmt>(&callee.ast->stmt(body.back()).node);
  return fmt::format("end it with `return {}`", last ? last->targets.front().name.text : "…");
}

std::optional<std::vector<Item>> returned(Context& c, const Callable& callee, Span span) {
  if (callee.fn->expression.valid()) {
    auto item = expression(c, callee.fn->expression);
    if (!item || !is_no_function(c, *item)) return std::nullopt;
    return std::vector{std::move(*item)};
  }
  Outcome outcome = run(c, callee.fn->body);
  const bool* returned = outcome.returned.as<bool>();
  if (!returned || !*returned) {
    if (!c.frame->returns_unknown && returned)
      c.error(Code::E0209, span, fmt::format("`{}` ends without a `return`, and gives no value", callee.fn->name.text),
              return_help(callee));
    else if (!c.frame->returns_unknown)
      c.error(Code::E0209, outcome.open,
              fmt::format("`{}` returns only where this decides so, and otherwise ends without a `return`", callee.fn->name.text),
              return_help(callee));
    return std::nullopt;
  }
  bool failed = std::any_of(outcome.values.begin(), outcome.values.end(),
                            [&](const Item& item) { return item.failed() || !is_no_function(c, item); });
  return failed ? std::nullopt : std::optional(std::move(outcome.values));
}

}  // namespace

void separate(Context& c, Item& item, const std::string& name) {
  if (auto* list = std::get_if<List>(&item.is))
    for (Item& part : list->items) separate(c, part, name);
  const ValueId* id = item.as<ValueId>();
  if (!id || !is_real(c.type(*id).element) || c.type(*id).tape) return;
  c.set_origin(item.span);
  const Type type = c.type(*id);
  item.is = c.builder->emit(ir::Opcode::variable, {*id}, {}, &type, name);
}

std::optional<std::vector<Item>> lower_body(Context& c, const Callable& callee, Span span) {
  const FnStmt& fn = *callee.fn;
  auto items = returned(c, callee, span);
  if (!items || fn.results.empty()) return items;
  if (fn.results.size() != items->size()) {
    c.error(Code::E0206, span, fmt::format("`{}` declares {} results and returns {}", fn.name.text, fn.results.size(), items->size()));
    return std::nullopt;
  }
  std::vector<const TypeExpr*> types;
  std::vector<std::string> what;
  for (const TypeExpr& type : fn.results) {
    types.push_back(&type);
    what.push_back(fmt::format("the result of `{}`", fn.name.text));
  }
  return check_declared(c, types, *items, what, Code::E0206) ? items : std::nullopt;
}

const Differentiation& differentiation(Context& c, const Callable& callee, Span body) {
  auto [known, is_new] = c.differentiations.try_emplace(body);
  if (!is_new) return known->second;
  Differentiation& found = known->second;
  const Ast& ast = *callee.ast;
  std::map<const Definition*, int> otherwise;  // how often each name is read not as `variable(NAME)`
  for (ExprId id{0}; id.index < ast.exprs.size(); ++id.index) {
    const Expr& e = ast.expr(id);
    if (!covers(body, e.span)) continue;
    if (std::holds_alternative<NameExpr>(e.node)) ++otherwise[callee.names->of(id)];
    const auto* inner = std::get_if<CallExpr>(&e.node);
    const Definition* form = inner ? callee.names->of(id) : nullptr;
    if (!form || form->kind != Definition::Kind::builtin) continue;
    const bool is_form = is_kind(form->builtin, BuiltinKind::derivative);
    found.is_any |= is_form;
    for (std::size_t i = 0; i < inner->arguments.size(); ++i) {
      if (!std::holds_alternative<NameExpr>(ast.expr(inner->arguments[i].value).node)) continue;
      const Definition* name = callee.names->of(inner->arguments[i].value);
      if (is_form) (i == 0 ? found.of : found.by).insert(name);
      if (form->name == ir::op_info(ir::Opcode::variable).name) --otherwise[name];
    }
  }
  for (const auto& [name, count] : otherwise)
    if (count == 0) found.separated.insert(name);
  return found;
}

Callable callable(const Definition& function, Frame& globals) {
  return {globals.ast, globals.names, &function, function.fn, &globals, globals.names->rule(function)};
}

std::optional<Item> call_function(Context& c, const Callable& callee, const std::vector<Given>& given, Span span) {
  const Nesting nesting(c, span);
  c.count_call(span);
  const FnStmt& fn = *callee.fn;
  const Parameters parameters = parameters_of(fn);
  auto matched = match(c, span, parameters, given);
  if (!matched) return std::nullopt;
  const ActiveCall active = active_call(c, fn, *matched);
  if (!check_recursion(c, active, span)) return std::nullopt;
  Temporarily<const ActiveCall*> during(c.active_call, &active);

  Frame frame;
  frame.ast = callee.ast;
  frame.names = callee.names;
  frame.globals = callee.globals;
  frame.caller = c.frame;
  frame.calls = c.frame->calls;
  frame.calls.insert(frame.calls.begin(), span);
  frame.path = call_path(c, callee);
  frame.function = fn.name.text;
  LibraryCall call{fn.name.text, span, {}};
  if (c.is_in_prelude(fn.name.span)) {
    for (const Given& argument : given) call.arguments.push_back(argument.item);
    frame.authors_call = c.frame->authors_call ? c.frame->authors_call : &call;
  }
  frame.in_init = c.is_in_init();
  frame.ruled = c.frame->ruled;
  Temporarily<Frame*> enter(c.frame, &frame);

  auto items = bind_parameters(c, callee, std::move(*matched));
  if (!items) return std::nullopt;
  note_types(c, parameters, given, *items);
  if (!c.is_muted) c.called.insert(callee.meaning);
  auto body = [&] { return lower_body(c, callee, span); };
  auto results = callee.rule ? with_rule(c, callee, span, body) : body();
  if (!results) return std::nullopt;
  if (results->size() != 1) return Item{Tuple{std::move(*results)}, span};
  Item result = std::move(results->front());
  result.span = span;
  return result;
}

}  // namespace bpc::frontend::lowering
