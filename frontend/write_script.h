// IR written back as a .bp script that reads, runs and differentiates to the same numbers.
#pragma once

#include <string>

#include "frontend/format/format.h"
#include "ir/function.h"

namespace bpc::frontend {

// Every dim whose size no other one has, every input, param (with its initial value) and op of main. Gradient outputs are bound to
// `dJ_d<path, dots as _>` at the top level (a clash with another name appends `_`); no `loss` remains. Each derivative statement ends in a
// comment that names its rule and the source line: `dJ_dw1 = dJ_dz1 * x  # mul, line 8`; one that keeps a value for a derivative says `#
// for mul, line 8`.
//
// What a loop carries, a branch gives or an update changes is one variable wherever that is possible: `h_tape = push(h_tape, h)`. Regions
// that are no single expression become functions, written before the statements: a comprehension's element, a checkpoint's inside, and a
// function with its adjoint rule. Derivative ops that have not been expanded are calls of grad, vjp and jvp.
//
// The text is as `bpc fmt` would write it. Written again, the script of such a script is the same, but for names that only stand for
// another name's value.
std::string write_script(const ir::Module& module, std::size_t line_limit = kLineLimit);

}  // namespace bpc::frontend
