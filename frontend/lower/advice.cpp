#include "frontend/lower/advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/lower/misfit.h"
#include "frontend/syntax/foreign.h"
#include "frontend/syntax/parse.h"

namespace bpc::frontend::lowering {

namespace {

// `y = e`, as two texts; the second is empty for other code.
struct Bound {
  std::string name, value;
};
Bound bound_by(Context& c, const Span& statement) {
  const std::string text = c.text_of(statement);
  const std::size_t sign = text.find(" = ");
  return sign == std::string::npos || !is_code(text) ? Bound{} : Bound{text.substr(0, sign), text.substr(sign + 3)};
}

bool is_whole_literal(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789_") == std::string::npos;
}

}  // namespace

std::string whole_help(Context& c, const Span& real) {
  std::string text = c.text_of(real);
  const std::string truncates = fmt::format("`i32({})` truncates", text);
  const std::size_t sign = text.find('/');
  if (sign == std::string::npos || text.find('/', sign + 1) != std::string::npos || text.find('.') != std::string::npos) return truncates;
  text.insert(sign, 1, '/');
  return is_code(text) ? fmt::format("`{}` divides integers, and {}", text, truncates) : truncates;
}

std::string bound_help(Context& c, const Item& bound, const Type& type) {
  const std::string text = c.text_of(bound.span);
  if (type.is_scalar()) return is_real(type.element) ? whole_help(c, bound.span) : "";
  const std::string rows = fmt::format("0..size({}, 0)", text);
  return is_code(rows) ? fmt::format("`{}` walks over its rows", rows) : "";
}

std::string list_help(Context& c, std::string_view callee, const std::vector<std::string>& parameters, std::span<const Given> given) {
  std::size_t at = 0;
  while (at < parameters.size() && parameters[at] != "shape" && parameters[at] != "perm" && parameters[at] != "reps" &&
         parameters[at] != "xs")
    ++at;
  if (at == parameters.size()) return {};
  const bool numbers = parameters[at] != "xs";
  const std::size_t after = at + 1 < parameters.size() && parameters[at + 1] == "value" ? 1 : 0;
  std::vector<std::string> positional, named;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string text = c.text_of(given[i].item.span);
    if (given[i].name)
      named.push_back(fmt::format("{}={}", given[i].name->text, text));
    else
      positional.push_back(text);
    const bool in_list = !given[i].name && positional.size() > at && i + after < given.size();
    if (in_list && numbers && !given[i].item.holds<Number>()) return {};
  }
  if (positional.size() < at + after + 2) return {};
  auto end = positional.end() - static_cast<std::ptrdiff_t>(after), begin = positional.begin() + static_cast<std::ptrdiff_t>(at);
  std::vector<std::string> arguments(positional.begin(), begin);
  arguments.push_back(fmt::format("[{}]", fmt::join(begin, end, ", ")));
  arguments.insert(arguments.end(), end, positional.end());
  arguments.insert(arguments.end(), named.begin(), named.end());
  const std::string code = fmt::format("{}({})", callee, fmt::join(arguments, ", "));
  return is_code(code) ? fmt::format("write `{}`", code) : "";
}

std::string call_help(Context& c, const CallExpr& call) {
  for (const std::string& help : foreign_call_helps(c.sources, *c.frame->ast, call)) {
    const std::size_t open = help.find('`') + 1;
    if (lowers(c, help.substr(open, help.find('`', open) - open))) return help;
  }
  return {};
}

std::string names_help(const std::string& text, std::size_t count) {
  std::string names = "a";
  for (char name = 'b'; count-- > 1 && name < 'g'; ++name) names += fmt::format(", {}", name);
  const std::string code = fmt::format("{} = {}", names, text);
  return is_code(code) ? fmt::format("bind each to a name: `{}`", code) : "bind each to a name";
}

std::string mixed_help(Context& c, const Span& integer, const Span& real) {
  const Bound to = bound_by(c, integer), from = bound_by(c, real);
  const std::string code = fmt::format("{} = real({})", to.name, to.value);
  if (to.value.empty() || !is_code(code)) return "`real(…)` makes a real of an integer";
  std::string help = fmt::format("write `{}`", code);
  if (from.name == to.name && is_whole_literal(from.value))
    help += fmt::format("; or, for an integer, start with `{} : i32 = {}`", to.name, from.value);
  return help;
}

std::string conversion_help(Context& c, const Item& item, const Type& declared, const std::string& what) {
  const std::string text = c.text_of(item.span), cast = fmt::format("{}({})", element_name(declared.element), text);
  if (!is_code("y = " + cast))  // `k += 0.5` is no expression, which a cast could stand around
    return fmt::format("declare {} as `real`, or convert what is assigned by `{}(…)`", what, element_name(declared.element));
  const std::size_t sign = text.find(" / ");
  if (is_integer(declared.element) && sign != std::string::npos && text.find(" / ", sign + 1) == std::string::npos)
    return fmt::format("`{}` converts; `//` divides integers and rounds down", cast);
  return fmt::format("`{}` converts", cast);
}

}  // namespace bpc::frontend::lowering
