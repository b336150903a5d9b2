// IR written back as a .bp script that reads, runs and differentiates to the same numbers.
#pragma once

#include <string>

#include "ir/function.h"

namespace bpc::frontend {

// Every input, param (with its initial value from "init") and op of "main"; no grad ops may be left. Gradient outputs are bound to
// `dJ_d<path, dots as _>` at the top level (a clash with another name appends `_`); no `loss` remains. Each derivative statement ends in a
// comment that names its rule and the source line: `dJ_dw1 = dJ_dz1 * x   # mul, line 8`.
std::string write_script(const ir::Module& module);

}  // namespace bpc::frontend
