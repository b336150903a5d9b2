#include "tools/bpc/train/judgement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bpc::tool {

std::int64_t Judgement::rows_of(std::size_t is) const {
  const auto row = confusion.begin() + static_cast<std::ptrdiff_t>(is * classes.size());
  return std::accumulate(row, row + static_cast<std::ptrdiff_t>(classes.size()), std::int64_t{0});
}

double Judgement::accuracy() const {
  std::int64_t right = 0;
  for (std::size_t is = 0; is < classes.size(); ++is) right += count(is, is);
  return static_cast<double>(right) / static_cast<double>(std::accumulate(confusion.begin(), confusion.end(), std::int64_t{0}));
}

double Judgement::calibration_error() const {
  double distance = 0, rows = 0;
  for (const Bin& bin : bins) {
    distance += std::fabs(bin.probability - static_cast<double>(bin.right));
    rows += static_cast<double>(bin.rows);
  }
  return distance / rows;
}

namespace {

struct Verdict {
  std::size_t taken_for;
  double probability;
};

// By the softmax of K logits.
Verdict of_classes(const runtime::Tensor& scores, std::int64_t row, std::int64_t classes) {
  const std::int64_t start = row * classes;
  std::int64_t best = 0;
  for (std::int64_t k = 1; k < classes; ++k)
    if (scores.real_at(start + k) > scores.real_at(start + best)) best = k;
  double total = 0;
  for (std::int64_t k = 0; k < classes; ++k) total += std::exp(scores.real_at(start + k) - scores.real_at(start + best));
  return {static_cast<std::size_t>(best), 1 / total};
}

// By the sigmoid of one logit.
Verdict of_two(double score) {
  return {score > 0 ? std::size_t{1} : 0, 1 / (1 + std::exp(-std::fabs(score)))};
}

}  // namespace

Judgement judge(const runtime::Tensor& scores, const runtime::Tensor& labels, const runtime::Categories& names) {
  const bool is_two = same_shape(scores.type(), labels.type());
  const std::int64_t classes = is_two ? 2 : scores.type().dims.back().size, rows = labels.count();
  Judgement judged;
  for (std::int64_t k = 0; k < classes; ++k)
    judged.classes.push_back(static_cast<std::size_t>(k) < names.size() ? names[static_cast<std::size_t>(k)] : std::to_string(k));
  judged.confusion.assign(static_cast<std::size_t>(classes * classes), 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::size_t is = is_two ? (labels.real_at(row) > 0.5 ? 1 : 0) : static_cast<std::size_t>(labels.int_at(row));
    const Verdict verdict = is_two ? of_two(scores.real_at(row)) : of_classes(scores, row, classes);
    const bool is_right = verdict.taken_for == is;
    ++judged.confusion[is * static_cast<std::size_t>(classes) + verdict.taken_for];
    // A probability that is no number has no bin; what it was taken for is counted all the same.
    if (std::isnan(verdict.probability)) continue;
    Judgement::Bin& bin = judged.bins[std::min<std::size_t>(9, static_cast<std::size_t>(verdict.probability * 10))];
    ++bin.rows;
    bin.right += is_right;
    bin.probability += verdict.probability;
  }
  return judged;
}

}  // namespace bpc::tool
