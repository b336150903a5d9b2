// Writes docs/errors.md, made from support/error_codes.def, to standard output.
#include <fmt/format.h>

#include "support/diagnostics.h"

int main() {
  fmt::print("# Error codes\n\n<!-- Made from support/error_codes.def by the target update_docs. Do not edit. -->\n");
  for (const bpc::CodeInfo& info : bpc::all_codes()) fmt::print("\n## {}: {}\n\n{}\n", info.name, info.title, info.essay);
}
