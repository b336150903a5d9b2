// What there is to say of a script's derivative, as its flags ask for it.
#pragma once

#include "explain/explanation.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

// Runs the script for it. `rows`: functions are unfolded while there are fewer steps. nullopt when the script is wrong or its run fails,
// which is said.
std::optional<explain::Explanation> explain_script(Session& session, Script& script, std::size_t rows);

}  // namespace bpc::tool
