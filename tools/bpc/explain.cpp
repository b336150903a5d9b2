// `bpc explain`: a script's forward values, the walk back through them, the chain rule of each param, and what it all costs.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "explain/render.h"
#include "tools/bpc/explain_script.h"
#include "tools/bpc/explain_topic.h"
#include "tools/bpc/page.h"
#include "tools/bpc/terminal.h"

namespace bpc::tool {

namespace {

// Lines that fit a screen with headings and what else stands around them; on a narrow terminal some take a second line.
constexpr std::size_t kLines = 34, kNarrowLines = 26, kNarrow = 140;

std::size_t lines_of(const Options& options) {
  if (options.format == "html") return kGraphLines;
  const std::size_t width = terminal_width();
  return width > 0 && width < kNarrow ? kNarrowLines : kLines;
}

}  // namespace

int explain_command(const Options& options) {
  if (const std::optional<int> code = explain_topic(options)) return *code;
  Session session(options);
  if (options.files.size() > 1) {
    session.diagnostics.error(Code::E0510, {},
                              fmt::format("`bpc explain` takes one FILE, and was given `{}`", fmt::join(options.files, "`, `")));
    return session.finish();
  }
  std::optional<Script> script = lower_script(session, options.files.front(), DataNeed::values);
  const std::optional<Explained> explained = script ? explain_script(session, *script, lines_of(options)) : std::nullopt;
  if (!explained) return session.finish();
  const explain::Explanation* explanation = &explained->explanation;
  session.report();
  if (options.format == "json")
    print("{}\n", explain::to_json(*explanation, session.sources).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  else if (options.format == "md")
    put(explain::to_markdown(*explanation, options.files.front(), options.param));
  else if (options.format == "html")
    put(page_of(session, *explained, script->module));
  else if (options.format == "latex")
    put(explain::to_latex(*explanation, options.files.front(), options.param));
  else
    put(explain::to_text(*explanation, {use_color(options.color, STDOUT_FILENO), terminal_width(), options.param}));
  return session.finish();
}

}  // namespace bpc::tool
