// Initial values: the function "init" beside "main".
#pragma once

#include <optional>
#include <string>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// An item of "main" as seen from an initialiser: inputs and params become their initial value, or a parameter of "init" when they are given
// from outside; other values are computed again. E0199 for a value inside of a loop, branch or comprehension.
std::optional<Item> into_init(Context& c, Item item);

// Lowers an initialiser in "init", as a value of the declared type (a scalar is stretched), and makes it the output `path`.
std::optional<ir::ValueId> initial_value(Context& c, ExprId value, const std::optional<Type>& declared, const std::string& path, bool real);

// A parameter of main for what is fitted: the value that is given for it, or else what `item`, a value of main, is to begin with.
std::optional<Item> fitted_value(Context& c, const Item& item, Span span);

}  // namespace bpc::frontend::lowering
