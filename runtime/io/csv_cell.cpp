#include "runtime/io/csv_cell.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>

namespace bpc::runtime {

namespace {

constexpr const char* kSeparators = "separate the cells by `,`, `;` or a tab";

bool is_missing(std::string_view text) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  constexpr std::string_view kNan = "nan";
  return text.empty() || text == "NA" || text == "?" ||
         std::equal(text.begin(), text.end(), kNan.begin(), kNan.end(), [&](char a, char b) { return lower(a) == b; });
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What is left of a text without these pieces.
std::string without(std::string_view text, std::initializer_list<std::string_view> pieces) {
  std::string rest(text);
  for (const std::string_view piece : pieces)
    for (std::size_t at; (at = rest.find(piece)) != std::string::npos;) rest.erase(at, piece.size());
  return rest;
}

// Digits in groups of three, `1,500` or `1 500`.
bool has_thousands(std::string_view text, std::string_view separators) {
  const std::size_t first = text.find_first_of(separators);
  if (first == std::string_view::npos || first == 0) return false;
  for (std::size_t at = first; at < text.size() && separators.find(text[at]) != std::string_view::npos; at += 4)
    if (text.size() < at + 4 ||
        !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, text.begin() + static_cast<std::ptrdiff_t>(at) + 4, is_digit))
      return false;
  return true;
}

}  // namespace

bool has_unit(std::string_view text) {
  const std::size_t space = text.find(' ');
  return space != std::string_view::npos && is_digit(text[0]) && text.find_first_not_of("0123456789.,") == space;
}

NumberHelp number_help(std::string_view text) {
  if (std::none_of(text.begin(), text.end(), is_digit)) return {};
  const std::string plain = without(text, {"$", "€", "£", "¥", "%", "‰", "−", "\u00A0", "\u202F"});
  if (plain.find_first_not_of("0123456789 .,'_+-/:()|") != std::string::npos) return {};
  if (text.find("−") != std::string_view::npos) return {"the sign of a number is `-`"};
  if (without(text, {"$", "€", "£", "¥", "%", "‰"}) != text) return {"write the number alone, without a sign of currency or percent"};
  if (plain.find('|') != std::string::npos) return {kSeparators, true};
  if (plain.find_first_of("/:") != std::string::npos || std::count(plain.begin() + 1, plain.end(), '-') > 0)
    return {"a date, a time or a range is no number: write days or seconds, or a column for each part", true};
  if (plain.find_first_of("()") != std::string::npos) return {"a negative number is written with `-`"};
  if (plain.find('_') != std::string::npos) return {"digits are not grouped by `_` in a table"};
  const std::string digits = plain.substr(plain.find_first_of("0123456789"));
  if (has_thousands(digits, " '") || plain.size() < text.size()) return {"thousands are not separated: write `1500`"};
  const std::string commas =
      "numbers have a point; decimal commas are read where `;` separates the cells and no number of the file has a point";
  if (has_thousands(digits, ",")) return {"thousands are not separated, and " + commas};
  if (has_thousands(digits, ".")) return {"thousands are not separated: write `1500`"};
  if (plain.find(',') != std::string::npos) return {commas};
  return {plain.find(' ') != std::string::npos ? kSeparators : "a number is written as `-1.5` or `2e-3`", true};
}

namespace {

// Digits, perhaps with a sign before and a point among them, that together are less than 2^53: then one rounding, that of the division by
// a power of ten, is all (Clinger 1990). False for all else.
bool read_short_number(std::string_view text, double& value) {
  constexpr double kTens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  constexpr std::size_t kMostCharacters = 16 + 1;  // digits, a point
  const bool is_negative = text[0] == '-';
  if (text.size() - is_negative > kMostCharacters || text.size() == is_negative || !is_digit(text[is_negative])) return false;
  std::uint64_t digits = 0;
  const char *at = text.data() + is_negative, *const end = text.data() + text.size();
  for (; at != end && is_digit(*at); ++at) digits = 10 * digits + static_cast<std::uint64_t>(*at - '0');
  const char* behind = end;
  if (at != end) {
    behind = at + 1;
    if (*at != '.' || behind == end) return false;
    for (at = behind; at != end && is_digit(*at); ++at) digits = 10 * digits + static_cast<std::uint64_t>(*at - '0');
    if (at != end) return false;
  }
  const auto places = static_cast<std::size_t>(end - behind);
  if (digits >> 53 != 0 || places >= std::size(kTens)) return false;
  value = static_cast<double>(digits) / kTens[places];
  if (is_negative) value = -value;
  return true;
}

}  // namespace

Cell read_cell(std::string_view text, bool decimal_comma) {
  if (!decimal_comma && !text.empty()) {  // as most are
    double value = 0;
    if (read_short_number(text, value)) return {CellKind::number, value};
  }
  if (!decimal_comma && !text.empty() && is_digit(text[text[0] == '-' && text.size() > 1 ? 1 : 0])) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end == text.data() + text.size() && error == std::errc()) return {CellKind::number, value};
  }
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
