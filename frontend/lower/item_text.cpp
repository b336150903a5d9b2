#include "frontend/lower/item_text.h"

#include <fmt/format.h>

#include "frontend/lower/numbers.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend::lowering {

namespace {

// Of a size that is open, what is known is its type.
std::string known_text(const Number& number) {
  const std::string type(number.element ? element_name(*number.element) : "number");
  return number.dim.is_open ? type : fmt::format("{} = {}", type, number_text(number));
}

std::string list_text(Context& c, const std::vector<Item>& items, char open, char close) {
  constexpr std::size_t kMostShown = 6;
  std::string text(1, open);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += ", ";
    if (i == kMostShown) {
      text += "…";
      break;
    }
    text += item_text(c, items[i]);
  }
  return text + close;
}

std::string signature(Context& c, const Callable& function) {
  std::string list;
  for (const FnParameter& each : function.fn->parameters) {
    const ExprId value = each.value;
    list += fmt::format("{}{}{}{}", list.empty() ? "" : ", ", each.name.text, each.type ? ": " + c.text_of(each.type->span) : "",
                        value.valid() ? " = " + c.text_of(function.ast->expr(value).span) : "");
  }
  std::string results;
  for (const TypeExpr& each : function.fn->results) results += (results.empty() ? " -> " : ", ") + c.text_of(each.span);
  return fmt::format("fn {}({}){}", function.fn->name.text, list, results);
}

}  // namespace

std::string item_text(Context& c, const Item& item) {
  return std::visit(overloaded{
                        [](const Poison&) { return std::string(); },
                        [&](const ir::ValueId& id) { return type_text(c.type(id)); },
                        [&](const Number& number) { return known_text(number); },
                        [](bool truth) { return fmt::format("bool = {}", truth); },
                        [](const Text& text) { return fmt::format("text = \"{}\"", text.text); },
                        [](const None&) { return std::string("none"); },
                        [&](const List& list) { return list_text(c, list.items, '[', ']'); },
                        [&](const Tuple& tuple) { return list_text(c, tuple.items, '(', ')'); },
                        [&](const Callable& function) { return signature(c, function); },
                        [](const LibraryFunction& function) { return "fn " + function.function->name; },
                    },
                    item.is);
}

}  // namespace bpc::frontend::lowering
