// When the contents of each buffer matter, as stretches of a numbering of the steps.
#pragma once

#include <vector>

#include "backend/plan/plan.h"

namespace bpc::plan {

// From the step that makes the contents to the last that reads them, both included. The life of contents may have a gap: the first side of
// an `if` that does not read them any more, where the second side does.
struct Stretch {
  std::int64_t from = 0, to = 0;
  BufferId buffer;
  bool goes_on = false;  // made in an earlier stretch; begins where the second side of an `if` does
};

// A chance to let two buffers share a storage: at step `at`, the last to read `from`, each element of `into` is made from the same element
// of `from` (or is a copy of it).
struct Move {
  BufferId from, into;
  std::int64_t at = 0;
  bool copies = false;  // without sharing, the whole of `from` is copied
};

struct Lifetimes {
  std::vector<std::vector<Stretch>> stretches;  // by buffer
  std::vector<Move> moves;
  std::vector<std::pair<BufferId, BufferId>> shared;  // a loop's argument and result, which must share
};
Lifetimes find_lifetimes(const Plan& plan);

}  // namespace bpc::plan
