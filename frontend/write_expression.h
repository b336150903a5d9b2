// Values of a straight piece of IR, each as one expression of what is given.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "frontend/syntax/ast.h"
#include "ir/function.h"

namespace bpc::frontend {

// Expressions in one tree; nullopt for a value that is none.
struct WrittenExpressions {
  Ast ast;
  std::vector<std::optional<ExprId>> expressions;
};

// `names`: how to read a parameter, or a result, instead of what computes it. They may be any texts, and several values may share one: what
// is written is for people: `placed(v, [2])` are zeros with v from place 2 on, `scattered(i, v)` zeros to whose rows i the rows of v are
// added. `real` is the program's default float. A value that comes out of a region, or of an op with several results, is
// none, nor is what is made of it, nor an expression of more than a thousand operations.
WrittenExpressions write_expressions(const ir::Function& function, Element real, const std::map<ir::ValueId, std::string>& names,
                                     std::span<const ir::ValueId> wanted);

}  // namespace bpc::frontend
