#include "tools/bpc/data_file.h"

#include <fmt/format.h>

#include "frontend/lower.h"

namespace bpc::tool {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// As in a script, but that a name needs no quotes.
std::optional<Selector> selector(std::string_view text) {
  text = trimmed(text);
  if (auto read = frontend::read_selector(text)) return read;
  const bool is_name = !text.empty() && text[0] != '[' && text[0] != '"' && text.find("..") == std::string_view::npos &&
                       text.find_first_not_of("-0123456789") != std::string_view::npos;
  return is_name ? std::optional(Selector{Selector::Column(std::string(text))}) : std::nullopt;
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
