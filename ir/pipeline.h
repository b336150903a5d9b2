// Passes by name and the pipelines made of them. The list of passes is ir/passes/passes.def.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/function.h"
#include "support/diagnostics.h"

namespace bpc::ir {

struct PassInfo {
  std::string_view name;
  std::string_view help;
  Function (*run)(const Function& function, Diagnostics& diagnostics);
};
std::span<const PassInfo> all_passes();
const PassInfo* find_pass(std::string_view name);

// What is run on a lowered module: `adjoint` (which does nothing the second time), then the optimising passes.
std::span<const std::string_view> optimizing_passes();

// Runs passes over every function of the module, in order; stops after one that reported errors. With `check` (always in dev builds)
// verifies after each and throws InternalError naming the pass.
void run_passes(Module& module, std::span<const std::string_view> passes, Diagnostics& diagnostics, bool check);

}  // namespace bpc::ir
