// `bpc rules`: the operators and library functions, their shapes and derivatives.
#include <fmt/format.h>
#include <algorithm>

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

std::string for_terminal(const Rule& rule) {
  std::string text = rule.usage + "\n";
  if (!rule.doc.empty()) text += indented(rule.doc);
  if (!rule.shape.empty()) text += indented("shape: " + rule.shape);
  if (!rule.example.empty()) text += indented(rule.example + ":");
  for (const std::string& formula : rule.formulas) text += indented(formula);
  if (!rule.definition.empty()) text += indented(rule.definition);
  return text;
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

std::string for_markdown(const Rule& rule) {
  if (!rule.definition.empty()) return fmt::format("{}:\n\n```\n{}\n```\n\n", rule.doc, rule.definition);
  if (rule.shape.empty()) return fmt::format("- `{}`\n", rule.usage);
  std::string derivative = rule.example.empty() || rule.formulas.empty() ? "" : fmt::format("`{}`:", cell(rule.example));
  for (const std::string& formula : rule.formulas) derivative += fmt::format("{}`{}`", derivative.empty() ? "" : "<br>", cell(formula));
  return fmt::format("| `{}` | {} | {} | {} |\n", cell(rule.usage), cell(rule.doc), rule.shape, derivative);
}

constexpr const char* kPage =
    "# Operators and functions\n\n"
    "Made by `bpc rules --markdown` from ir/ops.def, ir/derivatives.cpp and frontend/prelude. `bpc rules tanh` shows one.\n\n"
    "A formula gives what the cotangent `dy` of the result `y` contributes to the cotangent of an operand, as the compiler's equations\n"
    "make it for the operands shown. `strong_mul(a, b)` is `a * b` where a zero of `a` wins over an infinite or NaN `b`; behind a `where`\n"
    "other products become strong, too. Stretched operands get the sum over the axes along which they were stretched.\n";

std::string page(const std::vector<Rule>& rules) {
  std::string text = kPage, group;
  for (const Rule& rule : rules) {
    if (rule.group != group) {
      text += fmt::format("\n## {}\n\n", group = rule.group);
      if (!rule.shape.empty()) text += "| | | shape of the result | derivative |\n|---|---|---|---|\n";
    }
    text += for_markdown(rule);
  }
  return text;
}

int unknown(const Session& session, const std::string& name, const std::vector<Rule>& rules) {
  std::vector<std::string> names;
  for (const Rule& rule : rules) names.push_back(rule.name);
  std::string near = closest_match(name, names);
  write_diagnostic({Severity::error,
                    Code::E0103,
                    {},
                    fmt::format("there is no operator or function `{}`", name),
                    {},
                    near.empty() ? "`bpc rules` lists them" : fmt::format("did you mean `{}`?", near),
                    {}},
                   session.sources, session.options);
  return kUsage;
}

}  // namespace

int rules_command(const Options& options) {
  const std::vector<Rule> rules = rule_book();
  if (options.markdown) {
    fmt::print("{}", page(rules));
    return kOk;
  }
  Session session(options);
  for (const std::string& name : options.files)
    if (std::none_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.name == name; })) return unknown(session, name, rules);
  std::string text, group;
  for (const Rule& rule : rules) {
    bool is_asked = options.files.empty() || std::find(options.files.begin(), options.files.end(), rule.name) != options.files.end();
    if (!is_asked) continue;
    if (!text.empty()) text += "\n";
    if (options.files.empty() && rule.group != group) text += fmt::format("---- {} ----\n\n", group = rule.group);
    text += for_terminal(rule);
  }
  fmt::print("{}", text);
  return kOk;
}

}  // namespace bpc::tool
