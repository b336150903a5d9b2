// Loops and branches.
#pragma once

#include "frontend/script/draft.h"

namespace bpc::frontend::script {

void write_if(Draft& d, const ir::Op& op);
void write_for(Draft& d, const ir::Op& op);
void write_while(Draft& d, const ir::Op& op);

}  // namespace bpc::frontend::script
