// Which registers the steps of a plan read and write, and which steps may stop the run.
#pragma once

#include <span>
#include <vector>

#include "backend/plan/plan.h"

namespace bpc::plan {

struct Registers {
  std::vector<RegisterId> read;     // in order, repeated when read again; a kernel's own registers left out
  std::vector<RegisterId> written;  // those that later steps can see
};

// Appends what the step reads and writes. What is written inside a region is not seen outside, and not listed.
void add_registers(const Step& step, Registers& to);

// Host registers that a kernel reads.
std::vector<RegisterId> kernel_inputs(const Kernel& kernel);
std::vector<RegisterId> kernel_inputs(const Rows& rows);
// And those that their reductions leave to it.
std::vector<RegisterId> kernel_results(const Kernel& kernel);
std::vector<RegisterId> kernel_results(const Rows& rows);

// Of an instruction: a division by zero.
bool may_stop(const Instruction& instruction);
bool may_stop(const Kernel& kernel);

}  // namespace bpc::plan
