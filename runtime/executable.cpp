#include "runtime/executable.h"

#include <cstring>

#include "support/internal_error.h"

namespace bpc::runtime {

std::atomic<bool> interrupt_requested{false};
std::atomic<int> MemoryMayRunOut::living{0};

void Executable::require_fitting(std::span<const Tensor> arguments) const {
  if (arguments.size() != signature_.inputs.size()) throw InternalError("run", "wrong number of arguments");
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (!same_type(arguments[i].type(), signature_.inputs[i].type))
      throw InternalError("run", "argument " + signature_.inputs[i].name + " is a " + type_text(arguments[i].type()));
}

void Executable::require_donated(std::span<const void* const> inputs, std::span<void* const> outputs) const {
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (const Port& port = signature_.outputs[i]; port.donor && inputs[*port.donor] != outputs[i])
      throw InternalError("run", "output " + port.name + " is not in the memory of its donor");
}

std::optional<Failure> TensorExecutable::call(std::span<const void* const> inputs, std::span<void* const> outputs,
                                              const RunOptions& options) {
  require_donated(inputs, outputs);
  std::vector<Tensor> arguments;
  for (std::size_t i = 0; i < inputs.size(); ++i) arguments.push_back(Tensor::borrow(signature().inputs[i].type, inputs[i]));
  RunResult result = run(arguments, options);
  for (Tensor& output : result.outputs) output.raw();  // apart from the inputs, which outputs may overwrite
  for (std::size_t i = 0; i < result.outputs.size(); ++i) std::memcpy(outputs[i], result.outputs[i].raw(), result.outputs[i].bytes());
  return std::move(result.failure);
}

}  // namespace bpc::runtime
