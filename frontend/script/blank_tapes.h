// Tapes that a script pops before it has pushed anything: their type would not be known there.
#pragma once

#include <set>

#include "ir/function.h"

namespace bpc::frontend::script {

// The results of such ops `tape`. A script learns what a tape holds from the text: from the first push, and where loops and branches join
// tapes (docs/language.md).
std::set<ir::ValueId> blank_tapes(const ir::Function& function);

}  // namespace bpc::frontend::script
