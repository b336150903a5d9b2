// A script with everything it imports, its names resolved.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/names/meanings.h"
#include "frontend/syntax/ast.h"
#include "support/diagnostics.h"
#include "support/type.h"

namespace bpc::frontend {

// Asts live as long as the Program; asts[0] is the main file.
struct Program {
  SourceMap* sources = nullptr;
  std::vector<std::unique_ptr<Ast>> asts;
  std::vector<std::unique_ptr<Meanings>> names;  // of each
  std::vector<FileId> order;                     // what a file imports comes before it
  // FileId of an imported file by the ImportStmt that names it.
  std::map<std::pair<FileId, std::string>, std::size_t> imports;  // (importing file, path as written) -> index into asts
  // A `train` block that wins over the script's, or null: what the command line says.
  std::unique_ptr<Ast> flags;
  std::unique_ptr<Meanings> flag_names;
};

// Reads a file; nullopt when it cannot be read. `load` uses it for the main file's imports (paths relative to the importer).
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

// Parses the main file (already in `sources`) and what it imports: syntax, import cycles, names, arity, recursion (E01xx), missing files
// (E05xx). What is right in spite of errors is there, so that `lower` checks it, too; nullopt when there is nothing. Diagnostics come out
// in the order of their places, those of an imported file first. The functions of the prelude that are used are parsed on demand by
// `lower`. `flags` is a source that holds a `train` block alone, if any.
std::optional<Program> load(SourceMap& sources, FileId main, const ReadFile& read, Diagnostics& diagnostics, FileId flags = kNoFile);

// What the script says that `real` is, or nullopt. What an imported file says counts for nothing.
std::optional<Element> declared_real(const Program& program);

}  // namespace bpc::frontend
