#include "frontend/lower/calls.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/advice.h"
#include "frontend/lower/builtins.h"
#include "frontend/lower/comprehensions.h"
#include "frontend/lower/expressions.h"
#include "frontend/names/resolve.h"
#include "frontend/prelude/prelude.h"
#include "frontend/syntax/parse.h"
#include "support/internal_error.h"

namespace bpc::frontend::lowering {

namespace {

std::optional<std::vector<Given>> arguments(Context& c, const CallExpr& e) {
  std::vector<Given> given;
  bool ok = true;
  for (const Argument& argument : e.arguments) {
    auto item = expression(c, argument.value);
    ok &= item.has_value();
    if (item) given.push_back({argument.name, std::move(*item)});
  }
  return ok ? std::optional(std::move(given)) : std::nullopt;
}

// Metrics are of what the losses compare: of a call outside of loops and branches, whose values can be read after them.
void note_compared(Context& c, const Definition& callee, const std::vector<Given>& given) {
  static constexpr std::string_view kLosses[] = {"cross_entropy", "bce_with_logits", "mse", "mae", "huber"};
  const auto loss = std::find(std::begin(kLosses), std::end(kLosses), callee.name);
  if (!callee.prelude || loss == std::end(kLosses) || c.is_in_init() || c.is_trial || c.builder->block() != c.main.body()) return;
  if (given.size() >= 2 && !given[0].name && !given[1].name) c.compared.push_back({*loss, given[0].item, given[1].item});
}

// A call of what the function at hand was given.
std::optional<Item> call_passed(Context& c, const Definition& parameter, const CallExpr& e, Span span) {
  auto item = c.lookup(&parameter, e.callee.span);
  if (!item) return std::nullopt;
  if (!is_function(*item)) {
    c.error(Code::E0209, e.callee.span, fmt::format("`{}` is a value, not a function", parameter.name),
            fmt::format("to multiply, write `{0}*(…)`; to index, `{0}[…]`", parameter.name));
    return std::nullopt;
  }
  auto given = arguments(c, e);
  if (!given) return std::nullopt;
  if (const Callable* function = item->as<Callable>()) return call_function(c, *function, *given, span);
  const Definition& function = *item->as<LibraryFunction>()->function;
  if (function.builtin && find_form(function.builtin->code)) {
    c.error(Code::E0209, item->span, fmt::format("`{}` is part of the language, and is not passed as a function", function.name),
            fmt::format("pass one that calls it: `fn(x) = {}(…)`", function.name));
    return std::nullopt;
  }
  return call_library(c, function, {function.name, e.callee.span}, *given, span);
}

}  // namespace

// Its text keeps its line numbers by leading newlines.
const Callable& prelude_function(Context& c, const PreludeFunction& function) {
  auto [known, is_new] = c.prelude.try_emplace(&function);
  if (!is_new) return known->second;
  std::string text = std::string(function.line - 1, '\n') + std::string(function.text);
  FileId file = c.program.sources->add(std::string(function.path), std::move(text), true);
  Diagnostics problems;
  auto ast = parse(*c.program.sources, file, problems);
  if (!ast)
    throw InternalError("lower", fmt::format("the prelude's `{}` does not parse: {}", function.name, problems.all().front().message));
  Frame& globals = *c.prelude_frames.emplace_back(std::make_unique<Frame>());
  globals.ast = c.prelude_asts.emplace_back(std::make_unique<Ast>(std::move(*ast))).get();
  Meanings& names = *c.prelude_names.emplace_back(std::make_unique<Meanings>(*globals.ast));
  globals.names = &names;
  const Definition* meaning = resolve_library(c.sources, *globals.ast, names);
  if (!meaning) throw InternalError("lower", fmt::format("the prelude's `{}` has an unknown name", function.name));
  return known->second = callable(*meaning, globals);
}

std::optional<Item> call(Context& c, const Definition* callee, const CallExpr& e, Span span) {
  if (!callee) return std::nullopt;
  if (const ComprehensionExpr* terms = bare_comprehension(c, e)) return reduce_comprehension(c, *callee, e, *terms, span);
  if (callee->kind == Definition::Kind::parameter) return call_passed(c, *callee, e, span);
  if (callee->kind == Definition::Kind::function) {
    auto given = arguments(c, e);
    const Binding* binding = given ? c.find(callee) : nullptr;
    if (!binding) return std::nullopt;
    const Callable function = *binding->item.as<Callable>();  // the binding may move
    return call_function(c, function, *given, span);
  }
  if (LowerForm form = callee->builtin ? find_form(callee->builtin->code) : nullptr) return form(c, e, span);
  auto given = arguments(c, e);
  if (!given) return std::nullopt;
  if (!c.frame->authors_call) note_compared(c, *callee, *given);
  if (c.frame->authors_call) return call_library(c, *callee, e.callee, *given, span);
  c.first_report = nullptr;
  auto result = call_library(c, *callee, e.callee, *given, span);
  if (Diagnostic* report = c.first_report; !result && report)
    if (std::string help = call_help(c, e); !help.empty()) report->with_help(std::move(help));
  return result;
}

std::optional<Item> call_library(Context& c, const Definition& function, const Name& callee, const std::vector<Given>& given, Span span) {
  if (function.prelude) return call_function(c, prelude_function(c, *function.prelude), given, span);
  return call_builtin(c, function, callee, given, span);
}

std::optional<std::vector<std::optional<Item>>> match(Context& c, Span span, const Parameters& parameters,
                                                      const std::vector<Given>& given) {
  std::vector<GivenArgument> places;
  for (const Given& each : given) places.push_back({each.name ? &*each.name : nullptr, each.item.span.valid() ? each.item.span : span});
  const ArgumentMatch found = match_arguments(parameters, places, span);
  for (const ArgumentMatch::Fault& fault : found.faults) {
    std::string help = fault.is_excess ? list_help(c, parameters.function, parameters.names, given) : fault.help;
    if (help.empty() && !fault.is_excess && parameters.names.size() > 1)
      help = fmt::format("its parameters are: {}", fmt::join(parameters.names, ", "));
    c.error(Code::E0105, fault.span, fault.message, std::move(help));
  }
  if (!found.faults.empty()) return std::nullopt;
  std::vector<std::optional<Item>> items;
  for (const auto& argument : found.arguments) items.push_back(argument ? std::optional(given[*argument].item) : std::nullopt);
  return items;
}

void note_types(Context& c, const Parameters& parameters, const std::vector<Given>& given, const std::vector<Item>& items) {
  for (const Given& each : given)
    if (each.name)
      c.note_type(each.name->span,
                  items[static_cast<std::size_t>(std::ranges::find(parameters.names, each.name->text) - parameters.names.begin())]);
}

}  // namespace bpc::frontend::lowering
