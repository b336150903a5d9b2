// Walking a row-major index space together with operands that move through their own elements by strides.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "support/type.h"

namespace bpc::interpreter {

using Strides = std::vector<std::int64_t>;  // elements to move per step along each axis of the space

// Of a dense row-major tensor.
inline Strides dense_strides(const std::vector<std::int64_t>& sizes) {
  Strides strides(sizes.size());
  std::int64_t step = 1;
  for (std::size_t axis = sizes.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= sizes[axis];
  }
  return strides;
}

// Of an operand stretched to `to`: axes are aligned at the end, and a stretched axis does not move.
inline Strides stretched_strides(const Type& from, const Type& to) {
  Strides strides(to.rank(), 0);
  const Strides own = dense_strides(from.sizes());
  const std::size_t lead = to.rank() - from.rank();
  for (std::size_t axis = 0; axis < from.rank(); ++axis)
    if (from.size(axis) == to.size(lead + axis)) strides[lead + axis] = own[axis];
  return strides;
}

// Calls body(at) for every index of the space in row-major order; at[k] is where operand k stands, starting from starts[k].
template <std::size_t N, class Body>
void walk(const std::vector<std::int64_t>& sizes, const std::array<Strides, N>& strides, std::array<std::int64_t, N> at, Body body) {
  for (std::int64_t size : sizes)
    if (size == 0) return;
  if (sizes.empty()) {
    body(at);
    return;
  }
  const std::size_t last = sizes.size() - 1;
  std::vector<std::int64_t> index(sizes.size(), 0);
  while (true) {
    std::array<std::int64_t, N> inner = at;
    for (std::int64_t i = 0; i < sizes[last]; ++i) {
      body(inner);
      for (std::size_t k = 0; k < N; ++k) inner[k] += strides[k][last];
    }
    std::size_t axis = last;
    while (true) {
      if (axis == 0) return;
      --axis;
      for (std::size_t k = 0; k < N; ++k) at[k] += strides[k][axis];
      if (++index[axis] < sizes[axis]) break;
      index[axis] = 0;
      for (std::size_t k = 0; k < N; ++k) at[k] -= strides[k][axis] * sizes[axis];
    }
  }
}

}  // namespace bpc::interpreter
