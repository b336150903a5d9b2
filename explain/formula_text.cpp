// Formulas as text, and as LaTeX.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "explain/formula.h"
#include "support/source.h"

namespace bpc::explain {

namespace {

using Kind = Formula::Kind;

// How tightly a formula binds.
enum class Level : std::uint8_t { sum, product, matmul, sign, power, atom };

// Whether a text has a space outside brackets.
bool has_gap(const std::string& text) {
  int depth = 0;
  for (char c : text) {
    depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
    if (c == ' ' && depth == 0) return true;
  }
  return false;
}

Level level_of(const Formula& formula) {
  switch (formula.kind) {
    case Kind::sum:
      return Level::sum;
    case Kind::negative:
      return Level::sign;
    case Kind::product:
    case Kind::quotient:
      return Level::product;
    case Kind::matmul:
      return Level::matmul;
    case Kind::power:
      return Level::power;
    case Kind::number:
      return formula.value < 0 || std::signbit(formula.value) ? Level::sign : Level::atom;
    case Kind::other:
    case Kind::name:  // also a text that stands for what nobody named
      return formula.parts.empty() && has_gap(formula.text) ? Level::sum : Level::atom;
    case Kind::transpose:
    case Kind::call:
      return Level::atom;
  }
  return Level::atom;
}

std::string within(const Formula& formula, Level at_least) {
  return level_of(formula) >= at_least ? text_of(formula) : fmt::format("({})", text_of(formula));
}

std::string latex_within(const Formula& formula, Level at_least) {
  return level_of(formula) >= at_least ? latex_of(formula) : fmt::format("\\left({}\\right)", latex_of(formula));
}

// No two signs stand side by side.
std::string after_minus(const std::string& text) {
  return text.starts_with('-') ? fmt::format("({})", text) : text;
}

std::string joined(const Formula& formula, const std::function<std::string(const Formula&)>& text) {
  std::string result;
  for (const Formula& part : formula.parts) result += (result.empty() ? "" : ", ") + text(part);
  return result;
}

}  // namespace

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return fmt::format("{:.{}g}", value == 0 ? 0.0 : value, digits);
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size(); at += code_point_length(text, at)) ++width;
  return width;
}

std::string text_of(const Formula& formula) {
  switch (formula.kind) {
    case Kind::number:
    case Kind::name:
      return formula.text;
    case Kind::negative:
      return "-" + after_minus(within(formula.parts[0], Level::product));
    case Kind::sum: {
      std::string text;
      for (const Formula& part : formula.parts) {
        const bool is_negative = part.is(Kind::negative) && !text.empty();
        text += text.empty() ? "" : is_negative ? " − " : " + ";
        text += is_negative    ? after_minus(within(part.parts[0], Level::product))
                : text.empty() ? text_of(part)
                               : within(part, part.is(Kind::number) ? Level::power : Level::product);
      }
      return text;
    }
    case Kind::product: {
      std::string text;
      for (const Formula& part : formula.parts) {
        const bool may_start = text.empty() && !part.is(Kind::number);
        text += (text.empty() ? "" : "·") + within(part, may_start || part.is(Kind::quotient) ? Level::matmul : Level::power);
      }
      return text;
    }
    case Kind::quotient:
      return within(formula.parts[0], Level::product) + "/" + within(formula.parts[1], Level::power);
    case Kind::power:
      return within(formula.parts[0], Level::atom) + "^" + within(formula.parts[1], Level::atom);
    case Kind::matmul:
      return within(formula.parts[0], Level::matmul) + " @ " + within(formula.parts[1], Level::sign);
    case Kind::transpose:
      return within(formula.parts[0], Level::atom) + ".T";
    case Kind::call:
      return fmt::format("{}({})", formula.text, joined(formula, text_of));
    case Kind::other:
      return formula.text + (formula.parts.empty() ? "" : text_of(formula.parts[0]));
  }
  return {};
}

std::string factor_text(const Formula& formula) {
  if (formula.is(Kind::negative)) return fmt::format("({})", text_of(formula));
  return within(formula, formula.is(Kind::quotient) ? Level::matmul : Level::product);
}

std::string latex_factor(const Formula& formula) {
  if (formula.is(Kind::negative)) return fmt::format("\\left({}\\right)", latex_of(formula));
  return latex_within(formula, Level::product);
}

std::string derivative_name(const std::string& y, const std::string& x) {
  const auto within = [](const std::string& name) { return name.find('/') == std::string::npos ? name : fmt::format("({})", name); };
  return fmt::format("d{}/d{}", within(y), within(x));
}

std::string latex_name(const std::string& name) {
  if (name.size() > 2 && name.front() == '(' && name.back() == ')' && name.find('/') != std::string::npos)
    return fmt::format("\\left({}\\right)", latex_name(name.substr(1, name.size() - 2)));
  if (name.starts_with("d(") && name.ends_with(')') && name.find(")/") == std::string::npos)
    return fmt::format("d\\left({}\\right)", latex_name(name.substr(2, name.size() - 3)));
  const std::size_t open = name.starts_with("d(") ? name.find(")/") : std::string::npos;
  const std::size_t slash = open != std::string::npos ? open + 1 : name.find('/');
  if (slash != std::string::npos && name.starts_with('d') && name.size() > slash + 2 && name[slash + 1] == 'd')
    return fmt::format("\\frac{{\\partial {}}}{{\\partial {}}}", latex_name(name.substr(1, slash - 1)), latex_name(name.substr(slash + 2)));
  static const std::map<std::string, std::string, std::less<>> kLetters{
      {"α", "\\alpha"}, {"β", "\\beta"},  {"γ", "\\gamma"},  {"δ", "\\delta"}, {"ε", "\\varepsilon"},
      {"ζ", "\\zeta"},  {"η", "\\eta"},   {"θ", "\\theta"},  {"κ", "\\kappa"}, {"λ", "\\lambda"},
      {"μ", "\\mu"},    {"ν", "\\nu"},    {"ξ", "\\xi"},     {"π", "\\pi"},    {"ρ", "\\rho"},
      {"σ", "\\sigma"}, {"τ", "\\tau"},   {"φ", "\\varphi"}, {"χ", "\\chi"},   {"ψ", "\\psi"},
      {"ω", "\\omega"}, {"Δ", "\\Delta"}, {"Σ", "\\Sigma"},  {"Ω", "\\Omega"}, {"′", "'"},
      {"₀", "_0"},      {"₁", "_1"},      {"₂", "_2"},       {"₃", "_3"},      {"₄", "_4"},
      {"₅", "_5"},      {"₆", "_6"},      {"₇", "_7"},       {"₈", "_8"},      {"₉", "_9"},
      {"⁰", "0"},       {"¹", "1"},       {"²", "2"},        {"³", "3"},       {"⁴", "4"},
      {"⁵", "5"},       {"⁶", "6"},       {"⁷", "7"},        {"⁸", "8"},       {"⁹", "9"},
      {"·", "\\cdot "}};
  std::string base, index, power;
  bool is_above = false;
  for (std::size_t at = 0; at < name.size();) {
    const std::string letter = name.substr(at, code_point_length(name, at));
    at += letter.size();
    if (letter == "⁽" || letter == "⁾") {
      is_above = letter == "⁽";
      if (!is_above) power = fmt::format("({})", power);
      continue;
    }
    const auto known = kLetters.find(letter);
    const std::string written = known != kLetters.end() ? known->second : letter == "_" ? "\\_" : letter;
    if (is_above)
      power += written;
    else if (written.starts_with('_'))
      index += written.substr(1);
    else
      base += written + (written.starts_with('\\') && written != "\\_" ? " " : "");
  }
  // Digits at the end are an index: a1.
  std::size_t letters = base.size();
  while (letters > 0 && std::isdigit(static_cast<unsigned char>(base[letters - 1]))) --letters;
  if (letters > 0 && letters < base.size()) index = base.substr(letters) + index, base.resize(letters);
  while (base.ends_with("\\_")) base.resize(base.size() - 2);
  while (base.ends_with(' ')) base.pop_back();
  const bool is_word = width_of(base) > 1 && base != "{}" && !base.starts_with('\\') && base.back() != '\'';
  std::string text = is_word ? fmt::format("\\mathit{{{}}}", base) : base;
  if (!index.empty()) text += fmt::format("_{{{}}}", index);
  if (!power.empty()) text += fmt::format("^{{{}}}", power);
  return text;
}

std::string latex_text(const std::string& text) {
  static const std::map<std::string, std::string, std::less<>> kSpecial{{"\\", "\\textbackslash{}"},
                                                                        {"^", "\\textasciicircum{}"},
                                                                        {"~", "\\textasciitilde{}"},
                                                                        {"≤", "$\\leq$"},
                                                                        {"×", "$\\times$"},
                                                                        {"·", "$\\cdot$"},
                                                                        {"…", "\\dots{}"},
                                                                        {"∂", "$\\partial$"},
                                                                        {"−", "$-$"},
                                                                        {"<", "$<$"},
                                                                        {">", "$>$"},
                                                                        {"′", "$'$"}};
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::string letter = text.substr(at, code_point_length(text, at));
    at += letter.size();
    if (const auto special = kSpecial.find(letter); special != kSpecial.end()) {
      result += special->second;
    } else if (letter == "⁽") {  // a turn
      const std::size_t end = std::min(text.find("⁾", at), text.size());
      result += fmt::format("${}$", latex_name("{}⁽" + text.substr(at, end - at) + "⁾"));
      at = std::min(end + std::string_view("⁾").size(), text.size());
    } else if (std::string_view("_%&#{}$").find(letter) != std::string_view::npos) {
      result += "\\" + letter;
    } else if (letter.size() > 1) {
      const std::string name = latex_name(letter);
      if (name != letter) result += fmt::format("${}$", name.starts_with('_') || name.starts_with('^') ? "{}" + name : name);
    } else {
      result += letter;
    }
  }
  return result;
}

std::string latex_of(const Formula& formula) {
  switch (formula.kind) {
    case Kind::number: {
      const std::size_t e = formula.text.find('e');
      if (e == std::string::npos) return formula.text == "inf" ? "\\infty" : formula.text;
      return fmt::format("{} \\cdot 10^{{{}}}", formula.text.substr(0, e), std::atoi(formula.text.c_str() + e + 1));
    }
    case Kind::name:
      return latex_name(formula.text);
    case Kind::negative:
      return "-" + latex_within(formula.parts[0], Level::product);
    case Kind::sum: {
      std::string text;
      for (const Formula& part : formula.parts) {
        const bool is_negative = part.is(Kind::negative) && !text.empty();
        text += text.empty() ? "" : is_negative ? " - " : " + ";
        text += is_negative    ? latex_within(part.parts[0], Level::product)
                : text.empty() ? latex_of(part)
                               : latex_within(part, Level::product);
      }
      return text;
    }
    case Kind::product: {
      std::string text;
      for (const Formula& part : formula.parts)
        text += (text.empty() ? "" : " \\cdot ") + latex_within(part, text.empty() ? Level::product : Level::power);
      return text;
    }
    case Kind::quotient:
      return fmt::format("\\frac{{{}}}{{{}}}", latex_of(formula.parts[0]), latex_of(formula.parts[1]));
    case Kind::power:
      return fmt::format("{{{}}}^{{{}}}", latex_within(formula.parts[0], Level::atom), latex_of(formula.parts[1]));
    case Kind::matmul:
      return latex_within(formula.parts[0], Level::matmul) + " \\, " + latex_within(formula.parts[1], Level::sign);
    case Kind::transpose:
      return fmt::format("{{{}}}^{{\\top}}", latex_within(formula.parts[0], Level::atom));
    case Kind::call: {
      std::string name;
      for (char c : formula.text) name += c == '_' ? std::string("\\_") : std::string(1, c);
      return fmt::format("\\operatorname{{{}}}\\left({}\\right)", name, joined(formula, latex_of));
    }
    case Kind::other:
      return fmt::format("\\texttt{{{}}}", latex_text(formula.text)) + (formula.parts.empty() ? "" : latex_of(formula.parts[0]));
  }
  return {};
}

}  // namespace bpc::explain
