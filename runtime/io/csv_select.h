// Which columns of a table a selector means.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/io/csv_table.h"
#include "support/diagnostics.h"
#include "support/selector.h"

namespace bpc::runtime {

// At least one. E0503 with `name` for the file: a column that is not there, a name that two of them have, an empty or backward range.
std::optional<std::vector<std::size_t>> select_columns(const CsvTable& table, const std::string& name, const Selector& selector,
                                                       Diagnostics& diagnostics, Span span);

}  // namespace bpc::runtime
