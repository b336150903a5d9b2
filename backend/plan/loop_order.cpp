#include <algorithm>

#include "backend/plan/affine.h"
#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kMostLanes = 128;              // accumulators, which stay in the first cache
constexpr std::int64_t kStrip = 16, kShortStrip = 4;  // turns
constexpr std::int64_t kManyTurns = 4096;             // whose elements do not all stay in the first cache

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

// Where accesses walk two axes one element at a time, some the innermost and some another, the innermost loop becomes a strip of one of the
// two, around it the other: the lines of those that leap along the strip are still near when the next turn comes to their next elements.
// Not where turns may meet, at an element that several write or at one that stops the run: their order counts.
void turn_in_strips(Kernel& kernel) {
  const bool meets =
      std::any_of(kernel.stores.begin(), kernel.stores.end(), [](const Store& store) { return store.adds || !store.to.at.terms.empty(); });
  if (meets || may_stop(kernel)) return;
  std::int64_t turns = 1;
  for (const Axis& axis : kernel.axes) turns *= axis.size;
  const bool keeps = std::any_of(kernel.axes.begin(), kernel.axes.end(), [](const Axis& axis) { return !axis.reduced; });
  const bool is_ordered = std::any_of(kernel.reductions.begin(), kernel.reductions.end(), has_order);
  if (is_ordered || (keeps && !kernel.reductions.empty()) || kernel.axes.size() < 2 || turns < kManyTurns) return;
  const std::size_t inner = kernel.axes.size() - 1;
  std::size_t across = inner;
  for_each_access(kernel, [&](const Access& access) {
    const Sizes& strides = access.at.strides;
    if (std::abs(strides[inner]) < kStrip) return;
    for (std::size_t i = 0; i < inner; ++i)
      if (strides[i] == 1) across = i;
  });
  if (across == inner || walks(kernel, inner).unit == 0) return;
  // The fewer leap along the strip, the better; what is folded is read and written side by side.
  const bool along_inner = !kernel.reductions.empty() || walks(kernel, inner).leaps < walks(kernel, across).leaps;
  const std::size_t along = along_inner ? inner : across, around = along_inner ? across : inner;
  std::int64_t strip = std::min(kStrip, kernel.axes[along].size);
  while (kernel.axes[along].size % strip != 0) --strip;
  if (strip < kShortStrip || kernel.axes[around].size < kShortStrip) return;
  kernel.axes[along].size /= strip;
  kernel.axes.push_back({strip, kernel.axes[along].reduced});
  kernel.in_strips = along_inner;
  for_each_form(kernel, [&](Affine& at) {
    at.strides.push_back(at.strides[along]);
    at.strides[along] *= strip;
  });
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i <= inner; ++i)
    if (i != along && i != around) order.push_back(i);
  order.insert(order.end(), {along, around, inner + 1});
  permute(kernel, order);
}

}  // namespace

void order_loops(Plan& plan) {
  for_each_kernel(plan.body, [](Kernel& kernel) {
    order(kernel);
    merge_axes(kernel);
    turn_in_strips(kernel);
  });
}

}  // namespace bpc::plan
