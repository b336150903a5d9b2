// Compiled code whose every step is cut into parts, however small, for threads (threads.h) to share.
#pragma once

#include "backend/plan/plan.h"
#include "tests/support/threads.h"

namespace bpc::test {

// A target for which no step is too small to be shared.
inline plan::Target sharing_target() {
  plan::Target target;
  target.shared_cycles = 1;
  return target;
}

}  // namespace bpc::test
