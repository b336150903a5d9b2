// The way out of the command: results on standard output, everything else on standard error. Nothing else writes to either.
#pragma once

#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "tools/bpc/options.h"

namespace bpc::tool {

// To be called first: a standard stream that is closed stays unusable, instead of becoming the next file that is opened.
void hold_closed_streams();

// Results. A write that fails (a full disk, a closed stream, a pipe that nobody reads) ends the process there and then with E0507 and exit
// code 2, so that no loop prints into the void.
void put(std::string_view text);
template <class... Arguments>
void print(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  put(fmt::format(format, std::forward<Arguments>(arguments)...));
}
// Writes what is still held back; to be called before messages, and last of all.
void flush_results();
// The same from another thread that is about to end the process: unless somebody is writing just now, who may be waiting for a reader.
void flush_what_is_free();

// What is said beside the results. That it cannot be written changes nothing.
void say(std::string_view text);

// How a failed write is reported, until the end of the process.
void report_failed_writes_as(const Options& options);

}  // namespace bpc::tool
