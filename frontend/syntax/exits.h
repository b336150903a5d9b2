// Where statements may be left before they come to their end.
#pragma once

#include "frontend/syntax/ast.h"

namespace bpc::frontend {

struct Exits {
  bool turn = false;      // by `continue`, of the loop around them
  bool loop = false;      // by `break`, of the loop around them
  bool function = false;  // by `return`, at any depth

  bool any() const { return turn || loop || function; }
};
Exits exits_of(const Ast& ast, const Block& block);
Exits exits_of(const Ast& ast, StmtId id);

// Whether every way through it ends in `break`, `continue` or `return`.
bool always_leaves(const Ast& ast, StmtId id);
bool always_leaves(const Ast& ast, const Block& block);

}  // namespace bpc::frontend
