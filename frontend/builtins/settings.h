// What a `train` block may set (settings.def).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/prelude/prelude.h"

namespace bpc::frontend {

enum class Setting : std::uint8_t {
#define BPC_SETTING(id, ...) id,
#include "frontend/builtins/settings.def"
#undef BPC_SETTING
};

enum class SettingKind : std::uint8_t { rule, schedule, count, number, share, truth, paths, metrics, patience, average };

struct SettingInfo {
  Setting code;
  SettingKind kind;
  std::string_view name, value, sentence;
};
std::span<const SettingInfo> all_settings();
// By name, or null.
const SettingInfo* find_setting(std::string_view name);

// What the prelude has for a rule, a schedule or metrics, by the word that a setting says; null for another word.
const PreludeFunction* find_setting_function(SettingKind kind, std::string_view word);
std::vector<std::string> setting_words(SettingKind kind);

}  // namespace bpc::frontend
