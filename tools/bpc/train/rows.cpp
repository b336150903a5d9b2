#include "tools/bpc/train/rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "runtime/random.h"

namespace bpc::tool {

namespace {

// Streams that no draw of a script has: those have 63 bits.
constexpr std::uint64_t kOrderStream = std::uint64_t{1} << 63, kSplitStream = kOrderStream + 1;

void shuffle(std::vector<std::int32_t>& rows, const runtime::RandomDraw& draw) {
  std::vector<double> uniform(rows.size());
  runtime::fill_uniform(draw, 0, std::span<double>(uniform));
  for (std::size_t i = rows.size(); i > 1; --i)
    std::swap(rows[i - 1], rows[std::min(i - 1, static_cast<std::size_t>(uniform[i - 1] * static_cast<double>(i)))]);
}

}  // namespace

Split split_rows(std::int64_t rows, double share, std::uint64_t seed) {
  Split split;
  split.training.resize(static_cast<std::size_t>(rows));
  std::iota(split.training.begin(), split.training.end(), 0);
  if (share == 0 || rows < 2) return split;
  shuffle(split.training, {seed, kSplitStream, 0});
  const auto apart =
      static_cast<std::ptrdiff_t>(std::clamp<double>(std::round(share * static_cast<double>(rows)), 1, static_cast<double>(rows - 1)));
  split.validation.assign(split.training.begin(), split.training.begin() + apart);
  split.training.erase(split.training.begin(), split.training.begin() + apart);
  std::ranges::sort(split.training);
  std::ranges::sort(split.validation);
  return split;
}

std::vector<std::int32_t> order_of_epoch(const std::vector<std::int32_t>& rows, bool shuffled, std::int64_t epoch, std::uint64_t seed) {
  std::vector<std::int32_t> order = rows;
  if (shuffled) shuffle(order, {seed, kOrderStream, static_cast<std::uint64_t>(epoch)});
  return order;
}

}  // namespace bpc::tool
