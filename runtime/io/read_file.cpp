#include "runtime/io/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace bpc::runtime {

namespace {

// Closes what it opened.
struct OpenFile {
  int descriptor;
  bool owned;
  ~OpenFile() {
    if (owned && descriptor >= 0) close(descriptor);
  }
};

std::string size_text(std::size_t bytes) {
  for (const auto& [shift, unit] : {std::pair{30, "GiB"}, {20, "MiB"}, {10, "KiB"}})
    if (bytes >> shift > 0 && bytes % (std::size_t{1} << shift) == 0) return std::to_string(bytes >> shift) + " " + unit;
  return std::to_string(bytes) + " bytes";
}

// All of it; past `most`, more than that.
bool read_all(int descriptor, std::size_t most, std::string& text) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  while (text.size() <= most) {
    const std::size_t before = text.size();
    text.resize(before + kChunk);
    ssize_t count = 0;
    do count = read(descriptor, text.data() + before, kChunk);
    while (count < 0 && errno == EINTR);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count <= 0) return count == 0;
  }
  return true;
}

// A terminal is read to the end that its user gives, and /dev/null is empty.
bool is_endless_device(int descriptor, const struct stat& about) {
  struct stat null = {};
  if (!S_ISCHR(about.st_mode) || isatty(descriptor)) return false;
  return stat("/dev/null", &null) != 0 || null.st_rdev != about.st_rdev;
}

// What stands in a file's folder and may be meant: the same name with an ending, or else one that differs by a letter or two.
std::string similar_files(const std::string& path, FileKind kind) {
  constexpr std::size_t kMostLookedAt = 10000;
  const std::filesystem::path wanted(path), folder = wanted.parent_path();
  std::vector<std::string> names, whole;
  std::error_code error;
  std::filesystem::directory_iterator each(folder.empty() ? "." : folder, error), end;
  for (; !error && each != end && names.size() < kMostLookedAt; each.increment(error))
    if (std::error_code ignored; !each->is_directory(ignored)) names.push_back(each->path().filename().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    if (std::filesystem::path(name).stem() == wanted.filename() && name.ends_with(".bp") == (kind == FileKind::script))
      whole.push_back(name);
  if (whole.empty()) whole.push_back(closest_match(wanted.filename().string(), names));
  std::string text;
  for (const std::string& name : whole)
    if (!name.empty()) text += (text.empty() ? "`" : " or `") + (folder / name).string() + "`";
  return text;
}

}  // namespace

std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics, Span span, std::size_t most, FileKind kind) {
  const std::string name = path == "-" ? "standard input" : path;
  const auto fail = [&](const std::string& why, const std::string& help = {}) {
    diagnostics.error(Code::E0502, span, "cannot read " + name + ": " + why).with_help(help);
    return std::nullopt;
  };
  const auto too_large = [&] { return fail("it is larger than " + size_text(most), "`--max-memory=BYTES` lets a data file be larger"); };
  struct stat about = {};
  const bool is_stdin = path == "-";
  if ((is_stdin ? fstat(STDIN_FILENO, &about) : stat(path.c_str(), &about)) != 0) {
    const int why = errno;
    const std::string similar = why == ENOENT ? similar_files(path, kind) : std::string();
    return fail(std::strerror(why), similar.empty() ? "" : "did you mean " + similar + "?");
  }
  if (S_ISDIR(about.st_mode)) return fail("it is a folder");
  if (S_ISFIFO(about.st_mode) && !is_stdin && !path.starts_with("/dev/") && !path.starts_with("/proc/"))
    return fail("it is a pipe", "feed it to standard input, which is the file `-`");
  if (S_ISREG(about.st_mode) && static_cast<std::uint64_t>(about.st_size) > most) return too_large();
  const OpenFile file{is_stdin ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC), !is_stdin};
  if (file.descriptor < 0) return fail(std::strerror(errno));
  if (is_endless_device(file.descriptor, about)) return fail("it is a device, and may never end");
  std::string text;
  if (S_ISREG(about.st_mode)) text.reserve(static_cast<std::size_t>(about.st_size) + (std::size_t{1} << 20));
  if (!read_all(file.descriptor, most, text)) return fail(std::strerror(errno));
  if (text.size() > most) return too_large();
  return text;
}

}  // namespace bpc::runtime
