// The names in a `train` block: of its settings, and of what each of them may name.
#include "frontend/builtins/settings.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

#include "frontend/names/resolver.h"

namespace bpc::frontend {

namespace {

using Kind = Definition::Kind;

std::string quoted_list(std::vector<std::string> words) {
  return fmt::format("`{}`", fmt::join(words, "`, `"));
}

// What a value calls or names, with its place.
Name spoken(const Ast& ast, ExprId id) {
  const Expr& e = ast.expr(id);
  if (const auto* name = std::get_if<NameExpr>(&e.node)) return {name->name, e.span};
  if (const auto* call = std::get_if<CallExpr>(&e.node)) return call->callee;
  return {{}, e.span};
}

// How a value looks, for a setting that takes no plain one.
std::string_view form(SettingKind kind) {
  switch (kind) {
    case SettingKind::rule:
      return "a rule, such as `adam(lr = 0.001)`";
    case SettingKind::schedule:
      return "a schedule, such as `cosine(warmup = 100)`";
    case SettingKind::metrics:
      return "a name, or a list of names: `[accuracy, error]`";
    case SettingKind::patience:
      return "`patience(5, on = \"validation loss\")`";
    case SettingKind::average:
      return "`ema(0.999)`";
    case SettingKind::count:
    case SettingKind::number:
    case SettingKind::share:
    case SettingKind::truth:
    case SettingKind::paths:
      return "a value";
  }
  return {};
}

}  // namespace

void Resolver::settings(const TrainStmt& train) {
  std::map<std::string, Span> given;
  for (const TrainStmt::Setting& setting : train.settings) {
    const SettingInfo* info = find_setting(setting.name.text);
    if (!info) {
      std::vector<std::string> names;
      for (const SettingInfo& each : all_settings()) names.emplace_back(each.name);
      const std::string near = closest_match(setting.name.text, names);
      error(Code::E0113, setting.name.span, fmt::format("`train` has no setting `{}`", setting.name.text))
          .with_help(near.empty() ? fmt::format("its settings are {}", quoted_list(names)) : fmt::format("did you mean `{}`?", near));
      continue;
    }
    if (const auto [first, is_new] = given.emplace(setting.name.text, setting.name.span); !is_new)
      error(Code::E0104, setting.name.span, fmt::format("`{}` is set twice", setting.name.text))
          .label(first->second, "here")
          .label(setting.name.span, "");
    setting_value(*info, setting.value);
  }
}

void Resolver::setting_value(const SettingInfo& setting, ExprId id) {
  const Expr& e = ast_.expr(id);
  switch (setting.kind) {
    case SettingKind::rule:
    case SettingKind::schedule:
      return named_function(setting, id);
    case SettingKind::metrics:
      if (const auto* list = std::get_if<ListExpr>(&e.node)) {
        for (ExprId item : list->items) metric(setting, item);
        return;
      }
      return metric(setting, id);
    case SettingKind::patience:
    case SettingKind::average: {
      const auto* call = std::get_if<CallExpr>(&e.node);
      if (!call || call->callee.text != (setting.kind == SettingKind::patience ? "patience" : "ema")) return wrong_form(setting, e.span);
      for (const Argument& argument : call->arguments) expr(argument.value);
      return;
    }
    case SettingKind::count:
    case SettingKind::number:
    case SettingKind::share:
    case SettingKind::truth:
    case SettingKind::paths:
      return expr(id);
  }
}

void Resolver::wrong_form(const SettingInfo& setting, Span at) {
  error(Code::E0113, at, fmt::format("`{}` takes {}", setting.name, form(setting.kind)));
}

// A function of the script, or one that the library has for the setting.
void Resolver::named_function(const SettingInfo& setting, ExprId id) {
  const Name name = spoken(ast_, id);
  if (name.text.empty()) return wrong_form(setting, name.span);
  const Definition* own = scopes_.find(name.text);
  if (own && own->kind == Kind::unknown) return;
  if (own && own->kind != Kind::function) own = nullptr;
  const PreludeFunction* library = own ? nullptr : find_setting_function(setting.kind, name.text);
  if (!own && !library) {
    const std::vector<std::string> words = setting_words(setting.kind);
    std::vector<std::string> candidates = words;
    for (const auto& [known, meaning] : scopes_.outermost())
      if (meaning->kind == Kind::function) candidates.push_back(known);
    const std::string near = closest_match(name.text, candidates);
    error(Code::E0113, name.span, fmt::format("there is no {} `{}`", setting.name, name.text))
        .with_help(near.empty() ? fmt::format("there are {}, and functions of the script", quoted_list(words))
                                : fmt::format("did you mean `{}`?", near));
    return;
  }
  names_.use(id, own ? own : names_.built_in(std::string(library->name), true));
  if (const auto* call = std::get_if<CallExpr>(&ast_.expr(id).node))
    for (const Argument& argument : call->arguments) expr(argument.value);
}

// A value of the script, or one of the library's.
void Resolver::metric(const SettingInfo& setting, ExprId id) {
  const Expr& e = ast_.expr(id);
  const auto* name = std::get_if<NameExpr>(&e.node);
  if (!name) return wrong_form(setting, e.span);
  const Definition* own = scopes_.find(name->name);
  if (own && own->kind == Kind::unknown) return;
  const PreludeFunction* library = own ? nullptr : find_setting_function(setting.kind, name->name);
  if (own && (own->kind == Kind::value || own->kind == Kind::loss)) return names_.use(id, own);
  if (library) return names_.use(id, names_.built_in(std::string(library->name), true));
  std::vector<std::string> candidates = setting_words(setting.kind);
  for (const auto& [known, meaning] : scopes_.outermost())
    if (meaning->kind == Kind::value) candidates.push_back(known);
  const std::string near = closest_match(name->name, candidates);
  error(Code::E0113, e.span,
        own ? fmt::format("`{}` is {}, and a metric is a value of the script", name->name, kind_name(own->kind))
            : fmt::format("there is no metric `{}`", name->name))
      .with_help(near.empty() ? "name a scalar of the script, `accuracy` or `r2`" : fmt::format("did you mean `{}`?", near));
}

}  // namespace bpc::frontend
