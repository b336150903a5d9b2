#include "frontend/lower/calls.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/advice.h"
#include "frontend/lower/builtin_functions.h"
#include "frontend/lower/builtins.h"
#include "frontend/lower/comprehensions.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/prelude.h"
#include "frontend/parse.h"
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

// A function of the prelude, parsed when a script first uses it. Its text keeps its line numbers by leading newlines.
std::optional<Callable> prelude_function(Context& c, const std::string& name) {
  if (auto known = c.prelude.find(name); known != c.prelude.end()) return known->second;
  const PreludeFunction* found = find_prelude_function(name);
  if (!found) return std::nullopt;
  std::string text = std::string(found->line - 1, '\n') + std::string(found->text);
  FileId file = c.program.sources->add(std::string(found->path), std::move(text), true);
  Diagnostics problems;
  auto ast = parse(*c.program.sources, file, problems);
  if (!ast) throw InternalError("lower", fmt::format("the prelude's `{}` does not parse: {}", name, problems.all().front().message));
  c.prelude_asts.push_back(std::make_unique<Ast>(std::move(*ast)));
  c.prelude_frames.push_back(std::make_unique<Frame>());
  const Ast& parsed = *c.prelude_asts.back();
  Frame* globals = c.prelude_frames.back().get();
  globals->ast = &parsed;
  for (StmtId id : parsed.top)
    if (const auto* fn = std::get_if<FnStmt>(&parsed.stmt(id).node)) return c.prelude[name] = callable(parsed, *fn, globals);
  throw InternalError("lower", fmt::format("the prelude's `{}` holds no function", name));
}

std::optional<Item> unknown(Context& c, const Name& callee) {
  std::vector<std::string> candidates = c.visible_names();
  for (std::string& name : builtin_names()) candidates.push_back(std::move(name));
  std::string closest = closest_match(callee.text, candidates);
  c.error(Code::E0103, callee.span, fmt::format("unknown function `{}`", callee.text),
          closest.empty() ? "" : fmt::format("did you mean `{}`?", closest));
  return std::nullopt;
}

}  // namespace

std::optional<Item> call(Context& c, const CallExpr& e, Span span) {
  const Binding* binding = c.find(e.callee.text);
  const Callable* function = binding ? binding->item.as<Callable>() : nullptr;
  if (binding && !function) {
    if (!binding->item.failed()) c.error(Code::E0209, e.callee.span, fmt::format("`{}` is not a function", e.callee.text));
    return std::nullopt;
  }
  if (const ComprehensionExpr* terms = bare_comprehension(c, e)) return reduce_comprehension(c, e, *terms, span);
  if (!function && e.callee.text == "checkpoint") return checkpoint(c, e, span);
  std::optional<Callable> callee = function ? std::optional(*function) : std::nullopt;  // the binding may move
  auto given = arguments(c, e);
  if (!given) return std::nullopt;
  if (callee) return call_function(c, *callee, *given, span);
  if (c.frame->library) return call_library(c, e.callee, *given, span);
  c.first_report = nullptr;
  auto result = call_library(c, e.callee, *given, span);
  if (Diagnostic* report = c.first_report; !result && report)
    if (std::string help = call_help(c, e); !help.empty()) report->with_help(std::move(help));
  return result;
}

std::optional<Item> call_library(Context& c, const Name& callee, const std::vector<Given>& given, Span span) {
  if (is_native_builtin(callee.text)) return call_builtin(c, callee, given, span);
  if (auto prelude = prelude_function(c, callee.text)) return call_function(c, *prelude, given, span);
  return unknown(c, callee);
}

std::optional<std::vector<std::optional<Item>>> match_arguments(Context& c, Span span, std::string_view callee,
                                                                const std::vector<std::string>& parameters,
                                                                const std::vector<Given>& given) {
  std::vector<std::optional<Item>> matched(parameters.size());
  bool ok = true;
  auto error = [&](Span at, const std::string& message, const std::string& help = {}) {
    c.error(Code::E0105, at, message, help);
    ok = false;
  };
  // The place of a random draw is told by name: after a shape, a further number is one more size.
  const std::size_t positional = static_cast<std::size_t>(std::find(parameters.begin(), parameters.end(), "stream") - parameters.begin());
  std::size_t next = 0;
  for (const Given& argument : given) {
    std::size_t at = next;
    if (argument.name) {
      at = static_cast<std::size_t>(std::find(parameters.begin(), parameters.end(), argument.name->text) - parameters.begin());
      if (at == parameters.size()) {
        std::string closest = closest_match(argument.name->text, parameters);
        error(argument.name->span, fmt::format("`{}` has no parameter `{}`", callee, argument.name->text),
              closest.empty() ? fmt::format("its parameters are: {}", fmt::join(parameters, ", "))
                              : fmt::format("did you mean `{}`?", closest));
        continue;
      }
    } else if (next++ >= positional) {
      std::string takes = positional == 0 ? "no arguments" : positional == 1 ? "1 argument" : fmt::format("{} arguments", positional);
      error(argument.item.span.valid() ? argument.item.span : span,
            fmt::format("`{}` takes at most {}, and {} are given", callee, takes, given.size()), list_help(c, callee, parameters, given));
      break;
    }
    if (matched[at])
      error(argument.item.span, fmt::format("`{}` of `{}` is given twice", parameters[at], callee),
            list_help(c, callee, parameters, given));
    matched[at] = argument.item;
  }
  return ok ? std::optional(std::move(matched)) : std::nullopt;
}

}  // namespace bpc::frontend::lowering
