#include <algorithm>

#include "backend/plan/affine.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kMostLanes = 128;  // accumulators, which stay in the first cache

// How many loads and stores walk this axis one element at a time, and how many leap.
struct Walks {
  int unit = 0, leaps = 0;
};
Walks walks(const Kernel& kernel, std::size_t axis) {
  Walks result;
  auto count = [&](const Affine& at) {
    result.unit += at.strides[axis] == 1;
    result.leaps += at.strides[axis] != 0 && at.strides[axis] != 1;
  };
  for (const Instruction& instruction : kernel.body)
    if (const auto* load = std::get_if<Load>(&instruction.what)) count(load->from.at);
  for (const Store& store : kernel.stores) count(store.to.at);
  return result;
}

// Whether accumulators of a strip of the last kept axis should lie side by side: when that axis walks memory better than the reduced ones.
bool prefers_lanes(const Kernel& kernel, std::size_t last_kept, std::size_t last_reduced) {
  if (std::any_of(kernel.reductions.begin(), kernel.reductions.end(), has_order)) return false;
  Walks kept = walks(kernel, last_kept), reduced = walks(kernel, last_reduced);
  if (kept.leaps != reduced.leaps) return kept.leaps < reduced.leaps;
  return kept.unit != reduced.unit ? kept.unit > reduced.unit : last_kept > last_reduced;
}

void permute(Kernel& kernel, const std::vector<std::size_t>& order) {
  std::vector<Axis> axes;
  for (std::size_t axis : order) axes.push_back(kernel.axes[axis]);
  for_each_form(kernel, [&](Affine& at) {
    Sizes strides;
    for (std::size_t axis : order) strides.push_back(at.strides[axis]);
    at.strides = std::move(strides);
  });
  kernel.axes = std::move(axes);
}

void order(Kernel& kernel) {
  constexpr std::size_t none = SIZE_MAX;
  std::vector<std::size_t> kept, reduced;
  for (std::size_t i = 0; i < kernel.axes.size(); ++i)
    if (kernel.axes[i].size != 1) (kernel.axes[i].reduced ? reduced : kept).push_back(i);
  std::size_t lane = none;
  if (!kept.empty() && !reduced.empty() && prefers_lanes(kernel, kept.back(), reduced.back())) {
    lane = kept.back();
    kept.pop_back();
  }
  kept.insert(kept.end(), reduced.begin(), reduced.end());
  if (lane != none) kept.push_back(lane);
  kernel.lanes = lane == none ? 0 : std::clamp<std::int64_t>(kernel.axes[lane].size, 1, kMostLanes);
  permute(kernel, kept);
}

void merge_axes(Kernel& kernel) {
  for (std::size_t i = kernel.axes.size(); i-- > 1;) {
    Axis &outer = kernel.axes[i - 1], &inner = kernel.axes[i];
    bool fits = outer.reduced == inner.reduced && !(kernel.lanes != 0 && i + 1 == kernel.axes.size());
    for_each_form(kernel, [&](Affine& at) { fits = fits && at.strides[i - 1] == at.strides[i] * inner.size; });
    if (!fits) continue;
    outer.size *= inner.size;
    kernel.axes.erase(kernel.axes.begin() + static_cast<std::ptrdiff_t>(i));
    for_each_form(kernel, [&](Affine& at) { at.strides.erase(at.strides.begin() + static_cast<std::ptrdiff_t>(i - 1)); });
  }
}

}  // namespace

void order_loops(Plan& plan) {
  for_each_kernel(plan.body, [](Kernel& kernel) {
    order(kernel);
    merge_axes(kernel);
  });
}

}  // namespace bpc::plan
