#include "explain/wording.h"

#include <fmt/format.h>

#include <algorithm>

namespace bpc::explain {

using ir::is_arithmetic;
using ir::is_movement;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;
using runtime::Tensor;

namespace {

constexpr std::size_t kLongest = 60;  // of a formula in place of the author's expression

// Whether a place is a part of another one.
bool is_within(const Span& part, const Span& whole) {
  const auto start = [](const Span& span) { return std::pair(span.line, span.column); };
  const auto end = [](const Span& span) { return std::pair(span.end_line, span.end_column); };
  return part.file == whole.file && part != whole && start(part) >= start(whole) && end(part) <= end(whole);
}

bool starts_word(unsigned char c) {
  return std::isalpha(c) || c == '_' || c >= 0x80;
}
bool is_word(unsigned char c) {
  return starts_word(c) || std::isdigit(c);
}

}  // namespace

// All that its ops read from outside.
std::vector<ValueId> Wording::inputs_of(const Cluster& cluster) const {
  std::vector<ValueId> inputs;
  for (OpId id : cluster.ops)
    for (ValueId operand : trace_.function.op(id).operands)
      if (std::find(inputs.begin(), inputs.end(), operand) == inputs.end()) inputs.push_back(operand);
  return inputs;
}

std::string Wording::function_of(const Cluster& cluster) const {
  const Op& root = trace_.function.op(cluster.root);
  const std::size_t scope = trace_.scope_of[cluster.root.index];
  if (trace_.scopes[scope].kind == Scope::Kind::library || !root.regions.empty()) {
    const std::string text = namer_.text_of(namer_.place_of(cluster));
    const std::size_t bracket = text.find('(');
    const bool is_call =
        bracket != std::string::npos && std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bracket), is_word);
    return is_call ? text.substr(0, bracket) : "";
  }
  if (is_arithmetic(root.code) || is_movement(root.code)) return "";
  return std::string(ir::op_info(root.code).spelling);
}

std::string Wording::notation(const Cluster& cluster, ValueId input, std::size_t uses) const {
  const std::string function = function_of(cluster);
  if (function.empty() || !is_word(static_cast<unsigned char>(function[0]))) return "";
  std::size_t active = 0;
  for (ValueId each : inputs_of(cluster))
    if (names_.contains(each) && graph_.is_active[each.index]) ++active;
  const auto name = names_.find(input);
  if (name == names_.end()) return "";
  if (active == 1 && uses == 1) return fmt::format("{}'({})", function, name->second);
  return active == 1 || uses == 1 ? fmt::format("∂{}/∂{}", function, name->second) : "";
}

// The author's text with his names replaced by those of the values; nullopt where one of them is of no input, and may be a parameter of a
// function: at the top, it is what he calls it.
std::optional<std::string> Wording::renamed(const std::string& text, const std::vector<ValueId>& inputs, bool is_at_top) const {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (text[at] == '"') {
      const std::size_t end = std::min(text.find('"', at + 1), text.size() - 1) + 1;
      result += text.substr(at, end - at);
      at = end;
      continue;
    }
    if (!starts_word(c)) {
      const std::size_t start = at++;
      while (at < text.size() && std::isdigit(c) && (is_word(static_cast<unsigned char>(text[at])) || text[at] == '.')) ++at;  // a number
      result += text.substr(start, at - start);
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && (is_word(static_cast<unsigned char>(text[end])) ||
                                 (text[end] == '.' && text.substr(end, 2) != ".T" && text.substr(end, 2) != "..")))
      ++end;
    const std::string word = text.substr(at, end - at);
    const bool is_called = end < text.size() && text[end] == '(',
               is_argument = end < text.size() && text[end] == '=' && text.substr(end, 2) != "==";
    at = end;
    std::set<std::string> meant;
    for (ValueId input : inputs) {
      const auto name = names_.find(input);
      if (name != names_.end() && (name->second == word || namer_.authors_name(input) == word)) meant.insert(name->second);
    }
    const bool is_keyword =
        word == "if" || word == "else" || word == "and" || word == "or" || word == "not" || word == "pi" || word == "by";
    if (is_called || is_argument || is_keyword || word == "T")
      result += word;
    else if (meant.size() == 1)
      result += *meant.begin();
    else if (is_at_top)
      result += word;
    else
      return std::nullopt;
  }
  return result;
}

std::string Wording::expression(const Cluster& cluster, const std::optional<Formula>& formula) const {
  const Span place = namer_.place_of(cluster);
  const std::string written = formula ? text_of(*formula) : "";
  const std::string whole = namer_.text_of(place);
  if (whole.empty()) return written;
  std::vector<Replacement> replacements;
  const std::vector<ValueId> inputs = inputs_of(cluster);
  for (ValueId input : inputs) {
    const auto name = names_.find(input);
    const Op* made = trace_.function.def(input);
    if (name == names_.end() || !made || !namer_.authors_name(input).empty()) continue;
    // Where the value itself was computed, or the call that gave it.
    std::vector<Span> places = trace_.function.origin(made->origin).calls;
    places.insert(places.begin(), namer_.place_of(input));
    const auto part = std::find_if(places.begin(), places.end(), [&](const Span& each) { return is_within(each, place); });
    if (part != places.end()) replacements.push_back({*part, name->second});
  }
  std::string text = whole;
  if (!replacements.empty()) {
    if (place.line != place.end_line) return written.empty() || width_of(written) > kLongest ? whole : written;
    std::sort(replacements.begin(), replacements.end(),
              [](const Replacement& a, const Replacement& b) { return a.place.column > b.place.column; });
    text.clear();
    Span rest = place;
    std::uint32_t from = place.end_column;
    for (const Replacement& each : replacements) {
      if (each.place.end_column > from) continue;  // within one that was replaced
      rest.column = each.place.end_column, rest.end_column = from;
      text = each.name + sources_.text(rest) + text;
      from = each.place.column;
    }
    rest.column = place.column, rest.end_column = from;
    text = sources_.text(rest) + text;
  }
  while (text.size() > 2 && text.front() == '(' && text.back() == ')' && text.find(')') == text.size() - 1)
    text = text.substr(1, text.size() - 2);
  const std::vector<std::size_t> scopes = path_to(trace_, cluster.scope);
  const bool is_at_top =
      std::all_of(scopes.begin(), scopes.end(), [&](std::size_t scope) { return trace_.scopes[scope].kind != Scope::Kind::call; });
  if (std::optional<std::string> by_names = renamed(text, inputs, is_at_top)) return *by_names;
  const bool is_short = !written.empty() && width_of(written) <= kLongest;
  return is_short ? written : whole;
}

std::string Wording::why(const Formula& factor, const Explanation& explanation) const {
  const Formula* decided = &factor;
  if (decided->is(Formula::Kind::negative)) decided = &decided->parts[0];
  const bool is_step = decided->is(Formula::Kind::call) && decided->text == "step" && decided->parts.size() == 1 &&
                       decided->parts[0].is(Formula::Kind::name);
  if (!is_step) return "";
  for (const Quantity& quantity : explanation.quantities) {
    if (quantity.name != decided->parts[0].text) continue;
    const Tensor& value = quantity.value;
    if (is_scalar(value)) return fmt::format("{} {} 0", number_text(value.real_at(0)), value.real_at(0) > 0 ? ">" : "≤");
    std::int64_t passing = 0;
    for (std::int64_t i = 0; i < value.count(); ++i) passing += value.real_at(i) > 0 ? 1 : 0;
    return fmt::format("{} of {} are > 0", passing, value.count());
  }
  return "";
}

Decision Wording::decision(const Branch& branch, std::optional<std::int64_t> turn) const {
  const Span condition = namer_.place_of(branch.condition);
  const Span place = condition.valid() && !sources_.is_in_prelude(condition) ? condition : branch.place;
  Decision decision{place, namer_.text_of(place), "", branch.taken, turn};
  const Op* made = trace_.function.def(branch.condition);
  if (!made) return decision;
  const auto number = [&](ValueId value) {
    const Tensor& tensor = trace_.value(value);
    return is_scalar(tensor) ? number_text(tensor.real_at(0)) : std::string();
  };
  const std::string sign(ir::op_info(made->code).spelling);
  if (made->operands.size() == 2 && !number(made->operands[0]).empty() && !number(made->operands[1]).empty())
    decision.numbers = fmt::format("{} {} {}", number(made->operands[0]), sign, number(made->operands[1]));
  return decision;
}

}  // namespace bpc::explain
