#include "tools/bpc/rule_book.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/builtins/builtins.h"
#include "frontend/prelude/prelude.h"
#include "frontend/write_script.h"
#include "ir/derivatives.h"
#include "ir/shape_rules.h"
#include "runtime/number_text.h"
#include "support/internal_error.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

namespace {

using ir::ValueId;

// The heading of a group; empty for what the reverse sweep handles itself, region by region.
std::string heading(ir::Group group) {
  switch (group) {
    case ir::Group::elementwise:
      return "Elementwise";
    case ir::Group::reduction:
      return "Reductions and scans";
    case ir::Group::contraction:
      return "Contractions";
    case ir::Group::movement:
      return "Movement";
    case ir::Group::library:
      return "Linear algebra and sorting";
    case ir::Group::source:
    case ir::Group::random:
    case ir::Group::tape:  // functions of the front end are their doors
    case ir::Group::control:
    case ir::Group::effect:
    case ir::Group::derivative:
      return {};
  }
  return {};
}

bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// The statements of a script whose values are main's outputs, without the declarations of its inputs.
std::vector<std::string> statements(ir::Function main) {
  std::vector<std::string> lines;
  const std::string text = frontend::write_script({{}, Element::f32, 0, std::move(main)}, SIZE_MAX);  // a line each
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    if (std::string line = text.substr(at, end - at); !line.empty() && !line.starts_with("input ")) lines.push_back(std::move(line));
  return lines;
}

// An operator on symbols: what its example is in the language, and what the cotangent of its result contributes to each operand's.
class Symbolic {
 public:
  Symbolic(const ir::OpInfo& op, Example example) : op_(op), example_(std::move(example)), builder_(function_) {
    for (std::size_t i = 0; i < example_.names.size(); ++i) operands_.push_back(input(example_.names[i], example_.operands[i]));
    bool has_y = std::find(example_.names.begin(), example_.names.end(), "y") != example_.names.end();
    result_ = has_y ? "z" : "y";
    auto types = ir::infer_types({op.code, example_.operands, example_.attrs, nullptr, false});
    if (!std::holds_alternative<std::vector<Type>>(types)) throw InternalError("rules", fmt::format("bad example of {}", op.name));
    type_ = std::get<std::vector<Type>>(types)[0];
  }

  // Empty where every shape has the same formulas.
  std::string example() {
    if (std::all_of(example_.operands.begin(), example_.operands.end(), [](const Type& type) { return type.is_scalar(); })) return {};
    ir::Function alone = function_;
    ir::Builder builder(alone);
    alone.outputs.push_back({ir::Output::Kind::value, result_, builder.emit(op_.code, operands_, example_.attrs)});
    std::vector<std::string> shapes;
    for (std::size_t i = 0; i < operands_.size(); ++i)
      shapes.push_back(
          fmt::format("{} {}", example_.names[i], example_.operands[i].is_scalar() ? "a number" : shape_text(example_.operands[i].dims)));
    return fmt::format("{} with {}", fmt::join(statements(std::move(alone)), "; "), fmt::join(shapes, ", "));
  }

  std::vector<std::string> formulas() {
    if (!is_real(type_.element)) return {};
    ValueId y = input(result_, type_), dy = input("d" + result_, type_);
    ir::StaticFacts facts(function_);
    std::vector<std::string> zero;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      if (!is_real(example_.operands[i].element)) continue;
      const std::string name = "d" + example_.names[i];
      auto part = ir::contribution({builder_, facts, {op_.code, operands_, {y}, example_.attrs, {}, {}, function_.body()}, dy, false}, i);
      if (part)
        function_.outputs.push_back({ir::Output::Kind::value, name, ir::fit_to(builder_, *part, example_.operands[i])});
      else
        zero.push_back(name + " = 0");
    }
    std::vector<std::string> lines = function_.outputs.empty() ? std::vector<std::string>() : statements(function_);
    lines.insert(lines.end(), zero.begin(), zero.end());
    return lines;
  }

 private:
  ValueId input(const std::string& name, const Type& type) { return function_.add_parameter(ir::Parameter::Kind::input, name, type); }

  const ir::OpInfo& op_;
  const Example example_;
  ir::Function function_;
  ir::Builder builder_;
  std::vector<ValueId> operands_;
  std::string result_;
  Type type_;
};

// Nullopt where scripts have no name or notation for the operator: a function of the front end is its door.
std::optional<Rule> rule_of(const ir::OpInfo& op) {
  if (heading(op.group).empty()) return std::nullopt;
  Example example = example_of(op);
  const bool is_notation = op.spelling.empty();
  if (is_notation && example.usage.empty()) return std::nullopt;
  Rule rule;
  rule.name = is_notation ? example.notation : std::string(op.spelling);
  rule.group = heading(op.group);
  rule.doc = is_notation ? example.sentence : std::string(op.doc);
  rule.shape = example.shape;
  rule.example = is_notation ? example.script : std::string(op.example);
  const std::vector<std::string> names = example.names;
  if (is_notation)
    rule.usage = example.usage;
  else if (rule.name == "not")
    rule.usage = "not x";
  else if (!is_word(rule.name) || rule.name == "and" || rule.name == "or")
    rule.usage = names.size() == 1 ? rule.name + names[0] : fmt::format("{} {} {}", names[0], rule.name, names[1]);
  else
    rule.usage = fmt::format("{}({})", rule.name, ir::signature_text(op.signature));
  Symbolic symbolic(op, std::move(example));
  rule.formulas_for = symbolic.example();
  rule.formulas = symbolic.formulas();
  return rule;
}

// A formula that an `adjoint` of one assignment is, or else where the derivative comes from.
std::string derivative_of(const std::string& definition) {
  const std::size_t rule = definition.find("\nadjoint ");
  if (rule == std::string::npos) return "of its definition";
  const std::size_t open = definition.find('{', rule), close = definition.rfind('}');
  const std::string body = definition.substr(open + 1, close - open - 1);
  return body.find('\n') == std::string::npos ? body.substr(1, body.size() - 2) : "of its adjoint rule";
}

// The text of a function goes to where the comment of the next one begins.
std::string definition_of(const frontend::PreludeFunction& function) {
  std::string text(function.text);
  while (true) {
    std::size_t last = text.find_last_not_of('\n');
    text.erase(last == std::string::npos ? 0 : last + 1);
    std::size_t line = text.rfind('\n');
    if (line == std::string::npos || text[line + 1] != '#') return text;
    text.erase(line);
  }
}

// Parameters on one line, whatever lines the definition has them on.
std::string on_one_line(const std::string& text) {
  std::string line;
  for (char c : text)
    if (c != '\n' && !(c == ' ' && (line.empty() || line.back() == ' ' || line.back() == '('))) line += c;
  return line.ends_with(" )") ? line.substr(0, line.size() - 2) + ")" : line;
}

Rule rule_of(const frontend::PreludeFunction& function) {
  const std::string definition = definition_of(function);
  Rule rule;
  rule.name = function.name;
  rule.group = "Library functions, in the language itself";
  rule.usage = on_one_line(definition.substr(3, definition.find(')') - 2));
  rule.doc = function.help.sentence;
  rule.shape = function.help.shape;
  rule.formulas = {derivative_of(definition)};
  rule.definition = definition;
  rule.example = function.help.example;
  return rule;
}

Rule rule_of(const frontend::BuiltinInfo& builtin) {
  Rule rule;
  rule.name = builtin.name;
  rule.group = "Functions that the compiler makes of these";
  rule.usage = fmt::format("{}({})", builtin.name, ir::signature_text(builtin.signature));
  rule.doc = builtin.help.sentence;
  rule.shape = builtin.help.shape;
  rule.formulas = {std::string(builtin.help.derivative)};
  rule.example = builtin.help.example;
  return rule;
}

}  // namespace

std::vector<Rule> rule_book() {
  std::vector<Rule> rules;
  for (const ir::OpInfo& op : ir::all_ops())
    if (auto rule = rule_of(op)) rules.push_back(std::move(*rule));
  for (const frontend::BuiltinInfo& builtin : frontend::all_builtins())
    if (builtin.help.is_given()) rules.push_back(rule_of(builtin));
  for (const frontend::PreludeFunction& function : frontend::prelude_functions())
    if (function.help.is_given()) rules.push_back(rule_of(function));
  return rules;
}

std::string result_of(const std::string& example) {
  const std::size_t semicolon = example.rfind("; ");
  const std::string before = semicolon == std::string::npos ? "" : example.substr(0, semicolon + 2);
  std::string last = example.substr(before.size());
  const bool binds = last.find(" = ") < last.find('(');  // and is not part of `fn(x) = …`
  if (!binds) last = "y = " + last;
  const std::string names = ", " + last.substr(0, last.find(" = ")) + ",";
  Options options;
  options.backend = Backend::interp;
  Session session(options);
  auto program = load_script(session, session.sources.add("<example>", before + last + "\n"));
  auto script = program ? lower_script(session, std::move(*program), DataNeed::values) : std::nullopt;
  auto result = script ? run_script(session, std::move(*script), {true, false}, run_options(options, {})) : std::nullopt;
  if (!result) throw InternalError("rules", fmt::format("the example `{}` does not run", example));
  std::string text;
  for (const RunValue& value : result->values) {
    if (names.find(fmt::format(" {},", value.path)) == std::string::npos) continue;
    if (!text.empty()) text += "; ";
    if (binds) text += value.path + " = ";
    text += on_one_line(runtime::tensor_text(value.tensor, true));
  }
  return text;
}

}  // namespace bpc::tool
