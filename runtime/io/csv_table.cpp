#include "runtime/io/csv_table.h"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

namespace bpc::runtime {

namespace {

// Eight characters at once.
constexpr std::uint64_t kHighBits = 0x8080808080808080, kOnes = 0x0101010101010101;

std::uint64_t load(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, sizeof word);
  return word;
}

// The high bit of each of them that is this one.
std::uint64_t equal_to(std::uint64_t word, char wanted) {
  const std::uint64_t differs = word ^ (kOnes * static_cast<unsigned char>(wanted));
  return ~(((differs & ~kHighBits) + ~kHighBits) | differs | ~kHighBits);
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0, length; at < text.size(); at += length) {
    while (at + sizeof(std::uint64_t) <= text.size() && (load(text, at) & kHighBits) == 0) at += sizeof(std::uint64_t);
    if (at == text.size()) break;
    length = static_cast<unsigned char>(text[at]) < 0x80 ? 1 : code_point_length(text, at);
    if (length == 1 && static_cast<unsigned char>(text[at]) >= 0x80) return false;
  }
  return true;
}

// What can be said of a file before it is read: what it is, if it is no table of UTF-8 text.
std::string not_a_table(std::string_view file) {
  if (file.starts_with("PK\3\4")) return "it is a zip archive (an Excel workbook, or what PyTorch saves)";
  if (file.starts_with("PAR1")) return "it is a Parquet file";
  if (file.starts_with("\xD0\xCF\x11\xE0")) return "it is an old Excel workbook";
  if (file.starts_with("\xFF\xFE") || file.starts_with("\xFE\xFF")) return "it is UTF-16";
  if (file.find('\0') != std::string_view::npos) return "it holds bytes that are no text";
  if (!is_utf8(file)) return "it is not in UTF-8";
  return {};
}

// Of the first line that is not blank, which of the separators stand outside quotes.
std::vector<char> separators_of(std::string_view file) {
  const std::size_t begin = file.find_first_not_of("\r\n");
  if (begin == std::string_view::npos) return {','};
  std::vector<char> found;
  for (const char separator : {'\t', ';', ','}) {
    bool quoted = false;
    for (std::size_t at = begin; at < file.size() && (quoted || (file[at] != '\n' && file[at] != '\r')); ++at) {
      if (file[at] == '"') quoted = !quoted;
      if (file[at] != separator || quoted) continue;
      found.push_back(separator);
      break;
    }
  }
  if (found.empty()) found.push_back(',');
  return found;
}

}  // namespace

std::vector<std::string> CsvTable::column_names() const {
  std::vector<std::string> names;
  for (std::size_t column = 0; has_header() && column < columns_; ++column) names.emplace_back(raw(0, column));
  return names;
}

std::string CsvTable::column_key(std::size_t column) const {
  const std::string_view name = has_header() ? raw(0, column) : "";
  return name.empty() ? fmt::format("[{}]", column) : std::string(name);
}

class CsvReader {
 public:
  CsvReader(std::string_view file, char separator, Place place) : file_(file), separator_(separator) {
    table_.file_ = file;
    table_.unquoted_ = decltype(table_.unquoted_)(Allocator<char>(place));
    table_.cells_ = decltype(table_.cells_)(Allocator<CsvTable::Text>(place));
    table_.lines_ = decltype(table_.lines_)(Allocator<std::size_t>(place));
  }

  const std::string& problem() const { return problem_; }

  std::optional<CsvTable> read(bool named) {
    if (file_.size() >= CsvTable::kMostBytes) return fail("it is larger than 512 GB");
    if (!split()) return std::nullopt;
    drop_empty_end();
    table_.decimal_comma_ = separator_ == ';' && !has_decimal_points();
    const auto header = named ? std::optional(true) : has_header();
    if (!header && problem_.empty()) problem_ = "there are no rows of data";
    if (!header) return std::nullopt;
    table_.first_ = *header && !table_.lines_.empty() ? 1 : 0;
    if (table_.row_count() == 0) return fail("there are no rows of data");
    return std::move(table_);
  }

 private:
  std::nullopt_t fail(std::string what) {
    problem_ = std::move(what);
    return std::nullopt;
  }

  static void end_cell(void* text, std::size_t size, void* reader) {
    CsvReader& self = *static_cast<CsvReader*>(reader);
    auto& unquoted = self.table_.unquoted_;
    self.add_cell(unquoted.size(), true, size);
    unquoted.insert(unquoted.end(), static_cast<const char*>(text), static_cast<const char*>(text) + size);
  }
  static void end_row(int, void* reader) { static_cast<CsvReader*>(reader)->end_row(); }

  void add_cell(std::size_t begin, bool is_unquoted, std::size_t size) {
    if (size > CsvTable::kMostOfCell && problem_.empty())
      problem_ = fmt::format("line {}: a cell of {} bytes, and {} are the most", line_, size, CsvTable::kMostOfCell);
    CsvTable::Text& cell = table_.cells_.emplace_back();
    cell.begin = begin;
    cell.is_unquoted = is_unquoted;
    cell.size = size;
  }

  void end_row() {
    CsvTable& table = table_;
    const std::size_t begin = table.lines_.size() * table.columns_, cells = table.cells_.size() - begin;
    const bool blank = cells == 0 || (cells == 1 && table.cells_.back().size == 0);
    if (!blank && table.columns_ == 0) table.columns_ = cells;
    if (!blank && cells != table.columns_ && problem_.empty())
      problem_ = fmt::format("line {}: {} cell{}, and the first row has {}", line_, cells, cells == 1 ? "" : "s", table.columns_);
    if (!blank && problem_.empty()) return table.lines_.push_back(line_);
    table.cells_.resize(begin);
  }

  // Splits the line at this place of the file if there is nothing to it but separators: no quote, no space, and a newline in the end. How
  // long it is, with its end; 0 where it is left to the library.
  std::size_t split_plain(std::size_t line) {
    CsvTable& table = table_;
    const std::size_t cells = table.cells_.size();
    std::size_t begin = line;
    for (std::size_t at = line; at + sizeof(std::uint64_t) <= file_.size(); at += sizeof(std::uint64_t)) {
      const std::uint64_t word = load(file_, at);
      for (std::uint64_t left = may_end_cell(word); left != 0; left &= left - 1) {
        const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(left)) / 8;
        const char found = file_[place];
        const bool is_end = found == '\n' || (found == '\r' && place + 1 < file_.size() && file_[place + 1] == '\n');
        if (found == separator_ || is_end) {
          add_cell(begin, false, place - begin);
          begin = place + 1;
        } else if (found == '"' || found == ' ' || found == '\r' || found == '\t') {
          table.cells_.resize(cells);
          return 0;
        }
        if (!is_end) continue;
        end_row();
        if (table.lines_.size() == 2) {  // the first one may be a header
          const std::size_t rows = (file_.size() - line) / (place + 1 - line);
          table.cells_.reserve(table.cells_.size() + rows * table.columns_);
          table.lines_.reserve(rows);
        }
        return place + (found == '\r' ? 2 : 1) - line;
      }
    }
    table.cells_.resize(cells);
    return 0;
  }

  // The high bit of each character that is a separator, or may be a quote, space or end of line: these come before those of numbers.
  std::uint64_t may_end_cell(std::uint64_t word) const {
    constexpr char kBehind = ',' + 1;
    const std::uint64_t before = ~((word | kHighBits) - kOnes * kBehind) & ~word & kHighBits;
    return separator_ == ';' ? before | equal_to(word, ';') : before;
  }

  bool split() {
    csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    const std::unique_ptr<csv_parser, void (*)(csv_parser*)> owner(&parser, csv_free);
    csv_set_delim(&parser, static_cast<unsigned char>(separator_));
    constexpr int kBetweenRows = 0;  // of csv_parser::pstate
    std::string_view rest = file_;
    while (!rest.empty() && problem_.empty()) {  // line by line, to know which one a row ends in
      ++line_;
      const std::size_t plain = parser.pstate == kBetweenRows ? split_plain(file_.size() - rest.size()) : 0;
      if (plain > 0) {
        rest.remove_prefix(plain);
        continue;
      }
      std::size_t size = std::min(rest.find_first_of("\r\n"), rest.size());
      size += rest.substr(size).starts_with("\r\n") ? 2 : size < rest.size() ? 1 : 0;
      if (csv_parse(&parser, rest.data(), size, end_cell, end_row, this) != size)
        problem_ = fmt::format("line {}: a quote is out of place", line_);
      rest.remove_prefix(size);
    }
    if (problem_.empty() && csv_fini(&parser, end_cell, end_row, this) != 0)
      problem_ = fmt::format("line {}: a quote is not closed", line_);
    return problem_.empty();
  }

  // Spreadsheets write them for rows that once held something.
  void drop_empty_end() {
    CsvTable& table = table_;
    while (!table.lines_.empty() && table.columns_ > 1) {
      const std::size_t begin = (table.lines_.size() - 1) * table.columns_;
      for (std::size_t column = 0; column < table.columns_; ++column)
        if (!table.raw(table.lines_.size() - 1, column).empty()) return;
      table.cells_.resize(begin);
      table.lines_.pop_back();
    }
  }

  bool has_decimal_points() const {
    for (std::size_t row = 0; row < table_.lines_.size(); ++row)
      for (std::size_t column = 0; column < table_.columns_; ++column) {
        const std::string_view text = table_.raw(row, column);
        if (text.find('.') != std::string_view::npos && read_cell(text, false).kind == CellKind::number) return true;
      }
    return false;
  }

  CellKind kind(std::size_t row, std::size_t column) const { return read_cell(table_.raw(row, column), table_.decimal_comma_).kind; }

  // Text above numbers.
  bool is_heading(std::size_t column) const {
    bool numbers = false;
    for (std::size_t row = 1; row < table_.lines_.size(); ++row) {
      const CellKind below = kind(row, column);
      if (below == CellKind::text) return false;
      numbers |= below == CellKind::number;
    }
    return numbers;
  }

  // An empty cell, and the numbers of the columns: above an index, as pandas writes what has no names.
  bool is_numbered_header() const {
    if (table_.columns_ < 2 || !table_.raw(0, 0).empty()) return false;
    for (std::size_t column = 1; column < table_.columns_; ++column)
      if (table_.raw(0, column) != std::to_string(column - 1)) return false;
    return true;
  }

  bool is_repeated(std::size_t column) const {
    for (std::size_t row = 1; row < table_.lines_.size(); ++row)
      if (table_.raw(row, column) == table_.raw(0, column)) return true;
    return false;
  }

  // Nothing where it cannot be told, or there is no first row.
  std::optional<bool> has_header() {
    if (table_.lines_.empty()) return std::nullopt;
    if (is_numbered_header()) return true;
    bool numbers = false, texts = false, repeated = false;
    std::string number, text;
    for (std::size_t column = 0; column < table_.columns_; ++column) {
      const CellKind first = kind(0, column);
      numbers |= first == CellKind::number;
      texts |= first == CellKind::text;
      if (first == CellKind::number) number = table_.raw(0, column);
      if (first != CellKind::text) continue;
      if (is_heading(column)) return true;
      text = table_.raw(0, column);
      repeated = repeated || is_repeated(column);
    }
    if (!texts || repeated) return false;
    if (!numbers) return true;
    problem_ = fmt::format(
        "line {}: whether it is a header or data cannot be told: it holds `{}`, and `{}` in a column of texts; name the columns that you "
        "select if it is a header, and write a line of names above it if it is not",
        table_.lines_[0], number, text);
    return std::nullopt;
  }

  std::string_view file_;
  char separator_;
  CsvTable table_;
  std::size_t line_ = 0;
  std::string problem_;
};

std::optional<CsvTable> read_csv_table(std::string_view file, const std::string& name, bool named, Diagnostics& diagnostics, Span span,
                                       Place place) {
  const auto fail = [&](const std::string& what) -> Diagnostic& { return diagnostics.error(Code::E0503, span, name + ": " + what); };
  if (const std::string what = not_a_table(file); !what.empty()) {
    fail(what).with_help("save it as CSV, in UTF-8");
    return std::nullopt;
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (file.starts_with(kByteOrderMark)) file.remove_prefix(kByteOrderMark.size());

  std::string problem;
  for (const char separator : separators_of(file)) {
    CsvReader reader(file, separator, place);
    if (auto table = reader.read(named)) return table;
    if (problem.empty()) problem = reader.problem();
  }
  const std::size_t first = file.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && (file[first] == '{' || file[first] == '[');
  const bool is_below_first = problem.starts_with("line 2: ");
  fail(problem).with_help(is_json                 ? "it looks like JSON: give the file a name that ends in `.json`"
                          : file.starts_with('#') ? "a table holds no comments: remove these lines"
                          : is_below_first        ? "a table starts with its header, or with data: remove what stands above"
                                                  : "");
  return std::nullopt;
}

}  // namespace bpc::runtime
