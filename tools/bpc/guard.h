// What ends a command from outside: Ctrl-C, --max-seconds, and memory that is not to be had.
#pragma once

#include <string>

#include "support/diagnostics.h"
#include "tools/bpc/options.h"

namespace bpc::tool {

// What the command is doing, for the message that says what was not finished. The text is kept by its address.
void set_stage(const char* name);

// For the rest of the process, whatever it is doing:
//   - The first Ctrl-C sets runtime::interrupt_requested, which loops heed. What goes on all the same ends a fifth of a second later, and
//     at a second Ctrl-C at once; the exit code is 130.
//   - After --max-seconds it ends with E0410.
//   - Where a file that is mapped has lost what is looked at, it ends with E0502.
//   - Where memory runs out and nobody has an answer to that (runtime::MemoryMayRunOut), it ends with E0406.
// What was printed is flushed before; files are written whole or not at all (runtime::write_file), so that nothing is left in halves.
void guard(const Options& options);

// From now on the first Ctrl-C, or SIGTERM, does no more than ask for an end, which comes when a step is whole; a second one ends the
// process at once.
void finish_step_on_interrupt();
bool stop_requested();

// Ends the process with this error and exit code 2, from wherever it is.
[[noreturn]] void end_with_error(Code code, const std::string& message, const std::string& help);
// Ends the process with E0406.
[[noreturn]] void end_without_memory();

}  // namespace bpc::tool
