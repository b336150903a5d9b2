// Small tables on standard output.
#pragma once

#include <string>
#include <vector>

namespace bpc::tool {

enum class LastColumn : std::uint8_t { words, numbers };

// Columns padded to their widest cell: words flush left, as in the first column; numbers flush right, as in those between.
void print_table(const std::vector<std::vector<std::string>>& rows, LastColumn last);

}  // namespace bpc::tool
