#include "runtime/io/read_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace bpc::runtime {

std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics, Span span) {
  const auto fail = [&](const std::string& why) {
    diagnostics.error(Code::E0502, span, "cannot read " + path + ": " + why);
    return std::nullopt;
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return fail("it is a folder");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(std::strerror(errno));
  std::string text;
  char chunk[1 << 16];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0) text.append(chunk, static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return fail(std::strerror(errno));
  return text;
}

}  // namespace bpc::runtime
