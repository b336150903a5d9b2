// Ops in order, as statements.
#pragma once

#include <vector>

#include "frontend/script/draft.h"

namespace bpc::frontend::script {

void write_block(Draft& d, ir::BlockId block);

struct Rendered {  // a region
  std::vector<StmtId> statements;
  std::vector<Term> yields;
};
// `is_top`: it is going to stand among the statements of the top level.
Rendered render(Draft& d, ir::BlockId region, bool is_top = false);

}  // namespace bpc::frontend::script
