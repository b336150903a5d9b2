#include "tools/bpc/table.h"

#include <algorithm>

#include "support/source.h"
#include "tools/bpc/output.h"

namespace bpc::tool {

void print_table(const std::vector<std::vector<std::string>>& rows, LastColumn last) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], code_point_count(row[i]));
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string fill(widths[i] - code_point_count(row[i]), ' ');
      bool left = i == 0 || (i + 1 == row.size() && last == LastColumn::words);
      line += (i > 0 ? "  " : "") + (left ? row[i] + fill : fill + row[i]);
    }
    print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

}  // namespace bpc::tool
