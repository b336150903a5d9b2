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

// What a file says beside its tensors, each under a name of its own.
using Remarks = std::map<std::string, std::string>;
// Those of a file that read_safetensors has read.
Remarks read_remarks(std::string_view file);

// A whole file, the tensors by name in the order of the map; it reads back to the same.
std::string safetensors_text(const std::map<std::string, Tensor>& tensors, const Remarks& remarks);

}  // namespace bpc::runtime
