// One array in a .npy file: a magic number, a header that is the text of a Python dictionary, then the elements
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/io/read_file.h"
#include "runtime/tensor.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

bool is_npy(std::string_view file);

// Element types bool, int8 to int64, uint8 to uint32, float16, float32 and float64, in either order of bytes, by rows or by columns: as the
// smallest of bool, i32, i64, f32 and f64 that holds them. E0503, with `name` for the file, when it is malformed (the shape is checked
// against the file's size) or holds something else.
//
// Where the elements of a large file are as they are wanted, row by row, they stay there: what changes the file then changes the tensor.
std::optional<Tensor> read_npy(const FileBytes& file, const std::string& name, Diagnostics& diagnostics, Span span = {});

// A whole file, version 1; it reads back to the same.
std::string npy_text(const Tensor& tensor);

}  // namespace bpc::runtime
