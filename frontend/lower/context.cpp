#include "frontend/lower/context.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/builtins/builtins.h"
#include "frontend/lower/initialisers.h"
#include "frontend/lower/item_text.h"
#include "frontend/lower/misfit.h"
#include "ir/limits.h"
#include "support/internal_error.h"

namespace bpc::frontend::lowering {

namespace {

constexpr std::size_t kMostCalls = 100'000;
constexpr std::size_t kLongestOperandText = 32;  // code points
constexpr std::size_t kMostCallNotes = 3;

}  // namespace

void Scope::bind(const Definition* name, Binding binding) {
  binding.is_rebound = names.contains(name);
  names.insert_or_assign(name, std::move(binding));
  if (!names.at(name).is_rebound) order.push_back(name);
}

Context::Context(const Program& program, const LowerOptions& options, Diagnostics& diagnostics)
    : program(program),
      options(options),
      sources(*program.sources),
      main_builder(main),
      init_builder(init),
      init_body(init),
      init_copies(init_body, main),
      builder(&main_builder),
      diagnostics_(&diagnostics) {
  init_copies.keep_origins();
  init_copies.leave_effects_out();
  module.real = options.real;
}

// ---- reporting ----

Diagnostic error_at(Code code, Span span, std::string message, std::string help) {
  return {Severity::error, code, span, std::move(message), {}, std::move(help), {}};
}

bool covers(const Span& outer, const Span& inner) {
  return outer.valid() && outer.file == inner.file && std::pair(outer.line, outer.column) <= std::pair(inner.line, inner.column) &&
         std::pair(inner.end_line, inner.end_column) <= std::pair(outer.end_line, outer.end_column);
}

bool Context::is_in_prelude(const Span& span) const {
  return sources.is_in_prelude(span);
}

void Context::report(Diagnostic diagnostic) {
  if (is_muted) return;  // what is only tried fails in ways of no interest
  std::erase_if(diagnostic.labels, [&](const Label& label) { return is_in_prelude(label.span); });
  if (frame->authors_call) {
    if (!refused_.insert(frame->authors_call->span).second) return;  // what follows from the first
    if (is_in_prelude(diagnostic.span)) {
      const std::string name = fmt::format("`{}`", frame->authors_call->function);
      if (diagnostic.message.find(name) == std::string::npos) diagnostic.message = fmt::format("in {}: {}", name, diagnostic.message);
      diagnostic.span = frame->authors_call->span;
    }
  }
  std::size_t notes = 0;
  for (const Span& call : frame->calls)
    if (!is_in_prelude(call) && !covers(call, diagnostic.span) && notes++ < kMostCallNotes)
      diagnostic.note(fmt::format("called from {}:{}:{}", sources.file(call.file).path, call.line, call.column));
  report_once(std::move(diagnostic));
}

void Context::report_once(Diagnostic diagnostic) {
  if (!is_trial && !reported_.insert({diagnostic.code, diagnostic.span, diagnostic.message}).second) return;
  Diagnostic& added = diagnostics_->add(std::move(diagnostic));
  if (!first_report) first_report = &added;
}

void Context::error(Code code, Span span, std::string message, std::string help) {
  report(error_at(code, span, std::move(message), std::move(help)));
}

void Context::not_implemented(Span span, const std::string& construct) {
  error(Code::E0199, span, construct + " is not implemented yet");
}

void Context::give_up(Span span, std::string message) {
  error(Code::E0107, span, std::move(message));
  throw ir::LimitReached{};
}

Span Context::place_of(const Item& item, Span span) const {
  return frame->authors_call && item.span.valid() && !is_in_prelude(item.span) ? item.span : span;
}

std::string_view Context::spoken(std::string_view builtin) const {
  return frame->authors_call ? std::string_view(frame->authors_call->function) : builtin;
}

std::string Context::text_of(const Span& span) const {
  std::string text, shortened;
  for (char c : sources.text(span))
    if (bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r'; !space)
      text += c;
    else if (!text.empty() && text.back() != ' ')
      text += ' ';
  if (code_point_count(text) <= kLongestOperandText) return text;
  std::size_t at = 0;
  for (std::size_t n = 0; n + 1 < kLongestOperandText; ++n) at += code_point_length(text, at);
  return text.substr(0, at) + "…";
}

std::string Context::described(const Item& item) {
  const ir::ValueId* id = item.as<ir::ValueId>();
  std::string text = text_of(seen_at(item));
  if (text.empty()) text = "a value";
  return id && !type(*id).dims.empty() ? fmt::format("{} {}", text, shape_text(type(*id).dims)) : text;
}

Span Context::seen_at(const Item& item) {
  const ir::ValueId* id = item.as<ir::ValueId>();
  if (!id || !is_in_prelude(item.span)) return item.span;
  for (const Item& argument : frame->authors_call->arguments)
    if (argument.holds<ir::ValueId>() && same_type(type(argument), type(*id))) return argument.span;
  return {};
}

// ---- names ----

const Binding* Context::find_in(const Frame& where, const Definition* name) const {
  for (auto scope = where.scopes.rbegin(); scope != where.scopes.rend(); ++scope)
    if (auto found = scope->names.find(name); found != scope->names.end()) return &found->second;
  return nullptr;
}

const Binding* Context::find(const Definition* name) const {
  for (const Frame* where = frame; where; where = where->globals)
    if (const Binding* found = find_in(*where, name)) return found;
  return nullptr;
}

std::optional<Item> Context::lookup(const Definition* name, Span span) {
  if (!name) return std::nullopt;
  const Frame* owner = frame;
  const Binding* found = find_in(*owner, name);
  while (!found && owner->globals) {
    owner = owner->globals;
    found = find_in(*owner, name);
  }
  if (!found) return unbound(*name, span);
  const bool local = owner == frame;
  if (found->item.failed() || (is_trial && !local && found->is_rebound)) return std::nullopt;  // a call may have seen another value
  Item item = found->item;
  item.span = place_of(item, span);
  if (!frame->ruled.empty() && owner->ruled.empty() && !found->is_const && !check_capture(*name, item)) return std::nullopt;
  return is_in_init() && !owner->in_init && !found->in_init ? into_init(*this, std::move(item)) : item;
}

// What is built in has no binding, nor has what is known to have failed; and of an imported file only dims, consts and functions are
// lowered.
std::optional<Item> Context::unbound(const Definition& name, Span span) {
  if (name.kind == Definition::Kind::none) return Item{None{}, span};
  if (name.kind == Definition::Kind::builtin || name.kind == Definition::Kind::library) return Item{LibraryFunction{&name}, span};
  if (name.kind == Definition::Kind::number) return Item{Number{find_builtin_constant(name.name)->value, {}}, span};
  if (is_trial) return std::nullopt;
  if (is_path(name.name)) {
    std::vector<std::string> paths;
    for (const ir::Parameter& parameter : main.parameters)
      if (is_path(parameter.path)) paths.push_back(parameter.path);
    const std::string close = closest_match(name.name, paths);
    error(Code::E0103, span, fmt::format("no function has declared the param `{}` so far", name.name),
          !close.empty() ? fmt::format("did you mean `{}`?", close)
          : paths.empty()
              ? "`h.dense.W` is the param W of `dense`, once `h = dense(…)` has been computed; values have no attributes but `.T`"
              : fmt::format("there are {}", fmt::join(paths, ", ")));
    return std::nullopt;
  }
  if (name.span.file != program.asts[0]->file && !is_in_prelude(name.span))
    error(Code::E0103, span,
          fmt::format("`{}` is {} of this file, and an importer gets its fns, dims and consts alone", name.name, kind_name(name.kind)),
          fmt::format("make `{}` a `const`, or a parameter", name.name));
  if (!is_muted && !diagnostics_->has_errors()) throw InternalError("lower", fmt::format("`{}` has no value here", name.name), span);
  return std::nullopt;
}

// Where an adjoint rule takes the place of the derivative, what is read from outside gets none.
bool Context::check_capture(const Definition& name, const Item& item) {
  const ir::ValueId* id = item.as<ir::ValueId>();
  if (!id || !(is_real(main.type(*id).element) || main.type(*id).tape)) return true;
  error(Code::E0305, item.span,
        fmt::format("`{}` has an adjoint rule and reads `{}`, which is not one of its parameters", frame->ruled, name.name),
        "pass it as a parameter, so that the rule gives its derivative too");
  return false;
}

void Context::bind(const Definition* name, Item item, Span span, std::optional<Type> declared) {
  if (name) frame->scopes.back().bind(name, {std::move(item), span, std::move(declared), is_in_init()});
}

void Context::bind(const Name& name, Item item, Span span) {
  note_type(name.span, item);
  bind(meaning(name), std::move(item), span);
}

void Context::note_type(Span place, const Item& item) {
  if (options.types && !is_muted && !item.failed() && !is_in_prelude(place)) options.types->try_emplace(place, item_text(*this, item));
}

Symbols Context::visible() const {
  Symbols names;
  for (const Frame* where = frame; where; where = where->globals)
    for (auto scope = where->scopes.rbegin(); scope != where->scopes.rend(); ++scope)
      for (const Definition* name : scope->order) names.try_emplace(name->name, name);
  return names;
}

// ---- emission ----

void Context::set_origin(Span span) {
  builder->set_origin(function().add_origin({span, frame->calls, frame->path, {}, {}}));
}

void Context::count_call(Span span) {
  if (++calls_ > kMostCalls) give_up(span, fmt::format("the script expands to more than {} calls", kMostCalls));
}

std::optional<Item> Context::emit(Span span, ir::Opcode code, const std::vector<Item>& operands, ir::Attributes attrs, const Type* declared,
                                  Span blame) {
  if (function().op_count() >= ir::kMostOps) give_up(span, fmt::format("the script expands to more than {} operations", ir::kMostOps));
  std::vector<Type> types;
  std::vector<ir::ValueId> values;
  for (const Item& operand : operands) {
    values.push_back(std::get<ir::ValueId>(operand.is));
    types.push_back(type(values.back()));
  }
  attrs = ir::with_defaults(code, std::move(attrs));
  auto inferred = ir::infer_types({code, types, attrs, declared, true});
  if (const auto* wrong = std::get_if<ir::ShapeError>(&inferred)) {
    report(misfit(*this, *wrong, code, blame.valid() ? blame : span, operands));
    return std::nullopt;
  }
  set_origin(span);
  ir::OpId op = builder->emit_op(code, values, std::move(attrs), std::get<std::vector<Type>>(inferred));
  const auto& results = function().op(op).results;
  return Item{results.empty() ? decltype(Item::is)(None{}) : decltype(Item::is)(results[0]), span};
}

// ---- nesting ----

Nesting::Nesting(Context& context, Span span) : nested_(context.depth, context.depth + 1) {
  if (context.depth > kDeepestNesting) context.give_up(span, "expressions, blocks or calls are nested too deeply here");
}

}  // namespace bpc::frontend::lowering
