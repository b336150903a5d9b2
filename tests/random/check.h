// One script, every way: what must hold of any program whose derivatives exist.
#pragma once

#include <cstdint>
#include <string>

#include "tests/random/program.h"

namespace bpc::test {

struct Ways {
  bool compiled = true;     // at -O0, and at -O3 in parts: LLVM takes nine tenths of the time, so either …
  bool directions = false;  // … the derivatives along directions, or the gradient
  bool scripts = true;      // its own gradient script, and the IR's text
  int threads = 2;          // which share the parts
};

struct Verdict {
  std::string failure;                     // what does not hold; empty when all does
  std::string kind;                        // the same for failures of the same nature
  std::int64_t compared = 0, skipped = 0;  // coordinates of the gradient against differences; skipped near kinks
  bool is_unsteady = false;                // two ways disagree, on what a change of 1e-14 of the arguments moves as much: no failure
};

// Runs a program of random_program in f64 and compares
//   - values and gradients: interpreted as written, with optimised IR, with loops of nine turns and more checkpointed; compiled at -O0,
//     and at -O3 with such checkpoints, each step in parts, which give the same bits in one thread and in several
//   - those of the script with those of its twin
//   - forward_k with backward_k: <cotangent, jvp(y, x, direction)> = <vjp(y, x, cotangent), direction>; residual = 0
//   - the gradient of J with central differences
//   - the script of its own gradient; the IR read back from its text
// and the operations of jvp and vjp with those of the value, where a loop has many turns. A mistake must be an error of differentiation.
// The IR is verified after every pass.
Verdict check(const Program& program, Ways ways);

}  // namespace bpc::test
