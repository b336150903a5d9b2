// Comprehensions, checkpoints and functions with an adjoint rule: regions that are one expression, or the body of a function.
#pragma once

#include "frontend/script/draft.h"

namespace bpc::frontend::script {

void write_map(Draft& d, const ir::Op& op);
void write_checkpoint(Draft& d, const ir::Op& op);
void write_custom(Draft& d, const ir::Op& op);

}  // namespace bpc::frontend::script
