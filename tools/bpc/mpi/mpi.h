// Messages between the processes that `mpirun` has started: a library of its own, so that no process that is alone loads what it brings
// along (tools/bpc/library.h).
#pragma once

#include <cstddef>

#include "support/element.h"

namespace bpc::tool {

// All return when every process has called them; false where that cannot be: one has ended, or `gives_up` says so while they wait.
struct Mpi {
  // To be called first. Which of how many processes this is, and how many of them this machine runs.
  bool (*join)(int& rank, int& count, int& here);
  // Adds up f32 or f64 numbers, each over all processes, in place; all get the same bits.
  bool (*sum)(void* numbers, std::size_t count, Element element, bool (*gives_up)());
  // What the process of rank 0 has, for all.
  bool (*broadcast)(void* bytes, std::size_t count, bool (*gives_up)());
  // The last call, of all processes.
  void (*leave)();
  // Ends all processes, with this exit code, when there are any left.
  void (*abort)(int code);
};

extern "C" const Mpi* bpc_mpi();

}  // namespace bpc::tool
