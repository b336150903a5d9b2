#include "support/essays.h"

#include <fmt/format.h>

namespace bpc {

extern const char* const kEssays;  // support/essays.md

std::string essay(Code code) {
  const std::string_view all = kEssays;
  const std::string heading = fmt::format("## {}\n", code_info(code).name);
  std::size_t start = all.find(heading);
  if (start == std::string_view::npos) return {};
  start += heading.size();
  std::string_view text = all.substr(start, all.find("\n## ", start) - start);
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text);
}

std::string essay_page(Code code) {
  const CodeInfo& info = code_info(code);
  return fmt::format("## {}: {}\n\n{}\n\n{}\n", info.name, info.title, info.meaning, essay(code));
}

}  // namespace bpc
