// Private to the formatter: the tree's nodes as text with places to break it.
#pragma once

#include <string>
#include <vector>

#include "frontend/ast.h"
#include "frontend/format_layout.h"

namespace bpc::frontend {

// One simple statement, or the head of one with a block (up to and with its `{`). `if` heads lack what stands before the `if`.
std::vector<Doc> statement_docs(const Ast& ast, const SourceMap& sources, const Stmt& statement);
// One line of a `train` block.
std::vector<Doc> setting_docs(const Ast& ast, const SourceMap& sources, const TrainStmt::Setting& setting);

}  // namespace bpc::frontend
