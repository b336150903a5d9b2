#include "frontend/names/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/diagnostics.h"

namespace bpc::frontend {

Parameters parameters_of(const FnStmt& fn) {
  Parameters parameters{fn.name.text, {}, {}};
  for (const FnParameter& parameter : fn.parameters) {
    parameters.names.push_back(parameter.name.text);
    parameters.needed.push_back(!parameter.value.valid());
  }
  parameters.positional = parameters.names.size();
  return parameters;
}

ArgumentMatch match_arguments(const Parameters& parameters, const std::vector<GivenArgument>& given, Span call) {
  const auto& [function, names, needed, positional] = parameters;
  ArgumentMatch match{std::vector<std::optional<std::size_t>>(names.size()), {}};
  auto wrong = [&](Span at, std::string message, std::string help = {}, bool is_excess = false) {
    match.faults.push_back({at, std::move(message), std::move(help), is_excess});
  };
  std::size_t next = 0;
  bool any_named = false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Name* name = given[i].name;
    const Span span = name ? name->span : given[i].span;
    any_named |= name != nullptr;
    std::size_t at = next;
    if (name) {
      at = static_cast<std::size_t>(std::ranges::find(names, name->text) - names.begin());
      if (at == names.size()) {
        const std::string closest = closest_match(name->text, names);
        wrong(span, fmt::format("`{}` has no parameter `{}`", function, name->text),
              closest.empty() ? "" : fmt::format("did you mean `{}`?", closest));
        continue;
      }
    } else if (any_named) {
      wrong(span, "an argument without a name stands after a named one");
      continue;
    } else if (next++ >= positional) {
      const std::string takes = positional == 0 ? "no arguments" : positional == 1 ? "1 argument" : fmt::format("{} arguments", positional);
      wrong(span, fmt::format("`{}` takes at most {}, and {} are given", function, takes, given.size()), "", true);
      break;
    }
    if (match.arguments[at]) wrong(span, fmt::format("`{}` of `{}` is given twice", names[at], function), "", true);
    match.arguments[at] = i;
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (needed[i] && !match.arguments[i]) missing.push_back(fmt::format("`{}`", names[i]));
  if (match.faults.empty() && !missing.empty())
    wrong(call, fmt::format("`{}` needs its argument{} {}", function, missing.size() == 1 ? "" : "s", fmt::join(missing, ", ")));
  return match;
}

}  // namespace bpc::frontend
