// Compressed files: one in a gzip stream, or several in a zip archive.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "support/diagnostics.h"

namespace bpc::runtime {

bool is_gzip(std::string_view file);
bool is_zip(std::string_view file);

// What it holds, at most `most` bytes. E0503, with `name` for the file, when it is damaged, E0502 when it holds more.
std::optional<std::string> gunzip(std::string_view file, const std::string& name, std::size_t most, Diagnostics& diagnostics,
                                  Span span = {});

// The files of an archive, by their names in it; all together at most `most` bytes. Errors as above.
std::optional<std::map<std::string, std::string>> unzip(std::string_view file, const std::string& name, std::size_t most,
                                                        Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
