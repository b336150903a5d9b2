// The part of a program between one value and another, as a function of its own.
#pragma once

#include <vector>

#include "ir/function.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

// y as a function of x alone, seen from where a derivative of y by x stands. Parameters: what else the part reads, in the order of
// `inputs`, then the displacement of x from its value there. One output: y. Printing and asserting is left out.
struct Slice {
  ir::Function function;
  std::vector<ir::ValueId> inputs;  // values of the program that are visible where the derivative stands
  bool author_says = false;  // the part holds an author's adjoint rule, or a stop_grad that it runs itself: derivatives need not be its own
  double epsilon = 0;        // relative rounding error of the coarsest type it computes in
};
Slice slice(const Session& session, const ir::Function& main, ir::OpId derivative, ir::ValueId y, ir::ValueId x);

// What a derivative op differentiates by.
std::vector<ir::ValueId> differentiated_by(const ir::Op& op);

}  // namespace bpc::tool
