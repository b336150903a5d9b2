// How much work one script may make, and how work that passes a limit ends, however deep it is.
#pragma once

#include <cstddef>
#include <optional>

#include "ir/function.h"
#include "support/diagnostics.h"

namespace bpc::ir {

// Of one function, once calls are inlined and derivatives expanded.
inline constexpr std::size_t kMostOps = 1'000'000;

// Thrown where a limit is passed, the one failure of a script that is: everything under way is given up, and no more is said about it.
// `lower` and `run_passes` catch it.
struct LimitReached {
  std::optional<Diagnostic> diagnostic;  // none: it was reported
};
// At the author's own place: the outermost call that led there.
[[noreturn]] void limit_reached(Code code, const Origin& origin, std::string message);

}  // namespace bpc::ir
