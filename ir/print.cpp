#include "ir/print.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>

#include "ir/text.h"

namespace bpc::ir {

namespace {

constexpr std::size_t kOriginColumn = 56;

std::string span_text(const Span& span) {
  if (!span.valid()) return "?";
  return fmt::format("{}:{}:{}-{}:{}", span.file, span.line, span.column, span.end_line, span.end_column);
}

std::string spans_text(const std::vector<Span>& spans) {
  std::string text;
  for (const Span& span : spans) text += fmt::format("{}{}", text.empty() ? "" : ", ", span_text(span));
  return text;
}

std::string origin_text(const Origin& origin) {
  if (origin == Origin{}) return "";
  std::string text = fmt::format("@{}", span_text(origin.span));
  if (!origin.calls.empty()) text += " in " + spans_text(origin.calls);
  if (!origin.path.empty()) text += " path " + quoted(origin.path);
  if (!origin.rule.empty()) text += " by " + quoted(origin.rule);
  if (!origin.joined.empty()) text += " also " + spans_text(origin.joined);
  return text;
}

// Whether %name needs no quotes: an identifier, perhaps with dots, that does not look like a name made unique ("x.2").
bool is_plain_name(std::string_view name) {
  if (name.empty()) return false;
  std::string undotted(name);
  std::replace(undotted.begin(), undotted.end(), '.', '_');
  if (!is_identifier(undotted)) return false;
  std::size_t last = name.find_last_not_of("0123456789");
  return name[last] != '.' || last + 1 == name.size();
}

struct AttrText {
  Element element;  // of the op's result: how its reals print

  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return real_text(value, element); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  template <class T>
  std::string operator()(const std::vector<T>& values) const {
    std::string text;
    for (const T& value : values) text += (text.empty() ? "" : ", ") + (*this)(value);
    return "[" + text + "]";
  }
};

const char* kind_word(Parameter::Kind kind) {
  switch (kind) {
    case Parameter::Kind::input:
      return "input";
    case Parameter::Kind::param:
      return "param";
    case Parameter::Kind::fitted:
      return "fitted";
  }
  return "";
}

class Printer {
 public:
  explicit Printer(const Function& function) : function_(function), texts_(function.value_count()) {}

  std::string run() {
    text_ = "func " + function_.name;
    if (!function_.loss.empty()) text_ += " loss " + quoted(function_.loss);
    text_ += " {\n";
    for (const Parameter& parameter : function_.parameters) {
      std::string from = parameter.classes == 0 ? "" : fmt::format(" of {}", parameter.classes);
      if (!parameter.source.empty()) from += " from " + quoted(parameter.source);
      line(1, with_origin(fmt::format("{} = {} {} : {}{}", define(parameter.value), kind_word(parameter.kind), quoted(parameter.path),
                                      type_text(function_.type(parameter.value)), from),
                          parameter.origin, 2));
    }
    for (OpId op : function_.block(function_.body()).ops) print_op(function_.op(op), 1);
    for (const Output& output : function_.outputs)
      line(1, fmt::format("output {} {} {}{}", output.kind == Output::Kind::value ? "value" : "gradient", quoted(output.path),
                          texts_[output.value.index], output.donor.empty() ? "" : " in " + quoted(output.donor)));
    return text_ + "}\n";
  }

 private:
  void line(std::size_t depth, const std::string& text) { text_ += std::string(2 * depth, ' ') + text + '\n'; }

  // `text`, which is to be indented by so much, and at its right where it comes from.
  std::string with_origin(std::string text, OriginId id, std::size_t indent = 0) const {
    const std::string origin = origin_text(function_.origin(id));
    const std::size_t width = indent + code_point_count(text);
    return origin.empty() ? text : text + std::string(std::max(width + 1, kOriginColumn) - width, ' ') + origin;
  }

  const std::string& define(ValueId id) {
    const std::string& name = function_.value(id).name;
    std::size_t turn = ++seen_[name];
    std::string& text = texts_[id.index];
    std::string shown = is_plain_name(name) ? name : quoted(name);
    if (name.empty())
      text = fmt::format("%{}", turn);
    else
      text = turn > 1 ? fmt::format("%{}.{}", shown, turn) : fmt::format("%{}", shown);
    return text;
  }

  std::string list(const std::vector<ValueId>& values) const {
    std::string text;
    for (ValueId value : values) text += fmt::format("{}{}", text.empty() ? "" : ", ", texts_[value.index]);
    return text;
  }

  void print_op(const Op& op, std::size_t depth) {
    std::string text(2 * depth, ' ');
    for (ValueId result : op.results) text += fmt::format("{}{}", result == op.results[0] ? "" : ", ", define(result));
    if (!op.results.empty()) text += " = ";
    text += op_info(op.code).name;
    if (!op.operands.empty()) text += fmt::format(" {}", list(op.operands));
    if (const std::string attributes = attributes_text(op); !attributes.empty()) text += fmt::format(" {{{}}}", attributes);
    for (ValueId result : op.results)
      text += fmt::format("{}{}", result == op.results[0] ? " : " : ", ", type_text(function_.type(result)));
    text_ += with_origin(std::move(text), op.origin);
    for (BlockId region : op.regions)
      print_region(function_.block(region), region != op.regions[0] ? second_region(op.code) : std::string(), depth);
    text_ += '\n';
  }

  // Those that are not as they would be if nothing were said.
  std::string attributes_text(const Op& op) const {
    const AttrText attr_text{op.results.empty() ? Element::f64 : function_.type(op.results[0]).element};
    std::string text;
    for (const auto& [attr, value] : op.attrs.items())
      if (value != default_value(attr))
        text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", attr_info(attr).name, std::visit(attr_text, value));
    return text;
  }

  static std::string second_region(Opcode code) { return fmt::format(" {}", region_word(code)); }

  void print_region(const Block& block, const std::string& introduction, std::size_t depth) {
    text_ += introduction;
    for (ValueId argument : block.arguments) {
      text_ += argument == block.arguments[0] ? " (" : ", ";
      text_ += define(argument) + " : " + type_text(function_.type(argument));
    }
    text_ += block.arguments.empty() ? " {\n" : ") {\n";
    for (OpId op : block.ops) print_op(function_.op(op), depth + 1);
    line(depth + 1, block.yields.empty() ? "yield" : "yield " + list(block.yields));
    text_ += std::string(2 * depth, ' ') + "}";
  }

  const Function& function_;
  std::vector<std::string> texts_;  // of each value defined so far
  std::unordered_map<std::string, std::size_t> seen_;
  std::string text_;
};

}  // namespace

std::string print(const Module& module) {
  std::string text = fmt::format("module real={} seed={}\n", element_name(module.real), module.seed);
  for (std::size_t i = 0; i < module.files.size(); ++i) text += fmt::format("file {} {}\n", i, quoted(module.files[i]));
  if (!module.initial.outputs.empty() || !module.initial.parameters.empty()) text += fmt::format("\n{}", Printer(module.initial).run());
  text += fmt::format("\n{}", Printer(module.main).run());
  return text;
}

}  // namespace bpc::ir
