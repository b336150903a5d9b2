// A file of rows and columns as text, and which of its rows is a header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/io/csv_cell.h"
#include "runtime/storage.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

// Rows of the same number of cells. What it was read from must live as long.
class CsvTable {
 public:
  std::size_t column_count() const { return columns_; }
  // Rows of data; the header is none of them.
  std::size_t row_count() const { return lines_.size() - first_; }
  std::string_view text(std::size_t row, std::size_t column) const { return raw(row + first_, column); }
  Cell cell(std::size_t row, std::size_t column) const { return read_cell(text(row, column), decimal_comma_); }
  std::size_t line(std::size_t row) const { return lines_[row + first_]; }  // where it ends in the file, from 1
  bool has_header() const { return first_ == 1; }
  std::vector<std::string> column_names() const;  // none without a header
  // The column's name, or its place where it has none: columns of two files that are called the same hold the same kind of thing.
  std::string column_key(std::size_t column) const;
  // Where what is made of it belongs.
  Place place() const { return cells_.get_allocator().place; }

 private:
  friend class CsvReader;
  // Where a text is: in the file, or, where it stands there in quotes, among the unquoted.
  struct Text {
    std::uint64_t begin : 39, is_unquoted : 1, size : 24;
  };
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 39, kMostOfCell = (1 << 24) - 1;

  std::string_view raw(std::size_t row, std::size_t column) const { return text(cells_[row * columns_ + column]); }
  std::string_view text(Text cell) const { return {(cell.is_unquoted ? unquoted_.data() : file_.data()) + cell.begin, cell.size}; }

  std::string_view file_;
  std::vector<char, Allocator<char>> unquoted_;
  std::vector<Text, Allocator<Text>> cells_;
  std::vector<std::size_t, Allocator<std::size_t>> lines_;
  std::size_t columns_ = 0, first_ = 0;
  bool decimal_comma_ = false;
};
// UTF-8 with or without a byte order mark; cells may be in quotes; blank lines, and rows of empty cells at the end, are skipped.
//
// Cells are separated by tabs, `;` or `,`: the first of these that the first line holds and that makes rows of the same length. In a file
// of `;` where no number has a point, numbers have decimal commas.
//
// The first row is a header where `named` says so; where it is an empty cell and 0, 1, 2 … (how pandas writes an array); where it holds
// text above a column of numbers; and where none of its cells is a number, unless a text of it stands again in its column. It is data where
// every cell is a number or missing, and where a text of it stands again.
//
// E0503, with `name` for the file: quotes out of place, rows of different lengths, no rows of data, no UTF-8 text, a first row that may be
// either, a cell of more than 16 MB, more than 512 GB.
std::optional<CsvTable> read_csv_table(std::string_view file, const std::string& name, bool named, Diagnostics& diagnostics, Span span = {},
                                       Place place = Place::memory);

}  // namespace bpc::runtime
