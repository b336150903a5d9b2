// The scalar operators, made from operators.def.
#pragma once

#include <cstdint>
#include <string_view>

namespace bpc::scalar {

enum class Operator : std::uint8_t {
#define BPC_SCALAR(id, ...) id,
#include "scalar/operators.def"
};

inline constexpr Operator kOperators[] = {
// all
#define BPC_SCALAR(id, ...) Operator::id,
#include "scalar/operators.def"
};

// Where the operator's function is, and how compiled code computes it: the column `code` of the table.
enum class Source : std::uint8_t { elementary, narrow, call, ordered, emit, mixed };

std::string_view operator_name(Operator op);
Source source_of(Operator op);
// Whether reals are given to a formula of scalar/elementary.h, or to one of scalar/elementary_narrow.h where they are f32.
inline bool has_formula(Operator op) {
  return source_of(op) == Source::elementary || source_of(op) == Source::narrow || source_of(op) == Source::mixed;
}
// Whether that of f32 works in double.
inline bool widens_f32(Operator op) {
  return source_of(op) == Source::elementary || op == Operator::pow;
}

}  // namespace bpc::scalar
