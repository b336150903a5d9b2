// Comprehensions, checkpoints and functions with an adjoint rule: regions that are one expression, or the body of a function.
#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/builtins.h"
#include "frontend/script/function_writer.h"
#include "ir/clone.h"
#include "ir/text.h"

namespace bpc::frontend::script {

using ir::Block;
using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

// "h1.dense_2" as "dense_2"
std::string last_step(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

// The function that the author called in the region, or `otherwise`.
std::string function_called(const ir::Function& function, const Op& op, const std::string& otherwise) {
  const std::string& around = function.origin(op.origin).path;
  for (OpId id : function.block(op.regions[0]).ops) {
    const std::string& path = function.origin(function.op(id).origin).path;
    if (path != around && !path.empty() && !is_library_function(last_step(path))) return last_step(path);
  }
  return otherwise;
}

}  // namespace

// ---- functions ----

// What the regions of the op read from outside, but for numbers, which are written there again.
std::vector<ValueId> FunctionWriter::captured(const Op& op) const {
  std::vector<ValueId> values;
  for (BlockId region : op.regions)
    ir::for_each_use(function_, region, [&](ValueId value) {
      bool is_inside = ir::is_enclosed(function_, function_.value(value).block, region);
      if (!is_inside && !is_number(value) && std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    });
  return values;
}

// The name of a function, which is written before the script's statements unless it is there already. `rule`: the statements of its
// adjoint, if it has one, after its parameters.
std::string FunctionWriter::function_named(const std::string& wanted, const std::vector<std::string>& parameters, const Rendered& body,
                                           std::span<const Expr> results, const std::vector<std::string>& rule) {
  std::vector<std::string> returned;
  for (const Expr& result : results) returned.push_back(result.text);
  std::vector<std::string> text{fmt::format("({})", fmt::join(parameters, ", "))};
  if (body.lines.empty() && returned.size() == 1) {
    text[0] += " = " + returned[0];
  } else {
    text[0] += " {";
    text.insert(text.end(), body.lines.begin(), body.lines.end());
    text.push_back(fmt::format("  return {}", fmt::join(returned, ", ")));
    text.push_back("}");
  }
  auto [known, is_new] = script_.functions.try_emplace(fmt::format("{}\n{}", fmt::join(text, "\n"), fmt::join(rule, "\n")));
  if (!is_new) return known->second;
  known->second = script_.names.lasting(wanted);
  text[0] = "fn " + known->second + text[0];
  script_.lines.insert(script_.lines.end(), text.begin(), text.end());
  if (!rule.empty()) script_.lines.push_back("adjoint " + known->second + rule[0]);
  if (!rule.empty()) script_.lines.insert(script_.lines.end(), rule.begin() + 1, rule.end());
  return known->second;
}

// The call of a function that takes what the op's region reads from outside, and the indices, in the order in which it reads them.
std::string FunctionWriter::call_outlined(const Op& op, const Rendered& body, std::span<const Expr> results,
                                          const std::vector<std::string>& indices) {
  std::string text = fmt::format("{}\n", fmt::join(body.lines, "\n"));
  for (const Expr& result : results) text += result.text + "\n";
  std::map<std::size_t, std::string> arguments;
  auto add = [&](const std::string& name) {
    if (std::size_t at = find_word(text, name); at != std::string::npos) arguments[at] = name;
  };
  for (ValueId value : captured(op)) add(exprs_[value.index].text);
  std::for_each(indices.begin(), indices.end(), add);
  std::vector<std::string> names;
  for (const auto& [at, name] : arguments) names.push_back(name);
  const std::string otherwise = op.code == ir::Opcode::map ? "element" : "part";
  std::string name = function_named(function_called(function_, op, otherwise), names, body, results, {});
  return fmt::format("{}({})", name, fmt::join(names, ", "));
}

// ---- ops ----

// The range of a map's index, when all that the index is used for is `lo + step * index`: the author's, and what stands for that.
FunctionWriter::IndexRange FunctionWriter::index_range(ValueId index) const {
  IndexRange range{index};
  auto only_use = [&](Opcode code) -> const Op* {
    const Use& use = uses_.of(range.value);
    const Op* user = use.count == 1 && use.local && use.user.valid() ? &function_.op(use.user) : nullptr;
    return user && user->code == code && user->operands[0] == range.value && is_number(user->operands[1]) ? user : nullptr;
  };
  auto number_of = [&](const Op& user) { return std::get<std::int64_t>(*function_.def(user.operands[1])->attrs.find(ir::Attr::value)); };
  if (const Op* times = only_use(Opcode::mul); times && number_of(*times) != 0) {
    range.step = number_of(*times);
    range.skipped.push_back(range.value = times->results[0]);
  }
  if (const Op* plus = only_use(Opcode::add)) {
    range.lo = number_of(*plus);
    range.skipped.push_back(range.value = plus->results[0]);
  }
  return range;
}

// One comprehension for each result.
void FunctionWriter::write_map(const Op& op) {
  flush(changed_in(op), has_effect(function_, op));
  const Block& block = function_.block(op.regions[0]);
  const Type& first = function_.type(op.results[0]);
  const Names::Scope opened = script_.names.open(Names::Kind::function);
  std::vector<std::string> indices, generators;
  for (std::size_t i = 0; i < block.arguments.size(); ++i) {
    const IndexRange range = index_range(block.arguments[i]);
    const std::string& name = function_.value(range.value).name;
    indices.push_back(script_.names.fresh(name.empty() ? "i" : name));
    exprs_[range.value.index] = {indices[i]};
    ranges_.insert(range.skipped.begin(), range.skipped.end());
    std::string by = range.step == 1 ? "" : fmt::format(" by {}", range.step);
    generators.push_back(fmt::format("{} in {}..{}{}", indices[i], range.lo, range.lo + range.step * first.size(i), by));
  }
  Rendered body = render(op.regions[0], 1);
  std::vector<Expr> exprs;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    Element kind = function_.type(op.results[k]).element;
    Expr element = kind == script_.module.real ? body.yields[k] : typed(body.yields[k], kind);
    std::string text = body.lines.empty() ? element.text : call_outlined(op, body, std::span(&element, 1), indices);
    exprs.push_back({fmt::format("[{} for {}]", text, fmt::join(generators, ", ")), atom, false, has_effect(function_, op)});
  }
  script_.names.close(opened);
  for (std::size_t k = 0; k < op.results.size(); ++k) write_result(op.results[k], std::move(exprs[k]));
}

void FunctionWriter::write_checkpoint(const Op& op) {
  flush(changed_in(op), has_effect(function_, op));
  const Names::Scope opened = script_.names.open(Names::Kind::function);
  Rendered body = render(op.regions[0], 1);
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    Element element = function_.type(op.results[k]).element;
    if (element != script_.module.real) body.yields[k] = typed(body.yields[k], element);
  }
  bool is_expression = body.lines.empty() && body.yields.size() == 1;
  Expr expr = call("checkpoint", is_expression ? body.yields[0].text : call_outlined(op, body, body.yields, {}));
  script_.names.close(opened);
  expr.may_fail = has_effect(function_, op);
  write_results(op, expr);
}

// A parameter x of a function with an adjoint rule, where dx has a meaning too.
std::string FunctionWriter::parameter(const std::string& wanted, std::set<std::string>& used) {
  const std::string plain = spelled_path(wanted);
  std::string name = plain;
  auto is_bad = [&](const std::string& one) { return used.contains(one) || script_.names.is_function(one); };
  for (int turn = 2; is_bad(name) || is_bad("d" + name); ++turn) name = fmt::format("{}_{}", plain, turn);
  for (const std::string& one : {name, "d" + name}) {
    used.insert(one);
    script_.names.shadow(one);
  }
  return name;
}

// What the regions read from outside become parameters too, whose derivative is none.
void FunctionWriter::write_custom(const Op& op) {
  const Block &primal = function_.block(op.regions[0]), &adjoint = function_.block(op.regions[1]);
  const std::size_t inputs = op.operands.size(), outputs = op.results.size();
  std::vector<std::string> given;
  for (ValueId operand : op.operands) {  // a literal would not be a value
    Expr expr = read(operand);
    given.push_back(expr.is_literal ? kept(expr, function_.type(operand)) : expr.text);
  }

  flush(changed_in(op), has_effect(function_, op));
  const Names::Scope opened = script_.names.open(Names::Kind::function);
  std::set<std::string> used;
  std::vector<std::string> parameters, results, rule;
  auto name_or = [&](ValueId value, const char* otherwise) {
    return function_.value(value).name.empty() ? otherwise : function_.value(value).name;
  };
  for (std::size_t i = 0; i < inputs; ++i) {
    parameters.push_back(parameter(name_or(primal.arguments[i], "x"), used));
    exprs_[primal.arguments[i].index] = exprs_[adjoint.arguments[i].index] = {parameters[i]};
  }
  std::map<ValueId, Expr> outside;
  for (ValueId value : captured(op)) {
    outside[value] = exprs_[value.index];
    given.push_back(exprs_[value.index].text);
    parameters.push_back(parameter(given.back(), used));
    exprs_[value.index] = {parameters.back()};
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    results.push_back(parameter(name_or(adjoint.arguments[inputs + i], "y"), used));
    exprs_[adjoint.arguments[inputs + i].index] = {results[i]};
    exprs_[adjoint.arguments[inputs + outputs + i].index] = {"d" + results[i]};
  }
  for (std::size_t i = 0; i < inputs; ++i) {  // a cotangent has its name from the start
    ValueId value = adjoint.yields[i];
    bool is_made_here = function_.def(value) && function_.value(value).block == op.regions[1];
    if (is_made_here && is_real(function_.type(value).element)) names_.try_emplace(variables_.of(value), "d" + parameters[i]);
  }
  Rendered body = render(op.regions[0], 1), backward = render(op.regions[1], 1);
  rule.push_back(fmt::format("({}) -> {} {{", fmt::join(parameters, ", "), fmt::join(results, ", ")));
  rule.insert(rule.end(), backward.lines.begin(), backward.lines.end());
  std::size_t i = 0;
  for (ValueId operand : op.operands) {
    bool is_there = backward.yields[i].text == "d" + parameters[i];
    if (is_real(function_.type(operand).element) && !is_there)
      rule.push_back(fmt::format("  d{} = {}", parameters[i], backward.yields[i].text));
    ++i;
  }
  for (const auto& [value, expr] : outside) {
    if (is_real(function_.type(value).element)) rule.push_back(fmt::format("  d{} = 0", exprs_[value.index].text));
    exprs_[value.index] = expr;
  }
  rule.push_back("}");
  script_.names.close(opened);
  std::string wanted = last_step(function_.origin(op.origin).path);
  std::string name = function_named(wanted.empty() ? "f" : wanted, parameters, body, body.yields, rule);
  write_results(op, {fmt::format("{}({})", name, fmt::join(given, ", ")), atom, false, has_effect(function_, op)});
}

}  // namespace bpc::frontend::script
