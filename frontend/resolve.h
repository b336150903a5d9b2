// Names, arity and places of statements: what can be said of a script before its types.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "frontend/program.h"

namespace bpc::frontend {

struct Symbol {
  enum class Kind : std::uint8_t { dim, constant, input, param, loss, function, variable };
  Kind kind;
  Span span;                   // of the name where it is first bound
  const FnStmt* fn = nullptr;  // of a function
};
using Symbols = std::map<std::string, Symbol>;

// Resolves the names of one file, given what each file of the program exports (only the entries of its imports need be there). Appends E01
// diagnostics in source order. Returns the file's own fns, dims and consts.
Symbols resolve(const Program& program, std::size_t index, const std::vector<Symbols>& exports, Diagnostics& diagnostics);

}  // namespace bpc::frontend
