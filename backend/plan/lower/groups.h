// How the ops of each group become registers, views, lazy values, kernels and other steps. Control flow, which needs them all: lower.cpp.
#pragma once

#include "backend/plan/lower/values.h"

namespace bpc::plan {

void lower_elementwise(Values& values, ir::OpId id);
void lower_reduction(Values& values, ir::OpId id);
void lower_source(Values& values, ir::OpId id);
void lower_random(Values& values, ir::OpId id);
void lower_library(Values& values, ir::OpId id);
void lower_effect(Values& values, ir::OpId id);

// Elements in other places: views where strides can say it, else lazy values or copies.
void lower_movement(Values& values, ir::OpId id);
// Parts of tensors that indices name. Those only known at run time are checked before, on their own, so that loops are free of failures;
// those known to be inside are not checked at all.
void lower_slice(Values& values, ir::OpId id);
void lower_gather(Values& values, ir::OpId id);
void lower_update(Values& values, ir::OpId id);
void lower_scatter_add(Values& values, ir::OpId id);

// Einsums of two operands, as sums of products.
void lower_contraction(Values& values, ir::OpId id);

// One that overlaps with itself needs a new root each time.
void lower_tape(Values& values, ir::OpId id, bool overlaps);
// The condition of a while loop and its body are given the same tapes: what the condition pushes must not be seen in the body.
void copy_tapes(Values& values, ir::OpId loop);

}  // namespace bpc::plan
