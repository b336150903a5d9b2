// Whole files in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/storage.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

// Of what is read into memory, unless something else is said.
inline constexpr std::size_t kMostData = std::size_t{1} << 30;

// What is looked for: a script's name ends in .bp, and may be given without.
enum class FileKind : std::uint8_t { data, script };

// At most `most` bytes; "-" is standard input. E0502 at `span` when the file cannot be opened or read, is larger, a folder, or a pipe with
// a name (/dev/fd/3 is none): nobody may be writing to it.
std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics, Span span = {}, std::size_t most = kMostData,
                                     FileKind kind = FileKind::data);

// The bytes of a data file.
class FileBytes {
 public:
  FileBytes(std::string text);
  FileBytes(std::shared_ptr<const std::byte[]> mapped, std::size_t size, Place place);

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.get()), size_}; }
  // From a byte on; they live as long as this does.
  std::shared_ptr<const std::byte[]> from(std::size_t at) const { return {bytes_, bytes_.get() + at}; }
  // Where what is made of them belongs. On a disk, they are mapped.
  Place place() const { return place_; }

 private:
  std::shared_ptr<const std::byte[]> bytes_;
  std::size_t size_;
  Place place_;
};

// As read_file; but a regular file of any size is mapped in place of being read, unless it is small. That it is large, for `memory` bytes
// of memory, its place says.
std::optional<FileBytes> read_data(const std::string& path, std::size_t most, std::size_t memory, Diagnostics& diagnostics, Span span = {});
// E0502: a file of so many bytes is not read into memory.
void too_large_to_read(const std::string& path, std::size_t most, Diagnostics& diagnostics, Span span);

}  // namespace bpc::runtime
