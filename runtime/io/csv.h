// Columns of a table as tensors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/io/csv_table.h"
#include "runtime/tensor.h"
#include "support/diagnostics.h"
#include "support/selector.h"

namespace bpc::runtime {

// The different texts of a column in byte order: a text's code is its index. None for a column of numbers.
using Categories = std::vector<std::string>;

struct CsvColumns {
  Tensor tensor;                       // [rows] for one column, [rows, columns] for several and for everything
  std::vector<Categories> categories;  // of each column
  std::vector<std::string> keys;       // what each column is called: see CsvTable::column_key
};

// What the codes of a column were made from before, for data that go with those.
struct KnownCategories {
  std::string file;
  std::vector<Categories> columns;
};

// `wanted` is the element type asked for. Real: numbers, nan where one is missing. Integer: whole numbers; or, in a column that holds no
// number at all, nor a text that was probably meant as one, the codes of its texts. Bool: 0, 1, true or false. Without it: a single column
// of texts gives its codes as i32, and all else is `real`. With `known`, texts have the codes they have there.
//
// With `are_categories`, whole numbers are codes of their own texts as well, smallest first, cells where one is missing have a category of
// that name, and columns share one set of categories.
//
// E0503 with `name` for the file: columns that are not there, or whose name two of them have; cells that do not fit, with line and column.
// W0501: a whole number that the real type rounds.
std::optional<CsvColumns> read_columns(const CsvTable& table, const std::string& name, const Selector& selector,
                                       std::optional<Element> wanted, Element real, const KnownCategories* known, Diagnostics& diagnostics,
                                       Span span = {}, bool are_categories = false);

}  // namespace bpc::runtime
