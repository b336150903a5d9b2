#include "tools/bpc/train/columns.h"

#include <nlohmann/json.hpp>

#include "runtime/io/json_value.h"
#include "runtime/number_text.h"

namespace bpc::tool {

namespace {

// As a table says it: in quotes where it has to be.
std::string cell_text(const std::string& text) {
  if (text.find_first_of(",;\t\"\r\n") == std::string::npos && !text.empty()) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

// Elements of a row, one after the other.
std::int64_t width(const Result& result) {
  std::int64_t count = 1;
  for (std::size_t axis = 1; axis < result.tensor.type().rank(); ++axis) count *= result.tensor.type().size(axis);
  return count;
}

// "p", "p_setosa", "h_2_0".
std::string column_name(const Result& result, std::int64_t column) {
  const Type& type = result.tensor.type();
  if (type.rank() == 2 && !result.last_axis.empty()) return result.last_axis[static_cast<std::size_t>(column)];
  std::string places;
  for (std::size_t axis = type.rank(); axis-- > 1; column /= type.size(axis))
    places = fmt::format("_{}{}", column % type.size(axis), places);
  return result.name + places;
}

std::string element_text(const Result& result, std::int64_t i) {
  if (result.codes.empty()) return runtime::element_text(result.tensor, i);
  const auto code = static_cast<std::size_t>(result.tensor.int_at(i));
  return code < result.codes.size() ? result.codes[code] : std::to_string(result.tensor.int_at(i));
}

nlohmann::json texts_json(const Result& result, std::size_t axis, std::int64_t start, std::int64_t count) {
  const Type& type = result.tensor.type();
  if (axis == type.rank()) return element_text(result, start);
  nlohmann::json list = nlohmann::json::array();
  const std::int64_t size = type.size(axis);
  for (std::int64_t i = 0; i < size; ++i) list.push_back(texts_json(result, axis + 1, start + i * (count / size), count / size));
  return list;
}

}  // namespace

std::string csv_text(const std::vector<Result>& results) {
  std::string text;
  for (const Result& result : results)
    for (std::int64_t column = 0; column < width(result); ++column)
      text += (text.empty() ? "" : ",") + cell_text(column_name(result, column));
  text += '\n';
  const std::int64_t rows = results.front().tensor.type().size(0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::size_t start = text.size();
    for (const Result& result : results)
      for (std::int64_t column = 0, count = width(result); column < count; ++column) {
        if (text.size() > start) text += ',';
        text += cell_text(element_text(result, row * count + column));
      }
    text += '\n';
  }
  return text;
}

std::string json_text(const std::vector<Result>& results) {
  std::string text;
  for (const Result& result : results)
    text +=
        fmt::format("{}{}: {}", text.empty() ? "" : ", ", nlohmann::json(result.name).dump(),
                    result.codes.empty()
                        ? runtime::json_text(result.tensor)
                        : texts_json(result, 0, 0, result.tensor.count()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return "{" + text + "}\n";
}

}  // namespace bpc::tool
