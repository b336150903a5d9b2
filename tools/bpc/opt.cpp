// `bpc opt`: passes over IR text.
#include "ir/pipeline.h"
#include "ir/print.h"
#include "ir/read.h"
#include "ir/verify.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

namespace {

// The names asked for, checked against the table.
std::optional<std::vector<std::string_view>> chosen_passes(Session& session) {
  std::vector<std::string> known;
  for (const ir::PassInfo& pass : ir::all_passes()) known.emplace_back(pass.name);
  std::vector<std::string_view> chosen;
  for (const std::string& name : session.options.passes) {
    if (const ir::PassInfo* pass = ir::find_pass(name)) {
      chosen.push_back(pass->name);
      continue;
    }
    std::string near = closest_match(name, known);
    session.diagnostics.error(Code::E0510, {}, fmt::format("there is no pass `{}`", name))
        .with_help(near.empty() ? fmt::format("the passes are {}", fmt::join(known, ", ")) : fmt::format("did you mean `{}`?", near));
  }
  return session.diagnostics.has_errors() ? std::nullopt : std::optional(std::move(chosen));
}

// Diagnostics of passes speak of the script's files, of which the IR text knows the paths: read again if they are still there.
SourceMap sources_of(const ir::Module& module) {
  SourceMap sources;
  for (const std::string& path : module.files) sources.add(path, read_text(path).value_or(""), path.starts_with("prelude/"));
  return sources;
}

}  // namespace

int opt_command(const Options& options) {
  Session session(options);
  std::optional<std::vector<std::string_view>> passes = chosen_passes(session);
  std::optional<FileId> file = passes ? read_source(session, options.files.front()) : std::nullopt;
  std::optional<ir::Module> module = file ? ir::read(session.sources, *file, session.diagnostics) : std::nullopt;
  if (!module) return session.finish();
  session.begin("verify");
  for (const std::string& violation : ir::verify(*module)) session.diagnostics.error(Code::E0508, {}, violation);
  if (session.diagnostics.has_errors()) return session.finish();
  session.report();
  session.sources = sources_of(*module);
  for (std::string_view pass : *passes) {
    session.begin(pass.data());
    ir::run_passes(*module, std::span(&pass, 1), session.diagnostics, true);
    if (session.diagnostics.has_errors()) return session.finish();
  }
  put(ir::print(*module));
  return session.finish();
}

}  // namespace bpc::tool
