#include "explain/naming.h"

#include <fmt/format.h>

#include <algorithm>

namespace bpc::explain {

using ir::is_arithmetic;
using ir::is_movement;
using ir::Op;
using ir::Opcode;
using ir::ValueId;

namespace {

constexpr std::size_t kLongestName = 24;  // of a text that stands for a value nobody named

std::string raised(std::int64_t number) {
  static const char* const kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text;
  for (char digit : std::to_string(number)) text += digit == '-' ? "⁻" : kDigits[digit - '0'];
  return fmt::format("⁽{}⁾", text);
}

std::string digits_at_end(const std::string& name) {
  std::size_t at = name.size();
  while (at > 0 && std::isdigit(static_cast<unsigned char>(name[at - 1]))) --at;
  return at == 0 ? "" : name.substr(at);
}

}  // namespace

Namer::Namer(const Trace& trace, const Graph& graph, const SourceMap& sources, std::set<std::string> taken)
    : trace_(trace), graph_(graph), sources_(sources), words_(taken), taken_(std::move(taken)) {}

std::string Namer::text_of(const Span& place) const {
  if (!place.valid() || sources_.is_in_prelude(place)) return "";
  std::string text;
  for (char c : sources_.text(place)) {
    const bool is_space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!is_space || (!text.empty() && text.back() != ' ')) text += is_space ? ' ' : c;
  }
  return text;
}

std::string Namer::loop_text(const Span& place) const {
  if (!place.valid()) return "";
  std::string text(sources_.line_text(place.file, place.line));
  text = text.substr(std::min(text.find_first_not_of(" \t}"), text.size()));
  text = text.substr(0, text.find('{'));
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string Namer::call_that_gives(ValueId value, std::size_t calls) const {
  const Op* made = trace_.function.def(value);
  if (!made || !authors_name(value).empty()) return "";
  const ir::Origin& origin = trace_.function.origin(made->origin);
  if (!origin.rule.empty()) return "";
  const std::string text = origin.calls.size() <= calls ? "" : text_of(origin.calls[origin.calls.size() - 1 - calls]);
  return text.substr(0, std::min(text.find('('), text.size()));
}

Span Namer::place_of(ValueId value) const {
  const ir::Function& function = trace_.function;
  const Op* made = function.def(value);
  if (!made) {
    for (const ir::Parameter& parameter : function.parameters)
      if (parameter.value == value) return function.origin(parameter.origin).span;
    return {};
  }
  const ir::Origin& origin = function.origin(made->origin);
  if (!origin.rule.empty()) return {};
  return sources_.authors_place(origin.span, origin.calls);
}

Span Namer::place_of(const Cluster& cluster) const {
  return place_of(trace_.function.op(cluster.root).results[0]);
}

std::string Namer::authors_name(ValueId value) const {
  const std::string& name = trace_.names[value.index];
  const std::string last = name.substr(name.find_last_of('.') + 1);
  const bool is_in_script = words_.contains(last) || (trace_.function.def(value) == nullptr && !name.empty());
  if (!name.empty() && is_in_script) return name;  // a function of the library may have named it as well
  const Op* made = trace_.function.def(value);
  if (made && made->code == Opcode::variable) return authors_name(made->operands[0]);
  return "";
}

std::string Namer::fresh(const std::string& letter, std::size_t number) {
  std::string name = fmt::format("{}{}", letter, number);
  while (!taken_.insert(name).second) name = fmt::format("{}{}", letter, ++number);
  return name;
}

std::string Namer::textbook_name(ValueId value) {
  const ir::Function& function = trace_.function;
  const Op* made = function.def(value);
  const std::size_t own = made ? graph_.cluster_of[function.value(value).op.index] : SIZE_MAX;
  if (own == SIZE_MAX || !graph_.is_active[value.index]) {
    const std::string text = text_of(place_of(value));
    if (!text.empty() && width_of(text) <= kLongestName) return text;
    return fresh("c", 1);
  }
  const Op& root = function.op(graph_.clusters[own].root);
  const bool is_function = !is_arithmetic(root.code) && !is_movement(root.code);
  if (is_function) {
    for (ValueId operand : root.operands)  // a1 = relu(z1)
      if (const auto known = names_.find(operand); known != names_.end() && known->second.starts_with('z'))
        if (const std::string digits = digits_at_end(known->second); !digits.empty() && taken_.insert("a" + digits).second)
          return "a" + digits;
    return fresh("a", 1);
  }
  for (const Cluster& reader : graph_.clusters) {
    const Op& reading = function.op(reader.root);
    const bool reads = std::find(reading.operands.begin(), reading.operands.end(), value) != reading.operands.end();
    if (!reads || is_arithmetic(reading.code) || is_movement(reading.code) || reader.results.empty()) continue;
    const std::string digits = digits_at_end(authors_name(reader.results[0]));
    if (!digits.empty() && taken_.insert("z" + digits).second) return "z" + digits;
    break;
  }
  return fresh("z", 1);
}

// Of values that are called alike: by the turn they belong to, by the call they stand in, or by strokes.
std::string Namer::distinct(ValueId value, const std::string& name, const std::set<std::string>& used) const {
  const Op* made = trace_.function.def(value);
  if (made) {
    for (std::size_t scope = trace_.scope_of[trace_.function.value(value).op.index]; scope != 0; scope = trace_.scopes[scope].parent) {
      if (trace_.scopes[scope].kind != Scope::Kind::turn) continue;
      if (const std::string turned = name + raised(trace_.scopes[scope].turn); !used.contains(turned)) return turned;
    }
    const auto path_of = [&](ValueId each) {
      const Op* op = trace_.function.def(each);
      return op ? trace_.function.origin(op->origin).path : std::string();
    };
    const std::string path = path_of(value);
    const bool is_alone =
        std::none_of(names_.begin(), names_.end(), [&](const auto& each) { return each.second == name && path_of(each.first) == path; });
    if (!path.empty() && is_alone && name.find('.') == std::string::npos) {
      const std::string within = fmt::format("{}.{}", path.substr(0, path.find('.')), name);
      if (!used.contains(within)) return within;
    }
  }
  std::string stroked = name;
  while (used.contains(stroked)) stroked += "′";
  return stroked;
}

Naming Namer::name(const std::set<ValueId>& values) {
  names_.clear();
  std::map<std::string, std::size_t> count;
  for (ValueId value : values) ++count[authors_name(value)];
  std::set<std::string> used;
  // Parameters keep their names, whoever else has them.
  std::vector<ValueId> order(values.begin(), values.end());
  std::stable_partition(order.begin(), order.end(), [&](ValueId value) { return !trace_.function.def(value); });
  for (ValueId value : order) {
    const auto cotangent = trace_.cotangent_of.find(value.index);
    std::string name = authors_name(value);
    if (name.empty() && cotangent != trace_.cotangent_of.end()) {
      const auto of = [&](ValueId each) {
        const auto known = names_.find(each);
        if (known != names_.end()) return known->second;
        const std::string called = call_that_gives(each, cotangent->second.calls);
        return called.empty() ? authors_name(each) : called;
      };
      const std::string y = of(cotangent->second.y), x = of(cotangent->second.x);
      if (!y.empty() && !x.empty()) name = derivative_name(y, x);
    }
    if (name.empty() && trace_.sweep && value == trace_.sweep->y) name = call_that_gives(value, trace_.sweep->calls);
    if (name.empty()) name = textbook_name(value);
    const bool is_turned = count[authors_name(value)] > 1 && !authors_name(value).empty() && trace_.function.def(value);
    bool is_in_turn = false;
    for (std::size_t scope = is_turned ? trace_.scope_of[trace_.function.value(value).op.index] : 0; scope != 0;
         scope = trace_.scopes[scope].parent)
      is_in_turn |= trace_.scopes[scope].kind == Scope::Kind::turn;
    if (used.contains(name) || is_in_turn) name = distinct(value, name, used);
    used.insert(name);
    names_[value] = name;
  }
  return names_;
}

}  // namespace bpc::explain
