#include "ir/part.h"

#include <algorithm>

#include "ir/clone.h"
#include "ir/rewrite.h"

namespace bpc::ir {

Function part(const Function& main, const std::function<bool(const Output&)>& wanted) {
  Function chosen = main;
  std::erase_if(chosen.outputs, [&](const Output& output) { return !wanted(output); });
  auto is_output = [&](ValueId id) {
    return std::any_of(chosen.outputs.begin(), chosen.outputs.end(), [&](const Output& output) { return output.value == id; });
  };
  return Rewriter(chosen).finish(
      [&](const Op& op) { return is_of_loss(op) && std::none_of(op.results.begin(), op.results.end(), is_output); });
}

namespace {

bool reads_any(const Function& function, const Op& op, const std::vector<bool>& values) {
  bool found = std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId id) { return values[id.index]; });
  for (BlockId region : op.regions) for_each_use(function, region, [&](ValueId use) { found = found || values[use.index]; });
  return found;
}

}  // namespace

std::vector<bool> computed_from(const Function& function, std::span<const ValueId> sources) {
  std::vector<bool> found(function.value_count(), false);
  for (ValueId source : sources) found[source.index] = true;
  for (OpId id : function.block(function.body()).ops)
    if (const Op& op = function.op(id); reads_any(function, op, found))
      for (ValueId result : op.results) found[result.index] = true;
  return found;
}

Function without_parameters(const Function& function, const std::set<std::string>& paths) {
  std::vector<ValueId> sources;
  for (const Parameter& parameter : function.parameters)
    if (paths.contains(parameter.path)) sources.push_back(parameter.value);
  const std::vector<bool> gone = computed_from(function, sources);
  Function rest = Rewriter(function).finish([&](const Op& op) { return op.block == function.body() && reads_any(function, op, gone); });
  std::erase_if(rest.parameters, [&](const Parameter& parameter) { return paths.contains(parameter.path); });
  for (std::size_t i = 0; i < rest.parameters.size(); ++i) rest.value(rest.parameters[i].value).slot = static_cast<std::uint32_t>(i);
  return rest;
}

}  // namespace bpc::ir
