#include "tools/bpc/rule_book.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/builtins.h"
#include "frontend/lower/prelude.h"
#include "frontend/write_script.h"
#include "ir/derivatives.h"
#include "ir/shape_rules.h"
#include "support/internal_error.h"

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
      return "Sources";
    case ir::Group::random:
      return "Random draws";
    case ir::Group::tape:
      return "Tapes";
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
  main.name = "main";
  std::vector<std::string> lines;
  const std::string text = frontend::write_script({{}, Element::f32, 0, {std::move(main)}});
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
    const Type* declared = example_.declared.empty() ? nullptr : example_.declared.data();
    auto types = ir::infer_types({op.code, example_.operands, example_.attrs, declared, false});
    if (!std::holds_alternative<std::vector<Type>>(types)) throw InternalError("rules", fmt::format("bad example of {}", op.name));
    type_ = std::get<std::vector<Type>>(types)[0];
  }

  // Empty where every shape has the same formulas.
  std::string example() {
    if (std::all_of(example_.operands.begin(), example_.operands.end(), [](const Type& type) { return type.is_scalar(); })) return {};
    const Type* declared = example_.declared.empty() ? nullptr : example_.declared.data();
    ir::Function alone = function_;
    ir::Builder builder(alone);
    alone.outputs.push_back({ir::Output::Kind::value, result_, builder.emit(op_.code, operands_, example_.attrs, declared)});
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

Rule rule_of(const ir::OpInfo& op) {
  Rule rule{std::string(op.spelling.empty() ? op.name : op.spelling), heading(op.group), {}, std::string(op.doc), {}, {}, {}, {}};
  Example example = example_of(op);
  rule.shape = example.shape;
  const std::vector<std::string> names = example.names;
  if (rule.name == "not")
    rule.usage = "not x";
  else if (!is_word(rule.name) || rule.name == "and" || rule.name == "or")
    rule.usage = names.size() == 1 ? rule.name + names[0] : fmt::format("{} {} {}", names[0], rule.name, names[1]);
  else
    rule.usage = fmt::format("{}({})", rule.name, op.signature);
  if (names.empty()) return rule;
  Symbolic symbolic(op, std::move(example));
  if (op.spelling.empty() || !symbolic.example().empty()) rule.example = symbolic.example();
  rule.formulas = symbolic.formulas();
  return rule;
}

// The first line of the comment above a library function says what it is; its text goes to where the comment of the next one begins.
Rule rule_of(const frontend::PreludeFunction& function) {
  std::string text(function.text);
  while (true) {
    std::size_t last = text.find_last_not_of('\n');
    text.erase(last == std::string::npos ? 0 : last + 1);
    std::size_t line = text.rfind('\n');
    if (line == std::string::npos || text[line + 1] != '#') break;
    text.erase(line);
  }
  const std::string head = text.substr(3, text.find(')') - 2);
  return {std::string(function.name), "Library functions, in the language itself", head, std::string(function.comment), {}, {}, {}, text};
}

}  // namespace

std::vector<Rule> rule_book() {
  std::vector<Rule> rules;
  for (const ir::OpInfo& op : ir::all_ops())
    if (!heading(op.group).empty()) rules.push_back(rule_of(op));
  for (const frontend::PreludeFunction& function : frontend::prelude_functions()) rules.push_back(rule_of(function));
  for (const frontend::BuiltinSignature& builtin : frontend::builtin_signatures())
    rules.push_back({std::string(builtin.name),
                     "Made of these by the compiler",
                     fmt::format("{}({})", builtin.name, builtin.parameters),
                     {},
                     {},
                     {},
                     {},
                     {}});
  return rules;
}

}  // namespace bpc::tool
