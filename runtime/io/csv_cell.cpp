#include "runtime/io/csv_cell.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>

namespace bpc::runtime {

namespace {

bool is_missing(std::string_view text) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  constexpr std::string_view kNan = "nan";
  return text.empty() || text == "NA" ||
         std::equal(text.begin(), text.end(), kNan.begin(), kNan.end(), [&](char a, char b) { return lower(a) == b; });
}

}  // namespace

Cell read_cell(std::string_view text, bool decimal_comma) {
  if (is_missing(text)) return {CellKind::missing, std::numeric_limits<double>::quiet_NaN()};
  std::string with_point;
  if (decimal_comma) {
    if (text.find('.') != std::string_view::npos) return {CellKind::text};
    with_point = text;
    if (const std::size_t comma = with_point.find(','); comma != std::string::npos) with_point[comma] = '.';
    text = with_point;
  }
  std::string_view number = text;
  if (number[0] == '+') number.remove_prefix(1);
  if (number.empty() || (number[0] == '-' && text[0] == '+')) return {CellKind::text};
  if (const std::size_t sign = number[0] == '-' ? 1 : 0; number.substr(sign).starts_with("nan")) return {CellKind::text};
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (end != number.data() + number.size() || error == std::errc::invalid_argument) return {CellKind::text};
  if (error == std::errc()) return {CellKind::number, value};
  value = std::strtod(std::string(number).c_str(), nullptr);  // out of range: 0, or too large
  return {CellKind::number, value, value > 1 || value < -1};
}

}  // namespace bpc::runtime
