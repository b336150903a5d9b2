// Parts of tensors: what indices read and change.
#pragma once

#include <cstdint>
#include <vector>

#include "frontend/script/draft.h"

namespace bpc::frontend::script {

// x[i, 0..3, :] and x[:, i, j] with tensors of indices.
Term slice(Draft& d, const ir::Op& op);
Term gather(Draft& d, const ir::Op& op);
// `x[i] = v`, `x[i] += v`: an update, or an addition at tensors of indices.
void write_change(Draft& d, const ir::Op& op);
// In a script the axes of the indices stand where the first of them does, in the IR they come first: the axes of what the script gives, by
// the IR's. Empty where both are the same.
std::vector<std::int64_t> placement(const Draft& d, const ir::Op& op);
// Whether the transpose only puts the axes of indices into place: those of a gather after it, or of a scatter before it.
bool is_placed(const Draft& d, const ir::Op& transpose);

}  // namespace bpc::frontend::script
