#include "tools/bpc/explain_check.h"

#include <cmath>

#include "backend/interpreter/interpreter.h"
#include "explain/element.h"
#include "ir/part.h"
#include "ir/rewrite.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

namespace {

constexpr double kStep = 0.001;
constexpr std::size_t kMostParams = 16;
constexpr std::uint64_t kMostOperations = 20'000'000;  // of all runs together

}  // namespace

Options quietly(Options options) {
  constexpr std::uint64_t kMostTurns = 400'000;
  options.quiet = true;
  if (options.max_iterations == 0) options.max_iterations = kMostTurns;
  return options;
}

void check_by_bumping(Session& session, explain::Explanation& explanation) {
  const std::uint64_t forward = explanation.cost ? explanation.cost->forward : 0;
  if (explanation.chains.size() > kMostParams || forward * (explanation.chains.size() + 1) > kMostOperations) return;
  if (session.options.files.front() == "-") return;  // which cannot be read again
  session.begin("raise params");
  Options options = quietly(session.options);
  options.real = Element::f64;
  Session quiet(options);
  std::optional<Script> script = lower_script(quiet, options.files.front(), DataNeed::values);
  if (!script) return;
  const std::string loss = script->module.main.loss;
  // Only the numbers count, whatever else the script does with them.
  script->module.main = ir::Rewriter(ir::Function(script->module.main)).finish([](const ir::Op& op) {
    return op.code == ir::Opcode::print || op.code == ir::Opcode::assert_true;
  });
  script->module.main = ir::part(script->module.main,
                                 [&](const ir::Output& output) { return output.kind == ir::Output::Kind::value && output.path == loss; });
  if (!expand_gradients(quiet, script->module) || !optimize(quiet, script->module)) return;
  const ir::Function& main = script->module.main;
  const auto arguments = make_arguments(quiet, *script, main);
  if (!arguments || main.outputs.size() != 1) return;
  const auto run = [&](const std::vector<runtime::Tensor>& given) -> std::optional<double> {
    const runtime::RunResult result = backend::interpret(main)->run(given, run_options(options, {}));
    return result.failure ? std::nullopt : std::optional(result.outputs[0].real_at(0));
  };
  const std::optional<double> start = run(*arguments);
  for (explain::Chain& chain : explanation.chains) {
    const explain::Quantity& x = explanation.quantities[chain.of];
    if (!start || !x.derivative || x.derivative->count() == 0) continue;
    std::int64_t at = 0;
    for (std::int64_t i = 1; i < x.derivative->count(); ++i)
      if (std::fabs(x.derivative->real_at(i)) > std::fabs(x.derivative->real_at(at))) at = i;
    for (std::size_t p = 0; p < main.parameters.size(); ++p) {
      if (main.parameters[p].path != x.name) continue;
      const auto change = [&](double by) {
        std::vector<runtime::Tensor> moved = *arguments;
        moved[p].set_real(at, moved[p].real_at(at) + by);
        const std::optional<double> end = run(moved);
        return end ? *end - *start : NAN;
      };
      const double raised = change(kStep), lowered = change(-kStep), predicted = x.derivative->real_at(at) * kStep;
      if (std::isfinite(raised) && std::isfinite(predicted))
        chain.check = {explain::element_name(x.name, x.value.type(), at), kStep, predicted, raised, lowered};
    }
  }
}

}  // namespace bpc::tool
