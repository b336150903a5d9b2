#include "explain/live.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/clone.h"
#include "ir/part.h"
#include "ir/rewrite.h"

namespace bpc::explain {

using ir::Op;
using ir::Opcode;
using ir::ValueId;
using runtime::Tensor;

LiveBuilder::LiveBuilder(const Trace& trace) : trace_(trace), live_{trace.function, {}, {}, {}}, builder_(live_.function) {
  live_.function.outputs.clear();
  for (const ir::Parameter& parameter : trace.function.parameters) live_.arguments.push_back(trace.value(parameter.value));
  if (!trace.unkept.empty()) live_.why_not = "the turns of a loop before this one are not in the page";
}

void LiveBuilder::add(std::string path, ValueId value) {
  if (value.valid() && !live_.function.type(value).tape)
    live_.function.outputs.push_back({ir::Output::Kind::value, std::move(path), value});
}

void LiveBuilder::add_sum(std::string path, const std::vector<const ir::ReverseSweep::Part*>& parts) {
  ValueId sum;
  for (const ir::ReverseSweep::Part* part : parts) {
    ValueId own = part->part;
    if (part->is_sum) own = builder_.emit(Opcode::sub, {own, part->before});
    sum = sum.valid() ? builder_.emit(Opcode::add, {sum, own}) : own;
  }
  add(std::move(path), sum);
}

ValueId LiveBuilder::local(const LocalStep::Code& code, std::size_t part, ValueId arriving) {
  std::vector<ValueId>& parts = locals_[{&code, arriving.index}];
  if (parts.empty()) {
    ir::Cloner cloner(builder_, code.function);
    for (std::size_t i = 0; i < code.sources.size(); ++i)
      cloner.set(code.function.parameters[i].value, code.sources[i].valid() ? code.sources[i] : arriving);
    cloner.splice(code.function.body());
    parts = cloner.map(code.parts);
  }
  return parts[part];
}

void LiveBuilder::add_local(const std::string& part_path, const std::string& factor_path, const LocalStep::Code& code, std::size_t part,
                            ValueId arriving) {
  if (!arriving.valid()) return;
  const Type type = live_.function.type(arriving);
  if (!part_path.empty()) add(part_path, local(code, part, arriving));
  ValueId& ones = ones_[fmt::format("{}{}", static_cast<int>(type.element), shape_text(type.dims))];
  if (!ones.valid()) ones = builder_.constant(1, type);
  if (!factor_path.empty()) add(factor_path, local(code, part, ones));
}

void LiveBuilder::add_guards() {
  const auto add_guard = [&](const Span& place, ValueId value) {
    add(fmt::format("/guards/{}", live_.guards.size()), value);
    live_.guards.push_back({place, trace_.value(value).int_at(0)});
  };
  for (const Branch& branch : trace_.branches) add_guard(branch.place, branch.condition);
  for (const Trace::Count& count : trace_.counts) add_guard(count.place, count.value);
}

// What is drawn at random does not change with a param, and a page cannot draw: it is given what the run drew. The same goes for matrices
// that are factorised, where they are always the same.
void LiveBuilder::take_draws_as_given() {
  const ir::Function from = std::move(live_.function);
  std::vector<ValueId> inputs;
  for (const ir::Parameter& parameter : from.parameters)
    if (parameter.path.find('#') == std::string::npos) inputs.push_back(parameter.value);
  const std::vector<bool> changes = ir::computed_from(from, inputs);
  ir::Rewriter rewriter(from);
  live_.function = rewriter.finish([&](const Op& op) {
    const ir::Group group = ir::op_info(op.code).group;
    if (op.block != from.body() || op.results.size() != 1 || (group != ir::Group::random && group != ir::Group::library)) return false;
    const ValueId result = op.results[0];
    if (changes[result.index]) return false;
    if (result.index >= trace_.values.size() || trace_.value(result).count() != from.type(result).count()) return false;
    ir::Function& to = rewriter.builder().function();
    rewriter.set(result, to.add_parameter(ir::Parameter::Kind::input, fmt::format("drawn#{}", to.parameters.size()), from.type(result)));
    live_.arguments.push_back(trace_.value(result));
    return true;
  });
}

Live LiveBuilder::finish() {
  add_guards();
  take_draws_as_given();
  return std::move(live_);
}

}  // namespace bpc::explain
