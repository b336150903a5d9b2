// What one command works with: the flags, the sources read, and what there is to tell the user.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "support/diagnostics.h"
#include "tools/bpc/commands.h"
#include "tools/bpc/output.h"

namespace bpc::tool {

class Session {
 public:
  explicit Session(const Options& options) : options(options) {}

  const Options& options;
  Element real = options.real.value_or(Element::f32);  // of the script
  SourceMap sources;
  Diagnostics diagnostics;

  // The next stage of the command, by a name that lasts (guard.h). With -v, what the one before it took is said on standard error.
  void begin(const char* stage);

  // Writes what was not written yet to standard error, as --color, --diagnostics and -q say.
  void report();
  // Ends the last stage, reports, and gives the exit code: the worst that happened.
  int finish();

 private:
  void end_stage();

  std::size_t reported_ = 0;
  const char* stage_ = nullptr;  // under way
  std::chrono::steady_clock::time_point stage_start_ = std::chrono::steady_clock::now();
};

// A message as --diagnostics and --color say; written to standard error, unless -q drops it.
std::string diagnostic_text(const Diagnostic& diagnostic, const SourceMap& sources, const Options& options);
void write_diagnostic(const Diagnostic& diagnostic, const SourceMap& sources, const Options& options);

// Usage, files and given data (2) or a wrong program (1).
int exit_code(const Diagnostics& diagnostics);

// The whole text of a file that is a script or another source; nullopt when it cannot be read.
std::optional<std::string> read_text(const std::string& path);
// A file, or standard input for "-", as a source of the session. E0502 when it cannot be read.
std::optional<FileId> read_source(Session& session, const std::string& path);

}  // namespace bpc::tool
