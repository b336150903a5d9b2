#include "tools/bpc/gradient_check.h"

#include <chrono>

#include "ir/dependence.h"
#include "ir/pipeline.h"
#include "ir/rewrite.h"
#include "tools/bpc/numeric_derivative.h"

namespace bpc::tool {

namespace {

using runtime::Tensor;

constexpr std::int64_t kSample = 100;  // elements compared of one tensor

// One derivative to compare: of scalar y with respect to x, as the program computes it.
struct Target {
  std::string name;
  ir::ValueId y, x, gradient;
};

// Printing and asserting is for the real run.
bool is_message(const ir::Op& op) {
  return op.code == ir::Opcode::print || op.code == ir::Opcode::assert_true;
}

// The author's name of a value, or its text in parentheses.
std::string name_of(const Session& session, const ir::Function& function, ir::ValueId id) {
  const ir::Value& value = function.value(id);
  if (!value.name.empty()) return value.name;
  const ir::Op* def = function.def(id);
  if (!def) return "()";
  const ir::Origin& origin = function.origin(def->origin);
  return fmt::format("({})", session.sources.text(origin.calls.empty() ? origin.span : origin.calls.back()));
}

// The targets of the grad ops at the top level; those in loops and branches are counted in `skipped`.
std::vector<Target> find_targets(const Session& session, const ir::Function& main, std::int64_t& skipped) {
  std::vector<Target> targets;
  for (std::uint32_t block = 0; block < main.block_count(); ++block) {
    for (ir::OpId id : main.block(ir::BlockId{block}).ops) {
      const ir::Op& op = main.op(id);
      if (op.code != ir::Opcode::grad) continue;
      if (block != main.body().index) {
        ++skipped;
        continue;
      }
      for (std::size_t i = 0; i < op.results.size(); ++i) {
        std::string name;
        if (op.attrs.flag(ir::Attr::implicit)) {
          name = op.attrs.strings(ir::Attr::names)[i];
        } else {
          const std::string& result = main.value(op.results[i]).name;
          name = fmt::format("{}d{}/d{}", result.empty() ? "" : result + " = ", name_of(session, main, op.operands[0]),
                             name_of(session, main, op.operands[i + 1]));
        }
        targets.push_back({name, op.operands[0], op.operands[i + 1], op.results[i]});
      }
    }
  }
  return targets;
}

const std::string kPerturbed = "the perturbed value";  // paths that no author can write
std::string frozen_path(ir::ValueId id) {
  return fmt::format("frozen value {}", id.index);
}
std::string gradient_path(std::size_t target) {
  return fmt::format("gradient {}", target);
}
std::string value_path(std::size_t target) {
  return fmt::format("value {}", target);
}

// The path of the parameter that stands for x: its own, if it is one already.
const std::string& path_of(const ir::Function& main, ir::ValueId x) {
  for (const ir::Parameter& parameter : main.parameters)
    if (parameter.value == x) return parameter.path;
  return kPerturbed;
}

// A constant for the derivatives of what `reached` was computed for, whatever it was computed from itself.
bool is_frozen(const ir::Function& main, const ir::Op& op, const std::vector<bool>& reached) {
  return op.code == ir::Opcode::stop_grad && op.block == main.body() && reached[op.results[0].index];
}

// y as the only output. What `stop_grad` cuts off is a parameter, so that it stays when x moves; x is one too, wherever it is used.
ir::Function function_of(const ir::Function& main, const Target& target) {
  ir::Function from = main;
  from.outputs = {{ir::Output::Kind::value, "y", target.y}};
  std::vector<bool> reached = ir::ancestors(main, target.y);
  ir::Rewriter rewriter(from);
  auto parameter_for = [&](ir::ValueId id, std::string path) {
    rewriter.set(id, rewriter.builder().function().add_parameter(ir::Parameter::Kind::param, std::move(path), main.type(id)));
  };
  return rewriter.finish([&](const ir::Op& op) {
    if (is_message(op)) return true;
    bool makes_x = std::find(op.results.begin(), op.results.end(), target.x) != op.results.end();
    if (makes_x) {
      rewriter.copy(op);
      parameter_for(target.x, kPerturbed);
    } else if (is_frozen(main, op, reached)) {
      parameter_for(op.results[0], frozen_path(op.results[0]));
    }
    return makes_x || is_frozen(main, op, reached);
  });
}

// The program with, for each target, its gradient and the value of its x as outputs, and what `stop_grad` cuts off.
ir::Function analytic_function(const ir::Function& main, std::span<const Target> targets) {
  ir::Function from = main;
  from.outputs.clear();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    from.outputs.push_back({ir::Output::Kind::value, gradient_path(i), targets[i].gradient});
    from.outputs.push_back({ir::Output::Kind::value, value_path(i), targets[i].x});
  }
  std::vector<bool> reached(main.value_count(), false);
  for (const Target& target : targets) {
    std::vector<bool> by_target = ir::ancestors(main, target.y);
    std::transform(reached.begin(), reached.end(), by_target.begin(), reached.begin(), std::logical_or<>());
  }
  for (ir::OpId id : main.block(main.body()).ops)
    if (is_frozen(main, main.op(id), reached))
      from.outputs.push_back({ir::Output::Kind::value, frozen_path(main.op(id).results[0]), main.op(id).results[0]});
  return ir::Rewriter(from).finish(is_message);
}

// Expands gradients and optimises one function with the passes of the script's pipeline.
std::optional<ir::Function> prepare(Session& session, const ir::Module& module, ir::Function function) {
  ir::Module alone{module.files, module.real, module.seed, {}};
  alone.functions.push_back(std::move(function));
  if (!expand_gradients(session, alone) || !optimize(session, alone)) return std::nullopt;
  return std::move(alone.functions.front());
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Differences of one target, element by element.
class Differences {
 public:
  Differences(Session& session, const ir::Function& function, std::vector<Tensor> arguments, std::size_t perturbed, GradientReport& report)
      : session_(session),
        arguments_(std::move(arguments)),
        perturbed_(perturbed),
        report_(report),
        executable_(make_executable(session, function)) {}

  std::optional<NumericDerivative> derivative(std::int64_t element) {
    Tensor original = arguments_[perturbed_];
    auto result = differentiate(
        [&](double x) -> std::optional<double> {
          arguments_[perturbed_].set_real(element, x);
          auto start = std::chrono::steady_clock::now();
          auto outputs = execute(session_, *executable_, arguments_, run_options(session_.options, {}));
          report_.difference_seconds += seconds_since(start);
          ++report_.difference_runs;
          return outputs ? std::optional(outputs->front().real_at(0)) : std::nullopt;
        },
        original.real_at(element));
    arguments_[perturbed_] = original;
    return result;
  }

 private:
  Session& session_;
  std::vector<Tensor> arguments_;
  std::size_t perturbed_;
  GradientReport& report_;
  std::unique_ptr<runtime::Executable> executable_;
};

// Whether an op of the region was written in the library: its adjoint rules are derivatives.
bool is_of_library(const Session& session, const ir::Function& main, ir::BlockId region) {
  const auto& ops = main.block(region).ops;
  return std::any_of(ops.begin(), ops.end(), [&](ir::OpId id) {
    const Span& span = main.origin(main.op(id).origin).span;
    return span.valid() && session.sources.file(span.file).is_prelude;
  });
}

// Whether the derivative goes through an author's adjoint rule, which need not be the derivative.
bool follows_a_rule(const Session& session, const ir::Function& main, const Target& target) {
  const std::vector<bool> reached = ir::ancestors(main, target.y);
  for (std::uint32_t i = 0; i < main.op_count(); ++i) {
    const ir::Op& op = main.op(ir::OpId{i});
    auto is_reached = [&](ir::ValueId result) { return reached[result.index]; };
    auto reaches_x = [&](ir::ValueId operand) -> bool { return ir::ancestors(main, operand)[target.x.index]; };
    if (op.code == ir::Opcode::custom && !is_of_library(session, main, op.regions[1]) &&
        std::any_of(op.results.begin(), op.results.end(), is_reached) && std::any_of(op.operands.begin(), op.operands.end(), reaches_x))
      return true;
  }
  return false;
}

GradientRow compare(const std::string& name, double value, double backprop, const NumericDerivative& numeric, bool by_rule) {
  double error = std::abs(backprop - numeric.value) / std::max({1.0, std::abs(backprop), std::abs(numeric.value)});
  Verdict verdict = numeric.kink ? Verdict::kink : error <= kGradientTolerance ? Verdict::ok : by_rule ? Verdict::custom : Verdict::wrong;
  return {name, value, backprop, numeric.value, error, verdict, 1};
}

std::string element_name(const std::string& name, const Type& type, std::int64_t flat) {
  std::string index;
  for (std::size_t axis = type.rank(); axis-- > 0; flat /= type.size(axis))
    index = fmt::format("{}{}{}", flat % type.size(axis), index.empty() ? "" : ", ", index);
  return index.empty() ? name : fmt::format("{}[{}]", name, index);
}

// Adds the target's rows: of each verdict the worst element.
bool compare_target(const Target& target, bool by_rule, const Tensor& value, const Tensor& gradient, Differences& differences,
                    GradientReport& report) {
  std::map<Verdict, GradientRow> worst;
  std::int64_t samples = std::min(value.count(), kSample);
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    std::int64_t element = sample * value.count() / samples;
    std::optional<NumericDerivative> numeric = differences.derivative(element);
    if (!numeric) return false;
    GradientRow row =
        compare(element_name(target.name, value.type(), element), value.real_at(element), gradient.real_at(element), *numeric, by_rule);
    auto [kept, added] = worst.emplace(row.verdict, row);
    if (added) continue;
    row.elements = kept->second.elements + 1;
    if (!(row.error <= kept->second.error)) {
      kept->second = row;
    } else {
      kept->second.elements = row.elements;
    }
  }
  for (const auto& [verdict, row] : worst) report.rows.push_back(row);
  report.elements += value.count();
  report.compared += samples;
  return true;
}

}  // namespace

std::optional<GradientReport> check_gradients(Session& session, const Script& script) {
  const ir::Function& main = *script.module.find("main");
  GradientReport report;
  std::vector<Target> targets = find_targets(session, main, report.skipped);

  std::optional<ir::Function> analytic = prepare(session, script.module, analytic_function(main, targets));
  auto arguments = analytic ? make_arguments(session, script, *analytic) : std::nullopt;
  if (!arguments) return std::nullopt;
  std::unique_ptr<runtime::Executable> executable = make_executable(session, *analytic);
  auto start = std::chrono::steady_clock::now();
  auto outputs = execute(session, *executable, *arguments, run_options(session.options, {}));
  report.backprop_seconds = seconds_since(start);
  report.backprop_runs = 1;
  if (!outputs) return std::nullopt;

  // Everything that is known at the point of comparison, by path.
  std::map<std::string, Tensor> known;
  for (std::size_t i = 0; i < arguments->size(); ++i) known[analytic->parameters[i].path] = (*arguments)[i];
  for (std::size_t i = 0; i < outputs->size(); ++i) known[analytic->outputs[i].path] = (*outputs)[i];
  for (std::size_t i = 0; i < targets.size(); ++i) {
    auto gradient = known.find(gradient_path(i));
    if (gradient == known.end()) continue;  // a param that does not reach the loss has none
    std::optional<ir::Function> function = prepare(session, script.module, function_of(main, targets[i]));
    if (!function) return std::nullopt;
    const Tensor& value = known.at(value_path(i));
    known[kPerturbed] = value;
    const std::string& moved = path_of(main, targets[i].x);
    std::vector<Tensor> inputs;
    std::size_t perturbed = 0;
    for (const ir::Parameter& parameter : function->parameters) {
      if (parameter.path == moved) perturbed = inputs.size();
      inputs.push_back(known.at(parameter.path));
    }
    Differences differences(session, *function, std::move(inputs), perturbed, report);
    if (!compare_target(targets[i], follows_a_rule(session, main, targets[i]), value, gradient->second, differences, report))
      return std::nullopt;
  }
  return report;
}

}  // namespace bpc::tool
