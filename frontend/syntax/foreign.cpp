#include "frontend/syntax/foreign.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/syntax/parse.h"
#include "frontend/syntax/parse_tokens.h"

namespace bpc::frontend {

namespace {

struct ForeignWord {
  ForeignPlace place;
  std::string_view words, help;
};

constexpr ForeignWord kWords[] = {
#define BPC_WORD(place, words, help) {ForeignPlace::place, words, help},
#define BPC_CALL(calls, help)
#define BPC_PHRASE(pattern, message, help)
#include "frontend/syntax/foreign.def"
#undef BPC_PHRASE
#undef BPC_CALL
#undef BPC_WORD
};

struct ForeignCall {
  std::string_view calls, help;
};

constexpr ForeignCall kCalls[] = {
#define BPC_WORD(place, words, help)
#define BPC_CALL(calls, help) {calls, help},
#define BPC_PHRASE(pattern, message, help)
#include "frontend/syntax/foreign.def"
#undef BPC_PHRASE
#undef BPC_CALL
#undef BPC_WORD
};

// The part of a list before the separator, which is taken off.
std::string_view next_of(std::string_view& list, std::string_view separator) {
  const std::string_view first = list.substr(0, list.find(separator));
  list.remove_prefix(std::min(list.size(), first.size() + separator.size()));
  return first;
}

bool holds(std::string_view words, std::string_view word) {
  while (!words.empty())
    if (next_of(words, "|") == word) return true;
  return false;
}

// Whether a call is of the form, such as `norm(_, ord=1)`.
bool is_of_form(const SourceMap& sources, const Ast& ast, const CallExpr& call, std::string_view form) {
  if (!holds(next_of(form, "("), call.callee.text)) return false;
  form.remove_suffix(1);
  for (const Argument& argument : call.arguments) {
    std::string_view wanted = next_of(form, ", ");
    if (wanted == "…") return true;
    const std::string_view name = wanted.find('=') == std::string_view::npos ? "" : next_of(wanted, "=");
    if (name != (argument.name ? argument.name->text : "") || (wanted != "_" && wanted != sources.text(ast.expr(argument.value).span)))
      return false;
  }
  return form.empty() || form == "…";
}

// What a text with values in braces shows, as items of a `print`: `x = {x:.2f} m` is `"x =", x, "m"`.
std::string items_of(std::string_view text) {
  std::string items;
  auto add = [&](std::string_view item) { items.append(items.empty() ? "" : ", ").append(item); };
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('{'), text.size()), close = text.find('}', open);
    std::string_view literal = text.substr(0, close == std::string_view::npos ? text.size() : open);
    text.remove_prefix(literal.size());
    while (literal.starts_with(' ')) literal.remove_prefix(1);  // `print` separates its items by spaces
    while (literal.ends_with(' ')) literal.remove_suffix(1);
    if (!literal.empty()) add(fmt::format("\"{}\"", literal));
    if (text.empty()) break;
    const std::string_view value = text.substr(1, close - open - 1);
    add(value.substr(0, value.find_first_of(":=!")));
    text.remove_prefix(close - open + 1);
  }
  return items;
}

// Replaces texts with values in braces, with an `f` before them or without, by items of a `print`.
std::string with_items(std::string_view text) {
  std::string result;
  for (;;) {
    const std::size_t open = text.find('"'), close = open == std::string_view::npos ? open : text.find('"', open + 1);
    if (close == std::string_view::npos) return result.append(text);
    const std::string_view literal = text.substr(open + 1, close - open - 1);
    const bool is_marked = open > 0 && text[open - 1] == 'f';
    result += text.substr(0, open - (is_marked ? 1 : 0));
    result += literal.find('{') == std::string_view::npos ? fmt::format("\"{}\"", literal) : items_of(literal);
    text.remove_prefix(close + 1);
  }
}

// `{1}`, `{(1)}`, `{f1}` and `{*}` of a help; with `shown` false each is `…`.
std::string put_in(std::string_view help, const std::vector<Captured>& captured, bool shown) {
  std::string result;
  auto put = [&](std::string_view which) {
    const bool operand = which.starts_with('('), items = which.starts_with('f');
    const std::size_t number = static_cast<std::size_t>(which[operand || items ? 1 : 0] - '1');
    std::string text;
    if (which == "*")
      for (const Captured& each : captured) text += (text.empty() ? "" : ", ") + each.text;
    else if (number < captured.size())
      text = operand && !captured[number].is_operand ? fmt::format("({})", captured[number].text)
             : items                                 ? with_items(captured[number].text)
                                                     : captured[number].text;
    result += shown && !text.empty() ? excerpt(text) : "…";
  };
  for (std::size_t at = 0; at < help.size();) {
    const std::size_t open = help.find('{', at), close = help.find('}', open);
    const bool is_place =
        open != std::string_view::npos && close != std::string_view::npos && close > open + 1 && close - open <= 4 && help[open + 1] != ' ';
    if (!is_place) {
      const std::size_t end = open == std::string_view::npos ? help.size() : open + 1;
      result += help.substr(at, end - at);
      at = end;
      continue;
    }
    result += help.substr(at, open - at);
    put(help.substr(open + 1, close - open - 1));
    at = close + 1;
  }
  return result;
}

// Whether all code of a help, which stands in backticks, could stand in a script; what holds a `…` is only the form of it.
bool is_sound(std::string_view help) {
  for (std::size_t open = help.find('`'); open != std::string_view::npos;) {
    const std::size_t close = help.find('`', open + 1);
    if (close == std::string_view::npos) return true;
    const std::string_view code = help.substr(open + 1, close - open - 1);
    if (code.find("…") == std::string_view::npos && !is_code(code)) return false;
    open = help.find('`', close + 1);
  }
  return true;
}

}  // namespace

std::string fill_help(std::string_view help, const std::vector<Captured>& captured) {
  std::string filled = put_in(help, captured, true);
  return is_sound(filled) ? filled : put_in(help, captured, false);
}

std::string fill(std::string_view text, const std::vector<Captured>& captured) {
  return put_in(text, captured, true);
}

Captured captured(const SourceMap& sources, const Ast& ast, ExprId id) {
  const Expr& expr = ast.expr(id);
  const bool compound = std::holds_alternative<BinaryExpr>(expr.node) || std::holds_alternative<UnaryExpr>(expr.node) ||
                        std::holds_alternative<ConditionalExpr>(expr.node) || std::holds_alternative<ComprehensionExpr>(expr.node);
  return {sources.text(expr.span), !compound || expr.parenthesized};
}

std::vector<std::string> foreign_call_helps(const SourceMap& sources, const Ast& ast, const CallExpr& call) {
  std::vector<Captured> arguments;
  for (const Argument& argument : call.arguments) arguments.push_back(captured(sources, ast, argument.value));
  std::vector<std::string> helps;
  for (const ForeignCall& row : kCalls)
    for (std::string_view forms = row.calls; !forms.empty();) {
      if (!is_of_form(sources, ast, call, next_of(forms, " / "))) continue;
      std::string help(row.help);
      for (std::size_t at = 0; (at = help.find("{f}", at)) != std::string::npos;) help.replace(at, 3, call.callee.text);
      helps.push_back(fill_help(help, arguments));
      break;
    }
  return helps;
}

std::string foreign_help(ForeignPlace place, std::string_view word, const std::vector<Captured>& captured) {
  for (const ForeignWord& each : kWords)
    if (each.place == place && holds(each.words, word)) return fill_help(each.help, captured);
  return {};
}

}  // namespace bpc::frontend
