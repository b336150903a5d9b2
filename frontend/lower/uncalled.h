// Functions that nobody calls: checked all the same, as far as their parameters are known without a call.
#pragma once

#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// Those of the program whose body was not lowered, the last one first: a call in it shows what the ones before it are given.
std::vector<Callable> uncalled_functions(const Context& c);

// Lowers the body into "main", which is of no more use then, and reports what goes wrong in every call of it: a parameter is what its type
// says, where that leaves nothing open, and unknown otherwise, so that nothing is said of what is made of it.
void check_uncalled(Context& c, const Callable& function);

}  // namespace bpc::frontend::lowering
