// The passes that make a plan, in the order in which make_plan runs them. The first gives steps in the order of the IR's ops; each of the
// others rewrites what the one before it left.
#pragma once

#include "backend/plan/plan.h"

namespace bpc::plan {

// lower/: values become registers, buffers, views of buffers, or are computed where they are used; each loop nest is a kernel.
Plan lower(const ir::Function& function);

// contraction.cpp: sums of products that are large enough become contractions, with a register tile for the target.
void choose_contractions(Plan& plan);

// checks.cpp: tensors of indices are checked before kernels that do not make them.
void check_first(Plan& plan);

// fuse.cpp: a kernel joins an earlier one of the same iteration space, which may have what it reads in a register. Constants come first in
// their list, and scalars that it needs before it, so that they keep no kernels apart.
void fuse(Plan& plan);

// unread.cpp: what a kernel stores is not stored if no step reads it: all that did have joined the kernel.
void drop_unread(Plan& plan);

// loop_order.cpp: puts each kernel's axes in the order in which memory is walked best, kept ones outside (but for lanes), and merges axes
// that are contiguous in all that the kernel reads and writes. Where accesses walk two axes one element at a time, one goes in strips.
void order_loops(Plan& plan);

// trees.cpp: in which order each reduction folds its terms, whatever the target.
void choose_trees(Plan& plan);

// rows.cpp: kernels that read the same rows, or rows that others among them have made, run a few rows at a time.
void join_rows(Plan& plan);

// parts.cpp: which steps threads share, and in which parts, by how long they will take.
void cut_into_parts(Plan& plan);

// storage.cpp: where each buffer lies. Buffers whose lives do not overlap share memory; an op whose operand dies may write in place.
void assign_storage(Plan& plan);

}  // namespace bpc::plan
