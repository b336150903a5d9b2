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

Chain chain_of(const Explanation& e, QuantityId of) {
  Chain chain{of, {}, {}, {}};
  const QuantityId end = is_forward(e) ? e.xs[0] : e.of;
  std::vector<std::size_t> path;
  std::size_t steps = 0;
  bool is_complete = true;
  const std::function<void(QuantityId)> climb = [&](QuantityId at) {
    if (!is_complete || ++steps > kMostSteps) return;
    if (at == end) {
      is_complete = chain.paths.size() < kMostPaths;
      if (is_complete) chain.paths.push_back(path);
      if (is_complete && !is_forward(e)) std::reverse(chain.paths.back().begin(), chain.paths.back().end());
      return;
    }
    std::pair<std::size_t, QuantityId> last(SIZE_MAX, kNoQuantity);
    for (std::size_t each : contributions_to(e, at)) {
      const Contribution& contribution = e.contributions[each];
      if (!contribution.factor || !is_scalar(contribution.value)) {
        is_complete = false;
        return;
      }
      if (std::exchange(last, {contribution.step, contribution.from}) == std::pair(contribution.step, contribution.from))
        continue;  // the value is read there twice
      path.push_back(each);
      climb(contribution.from);
      path.pop_back();
    }
  };
  if (is_scalar(e.quantities[of].value)) climb(of);
  if (!is_complete) chain.paths.clear();
  const std::optional<Tensor>& gradient = e.quantities[of].derivative;
  const bool is_empty = e.quantities[of].value.count() == 0;
  if (!is_empty && (!gradient || is_zero(*gradient))) chain.why_zero = why_zero(e, of);
  return chain;
}

}  // namespace bpc::explain
