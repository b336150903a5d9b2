// How the values of a function are used: the facts that decide which ones are computed in place of their use and which ones are stored.
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::plan {

struct UseSummary {
  std::uint32_t count = 0;
  std::vector<ir::OpId> users;
  std::vector<ir::BlockId> yields;  // blocks that yield it; the body of the function yields its outputs
  bool whole = false;               // some use needs it in memory: a yield, an output, a contraction, what a print shows …
  bool inner = false;               // used inside a region that does not define it
  bool stretched = false;           // some use reads its elements more than once
  std::int64_t gathered = 0;        // elements that uses read where an index says
};

// By value id.
std::vector<UseSummary> summarize_uses(const ir::Function& function);

}  // namespace bpc::plan
