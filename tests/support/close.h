// When two results are the same but for rounding: one meaning for all tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bpc::test {

// The first element that differs: |a - b| > tolerance (1 + max |a|), the maximum over the finite elements of a. NaNs are equal, and
// infinities of one sign. Both have the same number of elements.
inline std::optional<std::size_t> first_difference(std::span<const double> a, std::span<const double> b, double tolerance) {
  double largest = 0;
  for (double x : a)
    if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) || std::abs(a[i] - b[i]) <= tolerance * (1 + largest);
    if (!same) return i;
  }
  return std::nullopt;
}

// The elements of a runtime::Tensor, row by row.
template <class Tensor>
std::vector<double> elements(const Tensor& tensor) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tensor.count(); ++i) values.push_back(tensor.real_at(i));
  return values;
}

}  // namespace bpc::test
