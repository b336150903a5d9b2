// Affine forms of loop indices: where an element of a buffer lies. All of them count elements.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "backend/plan/plan.h"

namespace bpc::plan {

using Sizes = std::vector<std::int64_t>;

Affine affine_constant(std::int64_t value, std::size_t axes);
// The index of one axis.
Affine affine_axis(std::size_t axis, std::size_t axes);
// sum += factor * x
void add_scaled(Affine& sum, const Affine& x, std::int64_t factor);
// `at` with each of its axes replaced by a form over `axes` other axes.
Affine compose(const Affine& at, std::span<const Affine> indices, std::size_t axes);
// The indices of every axis of an iteration space.
std::vector<Affine> identity_indices(std::size_t axes);

// Strides of a dense row-major tensor.
Sizes dense_strides(const Sizes& sizes);
// Where each element of a dense tensor lies.
Affine dense(const Sizes& sizes);
// Whether `at` visits 0, 1, 2, … row by row.
bool is_dense(const Affine& at, const Sizes& sizes);

// Strides under which the shape `to` walks the same elements, in the same order, as the shape `from` does with `strides`; nullopt when
// there are none (merging axes that are not contiguous).
std::optional<Sizes> reshape_strides(const Sizes& from, const Sizes& strides, const Sizes& to);
// For each axis of `from`, its index as a form of the indices of `to`, where `to` splits axes of `from`; nullopt where it merges some.
std::optional<std::vector<Affine>> split_indices(const Sizes& from, const Sizes& to);

}  // namespace bpc::plan
