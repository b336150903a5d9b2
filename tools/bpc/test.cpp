// `bpc test`: scripts against their `# expect` comments.
#include "tools/bpc/driver.h"
#include "tools/bpc/expectations.h"

namespace bpc::tool {

namespace {

const RunValue* find(const std::vector<RunValue>& values, const std::string& path) {
  auto found = std::find_if(values.begin(), values.end(), [&](const RunValue& value) { return value.path == path; });
  return found == values.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<RunValue>& values) {
  std::string names;
  for (const RunValue& value : values) names += (names.empty() ? "" : ", ") + value.path;
  return names.empty() ? "there are none" : "there are " + names;
}

void compare(Session& session, std::span<const Expectation> expectations, const ScriptResult& result) {
  double tolerance = session.real == Element::f64 ? 1e-9 : 1e-5;
  for (const Expectation& expectation : expectations) {
    if (expectation.kind == Expectation::Kind::error) continue;
    bool gradient = expectation.kind == Expectation::Kind::gradient;
    const auto& list = gradient ? result.gradients : result.values;
    if (const RunValue* value = find(list, expectation.name)) {
      std::string difference = mismatch(expectation, value->tensor, tolerance);
      if (!difference.empty()) session.diagnostics.error(Code::E0509, expectation.span, (gradient ? "the gradient " : "") + difference);
    } else {
      session.diagnostics
          .error(Code::E0509, expectation.span, fmt::format("there is no {} `{}`", gradient ? "gradient" : "value", expectation.name))
          .with_help(names_of(list));
    }
  }
}

// Errors of the session against the codes expected: what is left over goes to `unexpected`.
void compare_errors(const Session& session, std::span<const Expectation> expectations, Diagnostics& unexpected) {
  std::set<std::string_view> happened, expected;
  for (const Expectation& expectation : expectations)
    if (expectation.kind == Expectation::Kind::error) expected.insert(expectation.name);
  for (const Diagnostic& diagnostic : session.diagnostics.all()) {
    if (diagnostic.severity != Severity::error) continue;
    happened.insert(code_info(diagnostic.code).name);
    if (!expected.contains(code_info(diagnostic.code).name)) unexpected.add(diagnostic);
  }
  for (const Expectation& expectation : expectations)
    if (expectation.kind == Expectation::Kind::error && !happened.contains(expectation.name))
      unexpected.error(Code::E0509, expectation.span, fmt::format("the error {} did not happen", expectation.name));
}

// True when every expectation of the script holds; what does not is reported. A test without expectations is none, and fails.
bool test_script(const Options& options, const std::string& path) {
  Session session(options);
  std::optional<FileId> file = read_source(session, path);
  std::vector<Expectation> expectations;
  if (file) expectations = read_expectations(session.sources, *file, session.diagnostics);
  if (file && expectations.empty() && !session.diagnostics.has_errors())
    session.diagnostics.error(Code::E0509, {}, fmt::format("{} has no `# expect` comment, so that nothing is tested", path))
        .with_help("write one, such as `# expect: J = 2`");
  if (file && !session.diagnostics.has_errors()) {
    std::optional<frontend::Program> program = load_script(session, *file);
    std::optional<Script> script = program ? lower_script(session, std::move(*program), DataNeed::values) : std::nullopt;
    std::optional<ScriptResult> result = script ? run_script(session, std::move(*script), {}, run_options(options, {})) : std::nullopt;
    if (result) compare(session, expectations, *result);
  }
  if (runtime::interrupt_requested) return false;
  Diagnostics unexpected;
  compare_errors(session, expectations, unexpected);
  for (const Diagnostic& diagnostic : unexpected.all()) write_diagnostic(diagnostic, session.sources, options);
  bool passed = !unexpected.has_errors();
  print("{} {}\n", passed ? "ok  " : "FAIL", file ? session.sources.file(*file).path : path);
  return passed;
}

}  // namespace

int test_command(const Options& options) {
  std::size_t failed = 0;
  for (const std::string& path : options.files) {
    failed += !test_script(options, path);
    if (runtime::interrupt_requested) return kInterrupted;
  }
  print("{} passed, {} failed\n", options.files.size() - failed, failed);
  return failed == 0 ? kOk : kWrong;
}

}  // namespace bpc::tool
