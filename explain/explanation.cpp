#include "explain/explanation.h"

#include <fmt/format.h>

#include <cmath>

namespace bpc::explain {

using runtime::Tensor;

std::vector<std::size_t> contributions_to(const Explanation& explanation, QuantityId quantity) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < explanation.contributions.size(); ++i)
    if (explanation.contributions[i].to == quantity) found.push_back(i);
  return found;
}

std::string derivative_name(const Explanation& explanation, QuantityId quantity) {
  const std::string& name = quantity == explanation.of ? explanation.y : explanation.quantities[quantity].name;
  if (!is_forward(explanation)) return derivative_name(explanation.y, name);
  const bool is_plain = !explanation.has_differentials && name.find_first_of("/ ()") == std::string::npos;
  return fmt::format(fmt::runtime(is_plain ? "d{}" : "d({})"), name);
}

bool is_forward(const Explanation& explanation) {
  return explanation.along != kNoQuantity;
}

QuantityId input_of(const Explanation& explanation, const Contribution& contribution) {
  return is_forward(explanation) ? contribution.from : contribution.to;
}

QuantityId result_of(const Explanation& explanation, const Contribution& contribution) {
  return is_forward(explanation) ? contribution.to : contribution.from;
}

bool is_scalar(const Tensor& tensor) {
  return tensor.count() == 1 && tensor.type().rank() == 0;
}

double norm_of(const Tensor& tensor) {
  double sum = 0;
  for (std::int64_t i = 0; i < tensor.count(); ++i) sum += tensor.real_at(i) * tensor.real_at(i);
  return std::sqrt(sum);
}

bool is_zero(const Tensor& tensor) {
  for (std::int64_t i = 0; i < tensor.count(); ++i)
    if (tensor.real_at(i) != 0) return false;
  return tensor.count() > 0;
}

}  // namespace bpc::explain
