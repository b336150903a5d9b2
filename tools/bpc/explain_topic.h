// What `bpc explain` says of a word that is no script: an error code, or a function.
#pragma once

#include <optional>

#include "tools/bpc/options.h"

namespace bpc::tool {

// The exit code; nullopt where the words name a script. A function may be followed by a script, in which it is looked for.
std::optional<int> explain_topic(const Options& options);

}  // namespace bpc::tool
