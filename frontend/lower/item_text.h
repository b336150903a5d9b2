// What is known of an item, for an editor.
#pragma once

#include <string>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// "f32[N, 64]", "i32 = 4", "number = 0.5" (a literal, which takes the type of what it meets), "fn f(x, y = 1)".
std::string item_text(Context& c, const Item& item);

}  // namespace bpc::frontend::lowering
