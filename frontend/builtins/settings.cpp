#include "frontend/builtins/settings.h"

#include <algorithm>
#include <array>

namespace bpc::frontend {

namespace {

constexpr std::array kSettings{
#define BPC_SETTING(id, kind, value, sentence) SettingInfo{Setting::id, SettingKind::kind, #id, value, sentence},
#include "frontend/builtins/settings.def"
#undef BPC_SETTING
};

constexpr std::string_view kMetrics[] = {"accuracy", "r2"};

// Where the functions of a kind stand, and how their names end.
struct Home {
  std::string_view file, ending;
};
Home home(SettingKind kind) {
  if (kind == SettingKind::rule) return {"prelude/optimizers.bp", ""};
  if (kind == SettingKind::schedule) return {"prelude/schedules.bp", "_schedule"};
  if (kind == SettingKind::metrics) return {"prelude/training.bp", ""};
  return {};
}

}  // namespace

std::span<const SettingInfo> all_settings() {
  return kSettings;
}

const SettingInfo* find_setting(std::string_view name) {
  const auto found = std::ranges::find(kSettings, name, &SettingInfo::name);
  return found == kSettings.end() ? nullptr : &*found;
}

const PreludeFunction* find_setting_function(SettingKind kind, std::string_view word) {
  const PreludeFunction* function = find_prelude_function(std::string(word) + std::string(home(kind).ending));
  if (!function || function->path != home(kind).file) return nullptr;
  return kind != SettingKind::metrics || std::ranges::find(kMetrics, word) != std::end(kMetrics) ? function : nullptr;
}

std::vector<std::string> setting_words(SettingKind kind) {
  if (kind == SettingKind::metrics) return {std::begin(kMetrics), std::end(kMetrics)};
  std::vector<std::string> words;
  for (const PreludeFunction& function : prelude_functions())
    if (const Home its = home(kind); function.path == its.file && function.name.ends_with(its.ending))
      words.emplace_back(function.name.substr(0, function.name.size() - its.ending.size()));
  return words;
}

}  // namespace bpc::frontend
