// Functions without checkpoints and customs, which matter to derivatives alone: code is made of the ops of their first regions.
#pragma once

#include <optional>

#include "ir/function.h"

namespace bpc::plan {

// nullopt where there is nothing to unwrap.
std::optional<ir::Function> unwrap(const ir::Function& function);

}  // namespace bpc::plan
