// Comprehensions, and reductions over them.
#pragma once

#include <optional>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// `[e for i in 0..N, j in 0..K]`: a tensor with an axis for each generator, then those of the element. E0205 for a range whose length is
// not known at compile time.
std::optional<Item> comprehension(Context& c, const ComprehensionExpr& e, Span span);

// The comprehension without brackets among the arguments of a call, or nullptr.
const ComprehensionExpr* bare_comprehension(Context& c, const CallExpr& call);
// A call with one, `sum(e for k in 0..K)`: reduces the axes of the generators. The bounds of a sum of one generator may be known at run
// time only. E0209 for a function that does not reduce.
std::optional<Item> reduce_comprehension(Context& c, const Definition& function, const CallExpr& call, const ComprehensionExpr& e,
                                         Span span);

}  // namespace bpc::frontend::lowering
