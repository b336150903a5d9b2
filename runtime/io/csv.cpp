#include "runtime/io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "runtime/element.h"
#include "runtime/io/csv_select.h"

namespace bpc::runtime {

namespace {

// What a column holds, and where first.
struct Contents {
  std::size_t numbers = 0, texts = 0, missing = 0;
  std::size_t first_number = 0, first_text = 0, first_missing = 0;  // rows
};

class Loader {
 public:
  Loader(const CsvTable& table, const std::string& name, std::optional<Element> wanted, Element real, const KnownCategories* known,
         Diagnostics& diagnostics, Span span)
      : table_(table), name_(name), wanted_(wanted), real_(real), known_(known), diagnostics_(diagnostics), span_(span) {}

  std::optional<CsvColumns> load(const Selector& selector) {
    const auto columns = select_columns(table_, name_, selector, diagnostics_, span_);
    if (!columns) return std::nullopt;
    const bool codes = !wanted_ && selector.is_single() && is_text((*columns)[0]);
    element_ = wanted_.value_or(codes ? Element::i32 : real_);

    const auto rows = static_cast<std::int64_t>(table_.row_count()), width = static_cast<std::int64_t>(columns->size());
    CsvColumns result{Tensor(Type::of_sizes(element_, selector.is_single() ? std::vector{rows} : std::vector{rows, width})), {}};
    result.categories.resize(columns->size());
    const bool read = with_element(element_, [&]<class T>(T) {
      T* out = result.tensor.data<T>();
      for (std::size_t k = 0; k < columns->size(); ++k)
        if (!read_column((*columns)[k], k, out + k, columns->size(), result.categories[k])) return false;
      return true;
    });
    if (!read) return std::nullopt;
    return result;
  }

 private:
  bool fail_cell(std::size_t row, std::size_t column, const std::string& what, const std::string& help = {}) {
    const std::string_view text = table_.text(row, column);
    const std::string where = table_.has_header() ? '`' + table_.column_names()[column] + '`' : std::to_string(column);
    diagnostics_
        .error(Code::E0503, span_,
               fmt::format("{}: line {}, column {}: {} {}", name_, table_.line(row), where,
                           text.empty() ? "an empty cell" : fmt::format("`{}`", text), what))
        .with_help(help);
    return false;
  }

  Contents contents(std::size_t column) const {
    Contents found;
    const auto count = [](std::size_t& counted, std::size_t& first, std::size_t row) {
      if (counted++ == 0) first = row;
    };
    for (std::size_t row = 0; row < table_.row_count(); ++row) switch (table_.cell(row, column).kind) {
        case CellKind::number:
          count(found.numbers, found.first_number, row);
          break;
        case CellKind::text:
          count(found.texts, found.first_text, row);
          break;
        case CellKind::missing:
          count(found.missing, found.first_missing, row);
          break;
      }
    return found;
  }

  bool is_text(std::size_t column) const {
    const Contents found = contents(column);
    return found.texts > 0 && found.numbers == 0;
  }

  template <class T>
  bool read_column(std::size_t column, std::size_t index, T* out, std::size_t stride, Categories& categories) {
    if constexpr (scalar::Integer<T>) {
      const Contents found = contents(column);
      const Categories* known = known_ && index < known_->columns.size() ? &known_->columns[index] : nullptr;
      if (found.missing > 0)
        return fail_cell(found.first_missing, column, "is missing, and no integer says so", "a real input takes nan for it");
      if (known && known->empty() && found.texts > 0)
        return fail_cell(found.first_text, column, fmt::format("is no number, and {} has numbers there", known_->file));
      if (found.numbers > 0 && found.texts > found.numbers)
        return fail_cell(found.first_number, column, "is a number in a column of texts", kMixed);
      if (found.numbers > 0 && found.texts > 0) return fail_cell(found.first_text, column, "is text in a column of numbers", kMixed);
      if (known && !known->empty()) return read_codes(column, out, stride, categories = *known);
      if (found.texts > 0) return read_codes(column, out, stride, categories = categories_of(column));
    }
    for (std::size_t row = 0; row < table_.row_count(); ++row, out += stride)
      if (!read_cell(row, column, *out)) return false;
    return true;
  }

  Categories categories_of(std::size_t column) const {
    std::set<std::string_view> texts;
    for (std::size_t row = 0; row < table_.row_count(); ++row) texts.insert(table_.text(row, column));
    return {texts.begin(), texts.end()};
  }

  template <class T>
  bool read_codes(std::size_t column, T* out, std::size_t stride, const Categories& categories) {
    for (std::size_t row = 0; row < table_.row_count(); ++row, out += stride) {
      const auto found = std::lower_bound(categories.begin(), categories.end(), table_.text(row, column));
      if (found == categories.end() || *found != table_.text(row, column))
        return fail_cell(row, column, fmt::format("is none of the categories of {}", known_->file), in_words(categories));
      *out = static_cast<T>(found - categories.begin());
    }
    return true;
  }

  static std::string in_words(const Categories& categories) {
    constexpr std::size_t kMostShown = 20;
    const std::size_t shown = std::min(categories.size(), kMostShown);
    return fmt::format("these are {}{}", fmt::join(categories.begin(), categories.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                       shown < categories.size() ? ", …" : "");
  }

  template <class T>
  bool read_cell(std::size_t row, std::size_t column, T& out) {
    if constexpr (std::same_as<T, bool>) {
      std::string text(table_.text(row, column));
      std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
      out = text == "1" || text == "true";
      return out || text == "0" || text == "false" || fail_cell(row, column, "is none of 0, 1, true and false");
    } else {
      const Cell cell = table_.cell(row, column);
      if (cell.kind == CellKind::text) return fail_cell(row, column, "is not a number", text_help(row, column));
      if constexpr (scalar::Integer<T>) return read_integer(row, column, cell, out);
      out = scalar::cast<T>(cell.value);
      if (cell.too_large || (std::isinf(out) && std::isfinite(cell.value)))
        return fail_cell(row, column, fmt::format("is too large for {}", element_name(element_)));
      return true;
    }
  }

  template <class T>
  bool read_integer(std::size_t row, std::size_t column, const Cell& cell, T& out) {
    std::string_view text = table_.text(row, column);
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool fits = error == std::errc() && end == text.data() + text.size();
    if (!fits && cell.value == std::floor(cell.value) && std::fabs(cell.value) <= 0x1p53) {  // 3.0, 1e3
      fits = true;
      value = static_cast<std::int64_t>(cell.value);
    }
    out = static_cast<T>(value);
    return (fits && out == value) || fail_cell(row, column, fmt::format("is not a whole number of type {}", element_name(element_)));
  }

  std::string text_help(std::size_t row, std::size_t column) const {
    const std::string_view text = table_.text(row, column);
    if (table_.column_count() == 1 && text.find(' ') != std::string_view::npos) return "separate the cells by `,`, `;` or a tab";
    if (is_text(column)) return "select other columns; an integer input takes codes for texts, as in `i32[N]`";
    const bool european = text.find_first_not_of("+-.,0123456789") == std::string_view::npos && text.find(',') != std::string_view::npos;
    if (european)
      return "numbers have a point; decimal commas are read where `;` separates the cells and no number of the file has a point";
    return "a missing value is an empty cell, `NA` or `nan`";
  }

  static constexpr const char* kMixed = "texts become codes only where the whole column is text";

  const CsvTable& table_;
  const std::string& name_;
  std::optional<Element> wanted_;
  Element real_, element_ = Element::f32;
  const KnownCategories* known_;
  Diagnostics& diagnostics_;
  Span span_;
};

}  // namespace

std::optional<CsvColumns> read_columns(const CsvTable& table, const std::string& name, const Selector& selector,
                                       std::optional<Element> wanted, Element real, const KnownCategories* known, Diagnostics& diagnostics,
                                       Span span) {
  return Loader(table, name, wanted, real, known, diagnostics, span).load(selector);
}

}  // namespace bpc::runtime
