#include "runtime/io/csv_table.h"

#include <csv.h>
#include <fmt/format.h>

#include <memory>

#include "runtime/io/read_file.h"

namespace bpc::runtime {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct Parse {
  CsvTable table;
  std::vector<std::string> cells;
  std::size_t line = 0;
};

void end_cell(void* text, std::size_t size, void* parse) {
  static_cast<Parse*>(parse)->cells.emplace_back(static_cast<const char*>(text), size);
}

void end_row(int, void* data) {
  auto& parse = *static_cast<Parse*>(data);
  const bool blank = parse.cells.empty() || (parse.cells.size() == 1 && parse.cells[0].empty());
  if (!blank) parse.table.rows.push_back({parse.line, std::move(parse.cells)});
  parse.cells.clear();
}

}  // namespace

std::optional<CsvTable> read_csv_table(const std::string& path, Diagnostics& diagnostics, Span span) {
  const auto file = read_file(path, diagnostics, span);
  if (!file) return std::nullopt;
  std::string_view text = *file;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());

  csv_parser parser;
  csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> owner(&parser, csv_free);
  Parse parse;
  const auto fail = [&](std::size_t line, const std::string& what) {
    diagnostics.error(Code::E0503, span, fmt::format("{}: line {}: {}", path, line, what));
    return std::nullopt;
  };
  while (!text.empty()) {  // line by line, to know which one a row ends in
    ++parse.line;
    const std::string_view line = text.substr(0, text.find('\n') == std::string_view::npos ? text.size() : text.find('\n') + 1);
    text.remove_prefix(line.size());
    if (csv_parse(&parser, line.data(), line.size(), end_cell, end_row, &parse) != line.size())
      return fail(parse.line, "a quote is out of place");
  }
  if (csv_fini(&parser, end_cell, end_row, &parse) != 0) return fail(parse.line, "a quote is not closed");

  for (const CsvRow& row : parse.table.rows)
    if (const std::size_t expected = parse.table.rows[0].cells.size(); row.cells.size() != expected)
      return fail(row.line, fmt::format("{} cells, and the first row has {}", row.cells.size(), expected));
  return std::move(parse.table);
}

}  // namespace bpc::runtime
