#include "ir/adjoint/transpose.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/adjoint/reverse.h"
#include "ir/adjoint/varied.h"
#include "ir/dependence.h"
#include "ir/derivatives.h"
#include "ir/passes/passes.h"

namespace bpc::ir {

namespace {

// A function of its own for one equation: its parameters are the op's operands and results, unknown cotangents of the results, and tangents
// of the operands.
class Transposition {
 public:
  Transposition(Builder& builder, const StaticFacts& facts, const LinearizedOp& linearized)
      : outside_(builder),
        from_(builder.function()),
        outside_facts_(facts),
        op_(linearized.op),
        builder_(function_),
        facts_(function_),
        copies_(builder_, from_) {
    for (ValueId operand : linearized.operands) operands_.push_back(known(operand));
    for (ValueId result : linearized.results) results_.push_back(parameter(result));
    for (ValueId result : linearized.results) unknowns_.push_back(function_.add_parameter(Parameter::Kind::input, "u", from_.type(result)));
    for (const auto& tangent : linearized.tangents) tangents_.push_back(tangent ? parameter(*tangent) : ValueId());
  }

  std::optional<std::vector<ValueId>> run() {
    const std::vector<ValueId> equation = equations();
    std::vector<ValueId> sums(unknowns_.size());
    for (std::size_t i = 0; i < equation.size(); ++i) {
      if (!equation[i].valid()) continue;
      facts_.update();
      ReverseSweep sweep(builder_, unknowns_, facts_);
      const std::vector<bool> reached = ancestors(function_, equation[i]);
      sweep.run(equation[i], tangents_[i]);
      for (std::size_t k = 0; k < unknowns_.size(); ++k) {
        if (!reached[unknowns_[k].index]) continue;
        ValueId part = sweep.gradient(unknowns_[k]);
        sums[k] = sums[k].valid() ? add_in_place(builder_, sums[k], part) : part;
      }
    }
    return copy_out(sums);
  }

 private:
  ValueId parameter(ValueId outside) {
    ValueId inside = function_.add_parameter(Parameter::Kind::input, fmt::format("p{}", function_.parameters.size()), from_.type(outside));
    facts_.assume(inside, outside_facts_.may_be_nonfinite(outside));
    given_.push_back(outside);
    return inside;
  }

  // Equations look at numbers: a constant is one inside, too, and stands for the one outside, by which others may differentiate.
  ValueId known(ValueId outside) {
    auto number = constant_value(from_, outside);
    if (!number || !is_real(from_.type(outside).element)) return parameter(outside);
    ValueId inside = builder_.constant(*number, from_.type(outside));
    std::string name = fmt::format("k{}", constants_.size());
    function_.value(inside).name = name;
    constants_[name] = outside;
    return inside;
  }

  // The cotangent of each operand that has a tangent, for the unknown cotangents of the results; invalid where it is zero.
  std::vector<ValueId> equations() {
    std::vector<ValueId> equation(operands_.size());
    if (op_.code == Opcode::custom) {
      const std::vector<ValueId> arguments = from_.block(op_.regions[1]).arguments;
      std::size_t at = 0;
      for (const auto* values : {&operands_, &results_, &unknowns_})
        for (ValueId value : *values) copies_.set(arguments[at++], value);
      capture(op_.regions[1]);
      copies_.leave_effects_out();  // they speak of a cotangent that is not there
      const std::vector<ValueId> yields = copies_.splice(op_.regions[1]);
      for (std::size_t i = 0; i < operands_.size(); ++i)
        if (tangents_[i].valid()) equation[i] = yields[i];
      return equation;
    }
    Op op = op_;
    op.operands = operands_;
    op.results = results_;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      if (!tangents_[i].valid()) continue;
      facts_.update();
      if (auto part = contribution({builder_, facts_, op, unknowns_[0], false}, i))
        equation[i] = fit_to(builder_, *part, function_.type(operands_[i]));
    }
    return equation;
  }

  // Values outside that a rule reads.
  void capture(BlockId region) {
    for_each_use(from_, region, [&](ValueId value) {
      if (!is_enclosed(from_, from_.value(value).block, region) && copies_.map(value) == value) copies_.set(value, known(value));
    });
  }

  // Whether no output depends on the unknowns but by asking whether something is zero, as strong zeros do.
  static bool is_free_of_unknowns(const Function& needed) {
    std::vector<ValueId> unknowns;
    for (const Parameter& parameter : needed.parameters)
      if (parameter.path == "u") unknowns.push_back(parameter.value);
    const Varied varied(needed, unknowns);
    auto is_varied = [&](ValueId value) { return varied[value]; };
    for (std::uint32_t i = 0; i < needed.op_count(); ++i) {
      const Op& op = needed.op(OpId{i});
      const bool asks_for_zero = (op.code == Opcode::eq || op.code == Opcode::ne) && constant_value(needed, op.operands[1]) == 0.0;
      const bool leaves_reals =
          std::any_of(op.results.begin(), op.results.end(), [&](ValueId result) { return !is_real(needed.type(result).element); });
      if (op.regions.empty() && leaves_reals && !asks_for_zero && std::any_of(op.operands.begin(), op.operands.end(), is_varied))
        return false;
    }
    return std::none_of(needed.outputs.begin(), needed.outputs.end(), [&](const Output& output) { return varied[output.value]; });
  }

  std::optional<std::vector<ValueId>> copy_out(const std::vector<ValueId>& sums) {
    for (std::size_t k = 0; k < sums.size(); ++k)
      if (sums[k].valid()) function_.outputs.push_back({Output::Kind::value, std::to_string(k), sums[k]});
    const Function needed = drop_unread(function_);  // the loops of a rule have ended for its cotangents
    if (op_.code == Opcode::custom && !is_free_of_unknowns(needed)) return std::nullopt;  // the rule was not linear
    std::vector<bool> used(needed.value_count(), false);
    for_each_use(needed, needed.body(), [&](ValueId value) { used[value.index] = true; });
    Cloner out(outside_, needed);
    std::size_t at = 0;
    for (const Parameter& parameter : needed.parameters) {
      if (parameter.path != "u") {
        out.set(parameter.value, given_[at++]);
      } else if (used[parameter.value.index]) {  // by a strong zero: the tangent is that of other cotangents
        out.set(parameter.value, outside_.constant(1, needed.type(parameter.value)));
      }
    }
    for (OpId id : needed.block(needed.body()).ops) {
      const Op& op = needed.op(id);
      auto constant = op.code == Opcode::constant ? constants_.find(needed.value(op.results[0]).name) : constants_.end();
      if (constant != constants_.end()) {
        out.set(op.results[0], constant->second);
        continue;
      }
      OpId copy = out.clone(id);
      for (ValueId result : outside_.function().op(copy).results) outside_.function().value(result).name.clear();  // they spoke of in here
    }
    std::vector<ValueId> tangents(sums.size());
    for (const Output& output : needed.outputs) tangents[std::stoul(output.path)] = out.map(output.value);
    return tangents;
  }

  Builder& outside_;
  const Function& from_;
  const StaticFacts& outside_facts_;
  const Op& op_;
  Function function_;
  Builder builder_;
  StaticFacts facts_;  // of the unknowns nothing is known
  Cloner copies_;
  std::map<std::string, ValueId> constants_;  // by name inside: the value outside
  std::vector<ValueId> given_;                // by parameter but for the unknowns: the value outside
  std::vector<ValueId> operands_, results_, unknowns_, tangents_;
};

}  // namespace

std::optional<std::vector<ValueId>> transposed(Builder& builder, const StaticFacts& facts, const LinearizedOp& linearized) {
  return Transposition(builder, facts, linearized).run();
}

}  // namespace bpc::ir
