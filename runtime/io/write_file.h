// Whole files out.
#pragma once

#include <string>
#include <string_view>

#include "support/diagnostics.h"

namespace bpc::runtime {

// Writes beside the target, with its mode and owner, and renames once the bytes are on the disk, so that a failure (E0507 at `span`, false)
// leaves what was there before untouched. Symbolic links are followed. What has several names (hard links), or an owner that the new file
// could not have, is written in place, and so is what is no regular file (a device, a pipe).
bool write_file(const std::string& path, std::string_view bytes, Diagnostics& diagnostics, Span span = {});

}  // namespace bpc::runtime
