#include "frontend/script/expr.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "ir/text.h"

namespace bpc::frontend::script {

std::string within(const Expr& expr, int at_least) {
  return expr.binding >= at_least ? expr.text : "(" + expr.text + ")";
}

std::size_t find_word(std::string_view text, std::string_view name) {
  auto is_word = [](char c) { return ir::is_identifier(std::string{'_', c}); };
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    bool starts = at == 0 || !is_word(text[at - 1]);
    bool ends = at + name.size() == text.size() || !is_word(text[at + name.size()]);
    if (starts && ends) return at;
  }
  return std::string_view::npos;
}

bool mentions(std::string_view text, std::string_view name) {
  return find_word(text, name) != std::string_view::npos;
}

Expr number(const ir::AttrValue& value, Element element, Element real) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (element == Element::boolean) return {*integer ? "true" : "false"};
    if (*integer == INT64_MIN) return {"-9223372036854775807 - 1", sum, true};
    return {std::to_string(*integer), *integer < 0 ? minus : atom, true};
  }
  double x = std::get<double>(value);
  std::string cast = element_spec(element, real);
  if (std::isnan(x)) return {cast + "(0) / 0", product};
  if (std::isinf(x)) return {(x < 0 ? "-" : "") + cast + "(1) / 0", product};
  std::string text = ir::real_text(x, element);
  if (std::size_t e = text.find('e'); e != std::string::npos) {  // 1e-06 as 1e-6, 1e+20 as 1e20
    bool small = text[e + 1] == '-';
    text = text.substr(0, e + 1) + (small ? "-" : "") + text.substr(text.find_first_not_of("+-0", e + 1));
  }
  if (x == 0 && std::signbit(x)) text = "-0.0";  // `-0` would be an integer
  return {text, text[0] == '-' ? minus : atom, true};
}

std::string sizes_text(const Type& type) {
  return fmt::format("[{}]", fmt::join(type.sizes(), ", "));
}

std::string type_spec(const Type& type, Element real) {
  if (type.is_scalar()) return element_spec(type.element, real);
  return (type.element == real ? "" : std::string(element_name(type.element))) + sizes_text(type);
}

std::string element_spec(Element element, Element real) {
  return element == real ? "real" : std::string(element_name(element));
}

}  // namespace bpc::frontend::script
