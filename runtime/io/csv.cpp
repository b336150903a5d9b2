#include "runtime/io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "runtime/io/csv_select.h"
#include "runtime/number_text.h"
#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::runtime {

namespace {

// What a column holds, and where first.
struct Contents {
  std::size_t numbers = 0, texts = 0, missing = 0;
  std::size_t first_number = 0, first_text = 0, first_missing = 0;  // rows
};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

class Loader {
 public:
  Loader(const CsvTable& table, const std::string& name, std::optional<Element> wanted, Element real, const KnownCategories* known,
         Diagnostics& diagnostics, Span span, bool are_categories)
      : are_categories_(are_categories),
        table_(table),
        name_(name),
        wanted_(wanted),
        real_(real),
        known_(known),
        diagnostics_(diagnostics),
        span_(span) {}

  std::optional<CsvColumns> load(const Selector& selector) {
    const auto columns = select_columns(table_, name_, selector, diagnostics_, span_);
    if (!columns) return std::nullopt;
    const bool codes = !wanted_ && selector.is_single() && is_text((*columns)[0]) && !number_in_disguise((*columns)[0], false) &&
                       !has_unit(table_.text(0, (*columns)[0]));
    element_ = wanted_.value_or(codes ? Element::i32 : real_);

    const auto rows = static_cast<std::int64_t>(table_.row_count()), width = static_cast<std::int64_t>(columns->size());
    CsvColumns result{
        Tensor(Type::of_sizes(element_, selector.is_single() ? std::vector{rows} : std::vector{rows, width}), table_.place()), {}, {}};
    result.categories.resize(columns->size());
    for (std::size_t column : *columns) result.keys.push_back(table_.column_key(column));
    if (are_categories_ && is_integer(element_)) declared_ = declared_categories(*columns);
    const bool read = with_element(element_, [&]<class T>(T) {
      T* out = result.tensor.data<T>();
      if constexpr (scalar::Integer<T>) {
        for (std::size_t k = 0; k < columns->size(); ++k)
          if (!read_integers((*columns)[k], k, out + k, columns->size(), result.categories[k])) return false;
        return true;
      } else {
        return read_rows(*columns, out);
      }
    });
    if (!read) return std::nullopt;
    return result;
  }

 private:
  bool fail_cell(std::size_t row, std::size_t column, const std::string& what, const std::string& help = {}) {
    const std::string_view text = table_.text(row, column);
    diagnostics_
        .error(Code::E0503, span_,
               fmt::format("{}: line {}, column {}: {} {}", name_, table_.line(row), column_text(column),
                           text.empty() ? "an empty cell" : fmt::format("`{}`", text), what))
        .with_help(help);
    return false;
  }

  std::string column_text(std::size_t column) const {
    return table_.has_header() ? '`' + table_.column_names()[column] + '`' : std::to_string(column);
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

  // The first row whose text was probably meant as a number; `surely`: and as nothing else.
  std::optional<std::size_t> number_in_disguise(std::size_t column, bool surely) const {
    for (std::size_t row = 0; row < table_.row_count(); ++row) {
      if (table_.cell(row, column).kind != CellKind::text) continue;
      const NumberHelp found = number_help(table_.text(row, column));
      if (!found.help.empty() && !(surely && found.may_be_category)) return row;
    }
    return std::nullopt;
  }

  // Row by row, as they lie in the file.
  template <class T>
  bool read_rows(const std::vector<std::size_t>& columns, T* out) {
    for (std::size_t row = 0; row < table_.row_count(); ++row)
      for (const std::size_t column : columns)
        if (!read_cell(row, column, *out++)) return false;
    return true;
  }

  template <class T>
  bool read_integers(std::size_t column, std::size_t index, T* out, std::size_t stride, Categories& categories) {
    const Contents found = contents(column);
    const Categories* known = known_ && index < known_->columns.size() ? &known_->columns[index] : nullptr;
    if (found.missing > 0 && !are_categories_)
      return fail_cell(found.first_missing, column, "is missing, and no integer says so",
                       found.numbers == 0 && found.texts > 0
                           ? "declare the categories, as in `input t : i32[N] of C`, of which `missing` is one then"
                           : "a real input takes nan for it");
    if (are_categories_) return read_codes(column, out, stride, categories = known && !known->empty() ? *known : declared_);
    if (known && known->empty() && found.texts > 0)
      return fail_cell(found.first_text, column, fmt::format("is no number, and {} has numbers there", known_->file));
    if (found.numbers > 0 && found.texts > found.numbers)
      return fail_cell(found.first_number, column, "is a number in a column of texts", kMixed);
    if (found.numbers > 0 && found.texts > 0) return fail_cell(found.first_text, column, "is text in a column of numbers", kMixed);
    if (known && !known->empty()) return read_codes(column, out, stride, categories = *known);
    if (const auto row = found.texts > 0 ? number_in_disguise(column, true) : std::nullopt)
      return fail_cell(*row, column, "is not a number", text_help(*row, column));
    if (found.texts > 0) return read_codes(column, out, stride, categories = categories_of(column));
    for (std::size_t row = 0; row < table_.row_count(); ++row, out += stride)
      if (!read_cell(row, column, *out)) return false;
    return true;
  }

  // What is not known is a category of its own, where categories are declared.
  std::string_view category(std::size_t row, std::size_t column) const {
    return are_categories_ && table_.cell(row, column).kind == CellKind::missing ? kMissing : table_.text(row, column);
  }

  Categories categories_of(std::size_t column) const {
    std::set<std::string_view> texts;
    for (std::size_t row = 0; row < table_.row_count(); ++row) texts.insert(category(row, column));
    return {texts.begin(), texts.end()};
  }

  // Of all the columns together; whole numbers by their size, where there is nothing else.
  Categories declared_categories(const std::vector<std::size_t>& columns) const {
    std::set<std::string> texts;
    for (std::size_t column : columns)
      for (const std::string& text : categories_of(column)) texts.insert(text);
    Categories categories(texts.begin(), texts.end());
    std::map<std::string, std::int64_t> numbers;
    for (const std::string& text : categories) {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (text == kMissing)
        numbers.emplace(text, std::numeric_limits<std::int64_t>::max());  // behind them
      else if (error == std::errc() && end == text.data() + text.size())
        numbers.emplace(text, value);
    }
    if (numbers.size() == categories.size())
      std::ranges::stable_sort(categories, {}, [&](const std::string& text) { return numbers.at(text); });
    return categories;
  }

  template <class T>
  bool read_codes(std::size_t column, T* out, std::size_t stride, const Categories& categories) {
    std::unordered_map<std::string_view, T> codes;
    for (std::size_t code = 0; code < categories.size(); ++code) codes.emplace(categories[code], static_cast<T>(code));
    for (std::size_t row = 0; row < table_.row_count(); ++row, out += stride) {
      const auto found = codes.find(category(row, column));
      if (found == codes.end())
        return fail_cell(row, column, fmt::format("is none of the categories of {}", known_->file), in_words(categories));
      *out = found->second;
    }
    return true;
  }

  static std::string in_words(const Categories& categories) {
    constexpr std::size_t kMostShown = 20;
    const std::size_t shown = std::min(categories.size(), kMostShown);
    return fmt::format("these are {}{}", fmt::join(categories.begin(), categories.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                       shown < categories.size() ? ", …" : "");
  }

  // Whole numbers, such as the time in seconds or an identifier, are told apart by digits that a real may not hold.
  template <class T>
  void warn_of_rounding(std::size_t row, std::size_t column, T read) {
    // All smaller ones are exact.
    if (std::fabs(read) < (std::same_as<T, float> ? 0x1p24F : static_cast<T>(0x1p53))) return;
    const std::string_view text = table_.text(row, column);
    std::int64_t whole = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (error != std::errc() || end != text.data() + text.size() || rounded_.contains(column)) return;
    if (static_cast<long double>(whole) == static_cast<long double>(read)) return;  // which holds every i64
    rounded_.insert(column);
    diagnostics_
        .warning(Code::W0501, span_,
                 fmt::format("{}: line {}, column {}: `{}` becomes {} in {}", name_, table_.line(row), column_text(column),
                             table_.text(row, column), number_text(read), element_name(element_)))
        .with_help(fmt::format("{} holds it exactly; or subtract in the file what all have in common",
                               std::llabs(whole) <= (1LL << 53) ? "`--real f64` or an integer input" : "an integer input, `i64[N]`,"));
  }

  template <class T>
  bool read_cell(std::size_t row, std::size_t column, T& out) {
    if constexpr (std::same_as<T, bool>) {
      const std::string text = lower_case(table_.text(row, column));
      out = text == "1" || text == "true";
      return out || text == "0" || text == "false" || fail_cell(row, column, "is none of 0, 1, true and false");
    } else {
      const Cell cell = table_.cell(row, column);
      if (cell.kind == CellKind::text) return fail_cell(row, column, "is not a number", text_help(row, column));
      if constexpr (scalar::Integer<T>) return read_integer(row, column, cell, out);
      out = scalar::cast<T>(cell.value);
      if (cell.too_large || (std::isinf(out) && std::isfinite(cell.value)))
        return fail_cell(row, column, fmt::format("is too large for {}", element_name(element_)));
      if constexpr (std::floating_point<T>) warn_of_rounding(row, column, out);
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
    if (error == std::errc::result_out_of_range || (fits && out != value))
      return fail_cell(row, column, fmt::format("is too large for {}", element_name(element_)));
    return (fits && out == value) || fail_cell(row, column, fmt::format("is not a whole number of type {}", element_name(element_)));
  }

  bool all_bools(std::size_t column) const {
    for (std::size_t row = 0; row < table_.row_count(); ++row)
      if (const std::string text = lower_case(table_.text(row, column)); text != "true" && text != "false") return false;
    return true;
  }

  std::string text_help(std::size_t row, std::size_t column) const {
    const std::string_view text = table_.text(row, column);
    if (NumberHelp meant = number_help(text); !meant.help.empty())
      return meant.may_be_category && is_text(column) ? meant.help + "; an integer input takes codes for texts, `i32[N]`" : meant.help;
    if (has_unit(text)) return "a unit belongs into the header: write the numbers alone; an integer input takes codes for texts, `i32[N]`";
    if (table_.column_count() == 1 && text.find(' ') != std::string_view::npos) return "separate the cells by `,`, `;` or a tab";
    if (is_text(column))
      return all_bools(column) ? "a bool input takes it, `bool[N]`"
                               : "select other columns; an integer input takes codes for texts, as in `i32[N]`";
    if (row == 0) return "a table starts with its header, or with data: remove lines above, and comments";
    return "a number that is not known is an empty cell, `NA` or `nan`";
  }

  static constexpr std::string_view kMissing = "missing";
  static constexpr const char* kMixed = "texts become codes only where the whole column is text";

  bool are_categories_;
  const CsvTable& table_;
  const std::string& name_;
  std::optional<Element> wanted_;
  Element real_, element_ = Element::f32;
  Categories declared_;
  std::set<std::size_t> rounded_;  // columns that a warning speaks of
  const KnownCategories* known_;
  Diagnostics& diagnostics_;
  Span span_;
};

}  // namespace

std::optional<CsvColumns> read_columns(const CsvTable& table, const std::string& name, const Selector& selector,
                                       std::optional<Element> wanted, Element real, const KnownCategories* known, Diagnostics& diagnostics,
                                       Span span, bool are_categories) {
  return Loader(table, name, wanted, real, known, diagnostics, span, are_categories).load(selector);
}

}  // namespace bpc::runtime
