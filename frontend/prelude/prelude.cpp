#include "frontend/prelude/prelude.h"

#include <algorithm>

namespace bpc::frontend {

namespace {

// A line of the comment above a function: its first one says what it is.
void describe(Help& help, std::string_view line) {
  constexpr std::string_view kShape = "shape: ", kExample = "example: ";
  if (line.starts_with(kShape))
    help.shape = line.substr(kShape.size());
  else if (line.starts_with(kExample))
    help.example = line.substr(kExample.size());
  else
    help.sentence = line;
}

void split(const PreludeFile& file, std::vector<PreludeFunction>& functions) {
  std::size_t line = 1, at = 0;
  Help help;
  while (at < file.text.size()) {
    std::size_t end = std::min(file.text.find('\n', at), file.text.size());
    std::string_view text = file.text.substr(at, end - at);
    if (text.starts_with("fn "))
      functions.push_back(
          {text.substr(3, text.find('(') - 3), file.path, help.example.empty() ? Help{} : help, line, file.text.substr(at)});
    if (text.starts_with("# "))
      describe(help, text.substr(2));
    else
      help = {};
    at = end + 1;
    ++line;
  }
}

std::vector<PreludeFunction> all_functions() {
  std::vector<PreludeFunction> functions;
  for (const PreludeFile& file : prelude_files()) {
    std::size_t first = functions.size();
    split(file, functions);
    for (std::size_t i = first; i + 1 < functions.size(); ++i)  // up to where the next one starts
      functions[i].text.remove_suffix(functions[i + 1].text.size());
  }
  return functions;
}

}  // namespace

const std::vector<PreludeFunction>& prelude_functions() {
  static const std::vector<PreludeFunction> functions = all_functions();
  return functions;
}

const PreludeFunction* find_prelude_function(std::string_view name) {
  const auto& functions = prelude_functions();
  auto found = std::find_if(functions.begin(), functions.end(), [&](const PreludeFunction& function) { return function.name == name; });
  return found == functions.end() ? nullptr : &*found;
}

}  // namespace bpc::frontend
