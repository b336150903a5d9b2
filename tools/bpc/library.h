// Parts of bpc that are loaded when they are needed.
#pragma once

#include <string>

namespace bpc::tool {

// The function of that name of a library which stands beside the command, as it is built; or where it is installed; or where this command
// was built, for a copy of it. Ends the process with E0502 when it is not there; `what` says what it does, and `help` what to do without
// it.
void* function_of_library(const std::string& file, const char* function, const std::string& what, const std::string& help);

}  // namespace bpc::tool
