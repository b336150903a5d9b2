// Whole files in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "support/diagnostics.h"

namespace bpc::runtime {

// Of a data file, unless something else is said.
inline constexpr std::size_t kMostData = std::size_t{1} << 30;

// What is looked for: a script's name ends in .bp, and may be given without.
enum class FileKind : std::uint8_t { data, script };

// At most `most` bytes; "-" is standard input. E0502 at `span` when the file cannot be opened or read, is larger, a folder, or a pipe with
// a name (/dev/fd/3 is none): nobody may be writing to it.
std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics, Span span = {}, std::size_t most = kMostData,
                                     FileKind kind = FileKind::data);

}  // namespace bpc::runtime
