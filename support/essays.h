// What there is to say of an error: a script that shows it, and how to mend it.
#pragma once

#include <string>

#include "support/diagnostics.h"

namespace bpc {

// The code's part of support/essays.md: blocks of code and sentences (Markdown). A block with the code behind its fence is wrong, one
// without is right; behind that stand the file's name, the command if it is not `run`, and flags. `csv NAME` is a file that scripts read.
std::string essay(Code code);
// The whole page of a code: its title as a heading, its meaning, its essay.
std::string essay_page(Code code);

}  // namespace bpc
