#include <unistd.h>

#include "tools/bpc/explain_topic.h"

#include <cmath>
#include <filesystem>
#include <sstream>

#include "frontend/syntax/walk.h"
#include "support/essays.h"
#include "tools/bpc/driver.h"
#include "tools/bpc/rule_book.h"
#include "tools/bpc/terminal.h"

namespace bpc {
extern const char* const kGlossary;  // docs/glossary.md
}  // namespace bpc

namespace bpc::tool {

namespace {

constexpr std::size_t kColumns = 61, kRows = 17;
constexpr double kRange = 3;  // of a plot, to both sides

// ---- codes ----

// A link of a page in docs as text: "[chapter 3](course/03.md)" is "chapter 3 (docs/course/03.md)".
std::string without_links(std::string line) {
  for (std::size_t open = 0; (open = line.find('[', open)) != std::string::npos; ++open) {
    const std::size_t middle = line.find("](", open), close = line.find(')', middle);
    if (middle == std::string::npos || close == std::string::npos || line.find('[', open + 1) < middle) continue;
    const std::string shown = line.substr(open + 1, middle - open - 1), target = line.substr(middle + 2, close - middle - 2);
    line.replace(open, close + 1 - open, target.ends_with(shown) ? "docs/" + target : fmt::format("{} (docs/{})", shown, target));
  }
  return line;
}

bool is_code(const std::string& word) {
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  return word.size() == 5 && (word[0] == 'E' || word[0] == 'W') && std::all_of(word.begin() + 1, word.end(), is_digit);
}

// What a fence says of the code behind it: "```bp E0413 net.bp train --steps=3" is "Wrong, by `bpc train --steps=3`:".
std::string label_of(const std::string& fence) {
  std::istringstream words(fence.substr(3));
  std::string word, flags, label = "Right";
  words >> word;
  if (word != "bp") return words >> word ? fmt::format("The file {}:", word) : "";
  while (words >> word) {
    const bool is_name = word.find('=') == std::string::npos && (word.ends_with(".bp") || is_code(word));
    if (is_code(word)) label = "Wrong";
    if (!is_name) flags += " " + word;
  }
  if (flags.empty()) return label + ":";
  return fmt::format("{}, {}{}`:", label, flags.starts_with(" -") ? "with `" : "by `bpc ", flags.substr(1));
}

// Markdown for a terminal: code is indented, without its fences; headings are bold. `is_labelled`: it says which code is wrong, and which
// right.
std::string plain(const std::string& page, bool is_labelled, bool color) {
  std::string text;
  bool is_code = false;
  std::size_t at = 0;
  while (at < page.size()) {
    const std::size_t end = std::min(page.find('\n', at), page.size());
    std::string line = page.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("```")) {
      is_code = !is_code;
      text += !is_code || !is_labelled ? "\n" : fmt::format("\n{}\n\n", label_of(line));
      continue;
    }
    if (line.starts_with("## ")) line = color ? fmt::format("\x1b[1m{}\x1b[0m", line.substr(3)) : line.substr(3);
    text += is_code ? (line.empty() ? "" : "    ") + line + "\n" : without_links(line) + "\n";
  }
  for (std::size_t gap = 0; (gap = text.find("\n\n\n", gap)) != std::string::npos;) text.erase(gap, 1);
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

int explain_code(const Options& options, const std::string& word) {
  std::vector<std::string> names;
  for (const CodeInfo& info : all_codes()) {
    names.emplace_back(info.name);
    if (info.name != word) continue;
    put(plain(essay_page(info.code), true, use_color(options.color, STDOUT_FILENO)));
    return kOk;
  }
  const std::string near = closest_match(word, names);
  write_diagnostic({Severity::error,
                    Code::E0510,
                    {},
                    fmt::format("there is no code `{}`", word),
                    {},
                    near.empty() ? "docs/errors.md lists them" : fmt::format("did you mean `{}`?", near),
                    {}},
                   {}, options);
  return kUsage;
}

// ---- words ----

// The part of the glossary whose heading has the word, and the words of all headings.
struct Found {
  std::optional<std::string> page;
  std::vector<std::string> words;
};
Found look_up(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  Found found;
  std::string_view rest = kGlossary;
  for (std::size_t start = 0; (start = rest.find("\n## ")) != std::string_view::npos;) {
    rest.remove_prefix(start + 1);
    const std::string_view part = rest.substr(0, rest.find("\n## ")), heading = part.substr(3, part.find('\n') - 3);
    std::string each;
    for (char c : std::string(heading) + ",") {  // "backpropagation (backprop, backward)"
      if (c != '(' && c != ',' && c != ')') {
        if (c != ' ' || !each.empty()) each += c;
        continue;
      }
      while (each.ends_with(' ')) each.pop_back();
      if (each == word) found.page = std::string(part).insert(part.find('\n'), "\n");
      if (!each.empty()) found.words.push_back(std::exchange(each, {}));
    }
  }
  return found;
}

// ---- functions ----

struct Curve {
  std::vector<double> function, derivative;
};

// Of a function that takes one real; nullopt for all others.
std::optional<Curve> curve_of(const std::string& name) {
  Options options;
  options.backend = Backend::interp;
  options.real = Element::f64;
  options.quiet = true;
  Session session(options);
  // A function of each element for itself: it takes a single one, too, and none depends on another one.
  const std::string script = fmt::format(
      "x = linspace({0}, {1}, {2})\ny = {3}(x)\nd = grad(sum(y), x)\n"
      "a = [0.3, -0.2, 0.9]\none = {3}(a[0]) + 0.0\nassert all(jacobian({3}(a), a) * (1 - eye(3)) == 0)\n",
      -kRange, kRange, kColumns, name);
  auto program = load_script(session, session.sources.add("<plot>", script));
  auto lowered = program ? lower_script(session, std::move(*program), DataNeed::values) : std::nullopt;
  auto result = lowered ? run_script(session, std::move(*lowered), {true, false}, run_options(options, {})) : std::nullopt;
  if (!result || session.diagnostics.has_errors()) return std::nullopt;
  Curve curve;
  for (const RunValue& value : result->values) {
    if (value.path == "x" || value.tensor.count() != static_cast<std::int64_t>(kColumns)) continue;
    std::vector<double>& into = value.path == "y" ? curve.function : curve.derivative;
    for (std::int64_t i = 0; i < value.tensor.count(); ++i) into.push_back(value.tensor.real_at(i));
  }
  if (curve.function.empty() || curve.derivative.empty()) return std::nullopt;
  return curve;
}

std::string plot(const std::string& name, const Curve& curve) {
  double low = 0, high = 0;
  for (const std::vector<double>* values : {&curve.function, &curve.derivative})
    for (double value : *values)
      if (std::isfinite(value)) low = std::min(low, std::max(value, -4.0)), high = std::max(high, std::min(value, 4.0));
  if (high == low) high = low + 1;
  const auto row_of = [&](double value) { return static_cast<int>(std::lround((high - value) / (high - low) * (kRows - 1))); };
  std::vector<std::vector<std::string>> grid(kRows, std::vector<std::string>(kColumns, " "));
  for (std::size_t column = 0; column < kColumns; ++column) grid[static_cast<std::size_t>(row_of(0))][column] = "─";
  for (std::size_t row = 0; row < kRows; ++row) grid[row][kColumns / 2] = static_cast<int>(row) == row_of(0) ? "┼" : "│";
  const auto draw = [&](const std::vector<double>& values, const char* mark) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      if (!std::isfinite(values[column]) || values[column] < low || values[column] > high) continue;
      std::string& cell = grid[static_cast<std::size_t>(row_of(values[column]))][column];
      cell = cell == "●" ? "◉" : mark;
    }
  };
  draw(curve.function, "●");
  draw(curve.derivative, "○");
  std::string text;
  for (std::size_t row = 0; row < kRows; ++row) {
    const double value = high - (high - low) * static_cast<double>(row) / (kRows - 1);
    const bool is_marked = row == 0 || row + 1 == kRows || static_cast<int>(row) == row_of(0);
    text += fmt::format("{:>8}  ", is_marked ? fmt::format("{:.2g}", static_cast<int>(row) == row_of(0) ? 0.0 : value) : "");
    std::string line;
    for (const std::string& cell : grid[row]) line += cell;
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
  }
  return text + fmt::format("{:>11}{:>30}{:>30}\n\n    ● {}(x)   ○ its derivative   ◉ both\n", -kRange, 0, kRange, name);
}

// The lines of a script on which a function is called, or an operator stands.
std::string uses_of(const std::string& name, const frontend::Program& program) {
  std::map<std::pair<FileId, std::uint32_t>, std::size_t> lines;
  for (const auto& ast : program.asts)
    for (const frontend::Expr& expr : ast->exprs) {
      const auto* call = std::get_if<frontend::CallExpr>(&expr.node);
      const auto* binary = std::get_if<frontend::BinaryExpr>(&expr.node);
      const auto* transposed = std::get_if<frontend::TransposeExpr>(&expr.node);
      const bool is_use = (call && call->callee.text == name) || (binary && binary->spelling == name) || (transposed && name == ".T");
      if (is_use) ++lines[{ast->file, expr.span.line}];
    }
  const std::string& main = program.sources->file(program.asts[0]->file).path;
  if (lines.empty()) return fmt::format("\n{} does not use it.\n", main);
  std::string text = fmt::format("\nUsed in {}:\n", main);
  for (const auto& [place, count] : lines) {
    std::string line(program.sources->line_text(place.first, place.second));
    line = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::string& file = program.sources->file(place.first).path;
    text += fmt::format("    {}{}: {}\n", file == main ? "" : file + " ", place.second, line);
  }
  return text;
}

// What the names in formulas mean.
std::string legend_of(const std::vector<Rule>& rules) {
  const auto has = [&](const std::string& name) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
      return std::any_of(rule.formulas.begin(), rule.formulas.end(), [&](const std::string& formula) {
        return formula.find('=') != std::string::npos && formula.find(name) != std::string::npos;
      });
    });
  };
  const std::string result = has("dz") ? "z" : "y";
  if (!has("d" + result)) return "";
  return fmt::format(
      "\n    d{0} is what arrives on the walk back: the derivative of the loss by the result {0}.\n"
      "    A line such as `dx = …` is what goes on from there to x, by the chain rule.\n",
      result);
}

int explain_function(const Options& options, const std::string& word) {
  Session session(options);
  const std::vector<Rule> rules = rule_book();
  std::vector<Rule> asked;
  for (const Rule& rule : rules)
    if (is_asked_by(word, rule)) asked.push_back(rule);
  const Found found = look_up(fmt::format("{}", fmt::join(options.files, " ")));  // of several words: `bpc explain chain rule`
  if (asked.empty() && found.page) {
    put(plain(*found.page, false, use_color(options.color, STDOUT_FILENO)));
    return kOk;
  }
  if (asked.empty()) return unknown_rule(session, word, rules, found.words);
  std::string text;
  for (const Rule& rule : asked) text += (text.empty() ? "" : "\n") + rule_text(rule);
  text += legend_of(asked);
  for (const Rule& rule : asked) {
    const bool is_called = std::isalpha(static_cast<unsigned char>(rule.name[0])) != 0;
    if (const auto curve = is_called ? curve_of(rule.name) : std::nullopt) text += "\n" + plot(rule.name, *curve);
  }
  if (options.files.size() > 1) {
    const std::optional<FileId> file = read_source(session, options.files[1]);
    const std::optional<frontend::Program> program = file ? load_script(session, *file) : std::nullopt;
    if (!program || session.diagnostics.has_errors()) return session.finish();
    text += uses_of(word, *program);
  }
  put(text);
  return session.finish();
}

}  // namespace

std::optional<int> explain_topic(const Options& options) {
  const std::string& word = options.files.front();
  std::error_code ignored;
  if (word == "-" || word.ends_with(".bp") || std::filesystem::exists(word, ignored)) return std::nullopt;
  if (is_code(word)) return explain_code(options, word);
  if (word.find('/') != std::string::npos && word.size() > 2) return std::nullopt;  // a file that is not there
  return explain_function(options, word);
}

}  // namespace bpc::tool
