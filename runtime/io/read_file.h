// Whole files in.
#pragma once

#include <optional>
#include <string>

#include "support/diagnostics.h"

namespace bpc::runtime {

// E0502 at `span` when the file cannot be opened or read.
std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
