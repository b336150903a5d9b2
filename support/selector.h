// Which columns of a table a `from` clause or --data asks for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bpc {

struct Selector {
  using Column = std::variant<std::string, std::int64_t>;  // its name; its index, a negative one from the end
  struct Range {                                           // as a slice: half-open, negative bounds from the end
    std::optional<std::int64_t> from, to;
    std::int64_t step = 1;
  };
  std::variant<std::monostate, Column, std::vector<Column>, Range> which;  // everything; one column; several

  bool is_everything() const { return std::holds_alternative<std::monostate>(which); }
  bool is_single() const { return std::holds_alternative<Column>(which); }
  // One that names columns says that the file has a header.
  bool names_columns() const {
    auto is_name = [](const Column& column) { return std::holds_alternative<std::string>(column); };
    if (const auto* column = std::get_if<Column>(&which)) return is_name(*column);
    const auto* list = std::get_if<std::vector<Column>>(&which);
    return list && std::any_of(list->begin(), list->end(), is_name);
  }
};

inline constexpr const char* kSelectorForms =
    "a selector is a column's name `[\"y\"]`, an index `[2]` or `[-1]`, a list `[[\"y\", \"x\"]]`, or a range `[0..4]`, `[1..]`, "
    "`[0..-1]`, "
    "`[0..8 by 2]`";

}  // namespace bpc
