// Columns of a CSV file as tensors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/tensor.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

// Reads columns of a comma-separated file (quoted fields, \n or \r\n, an optional byte order mark; blank lines are skipped).
//
// The first row is a header when none of its cells is a number, when a column that is a number in every other row is none in the first, or
// when the selector names columns that it holds.
//
// `selector` is JSON: "name" or 2 for one column, which gives [rows]; ["a", "b"], [0, 2] or {"from": 0, "to": 4} (half-open; either bound
// may be missing) for several, which give [rows, columns], as does an empty selector: all of them. Negative indices count from the last
// column.
//
// `wanted` is the element type asked for. Real: every cell is a number. Integer: whole numbers, or, in a column where any cell is no
// number, the index of the cell's text among the column's different texts in byte order. Bool: 0, 1, true or false. Without it: a single
// text column gives its codes as i32, and all else is `real`.
//
// E0502 (no such file) and E0503 (malformed rows, no rows, unknown columns, cells that do not fit; naming line and column) at `span`.
std::optional<Tensor> load_csv(const std::string& path, std::string_view selector, std::optional<Element> wanted, Element real,
                               Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
