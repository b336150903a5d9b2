// The scalar operators, made from operators.def.
#pragma once

#include <cstdint>
#include <string_view>

namespace bpc::scalar {

enum class Operator : std::uint8_t {
#define BPC_SCALAR(id, ...) id,
#include "scalar/operators.def"
};

std::string_view operator_name(Operator op);

}  // namespace bpc::scalar
