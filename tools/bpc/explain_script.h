// What there is to say of a script's derivative, as its flags ask for it.
#pragma once

#include "explain/explanation.h"
#include "explain/live.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

inline constexpr std::size_t kGraphRows = 40;  // steps of a graph that can be taken in at a glance

struct Explained {
  explain::Explanation explanation;
  explain::Live live;  // filled for --as=html
};
// Runs the script for it. `rows`: functions are unfolded while there are fewer steps. nullopt when the script is wrong or its run fails,
// which is said.
std::optional<Explained> explain_script(Session& session, Script& script, std::size_t rows);

}  // namespace bpc::tool
