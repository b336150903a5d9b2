// Ops with one result, as expressions.
#pragma once

#include <cstdint>
#include <vector>

#include "frontend/script/draft.h"

namespace bpc::frontend::script {

// The value of an op with one result, by what it is made of.
Term expression(Draft& d, const ir::Op& op);
// A call of the op's function: what it needs in order, and by name what is not as it is without a word.
Term function_call(Draft& d, const ir::Op& op, const std::vector<Term>& operands);
// The number as a scalar, or as every element of a tensor.
Term everywhere(Draft& d, const ir::AttrValue& value, const Type& type);
Term transposed(Draft& d, const Term& x, const std::vector<std::int64_t>& perm);

}  // namespace bpc::frontend::script
