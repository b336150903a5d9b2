// What a textbook would call the values of a derivative that nobody named.
#pragma once

#include <set>
#include <string>

#include "ir/function.h"

namespace bpc::ir {

// Operators that expressions are made of, and those that only move data or convert it; all others are functions.
bool is_arithmetic(Opcode code);
bool is_movement(Opcode code);

// How a derivative is written down: one operation a line, or as a person would.
enum class Style : std::uint8_t { steps, brief };

// The same function, expanded, with names in place of t1, t2 …, which the sweeps have given: z1 is what enters the function that gives a1,
// a1 what a function of z1 gives, and t1 a part of an expression; what is called after them (dJ_dt1, t1_tape) goes along. `authors`: names
// of the script, which nothing else gets. With Style::brief, what only one other expression reads has no name any more, so that a script
// writes it in place, and nothing is multiplied by the 1 that a derivative starts with.
Function with_textbook_names(const Function& function, const std::set<std::string>& authors, Style style);

}  // namespace bpc::ir
