// Values that are others: what a function that takes derivatives receives is a value of its own (`variable`), and for a reader the one that
// was handed to it.
#pragma once

#include "explain/trace.h"

namespace bpc::explain {

// Lets all that reads such a value read the one that it is, in the program and in what its sweep has noted; those that the sweep itself is
// of or by stay.
void pass_over_variables(Trace& trace);

}  // namespace bpc::explain
