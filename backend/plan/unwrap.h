// Functions without checkpoints and customs, which matter to derivatives alone: code is made of the ops of their first regions.
#pragma once

#include <optional>
#include <vector>

#include "ir/function.h"

namespace bpc::plan {

struct Unwrapped {
  ir::Function function;
  std::vector<ir::OpId> original;  // by op: which one of the given function it stands for
};

// nullopt where there is nothing to unwrap.
std::optional<Unwrapped> unwrap(const ir::Function& function);

}  // namespace bpc::plan
