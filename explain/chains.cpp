#include "explain/chains.h"

#include <algorithm>
#include <functional>
#include <set>

#include "explain/zeros.h"

namespace bpc::explain {

namespace {

using runtime::Tensor;

constexpr std::size_t kMostPaths = 6, kMostSteps = 4'000'000;  // paths, and how far they are looked for

}  // namespace

Chain chain_of(const Explanation& e, QuantityId x) {
  Chain chain{x, {}, {}, {}};
  std::vector<std::size_t> path;
  std::size_t steps = 0;
  bool is_complete = true;
  const std::function<void(QuantityId)> climb = [&](QuantityId at) {
    if (!is_complete || ++steps > kMostSteps) return;
    if (at == e.of) {
      is_complete = chain.paths.size() < kMostPaths;
      if (is_complete) chain.paths.emplace_back(path.rbegin(), path.rend());
      return;
    }
    std::size_t last_step = SIZE_MAX;
    for (std::size_t each : contributions_to(e, at)) {
      const Contribution& contribution = e.contributions[each];
      if (!contribution.factor || !is_scalar(contribution.value)) {
        is_complete = false;
        return;
      }
      if (last_step == contribution.step) continue;  // the value is read there twice
      last_step = contribution.step;
      path.push_back(each);
      climb(contribution.from);
      path.pop_back();
    }
  };
  if (is_scalar(e.quantities[x].value)) climb(x);
  if (!is_complete) chain.paths.clear();
  const std::optional<Tensor>& gradient = e.quantities[x].cotangent;
  const bool is_empty = e.quantities[x].value.count() == 0;
  if (!is_empty && (!gradient || is_zero(*gradient))) chain.why_zero = why_zero(e, x);
  return chain;
}

}  // namespace bpc::explain
