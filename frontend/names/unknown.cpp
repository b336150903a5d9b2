#include "frontend/names/unknown.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/builtins/builtins.h"

namespace bpc::frontend {

namespace {

// Looking for a name that is close takes time in the number of names; after so many unknown ones it is no slip of the finger.
constexpr std::size_t kMostSuggestions = 50;

const std::vector<std::string>& element_types() {
  static const std::vector<std::string> names{"real", "f32", "f64", "i32", "i64", "bool"};
  return names;
}

}  // namespace

void UnknownNames::report(ForeignPlace place, const std::string& name, Span at, const std::vector<Captured>& arguments,
                          const std::string& otherwise) {
  if (!said_.insert(name).second || is_silent_) return;
  if (auto later = outline_.bound.find(name); later != outline_.bound.end() && later->second > at) {
    diagnostics_.error(Code::E0103, at, fmt::format("`{}` is used before it is bound", name))
        .label(at, "")
        .label(later->second, "bound here");
    return;
  }
  if (const Scopes::Lost* lost = scopes_.find_lost(name)) {
    diagnostics_.error(Code::E0103, at, fmt::format("`{}` is not bound here: {}", name, lost->reason))
        .label(lost->span, "bound here")
        .label(at, "")
        .with_help(fmt::format("bind it before, as in `{0} = 0` or `{0} = zeros([4])`, in the shape that it takes", name));
    return;
  }
  const bool called = place == ForeignPlace::function;
  Diagnostic& unknown = diagnostics_.error(Code::E0103, at, fmt::format("unknown {} `{}`", called ? "function" : "name", name));
  std::string help =
      name == "loss" && loss.span.valid() ? fmt::format("the loss is called `{}`", loss.text) : foreign_help(place, name, arguments);
  if (help.empty()) help = otherwise;
  if (help.empty() && said_.size() <= kMostSuggestions)
    if (std::string close = closest_match(name, candidates(called)); !close.empty()) help = fmt::format("did you mean `{}`?", close);
  if (help.empty() && !called) help = fmt::format("bind it above: `{0} = …`, `input {0} = …`, or `param {0} = …` if it is learned", name);
  unknown.with_help(help);
}

// What may stand where a name does: functions where it is called, and values elsewhere. Tapes are for programs; nobody mistypes them.
std::vector<std::string> UnknownNames::candidates(bool called) const {
  std::vector<std::string> names;
  for (const std::string& name : scopes_.names())
    if ((scopes_.find(name)->kind == Definition::Kind::function) == called) names.push_back(name);
  if (!called)
    for (const BuiltinConstant& constant : builtin_constants()) names.emplace_back(constant.name);
  else
    for (std::string& name : builtin_names())
      if (!is_kind(find_builtin(name), BuiltinKind::tape)) names.push_back(std::move(name));
  return names;
}

void UnknownNames::check_element(const TypeExpr& type) {
  const auto& known = element_types();
  if (type.element.empty() || std::find(known.begin(), known.end(), type.element) != known.end()) return;
  if (!said_types_.insert(type.element).second) return;
  Diagnostic& unknown = diagnostics_.error(Code::E0103, type.span, fmt::format("unknown type `{}`", type.element));
  std::string help = foreign_help(ForeignPlace::type, type.element, {});
  const std::string close = help.empty() ? closest_match(type.element, known) : "";
  if (!close.empty()) help = fmt::format("did you mean `{}`?", close);
  unknown.with_help(help.empty() ? "the element types are real, f32, f64, i32, i64 and bool" : help);
}

}  // namespace bpc::frontend
