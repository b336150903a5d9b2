// The explanation as Markdown and as LaTeX: first in symbols, then in numbers.
#include <fmt/format.h>

#include "explain/formula.h"
#include "explain/phrases.h"
#include "explain/render.h"

namespace bpc::explain {

namespace {

// In a cell of a Markdown table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

// A tensor says its shape, norm and extremes in words.
std::string latex_result(const Explanation& e, QuantityId id, const std::string& result) {
  return is_scalar(e.quantities[id].value) ? result : fmt::format("\\text{{{}}}", latex_text(result.substr(0, result.rfind(' '))));
}

std::string equation_of(const Explanation& e, QuantityId id) {
  const WalkText walk = walk_text(e, id, Symbols::latex);
  return fmt::format("{} = {}{} = {}", walk.of, walk.symbolic, walk.numbers.empty() ? "" : " = " + walk.numbers,
                     latex_result(e, id, walk.result));
}

std::string chain_equation(const Explanation& e, const Chain& chain, const ChainText& text) {
  return equation(latex_name(derivative_name(e, chain.of)), {text.symbolic, text.numbers, text.result});
}

std::string step_equation(const Explanation& e, const Step& step) {
  std::string names;
  for (QuantityId id : step.results) names += (names.empty() ? "" : ", ") + latex_name(e.quantities[id].name);
  if (names.empty()) return "";
  const std::string result =
      step.results.size() == 1 ? " = " + latex_result(e, step.results[0], value_text(e.quantities[step.results[0]].value)) : "";
  const bool is_short = step.formula && width_of(text_of(*step.formula)) <= 72;
  const std::string right =
      is_short ? latex_of(*step.formula)
               : fmt::format("\\text{{\\texttt{{{}}}}}", latex_text(step_text(e, step).substr(step_text(e, step).find('=') + 2)));
  return fmt::format("{} = {}{}", names, right, result);
}

}  // namespace

std::string to_markdown(const Explanation& e, const std::string& title, const std::string& only) {
  const Shown what = shown(e, only);
  std::string text =
      fmt::format("# {}\n\n## Forward\n\n| line | value | numbers | result | local derivatives |\n|---|---|---|---|---|\n", title);
  for (std::size_t i : what.steps) {
    const Step& step = e.steps[e.visible[i]];
    std::string results, locals;
    for (QuantityId id : step.results) results += (results.empty() ? "" : "<br>") + value_text(e.quantities[id].value);
    for (const LocalText& local : local_texts(e, i, Symbols::latex)) {
      const std::string why = local.why.empty() ? "" : fmt::format(" ({})", local.why);
      locals += fmt::format("{}${}${}", locals.empty() ? "" : ", ", local.text, why);
    }
    text += fmt::format("| {} | `{}` | {} | {} | {} |\n", step.place.valid() ? std::to_string(step.place.line) : "",
                        cell(step_text(e, step)), cell(step.numbers), cell(results), cell(locals));
  }
  if (!e.decisions.empty()) text += "\n## Branches\n\n";
  for (const Decision& decision : e.decisions) text += fmt::format("- line {}: {}\n", decision.place.line, decision_text(decision));
  if (e.of == kNoQuantity) return text;
  text += fmt::format("\n## {}: what arrives times the local derivative\n\n", walk_name(e));
  for (QuantityId id : what.walk) text += fmt::format("$${}$$\n\n", equation_of(e, id));
  for (const LoopSummary& loop : e.loops) {
    text +=
        fmt::format("## Turn by turn, {} turns\n\n| value | first … last | gradient, first … last | |\n|---|---|---|---|\n", loop.turns);
    for (const History& history : loop.histories)
      text += fmt::format("| {}`{}` | {:.3g} … {:.3g} | {:.3g} … {:.3g} | {} |\n", history.is_scalar ? "" : "norm of ", history.name,
                          history.values.front(), history.values.back(), history.derivatives.front(), history.derivatives.back(),
                          trend_text(e, history));
    text += "\n";
  }
  for (std::size_t i : what.chains) {
    const Chain& chain = e.chains[i];
    const auto written = chain_text(e, chain, Symbols::latex);
    if (written || !chain.why_zero.empty() || chain.check) text += fmt::format("## Chain rule for `{}`\n\n", e.quantities[chain.of].name);
    if (written) text += fmt::format("$${}$$\n\n", chain_equation(e, chain, *written));
    if (!chain.why_zero.empty()) text += fmt::format("It is 0, because {}.\n\n", chain.why_zero);
    if (chain.check) text += check_text(e, *chain.check) + "\n\n";
  }
  if (e.cost) text += fmt::format("## Cost\n\n{}\n", cost_text(e));
  return text;
}

std::string to_latex(const Explanation& e, const std::string& title, const std::string& only) {
  const Shown what = shown(e, only);
  std::string text = fmt::format(
      "\\documentclass{{article}}\n\\usepackage[utf8]{{inputenc}}\n\\usepackage[T1]{{fontenc}}\n\\usepackage{{amsmath}}\n"
      "\\usepackage[margin=2cm]{{geometry}}\n\\setlength{{\\parindent}}{{0pt}}\n\\allowdisplaybreaks\n\\begin{{document}}\n\n\\section*{{{}"
      "}}\n",
      latex_text(title));
  const auto section = [&](const std::string& name, const std::vector<std::string>& equations) {
    text += fmt::format("\n\\subsection*{{{}}}\n", latex_text(name));
    for (const std::string& equation : equations) text += fmt::format("\\[ {} \\]\n", equation);
  };
  std::vector<std::string> forward, symbolic, numbers;
  for (std::size_t i : what.steps)
    if (const std::string equation = step_equation(e, e.steps[e.visible[i]]); !equation.empty()) forward.push_back(equation);
  section("Forward", forward);
  for (const Decision& decision : e.decisions)
    text += fmt::format("Line {}: {}.\n\n", decision.place.line, latex_text(decision_text(decision)));
  if (e.of != kNoQuantity) {
    std::vector<std::string> locals, walk;
    for (std::size_t i : what.steps)
      for (const LocalText& local : local_texts(e, i, Symbols::latex))
        locals.push_back(local.why.empty() ? local.text : fmt::format("{} \\quad \\text{{({})}}", local.text, latex_text(local.why)));
    section("Local derivatives", locals);
    for (QuantityId id : what.walk) walk.push_back(equation_of(e, id));
    section(walk_name(e) + ": what arrives times the local derivative", walk);
    for (std::size_t i : what.chains) {
      const Chain& chain = e.chains[i];
      const auto written = chain_text(e, chain, Symbols::latex);
      if (!written && chain.why_zero.empty() && !chain.check) continue;
      section(fmt::format("Chain rule for {}", e.quantities[chain.of].name), {});
      if (written) text += fmt::format("\\[ {} \\]\n", chain_equation(e, chain, *written));
      if (!chain.why_zero.empty()) text += fmt::format("It is 0, because {}.\n\n", latex_text(chain.why_zero));
      if (chain.check) text += latex_text(check_text(e, *chain.check)) + "\n";
    }
  }
  if (e.cost) text += fmt::format("\n\\subsection*{{Cost}}\n{}\n", latex_text(cost_text(e)));
  return text + "\n\\end{document}\n";
}

}  // namespace bpc::explain
