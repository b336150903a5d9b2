// A subcommand's words, read into its options; what is wrong with them, said in our own words.
#pragma once

#include <optional>
#include <string_view>

#include "tools/bpc/commands.h"

namespace bpc::tool {

// Fills `options` from `words`, whose first is the command's name. An exit code when that is all there is to do: after --help, or after
// a mistake (E0510).
std::optional<int> parse_command_line(const Command& command, int count, char** words, Options& options);

// There is no such command, or a flag stands where a command should.
int unknown_command(std::string_view word);

}  // namespace bpc::tool
