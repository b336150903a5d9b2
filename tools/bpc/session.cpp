#include "tools/bpc/session.h"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "runtime/executable.h"
#include "runtime/io/read_file.h"
#include "tools/bpc/guard.h"
#include "tools/bpc/terminal.h"

namespace bpc::tool {

namespace {

// Codes that speak of the command line, files and given data, not of the script.
bool is_usage(Code code) {
  std::string_view name = code_info(code).name;
  return name.starts_with("E05") && code != Code::E0508 && code != Code::E0509;
}

// Whether a warning stands before it that is of the same: what is lowered several times warns each time.
bool is_repeated(const Diagnostics& diagnostics, std::size_t at) {
  const Diagnostic& one = diagnostics.all()[at];
  const auto is_same = [&](const Diagnostic& other) { return other.code == one.code && other.span == one.span; };
  return one.severity == Severity::warning && one.span.valid() &&
         std::any_of(diagnostics.all().begin(), diagnostics.all().begin() + static_cast<std::ptrdiff_t>(at), is_same);
}

}  // namespace

void Session::end_stage() {
  auto now = std::chrono::steady_clock::now();
  if (options.verbose && stage_)
    say(fmt::format("{:>10.3f} ms  {}\n", std::chrono::duration<double, std::milli>(now - stage_start_).count(), stage_));
  stage_ = nullptr;
}

void Session::begin(const char* stage) {
  end_stage();
  set_stage(stage);
  stage_ = stage;
  stage_start_ = std::chrono::steady_clock::now();
}

std::string diagnostic_text(const Diagnostic& diagnostic, const SourceMap& sources, const Options& options) {
  switch (options.messages) {
    case MessageForm::human:
      return render_human(diagnostic, sources, use_color(options.color, STDERR_FILENO));
    case MessageForm::json:
      return render_json(diagnostic, sources).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return {};
}

void write_diagnostic(const Diagnostic& diagnostic, const SourceMap& sources, const Options& options) {
  if (options.quiet && diagnostic.severity == Severity::warning) return;
  flush_results();  // keep the order on a terminal
  say(diagnostic_text(diagnostic, sources, options));
}

void Session::report() {
  constexpr std::size_t kMostForPeople = 50;  // nobody reads more; a tool gets all
  const std::size_t count = diagnostics.all().size();
  const std::size_t end = options.messages == MessageForm::human ? std::min(count, std::max(reported_, kMostForPeople)) : count;
  for (; reported_ < end; ++reported_)
    if (!is_repeated(diagnostics, reported_)) write_diagnostic(diagnostics.all()[reported_], sources, options);
  if (end < count) say(fmt::format("and {} more errors and warnings\n", count - end));
  reported_ = count;
}

int Session::finish() {
  end_stage();
  report();
  return runtime::interrupt_requested ? kInterrupted : exit_code(diagnostics);
}

int exit_code(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics.all())
    if (diagnostic.severity == Severity::error) return is_usage(diagnostic.code) ? kUsage : kWrong;
  return kOk;
}

namespace {

constexpr std::size_t kMostSource = std::size_t{64} << 20;  // bytes of a script or IR text

}  // namespace

std::optional<std::string> read_text(const std::string& path) {
  Diagnostics unused;
  return runtime::read_file(path, unused, {}, kMostSource);
}

std::optional<FileId> read_source(Session& session, const std::string& path) {
  session.begin("read");
  const std::size_t most = session.options.max_memory > 0 ? std::min(session.options.max_memory, kMostSource) : kMostSource;
  std::optional<std::string> text = runtime::read_file(path, session.diagnostics, {}, most, runtime::FileKind::script);
  return text ? std::optional(session.sources.add(path == "-" ? "<stdin>" : path, std::move(*text))) : std::nullopt;
}

}  // namespace bpc::tool
