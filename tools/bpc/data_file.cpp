#include "tools/bpc/data_file.h"

#include <fmt/format.h>
#include <cctype>

#include "frontend/lower.h"

namespace bpc::tool {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_bare_name(std::string_view text) {
  return !text.empty() && text[0] != '[' && text[0] != '"' && text.find("..") == std::string_view::npos &&
         text.find_first_not_of("-0123456789") != std::string_view::npos;
}

// `[a, b]`, each without quotes.
std::optional<Selector> bare_list(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<Selector::Column> columns;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = text.find(',');
    const std::string_view name = trimmed(text.substr(0, comma));
    if (!is_bare_name(name) || std::isdigit(static_cast<unsigned char>(name[0]))) return std::nullopt;
    columns.emplace_back(std::string(name));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return Selector{std::move(columns)};
}

// As in a script, but that names need no quotes.
std::optional<Selector> selector(std::string_view text) {
  text = trimmed(text);
  if (auto read = frontend::read_selector(text)) return read;
  if (auto list = bare_list(text)) return list;
  return is_bare_name(text) ? std::optional(Selector{Selector::Column(std::string(text))}) : std::nullopt;
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
