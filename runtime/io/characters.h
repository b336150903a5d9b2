// Plain text as numbers: a code for each character, its place among the different ones of the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/io/csv.h"

namespace bpc::runtime {

struct Characters {
  Tensor codes;        // i32[characters]; or, in rows, i32[rows, in_row], without what is left in the end
  Categories classes;  // each of one character, in the order of their code points
};

// UTF-8. `in_row`: 0 for no rows. With `known`, whose columns have the same categories, characters have their codes there. E0503 with
// `name` for the file: no text of UTF-8, not a whole row, a character that is not known.
std::optional<Characters> read_characters(std::string_view text, const std::string& name, std::size_t in_row, const KnownCategories* known,
                                          Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
