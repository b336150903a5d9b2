#include "runtime/io/characters.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "support/source.h"

namespace bpc::runtime {

std::optional<Characters> read_characters(std::string_view text, const std::string& name, std::size_t in_row, const KnownCategories* known,
                                          Diagnostics& diagnostics, Span span) {
  const auto fail = [&](const std::string& what, const std::string& help = {}) {
    diagnostics.error(Code::E0503, span, name + ": " + what).with_help(help);
    return std::nullopt;
  };
  std::vector<std::string_view> characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); at += characters.back().size()) {
    characters.push_back(text.substr(at, code_point_length(text, at)));
    const bool is_stray = characters.back().size() == 1 && static_cast<unsigned char>(text[at]) >= 0x80;
    if (is_stray || text[at] == '\0') return fail(fmt::format("byte {} is no character", at), "save it as text, in UTF-8");
  }
  const std::size_t rows = in_row == 0 ? 1 : characters.size() / in_row, used = in_row == 0 ? characters.size() : rows * in_row;
  if (used == 0) return fail(fmt::format("it has {} characters, and a row takes {}", characters.size(), std::max<std::size_t>(in_row, 1)));

  Characters result;
  const bool is_known = known && !known->columns.empty();
  if (is_known) {
    result.classes = known->columns[0];
  } else {
    const std::set<std::string_view> different(characters.begin(), characters.end());
    result.classes.assign(different.begin(), different.end());
  }
  std::unordered_map<std::string_view, std::int32_t> codes;
  for (std::size_t code = 0; code < result.classes.size(); ++code) codes.emplace(result.classes[code], static_cast<std::int32_t>(code));
  const auto count = static_cast<std::int64_t>(used);
  const auto width = static_cast<std::int64_t>(in_row);
  result.codes = Tensor(Type::of_sizes(Element::i32, in_row == 0 ? std::vector{count} : std::vector{count / width, width}));
  auto* out = result.codes.data<std::int32_t>();
  for (std::size_t i = 0; i < used; ++i) {
    const auto code = codes.find(characters[i]);
    if (code == codes.end())
      return fail(fmt::format("the character `{}` is none of those of {}", characters[i], known->file),
                  "a model knows what it has learned from");
    out[i] = code->second;
  }
  return result;
}

}  // namespace bpc::runtime
