// The library functions written in the language itself (frontend/prelude/*.bp), embedded in the binary.
#pragma once

#include <string_view>
#include <vector>

#include "frontend/lower/builtins.h"

namespace bpc::frontend {

struct PreludeFile {
  std::string_view path;  // "prelude/losses.bp"
  std::string_view text;
};
const std::vector<PreludeFile>& prelude_files();

// One function's text and where it stands, so that only the functions a script uses are parsed.
struct PreludeFunction {
  std::string_view name;
  std::string_view path;
  Help help;              // the comment above, of a function with an example; others are for the library alone
  std::size_t line;       // of its first line in the file, from 1
  std::string_view text;  // from `fn` to before the next top-level `fn`
};
const std::vector<PreludeFunction>& prelude_functions();
const PreludeFunction* find_prelude_function(std::string_view name);

}  // namespace bpc::frontend
