// What every plan keeps, after each of its passes:
//   - ids name something: registers, buffers, sites, tapes' roots, and, once storage is assigned, storages
//   - a register is written once, before it is read, in the list of steps that reads it or around it; those that a kernel's body writes are
//     seen in that kernel alone; registers in a form are i64
//   - a buffer is whole when it is read: nothing writes to it after that
//   - a form has a stride for each axis of its kernel or contraction, and none in a host instruction; where no register is in it, every
//     element that it names is one of the buffer
//   - what a kernel stores is an element of its buffer
//   - along a reduced axis a reduction does not move its result, unless it is running
//   - a tree deals out, and cuts into blocks, axes that are reduced; a block is whole rounds of partials, which are a power of two; what
//   has
//     an order, running sums and the first of the best, has no partials
//   - kernels have the rows that they share; what is folded along them is cut into tiles of whole rounds and blocks
//   - conditions are bools, and each register that is carried or joined has one type
//   - once storage is assigned: each buffer fits into its storage, storages in the arena lie inside it, aligned; constants, and arguments
//     that no output takes, are never written; an output lies where the caller wants it
#pragma once

#include <string>
#include <vector>

#include "backend/plan/plan.h"

namespace bpc::plan {

// What is broken, a line each; empty for a plan that is sound.
std::vector<std::string> verify(const Plan& plan);

}  // namespace bpc::plan
