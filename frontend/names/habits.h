// What people write out of habit in the grammar of this language, recognised by the names that there are, and what to write here. What no
// rule of the grammar takes is answered by frontend/parse_phrases.h.
#pragma once

#include <optional>

#include "frontend/names/scopes.h"
#include "frontend/syntax/ast.h"
#include "frontend/syntax/foreign.h"
#include "support/diagnostics.h"
#include "support/source.h"

namespace bpc::frontend {

class Habits {
 public:
  Habits(const SourceMap& sources, const Ast& ast, const Scopes& scopes, Diagnostics& diagnostics)
      : sources_(sources), ast_(ast), scopes_(scopes), diagnostics_(diagnostics) {}

  // The text of an expression, for a help.
  Captured captured(ExprId id) const;

  // `x = 3 // word`, `x = 3 % word` and `x = 3 -- word`, whose word may be a comment; so may that of a statement `-- word`.
  bool starts_comment(const BinaryExpr& link) const;
  bool is_comment(ExprId id) const;
  // `-b` on a line of its own, which may be meant to continue the one above.
  bool starts_with_sign(ExprId id) const;

  // ---- each of these says what it has found, if it has ----

  // `dJ/dw`, as a run shows it and books write it, for a J and a w that there are.
  bool report_differentials(const BinaryExpr& quotient) const;
  // `exp -2`, of the function `callee` where the difference begins with it or ends its left side in it: `1 + exp -2`
  bool report_called_with_sign(ExprId callee, const BinaryExpr& difference) const;
  // `x[:, None]`
  bool report_added_axis(const IndexExpr& index) const;
  // `a == 1` and `a <- 1`, where a name should be bound.
  struct Binding {
    Name name;
    ExprId value;
  };
  std::optional<Binding> report_binding(const ExprStmt& statement, Span at) const;

 private:
  bool is_name(ExprId id) const;
  ExprId negated(ExprId id) const;

  const SourceMap& sources_;
  const Ast& ast_;
  const Scopes& scopes_;
  Diagnostics& diagnostics_;
};

}  // namespace bpc::frontend
