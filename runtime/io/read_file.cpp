#include "runtime/io/read_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace bpc::runtime {

namespace {

// Closes what it opened.
struct OpenFile {
  int descriptor;
  bool owned;

  OpenFile(int descriptor, bool owned) : descriptor(descriptor), owned(owned) {}
  OpenFile(OpenFile&& other) noexcept : descriptor(other.descriptor), owned(std::exchange(other.owned, false)) {}
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

class Opener {
 public:
  Opener(const std::string& path, Diagnostics& diagnostics, Span span, FileKind kind)
      : path_(path), diagnostics_(diagnostics), span_(span), kind_(kind) {}

  std::nullopt_t fail(const std::string& why, const std::string& help = {}) {
    diagnostics_.error(Code::E0502, span_, "cannot read " + (path_ == "-" ? "standard input" : path_) + ": " + why).with_help(help);
    return std::nullopt;
  }

  // Nothing after an error.
  std::optional<OpenFile> open() {
    const bool is_stdin = path_ == "-";
    if ((is_stdin ? fstat(STDIN_FILENO, &about) : stat(path_.c_str(), &about)) != 0) {
      const int why = errno;
      const std::string similar = why == ENOENT ? similar_files(path_, kind_) : std::string();
      return fail(std::strerror(why), similar.empty() ? "" : "did you mean " + similar + "?");
    }
    if (S_ISDIR(about.st_mode)) return fail("it is a folder");
    if (S_ISFIFO(about.st_mode) && !is_stdin && !path_.starts_with("/dev/") && !path_.starts_with("/proc/"))
      return fail("it is a pipe", "feed it to standard input, which is the file `-`");
    OpenFile file(is_stdin ? STDIN_FILENO : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC), !is_stdin);
    if (file.descriptor < 0) return fail(std::strerror(errno));
    if (is_endless_device(file.descriptor, about)) return fail("it is a device, and may never end");
    return file;
  }

  std::optional<std::string> read(const OpenFile& file, std::size_t most) {
    std::string text;
    if (S_ISREG(about.st_mode) && size() > most) return too_large(most);
    if (S_ISREG(about.st_mode)) text.reserve(size() + (std::size_t{1} << 20));
    if (!read_all(file.descriptor, most, text)) return fail(std::strerror(errno));
    if (text.size() > most) return too_large(most);
    return text;
  }

  std::nullopt_t too_large(std::size_t most) {
    return fail("it is larger than " + size_text(most), "`--max-memory=BYTES` lets a data file be larger");
  }

  std::size_t size() const { return static_cast<std::size_t>(about.st_size); }
  struct stat about = {};

 private:
  const std::string& path_;
  Diagnostics& diagnostics_;
  Span span_;
  FileKind kind_;
};

constexpr std::size_t kSmall = std::size_t{1} << 20;  // read sooner than mapped

}  // namespace

FileBytes::FileBytes(std::string text) : size_(text.size()), place_(Place::memory) {
  const auto owner = std::make_shared<const std::string>(std::move(text));
  bytes_ = {owner, reinterpret_cast<const std::byte*>(owner->data())};
}

FileBytes::FileBytes(std::shared_ptr<const std::byte[]> mapped, std::size_t size, Place place)
    : bytes_(std::move(mapped)), size_(size), place_(place) {}

std::optional<FileBytes> read_data(const std::string& path, std::size_t most, std::size_t memory, Diagnostics& diagnostics, Span span) {
  Opener opener(path, diagnostics, span, FileKind::data);
  const auto file = opener.open();
  if (!file) return std::nullopt;
  const std::size_t size = opener.size();
  if (S_ISREG(opener.about.st_mode) && path != "-" && size > std::min(kSmall, most)) {
    void* mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->descriptor, 0);
    if (mapped != MAP_FAILED)
      return FileBytes(
          {static_cast<const std::byte*>(mapped), [size](const std::byte* held) { munmap(const_cast<std::byte*>(held), size); }}, size,
          place_for(size, memory));
  }
  auto text = opener.read(*file, most);
  return text ? std::optional(FileBytes(std::move(*text))) : std::nullopt;
}

void too_large_to_read(const std::string& path, std::size_t most, Diagnostics& diagnostics, Span span) {
  Opener(path, diagnostics, span, FileKind::data).too_large(most);
}

std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics, Span span, std::size_t most, FileKind kind) {
  Opener opener(path, diagnostics, span, kind);
  const auto file = opener.open();
  return file ? opener.read(*file, most) : std::nullopt;
}

}  // namespace bpc::runtime
