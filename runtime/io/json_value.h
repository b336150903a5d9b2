// Tensors as JSON: numbers, true and false, nested arrays; NaN and infinities as the strings "nan", "inf", "-inf".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/tensor.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

// Nested arrays, row by row, a scalar as a bare value; numbers as in runtime/number_text.h. A tensor without elements is [].
std::string json_text(const Tensor& tensor);

// Reads such a value. `wanted` is the element type asked for; without it, numbers become `real` and true and false bool. E0504 at `span`,
// naming the value `name`: malformed text, ragged or empty arrays, a number that is not whole or out of range for an integer type, a word
// that is no number.
std::optional<Tensor> from_json(const nlohmann::json& json, std::string_view name, std::optional<Element> wanted, Element real,
                                Diagnostics& diagnostics, Span span = {});
// The same from text; nan, inf and -inf may stand bare.
std::optional<Tensor> from_json_text(std::string_view text, std::string_view name, std::optional<Element> wanted, Element real,
                                     Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
