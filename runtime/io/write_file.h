// Whole files out.
#pragma once

#include <string>
#include <string_view>

#include "support/diagnostics.h"

namespace bpc::runtime {

// Writes beside the target and renames, so that a failure (E0507 at `span`, false) leaves what was there before untouched. Links are
// followed; what is no regular file (a device, a pipe) is written to directly.
bool write_file(const std::string& path, std::string_view bytes, Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
