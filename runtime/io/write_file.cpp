#include "runtime/io/write_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace bpc::runtime {

namespace fs = std::filesystem;

namespace {

bool write_to(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out.good();
}

}  // namespace

bool write_file(const std::string& path, std::string_view bytes, Diagnostics& diagnostics, Span span) {
  std::error_code ignored;
  fs::path target = fs::canonical(path, ignored);
  if (target.empty()) target = path;  // not there yet
  const fs::file_status before = fs::status(target, ignored);
  errno = 0;
  if (fs::exists(before) && !fs::is_regular_file(before)) {
    if (!fs::is_directory(before) && write_to(target, bytes)) return true;
  } else {
    fs::path temporary = target;
    temporary += ".tmp" + std::to_string(getpid());
    if (write_to(temporary, bytes)) {
      if (fs::exists(before)) fs::permissions(temporary, before.permissions(), ignored);
      std::error_code failed;
      fs::rename(temporary, target, failed);
      if (!failed) return true;
      errno = failed.value();
    }
    const int why = errno;
    fs::remove(temporary, ignored);
    errno = why;
  }
  const bool folder = fs::is_directory(before);
  diagnostics.error(Code::E0507, span, "cannot write " + path + ": " + (folder ? "it is a folder" : std::strerror(errno)));
  return false;
}

}  // namespace bpc::runtime
