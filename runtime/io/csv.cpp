#include "runtime/io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "runtime/element.h"
#include "runtime/io/csv_table.h"

namespace bpc::runtime {

namespace {

using nlohmann::json;

std::optional<double> number(std::string_view cell) {
  if (!cell.empty() && cell[0] == '+') cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (cell.empty() || end != cell.data() + cell.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(cell).c_str(), nullptr);  // 0 or infinity
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

class Loader {
 public:
  Loader(const std::string& path, CsvTable table, std::optional<Element> wanted, Element real, Diagnostics& diagnostics, Span span)
      : path_(path), table_(std::move(table)), wanted_(wanted), real_(real), diagnostics_(diagnostics), span_(span) {}

  std::optional<Tensor> load(std::string_view selector) {
    const json which = selector.empty() ? json() : json::parse(selector, nullptr, false);
    header_ = has_header(which);
    if (row_count() == 0) return fail("there are no rows of data");
    const auto columns = select(which);
    if (!columns) return std::nullopt;
    const bool single = which.is_string() || which.is_number();
    const bool codes = !wanted_ && single && first_text((*columns)[0]);
    const Element element = wanted_.value_or(codes ? Element::i32 : real_);

    const auto rows = static_cast<std::int64_t>(row_count()), width = static_cast<std::int64_t>(columns->size());
    Tensor result(Type::of_sizes(element, single ? std::vector{rows} : std::vector{rows, width}));
    const bool read = with_element(element, [&]<class T>(T) {
      T* out = result.data<T>();
      for (std::size_t k = 0; k < columns->size(); ++k)
        if (!read_column((*columns)[k], out + k, columns->size())) return false;
      return true;
    });
    if (!read) return std::nullopt;
    return result;
  }

 private:
  std::nullopt_t fail(const std::string& what) {
    diagnostics_.error(Code::E0503, span_, path_ + ": " + what);
    return std::nullopt;
  }

  // Rows of data, after the header.
  std::size_t row_count() const { return table_.rows.size() - (header_ ? 1 : 0); }
  const CsvRow& row(std::size_t i) const { return table_.rows[i + (header_ ? 1 : 0)]; }
  std::size_t column_count() const { return table_.rows.empty() ? 0 : table_.rows[0].cells.size(); }
  std::string column_name(std::size_t column) const { return header_ ? '`' + table_.rows[0].cells[column] + '`' : std::to_string(column); }

  bool has_header(const json& which) const {
    if (table_.rows.empty()) return false;
    const auto& first = table_.rows[0].cells;
    const json& name = which.is_array() && !which.empty() ? which[0] : which;
    if (name.is_string() && std::find(first.begin(), first.end(), name.get<std::string>()) != first.end()) return true;
    if (std::none_of(first.begin(), first.end(), [](const std::string& cell) { return number(cell).has_value(); })) return true;
    for (std::size_t column = 0; column < first.size(); ++column) {
      if (number(first[column]) || table_.rows.size() < 2) continue;
      const auto is_number = [&](const CsvRow& row) { return number(row.cells[column]).has_value(); };
      if (std::all_of(table_.rows.begin() + 1, table_.rows.end(), is_number)) return true;
    }
    return false;
  }

  std::optional<std::vector<std::size_t>> select(const json& which) {
    std::vector<std::size_t> columns;
    if (which.is_null()) {
      for (std::size_t column = 0; column < column_count(); ++column) columns.push_back(column);
      return columns;
    }
    if (which.is_object()) return select_range(which);
    const json list = which.is_array() ? which : json::array({which});
    for (const json& item : list) {
      const auto column = find(item);
      if (!column) return std::nullopt;
      columns.push_back(*column);
    }
    if (columns.empty()) return fail("the selector names no column");
    return columns;
  }

  std::optional<std::vector<std::size_t>> select_range(const json& range) {
    const auto count = static_cast<std::int64_t>(column_count());
    const auto bound = [&](const char* key, std::int64_t otherwise) {
      const auto found = range.find(key);
      const std::int64_t given = found != range.end() && found->is_number_integer() ? found->get<std::int64_t>() : otherwise;
      return given < 0 ? given + count : given;
    };
    const std::int64_t from = bound("from", 0), to = bound("to", count);
    if (from < 0 || from >= to || to > count) return fail(fmt::format("columns {}..{} are asked for, and there are {}", from, to, count));
    std::vector<std::size_t> columns;
    for (std::int64_t column = from; column < to; ++column) columns.push_back(static_cast<std::size_t>(column));
    return columns;
  }

  std::optional<std::size_t> find(const json& item) {
    const auto& first = table_.rows[0].cells;
    if (item.is_number_integer()) {
      const auto count = static_cast<std::int64_t>(column_count());
      const auto given = item.get<std::int64_t>(), column = given < 0 ? given + count : given;
      if (column < 0 || column >= count) return fail(fmt::format("column {} is asked for, and there are {}", given, count));
      return static_cast<std::size_t>(column);
    }
    if (!item.is_string()) return fail("the selector names no column");
    const auto name = item.get<std::string>();
    if (!header_) return fail(fmt::format("column `{}` is asked for, and the file has no header", name));
    const auto found = std::find(first.begin(), first.end(), name);
    if (found != first.end()) return static_cast<std::size_t>(found - first.begin());
    auto& diagnostic = diagnostics_.error(Code::E0503, span_, fmt::format("{}: there is no column `{}`", path_, name));
    const std::string close = closest_match(name, first);
    diagnostic.with_help(close.empty() ? fmt::format("the columns are {}", fmt::join(first, ", "))
                                       : fmt::format("did you mean `{}`?", close));
    return std::nullopt;
  }

  // The first row whose cell in the column is neither empty nor a number.
  std::optional<std::size_t> first_text(std::size_t column) const {
    for (std::size_t i = 0; i < row_count(); ++i)
      if (const std::string& cell = row(i).cells[column]; !cell.empty() && !number(cell)) return i;
    return std::nullopt;
  }

  bool fail_cell(std::size_t i, std::size_t column, const std::string& what) {
    const std::string& cell = row(i).cells[column];
    fail(fmt::format("line {}, column {}: {} {}", row(i).line, column_name(column), cell.empty() ? "an empty cell" : '`' + cell + '`',
                     what));
    return false;
  }

  template <class T>
  bool read_column(std::size_t column, T* out, std::size_t stride) {
    if constexpr (scalar::Integer<T>)
      if (first_text(column)) return read_codes(column, out, stride);
    for (std::size_t i = 0; i < row_count(); ++i, out += stride)
      if (!read_cell(i, column, *out)) return false;
    return true;
  }

  template <class T>
  bool read_codes(std::size_t column, T* out, std::size_t stride) {
    std::map<std::string_view, T> codes;
    for (std::size_t i = 0; i < row_count(); ++i) codes.emplace(row(i).cells[column], T{0});
    T next = 0;
    for (auto& [text, code] : codes) code = next++;
    for (std::size_t i = 0; i < row_count(); ++i) out[i * stride] = codes[row(i).cells[column]];
    return true;
  }

  template <class T>
  bool read_cell(std::size_t i, std::size_t column, T& out) {
    const std::string& cell = row(i).cells[column];
    if constexpr (std::same_as<T, bool>) {
      out = cell == "1" || cell == "true";
      return out || cell == "0" || cell == "false" || fail_cell(i, column, "is none of 0, 1, true and false");
    } else {
      const auto value = number(cell);
      if (!value) return fail_cell(i, column, "is not a number");
      out = scalar::cast<T>(*value);
      if constexpr (scalar::Integer<T>) {
        const double limit = -static_cast<double>(std::numeric_limits<T>::min());
        if (*value != std::floor(*value) || *value < -limit || *value >= limit)
          return fail_cell(i, column, fmt::format("is not a whole number of type {}", element_name(wanted_.value_or(Element::i32))));
      }
      return true;
    }
  }

  const std::string& path_;
  CsvTable table_;
  std::optional<Element> wanted_;
  Element real_;
  Diagnostics& diagnostics_;
  Span span_;
  bool header_ = false;
};

}  // namespace

std::optional<Tensor> load_csv(const std::string& path, std::string_view selector, std::optional<Element> wanted, Element real,
                               Diagnostics& diagnostics, Span span) {
  auto table = read_csv_table(path, diagnostics, span);
  if (!table) return std::nullopt;
  return Loader(path, std::move(*table), wanted, real, diagnostics, span).load(selector);
}

}  // namespace bpc::runtime
