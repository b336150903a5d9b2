// What results are written to: a terminal, of some width, or something that keeps them.
#pragma once

#include <cstddef>

#include "tools/bpc/options.h"

namespace bpc::tool {

// Columns of the terminal that results go to; 0 where it is none.
std::size_t terminal_width();
bool use_color_for_results(Color color);

}  // namespace bpc::tool
