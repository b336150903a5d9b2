// What one cell of a table says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bpc::runtime {

enum class CellKind : std::uint8_t {
  number,   // as in scripts; a sign, inf and infinity are allowed
  missing,  // nothing, NA, or nan in capitals or not
  text,
};

struct Cell {
  CellKind kind;
  double value = 0;        // of a number; nan where it is missing
  bool too_large = false;  // a number past f64
};

// `decimal_comma`: 1,5 is a number and 1.5 is text.
Cell read_cell(std::string_view text, bool decimal_comma);

// How a text that is no number was probably meant as one, and what to write instead; empty for words, which may be categories. `1st` and
// `2XL` are words.
std::string number_help(std::string_view text);
// Digits, a space, words: `5 kg`, or a category such as `3 stars`.
bool has_unit(std::string_view text);

}  // namespace bpc::runtime
