// A number of threads, for a while.
#pragma once

#include "runtime/pool.h"

namespace bpc::test {

// So many threads share work as long as it lives.
struct Threads {
  explicit Threads(int count) { runtime::set_threads(count); }
  ~Threads() { runtime::set_threads(0); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
};

}  // namespace bpc::test
