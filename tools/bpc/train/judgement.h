// How well scores tell classes apart, row by row.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/io/csv.h"
#include "runtime/tensor.h"

namespace bpc::tool {

struct Judgement {
  std::vector<std::string> classes;
  std::vector<std::int64_t> confusion;  // [class that it is, class that it was taken for]

  // Rows by the probability of the class that they were taken for, from 0 in tenths.
  struct Bin {
    std::int64_t rows = 0, right = 0;
    double probability = 0;  // the sum
  };
  std::array<Bin, 10> bins;

  std::int64_t count(std::size_t is, std::size_t taken_for) const { return confusion[is * classes.size() + taken_for]; }
  std::int64_t rows_of(std::size_t is) const;
  double accuracy() const;
  // The distance of how probable they were said to be from how many were right, in the mean over rows (the expected calibration error of
  // Naeini, Cooper, Hauskrecht 2015, with ten bins).
  double calibration_error() const;
};

// Of logits [.., K] with a label for each, 0 to K-1; or of logits with 0 or 1 for each, where both have one shape. `names`: of the classes,
// or none, and they are called by their numbers.
Judgement judge(const runtime::Tensor& scores, const runtime::Tensor& labels, const runtime::Categories& names);

}  // namespace bpc::tool
