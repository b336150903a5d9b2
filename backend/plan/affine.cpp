#include "backend/plan/affine.h"

namespace bpc::plan {

Affine affine_constant(std::int64_t value, std::size_t axes) {
  return {value, Sizes(axes, 0), {}};
}

Affine affine_axis(std::size_t axis, std::size_t axes) {
  Affine result = affine_constant(0, axes);
  result.strides[axis] = 1;
  return result;
}

void add_scaled(Affine& sum, const Affine& x, std::int64_t factor) {
  if (factor == 0) return;
  sum.offset += x.offset * factor;
  for (std::size_t i = 0; i < sum.strides.size(); ++i) sum.strides[i] += x.strides[i] * factor;
  for (const auto& [reg, scale] : x.terms) sum.terms.emplace_back(reg, scale * factor);
}

Affine compose(const Affine& at, std::span<const Affine> indices, std::size_t axes) {
  Affine result = affine_constant(at.offset, axes);
  result.terms = at.terms;
  for (std::size_t i = 0; i < indices.size(); ++i) add_scaled(result, indices[i], at.strides[i]);
  return result;
}

std::vector<Affine> identity_indices(std::size_t axes) {
  std::vector<Affine> result;
  for (std::size_t i = 0; i < axes; ++i) result.push_back(affine_axis(i, axes));
  return result;
}

Sizes dense_strides(const Sizes& sizes) {
  Sizes strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i-- > 1;) strides[i - 1] = strides[i] * sizes[i];
  return strides;
}

Affine dense(const Sizes& sizes) {
  return {0, dense_strides(sizes), {}};
}

bool is_dense(const Affine& at, const Sizes& sizes) {
  if (at.offset != 0 || !at.terms.empty()) return false;
  Sizes wanted = dense_strides(sizes);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] != 1 && at.strides[i] != wanted[i]) return false;
  return true;
}

namespace {

// Runs of axes of `from` and `to` that hold the same elements: [from_begin, from_end) and [to_begin, to_end).
struct Run {
  std::size_t from_begin, from_end, to_begin, to_end;
};

// The finest common factoring of two shapes with equal, nonzero counts; trailing axes of size 1 join the last run.
std::vector<Run> factor(const Sizes& from, const Sizes& to) {
  std::vector<Run> runs;
  std::size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    Run run{i, i + 1, j, j + 1};
    std::int64_t left = from[i++], right = to[j++];
    while (left != right) {
      if (left < right)
        left *= from[i++];
      else
        right *= to[j++];
    }
    run.from_end = i;
    run.to_end = j;
    runs.push_back(run);
  }
  if (runs.empty()) runs.push_back({0, 0, 0, 0});
  runs.back().from_end = from.size();
  runs.back().to_end = to.size();
  return runs;
}

bool has_zero(const Sizes& sizes) {
  for (std::int64_t size : sizes)
    if (size == 0) return true;
  return false;
}

}  // namespace

std::optional<Sizes> reshape_strides(const Sizes& from, const Sizes& strides, const Sizes& to) {
  if (has_zero(from)) return Sizes(to.size(), 0);
  Sizes result(to.size(), 0);
  for (const Run& run : factor(from, to)) {
    std::int64_t step = 0, expected = 0;
    bool first = true;
    for (std::size_t i = run.from_end; i-- > run.from_begin;) {
      if (from[i] == 1) continue;
      if (first) step = strides[i];
      if (!first && strides[i] != expected) return std::nullopt;
      first = false;
      expected = strides[i] * from[i];
    }
    for (std::size_t j = run.to_end; j-- > run.to_begin;) {
      result[j] = step;
      step *= to[j];
    }
  }
  return result;
}

std::optional<std::vector<Affine>> split_indices(const Sizes& from, const Sizes& to) {
  std::vector<Affine> result(from.size(), affine_constant(0, to.size()));
  if (has_zero(from)) return result;
  for (const Run& run : factor(from, to)) {
    std::size_t wide = run.from_end;  // the one axis of `from` that is not of size 1
    for (std::size_t i = run.from_begin; i < run.from_end; ++i) {
      if (from[i] == 1) continue;
      if (wide != run.from_end) return std::nullopt;
      wide = i;
    }
    if (wide == run.from_end) continue;
    std::int64_t step = 1;
    for (std::size_t j = run.to_end; j-- > run.to_begin;) {
      result[wide].strides[j] = step;
      step *= to[j];
    }
  }
  return result;
}

}  // namespace bpc::plan
