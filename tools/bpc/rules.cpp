// `bpc rules`: the operators and library functions, their shapes and derivatives.
#include <fmt/format.h>
#include <algorithm>

#include "frontend/syntax/foreign.h"
#include "tools/bpc/rule_book.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

namespace {

std::string indented(const std::string& text) {
  std::string result = "    ";
  for (char c : text) {
    result += c;
    if (c == '\n') result += "    ";
  }
  return result + "\n";
}

}  // namespace

std::string rule_text(const Rule& rule) {
  std::string text = rule.usage + "\n" + indented(rule.doc) + indented("shape: " + rule.shape);
  if (!rule.formulas_for.empty()) text += indented(rule.formulas_for + ":");
  for (const std::string& formula : rule.formulas)
    text += indented(formula.find('=') == std::string::npos ? "derivative: " + formula : formula);
  if (!rule.example.empty()) text += indented(fmt::format("example: {} gives {}", rule.example, result_of(rule.example)));
  if (!rule.definition.empty()) text += indented(rule.definition);
  return text;
}

namespace {

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

std::string code(const std::string& text) {
  return fmt::format("`{}`", cell(text));
}

std::string for_markdown(const Rule& rule) {
  std::string derivative = rule.formulas_for.empty() || rule.formulas.empty() ? "" : code(rule.formulas_for) + ":";
  for (const std::string& formula : rule.formulas)
    derivative += (derivative.empty() ? "" : "<br>") + (formula.find('=') == std::string::npos ? cell(formula) : code(formula));
  const std::string example = rule.example.empty() ? "" : code(rule.example) + " gives " + code(result_of(rule.example));
  return fmt::format("| {} | {} | {} | {} | {} |\n", code(rule.usage), cell(rule.doc), cell(rule.shape), derivative, example);
}

constexpr const char* kPage =
    "# Operators and functions\n\n"
    "Everything that a script can write or call. Made by `bpc rules --markdown` from ir/ops.def, ir/derivatives.cpp, the table in\n"
    "frontend/builtins and the comments in frontend/prelude; `bpc rules softmax` shows one, with its definition if it is written in the\n"
    "language. The examples are run when this page is made.\n\n"
    "A formula gives what the cotangent `dy` of the result `y` contributes to the cotangent of an operand; those of operators are as the\n"
    "compiler's equations make them for the operands shown. `strong_mul(a, b)` is `a * b` where a zero of `a` wins over an infinite or "
    "NaN\n"
    "`b`; behind a `where` other products become strong, too. Stretched operands get the sum over the axes along which they were "
    "stretched.\n";

// The names of each group.
std::string overview(const std::vector<Rule>& rules) {
  std::string text = "\n| | |\n|---|---", group;
  for (const Rule& rule : rules) {
    if (rule.group != group) text += fmt::format("|\n| {} | ", group = rule.group);
    text += fmt::format("{} ", code(rule.name));
  }
  return text + "|\n";
}

std::string page(const std::vector<Rule>& rules) {
  std::string text = kPage + overview(rules), group;
  for (const Rule& rule : rules) {
    if (rule.group != group)
      text += fmt::format("\n## {}\n\n| | | shape of the result | derivative | example |\n|---|---|---|---|---|\n", group = rule.group);
    text += for_markdown(rule);
  }
  return text;
}

}  // namespace

bool is_asked_by(const std::string& word, const Rule& rule) {
  return word == rule.name || (", " + rule.usage + ", ").find(", " + word + ", ") != std::string::npos;
}

namespace {

// The words of the language that are neither operators nor functions, and the section of docs/language.md that tells of them.
struct Word {
  std::string_view words, what, section;
};
constexpr Word kWords[] = {
    {"import dim const input param loss fn seed train", "a declaration", "Declarations"},
    {"from", "part of a declaration", "Declarations"},
    {"if for while break continue print assert =", "a statement", "Statements"},
    {"else by in += -= *= /=", "part of a statement", "Statements"},
    {"return", "a statement", "Declarations"},
    {"adjoint", "a declaration", "Gradients"},
    {"..", "part of a loop or an index", "Statements"},
    {"true false", "a value", "Text"},
    {"pi inf nan", "a number", "Text"},
};
const Word* find_word(const std::string& word) {
  for (const Word& each : kWords)
    if (fmt::format(" {} ", each.words).find(" " + word + " ") != std::string::npos) return &each;
  return nullptr;
}

}  // namespace

int unknown_rule(const Session& session, const std::string& name, const std::vector<Rule>& rules, const std::vector<std::string>& words) {
  std::string message = fmt::format("there is no operator or function `{}`", name);
  std::string help = frontend::foreign_help(frontend::ForeignPlace::function, name, {});
  if (const Word* word = find_word(name)) {
    message = fmt::format("`{}` is {}, and no operator or function", name, word->what);
    help = fmt::format("see \"{}\" in docs/language.md", word->section);
  } else if (help.empty()) {
    std::vector<std::string> names = words;
    for (const Rule& rule : rules) names.push_back(rule.name);
    const std::string near = closest_match(name, names);
    help = near.empty() ? "`bpc rules` lists them; docs/glossary.md has the words, docs/errors.md the codes; and a script ends in `.bp`"
                        : fmt::format("did you mean `{}`?", near);
  }
  write_diagnostic({Severity::error, Code::E0103, {}, message, {}, help, {}}, session.sources, session.options);
  return kUsage;
}

int rules_command(const Options& options) {
  const std::vector<Rule> rules = rule_book();
  if (options.markdown) {
    put(page(rules));
    return kOk;
  }
  Session session(options);
  for (const std::string& name : options.files)
    if (std::none_of(rules.begin(), rules.end(), [&](const Rule& rule) { return is_asked_by(name, rule); }))
      return unknown_rule(session, name, rules);
  std::string text, group;
  for (const Rule& rule : rules) {
    const auto asks = [&](const std::string& word) { return is_asked_by(word, rule); };
    if (!options.files.empty() && std::none_of(options.files.begin(), options.files.end(), asks)) continue;
    if (!text.empty()) text += "\n";
    if (options.files.empty() && rule.group != group) text += fmt::format("---- {} ----\n\n", group = rule.group);
    text += rule_text(rule);
  }
  put(text);
  return kOk;
}

}  // namespace bpc::tool
