// Pieces of text that the IR's text form and scripts written from IR share.
#pragma once

#include <string>
#include <string_view>

#include "ir/op.h"
#include "support/type.h"

namespace bpc::ir {

// "…" with \" \\ \n \r \t and \xHH for other control bytes.
std::string quoted(std::string_view text);

// The shortest decimal that reads back to the same value of the element type (f32 or f64): "2", "1e-05", "-0", "inf", "-inf", "nan"
// (whatever its sign and payload).
std::string real_text(double value, Element element);

// What stands between the two regions of an op.
std::string_view region_word(Opcode code);

// A letter, `_` or byte past ASCII, then those and digits.
bool is_identifier(std::string_view text);

}  // namespace bpc::ir
