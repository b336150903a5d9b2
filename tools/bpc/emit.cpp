// `bpc emit`: a script, or the program of its gradient, in another form.
#include "ir/part.h"
#include "tools/bpc/driver.h"
#include "tools/bpc/emitters.h"
#include "tools/bpc/explain_script.h"

namespace bpc::tool {

namespace {

const Emitter* find_emitter(Session& session) {
  const std::string& format = session.options.format;
  std::vector<std::string> names;
  for (const Emitter& emitter : all_emitters()) {
    if (emitter.name == format && emitter.is_there()) return &emitter;
    if (emitter.name == format) {
      session.diagnostics.error(Code::E0199, {}, fmt::format("the format `{}` is not implemented yet", format));
      return nullptr;
    }
    if (emitter.is_there()) names.emplace_back(emitter.name);
  }
  std::string near = closest_match(format, names);
  session.diagnostics.error(Code::E0510, {}, fmt::format("there is no format `{}`", format))
      .with_help(near.empty() ? fmt::format("the formats are {}", fmt::join(names, ", ")) : fmt::format("did you mean `{}`?", near));
  return nullptr;
}

std::set<std::string> names_in(const ir::Function& function) {
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < function.value_count(); ++i) names.insert(function.value(ir::ValueId{i}).name);
  return names;
}

}  // namespace

int emit_command(const Options& options) {
  Session session(options);
  const Emitter* emitter = find_emitter(session);
  if (!emitter) {
    session.report();
    return kUsage;
  }
  std::optional<Script> script = lower_script(session, options.files.front(), emitter->show ? DataNeed::values : DataNeed::types);
  if (!script) return session.finish();
  if (emitter->show) {
    const std::optional<Explained> explained = explain_script(session, *script, kGraphLines);
    if (explained && options.format == "svg" && explained->explanation.quantities.size() > kMostDrawn) {
      session.diagnostics
          .error(Code::E0412, {},
                 fmt::format("a graph of {} values is too large to be laid out, which {} are at most",
                             explained->explanation.quantities.size(), kMostDrawn))
          .with_help("`--as=dot` writes it; what stands in a function of the script is one step of it, unless it is unfolded");
      return session.finish();
    }
    if (explained) put(emitter->show(session, *explained, script->module));
    return session.finish();
  }
  script->module.main = ir::part(script->module.main, Wanted{true, options.grad});
  const std::set<std::string> authors = names_in(script->module.main);
  if ((options.grad || emitter->needs_expansion) && !expand_gradients(session, script->module)) return session.finish();
  bool optimized = options.stage.empty() ? emitter->of_optimized : options.stage == "optimized";
  if (optimized && !(expand_gradients(session, script->module) && optimize(session, script->module))) return session.finish();
  if (options.grad && options.format == "bp") script->module.main = ir::with_textbook_names(script->module.main, authors, options.style);
  put(emitter->write(script->module, options));
  return session.finish();
}

}  // namespace bpc::tool
