#include "explain/local.h"

#include <fmt/format.h>

#include <algorithm>

#include "backend/interpreter/interpreter.h"
#include "frontend/write_expression.h"
#include "ir/adjoint/forward.h"
#include "ir/clone.h"
#include "support/internal_error.h"

namespace bpc::explain {

namespace {

using ir::is_arithmetic;
using ir::is_movement;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;
using runtime::Tensor;

constexpr std::string_view kNoNumber = "#tensor";
constexpr std::size_t kDeepest = 6;  // of what is written in place of an input that nobody named

// The ops of a step as a function of its own. Each place where it reads an input on the way is a parameter of its own.
class StepFunction {
 public:
  StepFunction(const Trace& trace, const Graph& graph, const std::vector<OpId>& ops, const Naming* names)
      : trace_(trace), graph_(graph), names_(names), builder_(function), cloner_(builder_, trace.function) {
    for (OpId id : ops)
      for (ValueId result : trace.function.op(id).results) inside_.push_back(result);
    std::sort(inside_.begin(), inside_.end());
    for (OpId id : ops) copy(id);
  }

  ir::Function function;
  std::vector<Tensor> arguments;
  std::vector<std::pair<ValueId, ValueId>> uses;  // an input and the parameter for one of its uses
  std::map<ValueId, std::string> written;         // names by value of `function`
  std::map<ValueId, ValueId> read;                // values of the trace, by the value of `function` that stands for one
  std::vector<ValueId> sources;                   // of the trace, by parameter

  ValueId map(ValueId of_trace) const { return cloner_.map(of_trace); }
  ir::Builder& builder() { return builder_; }

  // `source`: the value of the trace that it stands for, if it is one.
  ValueId add_parameter(const Type& type, const std::string& name, Tensor argument, ValueId source) {
    const ValueId parameter = function.add_parameter(ir::Parameter::Kind::input, fmt::format("#{}", function.parameters.size()), type);
    written[parameter] = name;
    if (source.valid()) read[parameter] = source;
    sources.push_back(source);
    arguments.push_back(std::move(argument));
    return parameter;
  }

  // Of the function's values.
  std::vector<Tensor> evaluate(const std::vector<ValueId>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) function.outputs.push_back({ir::Output::Kind::value, std::to_string(i), values[i]});
    const std::vector<Tensor> given(arguments);
    runtime::RunResult result = backend::interpret(function)->run(given, {});
    function.outputs.clear();
    if (result.failure) return {};
    return std::move(result.outputs);
  }

 private:
  bool is_inside(ValueId id) const { return std::binary_search(inside_.begin(), inside_.end(), id); }
  std::string name_of(ValueId id) const {
    if (!names_) return "";
    const auto known = names_->find(id);
    return known == names_->end() ? "" : known->second;
  }

  void copy(OpId id) {
    const Op& op = trace_.function.op(id);
    for (ValueId operand : op.operands)
      if (!is_inside(operand) && !cloner_.has(operand)) provide(operand, 0);
    std::vector<ValueId> outside;  // that the op's regions read
    for (ir::BlockId region : op.regions)
      ir::for_each_use(trace_.function, region, [&](ValueId v) {
        if (!ir::is_enclosed(trace_.function, trace_.function.value(v).block, region) && !cloner_.has(v)) outside.push_back(v);
      });
    for (ValueId v : outside)
      if (!cloner_.has(v)) provide(v, 0);
    const OpId copied = cloner_.clone(id);
    for (std::size_t k = 0; k < op.operands.size(); ++k) {
      const ValueId operand = op.operands[k];
      if (is_inside(operand) || !graph_.is_active[operand.index]) continue;
      const ValueId use = add_parameter(trace_.function.type(operand), name_of(operand), trace_.value(operand), operand);
      uses.emplace_back(operand, use);
      function.op(copied).operands[k] = use;
    }
    const bool is_scalar_part = is_movement(op.code) && op.results.size() == 1 && trace_.function.type(op.results[0]).is_scalar();
    if (is_scalar_part) read[cloner_.map(op.results[0])] = op.results[0];
  }

  // What is read but not on the way: written where it is used if it is small, and nobody named it.
  void provide(ValueId id, std::size_t depth) {
    if (cloner_.has(id)) return;
    const Op* made = trace_.function.def(id);
    const std::string name = name_of(id);
    const bool is_number = made && made->code == Opcode::constant && trace_.function.type(id).is_scalar();
    const bool is_small = made && made->regions.empty() && made->results.size() == 1 && depth < kDeepest &&
                          (is_number || is_movement(made->code) || is_arithmetic(made->code) || made->code == Opcode::constant);
    if (graph_.is_active[id.index] || !name.empty() || !is_small) {
      cloner_.set(id, add_parameter(trace_.function.type(id), name, trace_.value(id), id));
      return;
    }
    for (ValueId operand : made->operands) provide(operand, depth + 1);
    cloner_.clone(trace_.function.value(id).op);
    if (!is_number && trace_.function.type(id).is_scalar()) read[cloner_.map(id)] = id;
  }

  const Trace& trace_;
  const Graph& graph_;
  const Naming* names_;
  ir::Builder builder_;
  ir::Cloner cloner_;
  std::vector<ValueId> inside_;
};

std::optional<Formula> formula_at(const frontend::WrittenExpressions& expressions, std::size_t i) {
  if (!expressions.expressions[i]) return std::nullopt;
  Formula formula = tidied(formula_of(expressions.ast, *expressions.expressions[i]));
  return mentions(formula, "") ? std::nullopt : std::optional(std::move(formula));
}

// What stands for the i-th number that a step reads; "{2b}" for a bool.
std::string placeholder(std::size_t i, const Type& type) {
  return fmt::format("{{{}{}}}", i, type.element == Element::boolean ? "b" : "");
}

// The expression with numbers for all that it reads; nullopt where that is more than scalars.
std::optional<LocalStep::Numbers> numbered(const Trace& trace, const StepFunction& step, ValueId y, Element real) {
  std::map<ValueId, std::string> names;
  std::vector<ValueId> values;
  for (const auto& [value, source] : step.read) {
    const bool is_scalar = trace.function.type(source).is_scalar();
    names[value] = is_scalar ? placeholder(values.size(), trace.function.type(source)) : std::string(kNoNumber);
    if (is_scalar) values.push_back(source);
  }
  const std::optional<Formula> formula = formula_at(frontend::write_expressions(step.function, real, names, {{y}}), 0);
  if (!formula || text_of(*formula).find(kNoNumber) != std::string::npos) return std::nullopt;
  return LocalStep::Numbers{*formula, std::move(values)};
}

// A loop of an author's rule that leaves something for its own adjoint: no formula says what it does.
bool has_tape(const ir::Function& function, OpId id) {
  const Op& op = function.op(id);
  const auto is_tape = [&](ValueId value) { return function.type(value).tape; };
  return std::any_of(op.operands.begin(), op.operands.end(), is_tape) || std::any_of(op.results.begin(), op.results.end(), is_tape);
}

}  // namespace

Formula in_numbers(const Trace& trace, const LocalStep::Numbers& numbers) {
  std::map<std::string, Formula> by_name;
  for (std::size_t i = 0; i < numbers.values.size(); ++i) {
    const Tensor& value = trace.value(numbers.values[i]);
    const bool is_bool = value.type().element == Element::boolean;
    by_name[placeholder(i, value.type())] =
        is_bool ? Formula::name(value.int_at(0) != 0 ? "true" : "false") : Formula::number(value.real_at(0));
  }
  Formula formula = replaced(numbers.formula, [&](const std::string& name) -> const Formula* {
    const auto known = by_name.find(name);
    return known == by_name.end() ? nullptr : &known->second;
  });
  const std::function<void(Formula&)> fill = [&](Formula& part) {  // what is shown as it stands, as `{0} // 2`
    for (Formula& each : part.parts) fill(each);
    if (!part.is(Formula::Kind::other)) return;
    for (const auto& [name, number] : by_name)
      for (std::size_t at = 0; (at = part.text.find(name, at)) != std::string::npos;) part.text.replace(at, name.size(), text_of(number));
  };
  fill(formula);
  return formula;
}

namespace {

// What a step makes of what arrives: `uses` without their formulas and numbers, one for each of `parts`, which are made of the parameter
// that was added last and stands for what arrives.
void add_uses(LocalStep& local, StepFunction& step, std::vector<LocalDerivative> uses, const std::vector<ValueId>& parts, Element real,
              const std::string& arriving) {
  const frontend::WrittenExpressions written = frontend::write_expressions(step.function, real, step.written, parts);
  const std::vector<Tensor> part_values = step.evaluate(parts);
  Tensor ones(step.arguments.back().type());
  for (std::int64_t i = 0; i < ones.count(); ++i) ones.set_real(i, 1);
  step.arguments.back() = ones;
  const std::vector<Tensor> factor_values = step.evaluate(parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    LocalDerivative& use = uses[i];
    use.part = formula_at(written, i);
    Formula rest;
    if (use.part && is_multiple(*use.part, arriving, rest)) use.factor = rest;
    if (!factor_values.empty()) use.factor_value = factor_values[i];
    if (!part_values.empty()) use.part_value = part_values[i];
    use.code = local.codes.size(), use.at = i;
    local.uses.push_back(std::move(use));
  }
  local.codes.push_back({std::move(step.function), std::move(step.sources), parts});
}

}  // namespace

LocalStep local_step(const Trace& trace, const Graph& graph, const Cluster& cluster, const Naming& names, Element real,
                     const Arriving& arriving) {
  if (std::any_of(cluster.ops.begin(), cluster.ops.end(), [&](OpId id) { return has_tape(trace.function, id); })) return {};
  const ValueId result = cluster.results.at(0);
  const auto is_zero = [&](const Tensor& tensor, ValueId of) { return tensor.count() == 0 && trace.function.type(of).count() != 0; };
  const auto add_name = [&](StepFunction& step) {
    if (const auto name = names.find(result); name != names.end()) step.written[step.map(result)] = name->second;
  };
  StepFunction step(trace, graph, cluster.ops, &names);
  const ValueId y = step.map(result);
  LocalStep local;
  local.formula = formula_at(frontend::write_expressions(step.function, real, step.written, {{y}}), 0);
  if (trace.function.type(result).is_scalar()) local.numbers = numbered(trace, step, y, real);
  if (arriving.is_forward) {
    for (std::size_t i = 0; i < step.uses.size(); ++i) {
      StepFunction own(trace, graph, cluster.ops, &names);
      const auto [input, use] = own.uses[i];
      const Tensor tangent = arriving.value(input);
      if (is_zero(tangent, input)) continue;
      const std::string name = arriving.name(input);
      const ValueId direction = own.add_parameter(own.function.type(use), name, tangent, {});
      Diagnostics diagnostics;
      const ValueId part = ir::ForwardSweep(own.builder(), use, direction, diagnostics).run(own.map(result));
      if (diagnostics.has_errors()) continue;
      add_name(own);
      add_uses(local, own, {{input, {}, {}, {}, {}}}, {part}, real, name);
    }
    return local;
  }
  const Tensor cotangent = arriving.value(result);
  if (is_zero(cotangent, result)) return local;
  std::vector<ValueId> xs, parts;
  std::vector<LocalDerivative> uses;
  for (const auto& [input, use] : step.uses) xs.push_back(use), uses.push_back({input, {}, {}, {}, {}});
  const ValueId dy = step.add_parameter(step.function.type(y), arriving.name(result), cotangent, {});
  ir::ReverseSweep sweep(step.builder(), xs);
  sweep.run(y, dy, "y");
  for (ValueId x : xs) parts.push_back(sweep.gradient(x));
  add_name(step);
  add_uses(local, step, std::move(uses), parts, real, arriving.name(result));
  return local;
}

Tensor reach(const Trace& trace, const Graph& graph, const std::vector<OpId>& ops, ValueId result, ValueId input, std::int64_t element) {
  StepFunction step(trace, graph, ops, nullptr);
  Tensor sum;
  Tensor one = Tensor::zeros(trace.function.type(input));
  one.set_real(element, 1);
  std::vector<ValueId> tangents;
  const std::size_t uses = step.uses.size();
  for (std::size_t i = 0; i < uses; ++i) {
    if (step.uses[i].first != input) continue;
    const ValueId direction = step.add_parameter(trace.function.type(input), "", one, {});
    Diagnostics diagnostics;
    tangents.push_back(ir::ForwardSweep(step.builder(), step.uses[i].second, direction, diagnostics).run(step.map(result)));
    if (diagnostics.has_errors()) return {};
  }
  for (const Tensor& tangent : step.evaluate(tangents)) {
    if (sum.count() == 0 && sum.type().rank() == 0) {
      sum = tangent;
      continue;
    }
    for (std::int64_t i = 0; i < sum.count(); ++i) sum.set_real(i, sum.real_at(i) + tangent.real_at(i));
  }
  return sum;
}

}  // namespace bpc::explain
