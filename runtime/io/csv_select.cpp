#include "runtime/io/csv_select.h"

#include <fmt/format.h>

#include <algorithm>

namespace bpc::runtime {

namespace {

class Finder {
 public:
  Finder(const CsvTable& table, const std::string& name, Diagnostics& diagnostics, Span span)
      : table_(table), name_(name), diagnostics_(diagnostics), span_(span) {}

  using Columns = std::optional<std::vector<std::size_t>>;

  Columns operator()(std::monostate) const {
    std::vector<std::size_t> columns(table_.column_count());
    for (std::size_t column = 0; column < columns.size(); ++column) columns[column] = column;
    return columns;
  }

  Columns operator()(const Selector::Column& wanted) const { return (*this)(std::vector{wanted}); }

  Columns operator()(const std::vector<Selector::Column>& list) const {
    std::vector<std::size_t> columns;
    for (const Selector::Column& wanted : list) {
      const auto* text = std::get_if<std::string>(&wanted);
      const auto column = text ? named(*text) : numbered(std::get<std::int64_t>(wanted));
      if (!column) return std::nullopt;
      columns.push_back(*column);
    }
    if (columns.empty()) return fail("the selector names no column");
    return columns;
  }

  Columns operator()(const Selector::Range& range) const {
    const auto count = static_cast<std::int64_t>(table_.column_count());
    const bool forward = range.step > 0;
    const auto bound = [&](const std::optional<std::int64_t>& given, std::int64_t otherwise) {
      if (!given) return otherwise;
      return *given < 0 ? *given + count : *given;
    };
    const std::int64_t from = bound(range.from, forward ? 0 : count - 1), to = bound(range.to, forward ? count : -1);
    const std::string text =
        fmt::format("{}..{}{}", range.from ? std::to_string(*range.from) : "", range.to ? std::to_string(*range.to) : "",
                    range.step == 1 ? "" : fmt::format(" by {}", range.step));
    const auto is_outside = [&](const std::optional<std::int64_t>& given) { return given && (*given > count || *given < -count); };
    if (is_outside(range.from) || is_outside(range.to)) return fail(fmt::format("columns {} are asked for, and there are {}", text, count));
    std::vector<std::size_t> columns;
    if (from >= 0 && from < count && (forward ? from < to : from > to)) {
      // Counted, so that no step leads past what an integer holds.
      const std::uint64_t step = forward ? static_cast<std::uint64_t>(range.step) : -static_cast<std::uint64_t>(range.step);
      const auto distance = static_cast<std::uint64_t>(forward ? to - from : from - to);
      for (std::uint64_t moved = 0; moved < distance; moved += std::min(step, distance))
        columns.push_back(
            static_cast<std::size_t>(forward ? from + static_cast<std::int64_t>(moved) : from - static_cast<std::int64_t>(moved)));
    }
    if (columns.empty()) return fail(fmt::format("columns {} are none of the {}", text, count));
    return columns;
  }

 private:
  static std::vector<std::string> shown(std::vector<std::string> names) {
    for (std::string& name : names)
      if (name.empty()) name = "\"\"";
    return names;
  }

  std::nullopt_t fail(const std::string& what, const std::string& help = {}) const {
    diagnostics_.error(Code::E0503, span_, name_ + ": " + what).with_help(help);
    return std::nullopt;
  }

  std::optional<std::size_t> numbered(std::int64_t given) const {
    const auto count = static_cast<std::int64_t>(table_.column_count());
    if (given >= count || given < -count) return fail(fmt::format("column {} is asked for, and there are {}", given, count));
    return static_cast<std::size_t>(given < 0 ? given + count : given);
  }

  std::optional<std::size_t> named(const std::string& text) const {
    const std::vector<std::string> names = table_.column_names();
    if (names.empty()) return fail(fmt::format("column `{}` is asked for, and the file has no header", text));
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) {
      const std::string close = closest_match(text, names);
      return fail(fmt::format("there is no column `{}`", text), close.empty()
                                                                    ? fmt::format("the columns are {}", fmt::join(shown(names), ", "))
                                                                    : fmt::format("did you mean `{}`?", close));
    }
    const auto first = static_cast<std::size_t>(found - names.begin());
    if (const auto again = std::find(found + 1, names.end(), text); again != names.end())
      return fail(fmt::format("columns {} and {} are both named `{}`", first, again - names.begin(), text), "select it by its index");
    return first;
  }

  const CsvTable& table_;
  const std::string& name_;
  Diagnostics& diagnostics_;
  Span span_;
};

}  // namespace

std::optional<std::vector<std::size_t>> select_columns(const CsvTable& table, const std::string& name, const Selector& selector,
                                                       Diagnostics& diagnostics, Span span) {
  return std::visit(Finder(table, name, diagnostics, span), selector.which);
}

}  // namespace bpc::runtime
