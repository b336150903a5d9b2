// Statements: rebinding, updates, control flow, print and assert; declarations are in declarations.h.
#pragma once

#include <string>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// What is left to do: the statements of a block from `at` on, then those of the blocks around it (within one call).
struct Rest {
  const std::vector<StmtId>* statements;
  std::size_t at;
  const Rest* next;
  // Of a side of an `if`: the other side, if there is one, and the number of scopes around both; 0 for other statements.
  const Block* other = nullptr;
  std::size_t around = 0;
  bool is_known = false;  // to be the side that is taken
};

struct Outcome {
  bool returned = false;
  std::vector<Item> values;  // of `return`
};

// Lowers statements in the current scope. An `if` on a run-time condition that returns on one side takes the rest as its other side.
Outcome run(Context& c, Rest rest);

// Binds a name by assignment: at the top level it becomes an output, and a value without a name gets it.
void assign_name(Context& c, const Definition* name, Item item, Span span, std::optional<Type> declared = std::nullopt);

void assignment(Context& c, const AssignStmt& s, Span span);

// ---- branches.cpp, loops.cpp ----

void if_statement(Context& c, const IfStmt& s);
// At the end of a side, forgets the names that were not bound before it and that the other side does not bind. The scope of a known side
// ends.
void leave_side(Context& c, const Rest& side);
Outcome returning_if(Context& c, const IfStmt& s, Span span, const Rest& rest);
void for_statement(Context& c, const ForStmt& s, Span span);
void while_statement(Context& c, const WhileStmt& s, Span span);
bool contains_return(const Ast& ast, const Block& block);

}  // namespace bpc::frontend::lowering
