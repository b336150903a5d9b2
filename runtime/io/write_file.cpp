#include "runtime/io/write_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace bpc::runtime {

namespace fs = std::filesystem;

namespace {

// Keeps the errno of what failed first.
bool write_all(int file, std::string_view bytes, bool sync) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return !sync || ::fsync(file) == 0;
}

bool close_after(int file, bool good) {
  const int why = errno;
  if (::close(file) != 0 && good) return false;
  errno = why;
  return good;
}

bool write_in_place(const fs::path& path, std::string_view bytes, bool sync) {
  const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  return file >= 0 && close_after(file, write_all(file, bytes, sync));
}

// Whether a new file can have the owner and the mode of the one that it replaces.
bool take_over(int file, const struct stat& before) {
  struct stat now{};
  if (::fstat(file, &now) != 0) return false;
  const bool same_owner = now.st_uid == before.st_uid && now.st_gid == before.st_gid;
  return (same_owner || ::fchown(file, before.st_uid, before.st_gid) == 0) && ::fchmod(file, before.st_mode & 07777) == 0;
}

// Writes beside the target and renames.
bool replace(const fs::path& target, std::string_view bytes, const struct stat* before) {
  fs::path temporary = target;
  temporary += ".tmp" + std::to_string(getpid());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return false;
  if (before && !take_over(file, *before)) {
    close_after(file, true);
    ::unlink(temporary.c_str());
    return write_in_place(target, bytes, true);
  }
  if (close_after(file, write_all(file, bytes, true)) && ::rename(temporary.c_str(), target.c_str()) == 0) return true;
  const int why = errno;
  ::unlink(temporary.c_str());
  errno = why;
  return false;
}

}  // namespace

bool write_file(const std::string& path, std::string_view bytes, Diagnostics& diagnostics, Span span) {
  std::error_code ignored;
  fs::path target = fs::canonical(path, ignored);
  if (target.empty()) target = path;  // not there yet
  struct stat before{};
  errno = 0;
  const bool exists = ::stat(target.c_str(), &before) == 0;
  const bool folder = exists && S_ISDIR(before.st_mode);
  const bool regular = !exists || S_ISREG(before.st_mode);
  bool good = false;
  if (regular && (!exists || before.st_nlink == 1))
    good = replace(target, bytes, exists ? &before : nullptr);
  else if (!folder)
    good = write_in_place(target, bytes, regular);
  if (good) return true;
  diagnostics.error(Code::E0507, span, "cannot write " + path + ": " + (folder ? "it is a folder" : std::strerror(errno)));
  return false;
}

}  // namespace bpc::runtime
