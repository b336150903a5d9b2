// Helps that show the author's own code, changed: empty, or with `…`, where the change would be no program.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/lower/calls.h"
#include "frontend/lower/convert.h"

namespace bpc::frontend::lowering {

// For a real scalar where an integer belongs.
std::string whole_help(Context& c, const Span& real);

// For `0..xs`, whose bound is of this type.
std::string bound_help(Context& c, const Item& bound, const Type& type);

// For a call with several arguments in place of one list: `zeros(3, 4)`, `reshape(x, 2, 3)`, `concat(a, b)`. Empty when the function takes
// no list, or the arguments would be none.
std::string list_help(Context& c, std::string_view callee, const std::vector<std::string>& parameters, std::span<const Given> given);

// For a call of the library that has failed, as another language would write it: how it is written here, where that lowers.
std::string call_help(Context& c, const CallExpr& call);

// For a call that gives several values, as many as are to be named.
std::string names_help(const std::string& call, std::size_t count);

// For a name, or a choice, that is an integer at one place and a real at another.
std::string mixed_help(Context& c, const Span& integer, const Span& real);

// For a value that is no `declared`, which `what` is declared to be.
std::string conversion_help(Context& c, const Item& item, const Type& declared, const std::string& what);

}  // namespace bpc::frontend::lowering
