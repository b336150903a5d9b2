#include "explain/chains.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace bpc::explain {

namespace {

using runtime::Tensor;

constexpr std::size_t kMostPaths = 6, kMostSteps = 4'000'000;  // paths, and how far they are looked for

std::string zero_reason(const Explanation& e, const Contribution& contribution) {
  const Step& step = e.steps[e.visible[contribution.step]];
  const std::string line = step.place.valid() ? fmt::format(" (line {})", step.place.line) : "";
  const std::string& result = e.quantities[contribution.from].name;
  if (!contribution.notation.empty())
    return fmt::format("{} = 0{}{}", contribution.notation, contribution.why.empty() ? "" : ", since " + contribution.why, line);
  if (contribution.factor && contribution.factor->is(Formula::Kind::number))
    return fmt::format("∂{}/∂{} = 0{}", result, e.quantities[contribution.to].name, line);
  if (contribution.factor && is_zero(contribution.factor_value))
    return fmt::format("∂{}/∂{} = {} = 0{}", result, e.quantities[contribution.to].name, text_of(*contribution.factor), line);
  return fmt::format("nothing of what {} passes on reaches {}{}", result, e.quantities[contribution.to].name, line);
}

// The step where what arrives is lost, on the way back from y.
std::string why_zero(const Explanation& e, QuantityId x) {
  std::set<QuantityId> seen{x};
  std::vector<QuantityId> open{x};
  std::string why;
  while (!open.empty()) {
    const QuantityId at = open.back();
    open.pop_back();
    const std::vector<std::size_t> parts = contributions_to(e, at);
    if (std::any_of(parts.begin(), parts.end(), [&](std::size_t each) { return !is_zero(e.contributions[each].value); })) {
      why += fmt::format("{}the parts of {} add up to 0", why.empty() ? "" : "; ", cotangent_name(e, at));
      continue;
    }
    for (std::size_t each : parts) {
      const Contribution& contribution = e.contributions[each];
      const bool arrives = contribution.from != kNoQuantity && e.quantities[contribution.from].cotangent &&
                           !is_zero(*e.quantities[contribution.from].cotangent);
      if (arrives && is_zero(contribution.value)) {
        const std::string reason = zero_reason(e, contribution);
        if (why.find(reason) == std::string::npos) why += (why.empty() ? "" : "; ") + reason;
      } else if (contribution.from != kNoQuantity && seen.insert(contribution.from).second) {
        open.push_back(contribution.from);
      }
    }
  }
  return why.empty() ? "every way from it to " + e.y + " is flat" : why;
}

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
