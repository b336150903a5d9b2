// Values with rows as the columns of a table, and as files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/io/csv.h"
#include "runtime/tensor.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

struct Result {
  std::string name;
  runtime::Tensor tensor;
  bool has_rows = false;               // its first axis counts rows
  runtime::Categories codes;           // what its codes stand for, if they are any
  std::vector<std::string> last_axis;  // what the entries of its last axis are called, if they are called anything
};

// A row for each row, with a header: a value with further axes has a column for each of their elements, `p_0`, `p_1`. All have as many
// rows.
std::string csv_text(const std::vector<Result>& results);
// One object, by name; codes as the texts that they stand for.
std::string json_text(const std::vector<Result>& results);

}  // namespace bpc::tool
