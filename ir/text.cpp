#include "ir/text.h"

#include <fmt/format.h>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace bpc::ir {

namespace {

template <class T>
std::string shortest(T value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += {'\\', c};
    else if (c == '\n')
      result += "\\n";
    else if (c == '\r')
      result += "\\r";
    else if (c == '\t')
      result += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result + '"';
}

std::string real_text(double value, Element element) {
  if (std::isnan(value)) return "nan";
  std::string text = shortest(value);
  if (element == Element::f32 && static_cast<float>(value) == value) {
    // A reader goes through f64; in the rare case where that rounds twice, the longer text is right.
    std::string narrow = shortest(static_cast<float>(value));
    if (static_cast<float>(std::strtod(narrow.c_str(), nullptr)) == static_cast<float>(value)) text = narrow;
  }
  return text;
}

std::string_view region_word(Opcode code) {
  return code == Opcode::if_else ? "else" : code == Opcode::custom ? "adjoint" : "do";
}

bool is_identifier(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (char c : text) {
    bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    if (!plain) return false;
  }
  return true;
}

}  // namespace bpc::ir
