// The cells of a CSV file, as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "support/diagnostics.h"

namespace bpc::runtime {

struct CsvRow {
  std::size_t line;  // where it ends, from 1
  std::vector<std::string> cells;
};

struct CsvTable {
  std::vector<CsvRow> rows;  // all of the same length, a header included
};

// E0502 when the file cannot be read, E0503 for quotes out of place and rows of different lengths.
std::optional<CsvTable> read_csv_table(const std::string& path, Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
