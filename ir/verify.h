// The invariants of the IR, all of them, and a check that they hold.
//
// Structure
//   - every id is valid; block 0 is the body of the function and has no parent, arguments or yields
//   - every op that a block lists is in that block alone, and says so; every block is a region of the op that its parent link names
//   - a value links back to the op, block and slot that define it, and is defined once
//   - regions nest at most kDeepestRegion deep
//   - dim names are identifiers or empty; shapes are sound (shape_problem of support/type.h)
// Order
//   - an operand or yield is a parameter, an argument of the block or of one around it, or a result of an earlier op in such a block
//   - an output is a value of the body; its donor, if it has one, is a parameter of its type and nobody else's donor
// Ops (op_problem)
//   - as many operands as ops.def says, of the element types that it says; attributes the op knows, each of its kind
//   - result types are those of infer_types; a constant of f32, i32 or bool holds numbers of that type
//   - if_else: a scalar bool; two regions without arguments, each yielding the result types
//   - for_loop: lo, hi, by scalars of one integer type; then the carried values, whose types are those of the results, of the region's
//     arguments after the first (the index, of lo's type), and of its yields
//   - while_loop: two regions whose arguments have the types of the carried values; the first yields one scalar bool, the second the
//     carried values, whose types the results have
//   - map: a region whose arguments are i32 indices; each result has an axis per index, the same sizes in every result, then those of the
//   yield
//   - checkpoint: a region without arguments that yields the result types
//   - custom: a region whose arguments have the types of the operands and which yields the result types; and a second, whose arguments have
//     the types of the operands, of the results, and of the results again (their cotangents), and which yields the types of the operands
//   - no other op has regions
// Tapes
//   - a tape is used at most once on each way through the program: twice only on different sides of an if_else, and not in a loop or map
//   that
//     it was not defined in; it is no output
// Function
//   - parameters have distinct paths, and each defines a value of the body; no two gradient outputs have the same path
// Module
//   - spans name files of the module
#pragma once

#include <string>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

inline constexpr std::size_t kDeepestRegion = 256;

// One sentence per violation ("main: op 12 (mul): operand %x is used before it is defined"); empty when all is well. Run after every pass
// in tests and dev builds.
std::vector<std::string> verify(const Function& function);
std::vector<std::string> verify(const Module& module);

// What is wrong with an op taken alone, by the invariants under "Ops"; empty when nothing is. Its ids must be valid.
std::string op_problem(const Function& function, const Op& op);
std::string region_problem(const Function& function, const Op& op);  // its part for ops with regions

}  // namespace bpc::ir
