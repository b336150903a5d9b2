#include "ir/pipeline.h"

#include <algorithm>

#include "ir/adjoint.h"
#include "ir/limits.h"
#include "ir/passes/passes.h"
#include "ir/verify.h"
#include "support/internal_error.h"

namespace bpc::ir {

namespace {

constexpr PassInfo kPasses[] = {
#define BPC_PASS(name, help, function) {#name, help, function},
#include "ir/passes/passes.def"
#undef BPC_PASS
};

constexpr std::string_view kOptimizing[] = {"vectorise", "adjoint", "simplify", "cse", "hoist", "dce"};

#ifdef BPC_VERIFY
constexpr bool kAlwaysCheck = true;
#else
constexpr bool kAlwaysCheck = false;
#endif

void check_after(const Module& module, std::string_view pass) {
  if (auto problems = verify(module); !problems.empty()) throw InternalError("verify after " + std::string(pass), problems[0]);
}

}  // namespace

std::span<const PassInfo> all_passes() {
  return kPasses;
}

const PassInfo* find_pass(std::string_view name) {
  auto found = std::find_if(std::begin(kPasses), std::end(kPasses), [&](const PassInfo& pass) { return pass.name == name; });
  return found == std::end(kPasses) ? nullptr : found;
}

std::span<const std::string_view> optimizing_passes() {
  return kOptimizing;
}

void run_passes(Module& module, std::span<const std::string_view> passes, Diagnostics& diagnostics, bool check) {
  if (check || kAlwaysCheck) check_after(module, "lowering");
  for (std::string_view name : passes) {
    const PassInfo* pass = find_pass(name);
    if (!pass) throw InternalError("passes", "there is no pass " + std::string(name));
    try {
      for (Function* function : module.functions()) *function = pass->run(*function, diagnostics);
    } catch (LimitReached& limit) {
      if (limit.diagnostic) diagnostics.add(std::move(*limit.diagnostic));
    }
    if (diagnostics.has_errors()) return;
    if (check || kAlwaysCheck) check_after(module, name);
  }
}

}  // namespace bpc::ir
