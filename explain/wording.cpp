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

// Where a character stands outside of brackets; npos for nowhere.
std::size_t find_outside(const std::string& text, std::string_view characters, std::size_t from) {
  int depth = 0;
  for (std::size_t at = from; at < text.size(); ++at) {
    if (depth == 0 && characters.find(text[at]) != std::string_view::npos) return at;
    if (text[at] == '(' || text[at] == '[') ++depth;
    if (text[at] == ')' || text[at] == ']') --depth;
  }
  return std::string::npos;
}

// Those along the last axis that are > 0 for nothing: ", none of unit 2"; empty where there are none.
std::string closed_units(const Tensor& value) {
  constexpr std::int64_t kMost = 3;
  const std::int64_t units = value.type().rank() < 2 ? 0 : value.type().size(value.type().rank() - 1);
  std::vector<std::string> closed;
  std::int64_t count = 0;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    bool is_open = false;
    for (std::int64_t i = unit; i < value.count(); i += units) is_open = is_open || value.real_at(i) > 0;
    if (!is_open && ++count <= kMost) closed.push_back(std::to_string(unit));
  }
  if (count == 0) return "";
  return fmt::format(", none of unit{} {}{}", count == 1 ? "" : "s", fmt::join(closed, ", "), count > kMost ? " …" : "");
}

// What a statement gives: of `total += a` that is "total + a", of `x[i] = v` it is "x with [i] = v".
std::string as_value(const std::string& text) {
  const std::size_t at = find_outside(text, "=", 0);
  const bool is_comparison = at != std::string::npos && (text.substr(at, 2) == "==" ||
                                                         (at > 0 && std::string_view("=<>!").find(text[at - 1]) != std::string_view::npos));
  if (at == std::string::npos || at < 2 || is_comparison) return text;
  const char sign = text[at - 1];
  std::string left = text.substr(0, at - 1), right = text.substr(at + 1);
  while (left.ends_with(' ')) left.pop_back();
  right = right.substr(std::min(right.find_first_not_of(' '), right.size()));
  const std::size_t bracket = find_outside(left, "[", 0);
  const bool is_sum = std::string_view("+-*/").find(sign) != std::string_view::npos;
  if (bracket != std::string::npos) return fmt::format("{} with {}", left.substr(0, bracket), text.substr(bracket));
  if (!is_sum) return text;
  const bool wants_brackets = sign != '+' && find_outside(right, "+-", 1) != std::string::npos;
  return fmt::format(fmt::runtime(wants_brackets ? "{} {} ({})" : "{} {} {}"), left, sign, right);
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
  std::size_t active = 0, given = 0;
  for (ValueId each : inputs_of(cluster)) {
    const bool is_active = graph_.is_active[each.index];
    if (is_active && names_.contains(each)) ++active;
    if (!is_active && is_real(trace_.function.type(each).element) && trace_.function.type(each).rank() > 0) ++given;
  }
  const auto name = names_.find(input);
  if (name == names_.end()) return "";
  if (active == 1 && given == 0 && uses == 1) return fmt::format("{}'({})", function, name->second);
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

// The author's text of a place, where each part that gives one of these values has that value's name; nullopt where such a part stands on
// several lines.
std::optional<std::string> Wording::with_names(const Span& place, const std::vector<ValueId>& inputs) const {
  std::vector<Replacement> replacements;
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
  if (replacements.empty()) return namer_.text_of(place);
  if (place.line != place.end_line) return std::nullopt;
  std::sort(replacements.begin(), replacements.end(),
            [](const Replacement& a, const Replacement& b) { return a.place.column > b.place.column; });
  std::string text;
  Span rest = place;
  std::uint32_t from = place.end_column;
  for (const Replacement& each : replacements) {
    if (each.place.end_column > from) continue;  // within one that was replaced
    rest.column = each.place.end_column, rest.end_column = from;
    text = each.name + sources_.text(rest) + text;
    from = each.place.column;
  }
  rest.column = place.column, rest.end_column = from;
  return sources_.text(rest) + text;
}

bool Wording::is_at_top(std::size_t scope) const {
  const std::vector<std::size_t> scopes = path_to(trace_, scope);
  return std::all_of(scopes.begin(), scopes.end(), [&](std::size_t each) { return trace_.scopes[each].kind != Scope::Kind::call; });
}

std::string Wording::expression(const Cluster& cluster, const std::optional<Formula>& formula) const {
  const Span place = namer_.place_of(cluster);
  const std::string written = formula ? text_of(*formula) : "";
  const std::string whole = namer_.text_of(place);
  const Op& root = trace_.function.op(cluster.root);
  const bool is_same =
      root.code == Opcode::reshape && trace_.function.type(root.operands[0]).sizes() == trace_.function.type(root.results[0]).sizes();
  if (whole.empty() || is_same) return written;
  const std::vector<ValueId> inputs = inputs_of(cluster);
  const bool is_short = !written.empty() && width_of(written) <= kLongest;
  if (is_if_of_each(root)) return is_short ? written : fmt::format("where({}, …, …)", whole);
  const std::optional<std::string> named = with_names(place, inputs);
  if (!named) return is_short ? written : whole;
  std::string text = *named;
  while (text.size() > 2 && text.front() == '(' && text.back() == ')' && text.find(')') == text.size() - 1)
    text = text.substr(1, text.size() - 2);
  if (std::optional<std::string> by_names = renamed(text, inputs, is_at_top(cluster.scope))) return as_value(*by_names);
  const bool moves = written.find("reshape(") != std::string::npos || written.find("transpose(") != std::string::npos;
  return is_short && !moves ? written : as_value(whole);
}

std::string Wording::call(const Span& place, const std::vector<ValueId>& inputs, std::size_t scope) const {
  const std::optional<std::string> named = with_names(place, inputs);
  const std::optional<std::string> all = named ? renamed(*named, inputs, is_at_top(scope)) : std::nullopt;
  return all ? *all : namer_.text_of(place);
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
    return fmt::format("{} of {} are > 0{}", passing, value.count(), passing == 0 ? "" : closed_units(value));
  }
  return "";
}

ValueId Wording::condition_of(const Op& select) const {
  ValueId condition = select.operands[0];
  for (const Op* made = trace_.function.def(condition); made && is_movement(made->code); made = trace_.function.def(condition))
    condition = made->operands[0];
  return condition;
}

bool Wording::is_if_of_each(const Op& op) const {
  if (op.code != Opcode::select || trace_.function.type(op.results[0]).is_scalar()) return false;
  const ValueId condition = condition_of(op);
  const Span place = namer_.place_of(op.results[0]);  // of an `if`, that of its condition
  const std::string text = namer_.text_of(place);
  return !text.empty() && (namer_.place_of(condition) == place || namer_.authors_name(condition) == text);
}

Decision Wording::decision(const Branch& branch, std::optional<std::int64_t> turn) const {
  const Span condition = namer_.place_of(branch.condition);
  const Span place = condition.valid() && !sources_.is_in_prelude(condition) ? condition : branch.place;
  Decision decision{place, namer_.text_of(place), "", branch.taken, turn, {}};
  if (!trace_.function.type(branch.condition).is_scalar()) decision.each = trace_.value(branch.condition);
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
