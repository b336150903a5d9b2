// Which rows of the data a step uses: a function of the seed and the epoch, whatever ran before.
#pragma once

#include <cstdint>
#include <vector>

namespace bpc::tool {

struct Split {
  std::vector<std::int32_t> training, validation;  // rows, ascending
};
// Keeps a share of the rows apart, drawn at random; at least one where the share is not 0, and at most all but one.
Split split_rows(std::int64_t rows, double share, std::uint64_t seed);

// The rows in the order of that epoch, from 0: drawn at random (Fisher, Yates), or as they are.
std::vector<std::int32_t> order_of_epoch(const std::vector<std::int32_t>& rows, bool shuffled, std::int64_t epoch, std::uint64_t seed);

}  // namespace bpc::tool
