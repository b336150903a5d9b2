// What results and messages are written to: a terminal, of some width, or something that keeps them.
#pragma once

#include <cstddef>

#include "tools/bpc/options.h"

namespace bpc::tool {

// Columns of the terminal that results go to; 0 where it is none.
std::size_t terminal_width();
// Whether --color asks for colours in what goes to a stream (STDOUT_FILENO, STDERR_FILENO).
bool use_color(Color color, int stream);

}  // namespace bpc::tool
