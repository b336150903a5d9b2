// How values are shown: the shortest decimal that reads back to the same value of its type; exponent form below 1e-4 and from 1e16.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/tensor.h"

namespace bpc::runtime {

std::string number_text(double value);  // f64
std::string number_text(float value);   // f32
std::string element_text(const Tensor& tensor, std::int64_t i);
// "[1, 2, 3]"; a matrix one row a line. Of more than 64 elements, unless `full`, what there is to know of them and a corner of at most 15:
// "f32[100] min 1, max 100, mean 50.5: [1, 2, 3, 4, 5, …]"; of a matrix, the corner is on lines of its own.
std::string tensor_text(const Tensor& tensor, bool full);

}  // namespace bpc::runtime
