// `bpc fmt`: scripts in canonical layout.
#include "frontend/format/format.h"
#include "frontend/syntax/parse.h"
#include "runtime/executable.h"
#include "runtime/io/write_file.h"
#include "tools/bpc/session.h"
#include "tools/bpc/text_diff.h"

namespace bpc::tool {

int fmt_command(const Options& options) {
  Session session(options);
  bool changes = false;
  for (const std::string& path : options.files) {
    std::optional<FileId> file = read_source(session, path);
    if (!file) continue;
    session.begin("parse, format");
    std::optional<frontend::Ast> ast = frontend::parse(session.sources, *file, session.diagnostics);
    if (!ast) continue;
    const std::string& before = session.sources.file(*file).text;
    std::string after = frontend::format(*ast, session.sources);
    if (options.diff) {
      put(unified_diff(path, before, after));
    } else if (options.check_only) {
      if (before != after) print("{}\n", path);
    } else if (path == "-") {
      put(after);
    } else if (before != after) {
      runtime::write_file(path, after, session.diagnostics);
    }
    changes |= before != after;
    if (runtime::interrupt_requested) break;
  }
  int code = session.finish();
  return code == kOk && changes && options.check_only ? kWrong : code;
}

}  // namespace bpc::tool
