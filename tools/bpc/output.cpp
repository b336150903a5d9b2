#include "tools/bpc/output.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tools/bpc/session.h"

namespace bpc::tool {

namespace {

Options failed_write_options;

[[noreturn]] void end_after_failed_write(int why) {
  Diagnostics diagnostics;
  diagnostics.error(Code::E0507, {}, fmt::format("cannot write to standard output: {}", std::strerror(why)));
  say(diagnostic_text(diagnostics.all().front(), {}, failed_write_options));
  std::_Exit(kUsage);
}

}  // namespace

void hold_closed_streams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1) continue;
    // Opened the wrong way round: whoever reads or writes there gets an error, as from a closed stream.
    if (open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream) std::_Exit(kUsage);
  }
}

void put(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) end_after_failed_write(errno);
}

void flush_what_is_free() {
  if (ftrylockfile(stdout) == 0) std::fflush(stdout);
}

void flush_results() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) end_after_failed_write(errno);
}

void say(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void report_failed_writes_as(const Options& options) {
  failed_write_options = options;
}

}  // namespace bpc::tool
