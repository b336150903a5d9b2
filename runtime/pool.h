// The threads of the process: they share the parts of one step, and sleep when there are none.
#pragma once

#include <cstdint>

namespace bpc::runtime {

// How many threads share work from now on, the caller among them. 0, as it is at first: as many as the processors that the process may use.
void set_threads(int count);
int threads();

// Calls part(argument, i, thread) once for each i from 0 to count - 1, in any order and on at most so many threads at once, and returns
// when all are done. No two threads that are at work for one call have the same number, from 0 to most - 1: what is theirs to work in goes
// by it. Whatever the number of threads, it is the parts that decide what is computed. A thread is made when it is first needed; where it
// cannot be had, the others do its share. A part that calls this itself, and a caller who finds the threads at work for another one, run
// all parts alone. Parts throw nothing.
using Part = void (*)(void* argument, std::int64_t index, std::int64_t thread);
void run_parts(std::int64_t count, std::int64_t most, Part part, void* argument);

}  // namespace bpc::runtime
