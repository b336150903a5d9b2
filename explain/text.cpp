// The explanation for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "explain/element.h"
#include "explain/formula.h"
#include "explain/phrases.h"
#include "explain/render.h"
#include "explain/trace.h"
#include "explain/zeros.h"

namespace bpc::explain {

namespace {

enum class Role : std::uint8_t { plain, heading, value, gradient, quiet, warning };

const char* code_of(Role role) {
  switch (role) {
    case Role::plain:
      return "";
    case Role::heading:
      return "\x1b[1m";
    case Role::value:
      return "\x1b[32m";
    case Role::gradient:
      return "\x1b[36m";
    case Role::quiet:
      return "\x1b[2m";
    case Role::warning:
      return "\x1b[33m";
  }
  return "";
}

constexpr std::size_t kMostChains = 6, kGap = 3, kWide = 140, kBelow = 10;

class Writer {
 public:
  Writer(const Explanation& explanation, const TextOptions& options)
      : e_(explanation),
        options_(options),
        detail_(options.width > 0 && options.width < kWide ? Detail::brief : Detail::full),
        shown_(shown(e_, options.only)) {}

  std::string run() {
    for (const std::string& note : e_.notes) text_ += note + "\n";
    forward();
    if (e_.of != kNoQuantity) {
      branches();
      backward();
      loops();
      element();
      chains();
    } else {
      branches();
    }
    end();
    return std::move(text_);
  }

 private:
  std::string styled(Role role, const std::string& text) const {
    return options_.color && role != Role::plain && !text.empty() ? fmt::format("{}{}\x1b[0m", code_of(role), text) : text;
  }

  void heading(const std::string& text) {
    if (!text_.empty()) text_ += "\n";
    text_ += styled(Role::heading, text) + "\n";
  }

  static std::string padded(const std::string& text, std::size_t width, bool is_right = false) {
    const std::string space(width > width_of(text) ? width - width_of(text) : 0, ' ');
    return is_right ? space + text : text + space;
  }

  struct Cell {
    std::string text;
    Role role = Role::plain;
  };
  struct Row {
    std::vector<Cell> cells;
    std::vector<std::string> last;  // what fills the rest of the line, and more lines where it is too long
    bool is_header = false;
  };

  // The cells of a column are as wide as the widest. What fills the rest stands behind them, or below where it would not fit.
  void table(const std::vector<Row>& rows, const std::vector<bool>& is_right) {
    std::vector<std::size_t> widths(is_right.size(), 0);
    std::size_t longest = 0;
    for (const Row& row : rows) {
      for (std::size_t i = 0; i < row.cells.size(); ++i) widths[i] = std::max(widths[i], width_of(row.cells[i].text));
      for (const std::string& part : row.last) longest = std::max(longest, width_of(part));
    }
    std::size_t indent = 2;
    for (std::size_t width : widths) indent += width == 0 ? 0 : width + kGap;
    const bool is_below = options_.width > 0 && indent + longest > options_.width;
    for (const Row& row : rows) {
      std::string line = "  ";
      for (std::size_t i = 0; i < row.cells.size(); ++i)
        if (widths[i] > 0) line += styled(row.cells[i].role, padded(row.cells[i].text, widths[i], is_right[i])) + std::string(kGap, ' ');
      if (!is_below) {
        fill(line, indent, row.last);
      } else {
        put(line);
        if (!row.last.empty() && !row.is_header) fill(std::string(kBelow, ' '), kBelow, row.last);
      }
    }
  }

  // Parts one after the other behind what the line has, whose width is `indent`; more lines, indented alike, where there are too many.
  void fill(std::string line, std::size_t indent, const std::vector<std::string>& parts) {
    std::size_t used = indent;
    for (const std::string& part : parts) {
      const std::size_t width = width_of(part);
      if (used > indent && options_.width > 0 && used + width > options_.width) {
        put(line);
        line = std::string(indent, ' ');
        used = indent;
      }
      line += part + std::string(kGap, ' ');
      used += width + kGap;
    }
    put(line);
  }

  void put(std::string line) {
    while (line.ends_with(' ')) line.pop_back();
    text_ += line + "\n";
  }

  // A sentence or formula that may be longer than the terminal is wide, indented by two and more.
  void wrapped(const std::string& text, Role role = Role::plain) {
    std::string line = "  ";
    std::size_t at = 0;
    while (at < text.size()) {
      std::size_t end = text.find(' ', at);
      if (end == std::string::npos) end = text.size();
      const std::string word = text.substr(at, end - at);
      if (options_.width > 0 && width_of(line) + width_of(word) > options_.width && width_of(line) > 6) {
        put(styled(role, line));
        line = "      ";
      }
      line += word + " ";
      at = end + 1;
    }
    while (line.ends_with(' ')) line.pop_back();
    put(styled(role, line));
  }

  static std::string line_of(const Step& step) { return step.place.valid() ? std::to_string(step.place.line) : ""; }

  void forward() {
    heading("Forward");
    std::vector<Row> rows{{{{"line", Role::quiet}, {"value", Role::quiet}, {"numbers", Role::quiet}, {"result", Role::quiet}},
                           {styled(Role::quiet, "local derivatives")},
                           true}};
    for (std::size_t i : shown_.steps) {
      const Step& step = e_.steps[e_.visible[i]];
      const auto result = [&](std::size_t k) {
        return k < step.results.size() ? value_text(e_.quantities[step.results[k]].value, detail_) : std::string();
      };
      Row row{{{line_of(step)}, {step_text(e_, step)}, {step.numbers}, {result(0), Role::value}}, {}};
      for (const LocalText& local : local_texts(e_, i, Symbols::text))
        row.last.push_back(local.text + (local.why.empty() ? "" : fmt::format("  ({})", local.why)));
      rows.push_back(std::move(row));
      for (std::size_t k = 1; k < step.results.size(); ++k)
        rows.push_back({{{""}, {"  " + e_.quantities[step.results[k]].name}, {""}, {result(k), Role::value}}, {}});
    }
    for (const Row& row : rows) {
      for (const Cell& cell : row.cells) said_ += cell.text + "\n";
      for (const std::string& part : row.last) said_ += part + "\n";
    }
    table(rows, {true, false, false, false});
    givens();
  }

  // Whether what was said forward names it.
  bool is_said(const std::string& name) const {
    const auto is_word = [](unsigned char c) { return std::isalnum(c) || c == '_' || c >= 0x80; };
    for (std::size_t at = 0; (at = said_.find(name, at)) != std::string::npos; ++at) {
      const std::size_t end = at + name.size();
      if ((at == 0 || !is_word(static_cast<unsigned char>(said_[at - 1]))) &&
          (end == said_.size() || !is_word(static_cast<unsigned char>(said_[end]))))
        return true;
    }
    return false;
  }

  // The numbers that the expressions above name and that are not computed there.
  void givens() {
    std::set<QuantityId> named;
    for (std::size_t i : shown_.steps) {
      const Step& step = e_.steps[e_.visible[i]];
      named.insert(step.inputs.begin(), step.inputs.end());
      named.insert(step.given.begin(), step.given.end());
    }
    constexpr std::size_t kMost = 4;
    std::vector<std::string> texts;
    for (QuantityId id : named) {
      const Quantity& quantity = e_.quantities[id];
      if (quantity.kind != Quantity::Kind::computed && !is_scalar(quantity.value) && texts.size() < kMost && is_said(quantity.name))
        texts.push_back(fmt::format("{}: {}", quantity.name, value_text(quantity.value, detail_)));
    }
    for (const std::string& text : texts) put(styled(Role::quiet, "  " + text));
  }

  void branches() {
    if (e_.decisions.empty()) return;
    heading("Branches");
    constexpr std::size_t kMost = 8;
    for (std::size_t i = 0; i < std::min(kMost, e_.decisions.size()); ++i)
      wrapped(fmt::format("{:>4}   {}", e_.decisions[i].place.line, decision_text(e_.decisions[i])));
    if (e_.decisions.size() > kMost) put(fmt::format("  … and {} more", e_.decisions.size() - kMost));
  }

  void backward() {
    heading(walk_name(e_) + ": what arrives × the local derivative");
    std::vector<Row> rows;
    for (QuantityId id : shown_.walk) {
      const WalkText walk = walk_text(e_, id, Symbols::text, detail_);
      Row row{{{fmt::format("{} = {}", walk.of, walk.symbolic)},
               {walk.numbers.empty() ? "" : "= " + walk.numbers},
               {"= " + walk.result, Role::gradient}},
              {}};
      if (!walk.why.empty()) row.last.push_back(styled(Role::warning, fmt::format("nothing goes on: {}", walk.why)));
      rows.push_back(std::move(row));
    }
    const bool is_itself = std::find(e_.xs.begin(), e_.xs.end(), e_.of) != e_.xs.end();
    if (rows.empty() && is_itself) return put(fmt::format("  {} is {} itself", e_.y, e_.quantities[e_.of].name));
    if (rows.empty()) return put(fmt::format("  {} does not depend on what the derivative is taken by", e_.y));
    // Numbers are lined up where there are only scalars.
    table(rows, {false, false, false});
  }

  void loops() {
    for (const LoopSummary& loop : e_.loops) {
      const std::string of = loop.step == SIZE_MAX ? "loop" : e_.steps[loop.step].expression;
      const std::size_t turns = loop.histories.front().values.size();
      heading(loop.histories.front().is_one_walk
                  ? fmt::format("Turn by turn: {}, {} turns", of, turns)
                  : fmt::format("Each time that this derivative is taken: {}{} times", turns == kMostTimes ? "the first " : "", turns));
      std::vector<Row> rows{{{{"", Role::quiet},
                              {"value", Role::quiet},
                              {"first … last", Role::quiet},
                              {is_forward(e_) ? "d…" : fmt::format("d{}/d…", e_.y), Role::quiet},
                              {"first … last", Role::quiet}},
                             {}}};
      for (const History& history : loop.histories) {
        const auto ends = [](const std::vector<double>& sizes) { return fmt::format("{:.3g} … {:.3g}", sizes.front(), sizes.back()); };
        Row row{{{history.is_scalar ? history.name : fmt::format("norm of {}", history.name)},
                 {strip(history.values), Role::value},
                 {ends(history.values)},
                 {strip(history.derivatives), Role::gradient},
                 {ends(history.derivatives)}},
                {}};
        if (const std::string trend = trend_text(e_, history); !trend.empty()) row.last.push_back(styled(Role::warning, trend));
        rows.push_back(std::move(row));
      }
      table(rows, {false, false, false, false, false});
    }
  }

  // At most as many blocks as fit.
  static std::string strip(const std::vector<double>& sizes) {
    constexpr std::size_t kMost = 32;
    if (sizes.size() <= kMost) return strip_text(sizes);
    std::vector<double> some;
    for (std::size_t i = 0; i < kMost; ++i) some.push_back(sizes[i * (sizes.size() - 1) / (kMost - 1)]);
    return strip_text(some);
  }

  void element() {
    if (e_.element.empty()) return;
    heading(fmt::format("On the way of {}", e_.element.front().element));
    for (const ElementStep& step : e_.element) {
      std::string sum;
      for (const ElementTerm& term : step.terms)
        sum += fmt::format("{}{}·{}", sum.empty() ? "" : " + ", number_text(term.local), number_text(term.cotangent));
      if (step.more > 0) sum += fmt::format(" + {} more", step.more);
      put(fmt::format("  {} = {}", step.element, number_text(step.value)));
      for (std::size_t visible : step.stuck) wrapped("    " + why_stuck(e_, visible, step.value), Role::warning);
      if (step.terms.empty()) continue;
      std::string names;
      for (const ElementTerm& term : step.terms) names += (names.empty() ? "" : ", ") + term.element;
      wrapped(fmt::format("    d{}/d{} = {} = {}   by {}{}", e_.y, step.element, sum, number_text(step.cotangent), names,
                          step.more > 0 ? ", …" : ""));
    }
  }

  // How many elements of a gradient are zero, and how to ask for one; empty where none is, or all are.
  std::string zeros_in(const Chain& chain) const {
    const std::optional<runtime::Tensor>& gradient = e_.quantities[chain.of].derivative;
    if (!gradient || is_scalar(*gradient)) return "";
    std::int64_t count = 0, first = -1;
    for (std::int64_t i = 0; i < gradient->count(); ++i)
      if (gradient->real_at(i) == 0 && ++count == 1) first = i;
    if (count == 0 || count == gradient->count()) return "";
    const std::string name = element_name(e_.quantities[chain.of].name, gradient->type(), first);
    return fmt::format("{} of {} {} 0: `--at='{}'` says why", count, gradient->count(), count == 1 ? "is" : "are", name);
  }

  void chains() {
    std::size_t written = 0;
    std::vector<Row> others;
    for (std::size_t i : shown_.chains) {
      const Chain& chain = e_.chains[i];
      const std::string& name = e_.quantities[chain.of].name;
      const std::optional<ChainText> text = chain_text(e_, chain, Symbols::text);
      if (!text || written >= kMostChains) {
        Row row{{{derivative_name(e_, chain.of)}}, {}};
        if (!chain.why_zero.empty()) row.last.push_back(styled(Role::warning, fmt::format("0, because {}", chain.why_zero)));
        if (const std::string zeros = zeros_in(chain); !zeros.empty()) row.last.push_back(styled(Role::warning, zeros));
        if (chain.check && shown_.chains.size() <= 2 * kMostChains) row.last.push_back(check_text(e_, *chain.check));
        if (!row.last.empty() || text) others.push_back(std::move(row));  // others stand in the walk back
        continue;
      }
      ++written;
      heading(fmt::format("Chain rule for {}", name));
      wrapped(equation(derivative_name(e_, chain.of), {text->symbolic, text->numbers, text->result}));
      if (!chain.why_zero.empty()) wrapped(fmt::format("It is 0, because {}.", chain.why_zero), Role::warning);
      if (chain.check) wrapped(check_text(e_, *chain.check));
      const runtime::Tensor& y = e_.quantities[e_.of].value;
      if (!chain.check && is_scalar(y) && !std::isfinite(y.real_at(0)))
        wrapped(fmt::format("{} is {} here, so that raising {} says nothing.", e_.y, number_text(y.real_at(0)), name), Role::warning);
    }
    if (others.empty()) return;
    heading("Gradients");
    table(others, {false});
  }

  // What the signs mean that occur above.
  std::string key() const {
    const auto occurs = [&](const char* sign) { return said_.find(sign) != std::string::npos || text_.find(sign) != std::string::npos; };
    const bool has_strip = std::any_of(e_.quantities.begin(), e_.quantities.end(), [&](const Quantity& quantity) {
      return !is_scalar(quantity.value) && text_.find(value_text(quantity.value, detail_)) != std::string::npos;
    });
    std::vector<std::string> parts;
    if (occurs(": …") || occurs("(…") || occurs("-…") || occurs("… @")) parts.push_back("… stands for what arrives");
    if (has_strip) parts.push_back("▂▅█ are the elements in order, the higher the further from 0, · a 0");
    const bool is_decided =
        std::any_of(e_.contributions.begin(), e_.contributions.end(), [](const Contribution& each) { return !each.why.empty(); });
    if (is_decided) parts.push_back("(2 > 0): the comparison that decided it");
    if (occurs("⁽")) parts.push_back("x⁽²⁾ is x after turn 2, counted from 0");
    if (occurs("′")) parts.push_back("x′ is another value that is called x");
    if (occurs(" [turn") || occurs(" [the loop]")) parts.push_back("[turns …] says what it comes through");
    if (is_forward(e_)) {
      const std::string &x = e_.quantities[e_.xs[0]].name, &along = e_.quantities[e_.along].name;
      parts.push_back(fmt::format("{} is how fast {} moves while {} moves along {}", derivative_name(e_, e_.of), e_.y, x, along));
    }
    if (occurs("placed(")) parts.push_back("placed(v, [2]) are zeros with v at place 2");
    return parts.empty() ? "" : fmt::format("Key: {}.", fmt::join(parts, "; "));
  }

  void end() {
    if (e_.cost) {
      heading("Cost");
      wrapped(cost_text(e_));
    }
    const std::string signs = key();
    const auto shows = [&](Step::Kind kind) {
      return std::any_of(e_.visible.begin(), e_.visible.end(), [&](std::size_t id) { return e_.steps[id].kind == kind; });
    };
    const bool has_folded_loop = shows(Step::Kind::loop), has_statements = shows(Step::Kind::statement);
    if (e_.others.empty() && e_.folded.empty() && signs.empty() && !has_folded_loop && !has_statements) return;
    text_ += "\n";
    if (!signs.empty()) wrapped(signs, Role::quiet);
    if (has_statements) wrapped("The steps of one line are one step here: `--unfold=all` shows each.", Role::quiet);
    if (has_folded_loop) wrapped("A loop is folded: `--iteration=0` shows its first turn.", Role::quiet);
    if (!e_.folded.empty())
      wrapped(fmt::format("Folded: {}. `--unfold={}` shows the inside, `--unfold=all` of every one.",
                          fmt::format("{}", fmt::join(e_.folded, ", ")), e_.folded.front()),
              Role::quiet);
    if (!e_.others.empty())
      wrapped(fmt::format("Other derivatives of the script: {}. `--of={}` explains one.", fmt::format("{}", fmt::join(e_.others, ", ")),
                          e_.others.front()),
              Role::quiet);
  }

  const Explanation& e_;
  const TextOptions& options_;
  const Detail detail_;
  Shown shown_;
  std::string text_;
  std::string said_;  // forward
};

}  // namespace

std::string to_text(const Explanation& explanation, const TextOptions& options) {
  return Writer(explanation, options).run();
}

}  // namespace bpc::explain
