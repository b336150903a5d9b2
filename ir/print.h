// The text form of the IR; ir/read.h reads it back to the same module, so that print(read(print(m))) == print(m).
#pragma once

#include <string>

#include "ir/function.h"

namespace bpc::ir {

// One op a line. Values carry the author's names, made unique (%x, %x.2); temporaries are numbers (%1).
//
//   module real=f32 seed=0
//   file 0 "tutorial.bp"
//
//   func main loss "J" {
//     %x = input "x" : f32                          an input fed by a file: … : f32[150] from "\"iris.csv\"[\"y\"]"
//     %w1 = param "w1" : f32
//     %1 = mul %w1, %x : f32                        @0:8:11-8:15
//     %2 = constant {value = 0.5} : f32
//     %r = if_else %c : f32 {
//       yield %1
//     } else {
//       yield %2
//     }
//     %s.2 = for_loop %lo, %hi, %by, %s : f32 (%i : i32, %s.3 : f32) {
//       yield %3
//     }
//     %s.4 = while_loop %s : f32 (%s.5 : f32) {     a region that yields whether to go on, then the body
//       yield %4
//     } do (%s.6 : f32) {
//       yield %5
//     }
//     output value "r" %r
//     output gradient "w1" %dJ_dw1
//   }
//
// An origin is @file:line:column-line:column (@? for nowhere), then, where they apply: `in` call sites, innermost first · `path "h1.dense"`
// · `by "mul"`, the rule that made it · `also` places joined by CSE. Attributes as in ir/attributes.def, those that are at their defaults
// left out; types as in support/type.h; a NaN is canonical. Names other than letters, digits, `_` and inner dots are quoted: %"a b".
// Comments start with `#` or `//`.
std::string print(const Module& module);

}  // namespace bpc::ir
