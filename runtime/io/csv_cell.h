// What one cell of a table says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bpc::runtime {

enum class CellKind : std::uint8_t {
  number,   // as in scripts; a sign, inf and infinity are allowed
  missing,  // nothing, NA, ?, or nan in capitals or not
  text,
};

struct Cell {
  CellKind kind;
  double value = 0;        // of a number; nan where it is missing
  bool too_large = false;  // a number past f64
};

// `decimal_comma`: 1,5 is a number and 1.5 is text.
Cell read_cell(std::string_view text, bool decimal_comma);

// What to write in place of a text of digits and signs that is no number; empty for others. `1st` and `2XL` are words.
struct NumberHelp {
  std::string help;
  bool may_be_category = false;  // a range, a date, a version: meant as they are, perhaps
};
NumberHelp number_help(std::string_view text);
// Digits, a space, words: `5 kg`, or a category such as `3 stars`.
bool has_unit(std::string_view text);

}  // namespace bpc::runtime
