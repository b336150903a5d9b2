// How values are shown: the shortest decimal that reads back to the same value of its type; exponent form below 1e-4 and from 1e16.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/tensor.h"

namespace bpc::runtime {

std::string number_text(double value);  // f64
std::string number_text(float value);   // f32
std::string element_text(const Tensor& tensor, std::int64_t i);
// "[1, 2, 3]"; a matrix one row a line; more than 6 entries along an axis of a tensor of more than 1000 elements are abbreviated with "…"
// unless `full`.
std::string tensor_text(const Tensor& tensor, bool full);

}  // namespace bpc::runtime
