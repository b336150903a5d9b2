#include "backend/plan/dataflow.h"

#include <algorithm>
#include <set>

#include "backend/plan/operands.h"

namespace bpc::plan {

namespace {

std::vector<RegisterId> inputs_of(const auto& step) {
  std::vector<RegisterId> result;
  std::set<RegisterId> own;
  for_each_register(step, [&](Role role, RegisterId id) {
    if (role == Role::write)
      own.insert(id);
    else if (!own.contains(id))
      result.push_back(id);
  });
  return result;
}

void add_kernels(const auto& step, Registers& to) {
  for (RegisterId id : kernel_inputs(step)) to.read.push_back(id);
  for (RegisterId id : kernel_results(step)) to.written.push_back(id);
}

}  // namespace

void add_registers(const Step& step, Registers& to) {
  if (const auto* kernel = std::get_if<Kernel>(&step.what)) return add_kernels(*kernel, to);
  if (const auto* rows = std::get_if<Rows>(&step.what)) return add_kernels(*rows, to);
  for_each_region(step, [&](const Steps& steps) {
    const std::size_t seen = to.written.size();
    for (const Step& inner : steps) add_registers(inner, to);
    to.written.resize(seen);
  });
  for_each_register(step, [&](Role role, RegisterId id) { (role == Role::read ? to.read : to.written).push_back(id); });
}

std::vector<RegisterId> kernel_inputs(const Kernel& kernel) {
  return inputs_of(kernel);
}
std::vector<RegisterId> kernel_inputs(const Rows& rows) {
  return inputs_of(rows);
}

std::vector<RegisterId> kernel_results(const Kernel& kernel) {
  std::vector<RegisterId> results;
  for (const Reduction& fold : kernel.reductions)
    if (const auto* result = std::get_if<RegisterId>(&fold.to)) results.push_back(*result);
  return results;
}
std::vector<RegisterId> kernel_results(const Rows& rows) {
  std::vector<RegisterId> results;
  for (const Kernel& kernel : rows.kernels)
    for (RegisterId id : kernel_results(kernel)) results.push_back(id);
  return results;
}

bool may_stop(const Instruction& instruction) {
  const auto* compute = std::get_if<Compute>(&instruction.what);
  return compute && compute->fails.valid();
}
bool may_stop(const Kernel& kernel) {
  return std::any_of(kernel.body.begin(), kernel.body.end(), [](const Instruction& instruction) { return may_stop(instruction); });
}

}  // namespace bpc::plan
