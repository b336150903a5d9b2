// The library functions written in the language itself (frontend/prelude/*.bp), embedded in the binary.
#pragma once

#include <string_view>
#include <vector>

namespace bpc::frontend {

// What `bpc rules` says of a function; nothing of one that is for other functions of the library alone.
struct Help {
  std::string_view sentence, shape, derivative;  // shape of the result; the derivative as a formula in dy, or in words
  std::string_view example;                      // statements before an expression or assignment, whose values are shown

  bool is_given() const { return !sentence.empty(); }
};

struct PreludeFile {
  std::string_view path;  // "prelude/losses.bp"
  std::string_view text;
};
const std::vector<PreludeFile>& prelude_files();

// One function's text and where it stands, so that only the functions a script uses are parsed.
struct PreludeFunction {
  std::string_view name;
  std::string_view path;
  Help help;              // the comment above, of a function with an example
  std::size_t line;       // of its first line in the file, from 1
  std::string_view text;  // from `fn` to before the next top-level `fn`
};
const std::vector<PreludeFunction>& prelude_functions();
const PreludeFunction* find_prelude_function(std::string_view name);

}  // namespace bpc::frontend
