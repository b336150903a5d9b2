// What people who know another language write, and what a script writes instead: the table foreign.def.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/ast.h"
#include "support/source.h"

namespace bpc::frontend {

enum class ForeignPlace { value, base, function, attribute, type, statement };

// A piece of the author's text that a help shows.
struct Captured {
  std::string text;
  bool is_operand;  // a name, a number, a call: it needs no parentheses beside an operator
};

// An expression of the author's.
Captured captured(const SourceMap& sources, const Ast& ast, ExprId id);

// The help for a word of another language at a place; empty when the table does not have it. `captured` are the call's arguments, the
// object of an attribute, or nothing.
std::string foreign_help(ForeignPlace place, std::string_view word, const std::vector<Captured>& captured);

// The helps for a call of a function that there is, with arguments that another language gives it; those to prefer come first.
std::vector<std::string> foreign_call_helps(const SourceMap& sources, const Ast& ast, const CallExpr& call);

// A help of the table with what was captured put in; where code in it would be no program, `…` stands for what was captured.
std::string fill_help(std::string_view help, const std::vector<Captured>& captured);
// The same for a text that holds no code to write.
std::string fill(std::string_view text, const std::vector<Captured>& captured);

}  // namespace bpc::frontend
