// One array in an IDX file, as the MNIST digits come: two zero bytes, the element type, the number of axes, the sizes as big-endian 32-bit
// numbers, the elements (http://yann.lecun.com/exdb/mnist, "File formats").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/tensor.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

bool is_idx(std::string_view file);

// Element types uint8, int8, int16 and int32 as i32; float as f32, double as f64. E0503, with `name` for the file, when it is malformed:
// the sizes are checked against the file's.
std::optional<Tensor> read_idx(std::string_view file, const std::string& name, Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
