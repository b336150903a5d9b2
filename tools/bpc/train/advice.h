// What a training does not say by its loss: params that get no gradient, units that have stopped to answer, layers whose gradients are of
// other sizes.
#pragma once

#include "tools/bpc/train/trainer.h"

namespace bpc::tool {

// Looks at the params as they are, by some training rows, and appends to the session: W0401, a gradient that is zero; W0402, a `relu` half
// of whose units are 0 for every row, a `tanh` or `sigmoid` nine tenths of whose values are at its ends; W0403, weights whose gradients are
// ten thousand times smaller than those of others. What was said before is not said again. Interpreted; a script that would take long is
// passed over.
void advise(Session& session, const Trainer& trainer);

}  // namespace bpc::tool
