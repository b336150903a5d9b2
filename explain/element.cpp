#include "explain/element.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bpc::explain {

using ir::ValueId;
using runtime::Tensor;

namespace {

constexpr std::size_t kMostTerms = 4, kMostSteps = 24;

}  // namespace

std::string element_name(const std::string& name, const Type& type, std::int64_t at) {
  if (type.rank() == 0) return name;
  std::vector<std::int64_t> index(type.rank());
  for (std::size_t axis = type.rank(); axis-- > 0;) {
    index[axis] = at % type.size(axis);
    at /= type.size(axis);
  }
  return fmt::format("{}[{}]", name, fmt::join(index, ", "));
}

std::vector<ElementStep> ElementFollower::follow(ValueId x, std::vector<std::int64_t> index) const {
  std::vector<ElementStep> way;
  std::int64_t at = 0;
  const std::vector<std::int64_t> sizes = trace.function.type(x).sizes();
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) at = at * sizes[axis] + index[axis];
  ValueId value = x;
  while (way.size() < kMostSteps) {
    const Tensor arriving = cotangent(value);
    ElementStep step{element_name(names.at(value), trace.function.type(value), at),
                     trace.value(value).real_at(at),
                     arriving.count() == 0 ? 0 : arriving.real_at(at),
                     {},
                     0,
                     0,
                     {}};
    ValueId next;
    std::int64_t next_at = 0;
    std::pair<double, double> largest{-1, -1};  // the part, and the local derivative where all parts are 0
    for (std::size_t place = 0; place < steps.size(); ++place) {
      const StepOps& reader = steps[place];
      bool moves = false;
      if (std::find(reader.inputs.begin(), reader.inputs.end(), value) == reader.inputs.end()) continue;
      for (ValueId result : reader.results) {
        const Tensor out = cotangent(result);
        if (out.count() == 0) continue;
        const Tensor local = reach(trace, graph, reader.ops, result, value, at);
        for (std::int64_t i = 0; i < local.count(); ++i) {
          if (local.real_at(i) == 0) continue;
          step.terms.push_back({element_name(names.at(result), trace.function.type(result), i), local.real_at(i), out.real_at(i)});
          const double part = local.real_at(i) * out.real_at(i);
          step.total += part;
          moves = true;
          const std::pair size(std::fabs(part), std::fabs(local.real_at(i)));
          if (size > largest) largest = size, next = result, next_at = i;
        }
      }
      if (!moves) step.stuck.push_back(place);
    }
    std::stable_sort(step.terms.begin(), step.terms.end(), [](const ElementTerm& a, const ElementTerm& b) {
      return std::fabs(a.local * a.cotangent) > std::fabs(b.local * b.cotangent);
    });
    if (step.terms.size() > kMostTerms) step.more = step.terms.size() - kMostTerms, step.terms.resize(kMostTerms);
    way.push_back(std::move(step));
    if (!next.valid()) break;
    value = next, at = next_at;
  }
  return way;
}

}  // namespace bpc::explain
