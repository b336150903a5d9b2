// Whether raising a param a little does what its gradient says, by running the script again.
#pragma once

#include "explain/explanation.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

// For running the script again: nothing is said, and a loop that the derivative does not need and that never ends is given up.
Options quietly(Options options);
// Of the loss: each scalar param, and of other params the element with the largest gradient, is raised by a thousandth, in f64. Left out
// where the script is long or holds many params.
void check_by_bumping(Session& session, explain::Explanation& explanation);

}  // namespace bpc::tool
