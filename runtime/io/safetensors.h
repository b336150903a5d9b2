// Tensors by name in a .safetensors file: an 8-byte little-endian header length, a JSON header, then the data
// (https://github.com/huggingface/safetensors, "Format").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/tensor.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

// Every tensor of the file, of element types F32, F64, I32, I64 and BOOL. E0503, with `path` for the file, when it is malformed (every
// length, offset and shape is checked against the file's size; no two tensors share a name or data) or holds another element type.
std::optional<std::map<std::string, Tensor>> read_safetensors(std::string_view file, const std::string& path, Diagnostics& diagnostics,
                                                              Span span = {});

}  // namespace bpc::runtime
