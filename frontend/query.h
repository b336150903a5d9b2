// What an editor asks of a script: what does this name mean, where was it bound, of which type is it?
#pragma once

#include <optional>
#include <string>

#include "frontend/lower.h"
#include "frontend/program.h"

namespace bpc::frontend {

struct NameAt {
  const Definition* meaning;  // its kind, its name, and where it was bound first: nowhere for what is built in
  Span place;                 // of the name
  std::string type;           // as lowering has found it here, of a call that of the result; empty where it does not know
};

// The name at a place of a file of the program, used or bound there; nullopt where none stands, or one that means nothing. Lines and
// columns count from 1, columns in code points. `types` is what `lower` has entered; empty, there are no types.
std::optional<NameAt> name_at(const Program& program, const TypeTable& types, FileId file, std::uint32_t line, std::uint32_t column);

}  // namespace bpc::frontend
