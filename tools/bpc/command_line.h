// A subcommand's words, read into its options; what is wrong with them, said in our own words.
#pragma once

#include <optional>
#include <string_view>

#include "tools/bpc/commands.h"

namespace bpc::tool {

// Fills `options` from `words`, whose first is the command's name. An exit code when that is all there is to do: after --help, or after
// a mistake (E0510).
std::optional<int> parse_command_line(const Command& command, int count, char** words, Options& options);

// The first of the words is no command: says so, and what the whole line should be where that can be told.
int unknown_command(int count, char** words);

}  // namespace bpc::tool
