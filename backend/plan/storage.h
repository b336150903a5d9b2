// Where buffers live: which share a storage, and where each storage lies in the arena.
#pragma once

#include "backend/plan/plan.h"

namespace bpc::plan {

// Gives every buffer a storage. Buffers whose lives do not overlap may share memory; a result takes the storage of an operand that dies
// where it is made, so that loops and updates work in place.
void assign_storage(Plan& plan);

}  // namespace bpc::plan
