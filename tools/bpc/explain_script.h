// What there is to say of a script's derivative, as its flags ask for it.
#pragma once

#include "explain/explanation.h"
#include "explain/live.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

inline constexpr std::size_t kGraphLines = 90;  // of an explanation whose graph can be taken in at a glance
// Values in a graph that is laid out: some seconds.
inline constexpr std::size_t kMostDrawn = 1500;

struct Explained {
  explain::Explanation explanation;
  explain::Live live;  // filled for --as=html
};
// Runs the script for it. `lines`: functions are unfolded while it takes no more to show all. nullopt when the script is wrong or its run
// fails, which is said.
std::optional<Explained> explain_script(Session& session, Script& script, std::size_t lines);

}  // namespace bpc::tool
