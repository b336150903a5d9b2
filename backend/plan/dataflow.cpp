#include "backend/plan/dataflow.h"

#include <set>

#include "backend/plan/operands.h"

namespace bpc::plan {

void add_registers(const Step& step, Registers& to) {
  if (const auto* kernel = std::get_if<Kernel>(&step.what)) {
    const std::vector<RegisterId> inputs = kernel_inputs(*kernel);
    to.read.insert(to.read.end(), inputs.begin(), inputs.end());
    for (const Reduction& fold : kernel->reductions)
      if (const auto* result = std::get_if<RegisterId>(&fold.to)) to.written.push_back(*result);
    return;
  }
  for_each_region(step, [&](const Steps& steps) {
    const std::size_t seen = to.written.size();
    for (const Step& inner : steps) add_registers(inner, to);
    to.written.resize(seen);
  });
  for_each_register(step, [&](Role role, RegisterId id) { (role == Role::read ? to.read : to.written).push_back(id); });
}

std::vector<RegisterId> kernel_inputs(const Kernel& kernel) {
  std::vector<RegisterId> result;
  std::set<RegisterId> own;
  for_each_register(kernel, [&](Role role, RegisterId id) {
    if (role == Role::write)
      own.insert(id);
    else if (!own.contains(id))
      result.push_back(id);
  });
  return result;
}

}  // namespace bpc::plan
