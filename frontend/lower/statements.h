// Statements: rebinding, updates, control flow, print and assert; declarations are in declarations.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// What is left to do: the statements of a block from `at` on, then `next` (within one call).
struct Rest {
  const std::vector<StmtId>* statements;
  std::size_t at;
  const Rest* next;
};

// How statements end: whether `continue`, `break` or `return` has left them before, each known at compile time or a scalar bool. What ends
// the loop around them leaves the turn, and what ends the function leaves both.
struct Outcome {
  Item left{false};      // by any of the three
  Item ended{false};     // by `break` or `return`
  Item returned{false};  // then with `values`
  std::vector<Item> values{};
  Span open{};  // where it is decided at run time: the condition, or the head of the loop
};

// Lowers statements in the current scope. What may be left is followed by its rest on the other side of an `if`.
Outcome run(Context& c, Rest rest);
Outcome run(Context& c, const Block& block);

// What values of that name are called: a path is no name of a script.
std::string value_name(const Definition& name);

// Binds a name by assignment: at the top level it becomes an output, and a value without a name gets it.
void assign_name(Context& c, const Definition* name, Item item, Span span, std::optional<Type> declared = std::nullopt);

void assignment(Context& c, const AssignStmt& s, Span span);

// ---- branches.cpp, loops.cpp ----

using Lower = std::function<Outcome()>;

// An `if` on a condition that is known at run time only (nullopt: it has failed, which was reported). Afterwards the names that both sides
// bind, and those bound before, have the value of the side that was taken.
Outcome fork(Context& c, const std::optional<Item>& condition, Span span, const Lower& then, const Lower& otherwise);
void if_statement(Context& c, const IfStmt& s);
// An `if` that may leave its block, and what follows it there.
Outcome leaving_if(Context& c, const IfStmt& s, Rest rest);
// After statements that may have left it.
Outcome go_on(Context& c, Outcome before, Rest rest);
// The condition where `guard` holds, and otherwise false, without computing it.
std::optional<Item> guarded(Context& c, const Item& guard, ExprId condition, const std::string& what);

// They leave what is around them by `return` alone.
Outcome for_statement(Context& c, const ForStmt& s, Span span);
Outcome while_statement(Context& c, const WhileStmt& s, Span span);

}  // namespace bpc::frontend::lowering
