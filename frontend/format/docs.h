// Private to the formatter: the tree's nodes as text with places to break it.
#pragma once

#include <string>
#include <vector>

#include "frontend/format/layout.h"
#include "frontend/syntax/ast.h"

namespace bpc::frontend {

// The comments that may stand inside a statement, in order. What is written where a line ends takes those before it.
struct Notes {
  const Comment* next = nullptr;
  const Comment* end = nullptr;

  bool are_written() const { return next == end; }
};

// One simple statement, or the head of one with a block (up to and with its `{`). `if` heads lack what stands before the `if`.
std::vector<Doc> statement_docs(const Ast& ast, const SourceMap& sources, const Stmt& statement, Notes& notes);
// A text as a script writes it.
std::string quote(const std::string& text);
// An expression on one line.
std::string expression_text(const Ast& ast, ExprId id);
// One line of a `train` block.
std::vector<Doc> setting_docs(const Ast& ast, const SourceMap& sources, const TrainStmt::Setting& setting, Notes& notes);

}  // namespace bpc::frontend
