// Reads the text form that ir/print.h writes.
#pragma once

#include <optional>

#include "ir/function.h"
#include "support/diagnostics.h"

namespace bpc::ir {

// Appends E0508 (with line and column of the text) and returns nullopt on malformed text, types that do not follow from the operands
// included. `file` is the text in `sources`; spans of origins refer to module.files, not to `sources`.
std::optional<Module> read(const SourceMap& sources, FileId file, Diagnostics& diagnostics);

}  // namespace bpc::ir
