// Writes docs/errors.md, made from support/error_codes.def and support/essays.md, to standard output.
#include <fmt/format.h>

#include "support/essays.h"

int main() {
  fmt::print(
      "# Error codes\n\n<!-- Made from support/error_codes.def and support/essays.md by the target update_docs. Do not edit. -->\n\n"
      "Of each code: what it means, a script that shows it, and one where it is mended. `bpc explain CODE` says the same.\n");
  for (const bpc::CodeInfo& info : bpc::all_codes()) fmt::print("\n{}", bpc::essay_page(info.code));
}
