// Calls: arguments meet parameters, and the body of a function is lowered in place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

struct Given {  // an argument
  std::optional<Name> name;
  Item item;
};

// A call of a function of the script, a builtin or the prelude.
std::optional<Item> call(Context& c, const CallExpr& e, Span span);

// Arguments by parameter: E0105 for too many, unknown or repeated ones; absent ones are left empty.
std::optional<std::vector<std::optional<Item>>> match_arguments(Context& c, Span span, std::string_view callee,
                                                                const std::vector<std::string>& parameters,
                                                                const std::vector<Given>& given);

// Inlines a call. Sizes in the signature that are not dims are bound by unification with the arguments. (inlining.cpp)
std::optional<Item> call_function(Context& c, const Callable& callee, const std::vector<Given>& given, Span span);

}  // namespace bpc::frontend::lowering
