#include "tools/bpc/data_file.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace bpc::tool {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::int64_t> integer(std::string_view text) {
  text = trimmed(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// `a..b by s`, of which only the dots must be there.
std::optional<Selector::Range> range(std::string_view text) {
  Selector::Range result;
  if (const std::size_t by = text.find(" by "); by != std::string_view::npos) {
    const auto step = integer(text.substr(by + 4));
    if (!step || *step == 0) return std::nullopt;
    result.step = *step;
    text = text.substr(0, by);
  }
  const std::size_t dots = text.find("..");
  for (const auto& [part, bound] : {std::pair{text.substr(0, dots), &result.from}, {text.substr(dots + 2), &result.to}})
    if (!trimmed(part).empty() && !(*bound = integer(part))) return std::nullopt;
  return result;
}

std::optional<Selector::Column> column(const nlohmann::json& item) {
  if (item.is_string()) return item.get<std::string>();
  if (item.is_number_integer() && (!item.is_number_unsigned() || item.get<std::uint64_t>() <= INT64_MAX)) return item.get<std::int64_t>();
  return std::nullopt;
}

std::optional<Selector> selector(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (is_number(text)) {
    const auto index = integer(text);
    return index ? std::optional(Selector{Selector::Column(*index)}) : std::nullopt;
  }
  if (text[0] == '[' || text[0] == '"') {
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_string()) return Selector{*column(json)};
    std::vector<Selector::Column> list;
    for (const nlohmann::json& item : json) {
      const auto each = column(item);
      if (!each) return std::nullopt;
      list.push_back(*each);
    }
    return list.empty() ? std::nullopt : std::optional(Selector{std::move(list)});
  }
  if (text.find("..") == std::string_view::npos) return Selector{Selector::Column(std::string(text))};
  const auto slice = range(text);
  return slice ? std::optional(Selector{*slice}) : std::nullopt;
}

}  // namespace

std::optional<DataFile> read_data_file(Session& session, const std::string& text) {
  const std::size_t open = text.ends_with(']') ? text.find('[') : std::string::npos;
  if (open == std::string::npos) return DataFile{text, {}};
  const std::string inside = text.substr(open + 1, text.size() - open - 2);
  if (auto read = selector(inside)) return DataFile{text.substr(0, open), std::move(*read)};
  session.diagnostics.error(Code::E0511, {}, fmt::format("the selector [{}] of `--data {}` cannot be read", inside, text))
      .with_help(kSelectorForms);
  return std::nullopt;
}

}  // namespace bpc::tool
