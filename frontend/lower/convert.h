// From compile-time things to values of the IR, and from one element type to another.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// The element type that operands meet at: f64 over f32 over i64 over i32; an integer with a weak real gives the program's float, and so
// does an integer where `domain` is real. Bools join only bools (nullopt otherwise).
std::optional<Element> common_element(const Context& c, const std::vector<Strength>& operands, ir::Domain domain);
// E0209 for what is no value (a function, string, none).
std::optional<Strength> strength(Context& c, const Item& item);

// E0209 for a function.
bool is_no_function(Context& c, const Item& item);

// The item as a value. A weak number takes the element type `weak`, by default the program's float; a list becomes a tensor.
std::optional<Item> to_value(Context& c, const Item& item, std::optional<Element> weak = std::nullopt);
// Operands as values of one element type. Where bools and numbers meet they are left as they are: the shape rule reports them.
std::optional<std::vector<Item>> to_common(Context& c, const std::vector<Item>& items, ir::Domain domain);
std::optional<Item> cast_to(Context& c, const Item& value, Element element, Span span);
// An element conversion that loses nothing but precision of integers: the only ones made silently.
bool widens(Element from, Element to);

// The item as a value of the declared type: widened if need be, a scalar stretched when `stretch`. Otherwise E0206, or E0202 for dims of
// different names; `what` names the declaration ("`k`").
std::optional<Item> to_declared(Context& c, const Item& item, const Type& declared, const std::string& what, bool stretch);

// The item as a value of that type: widened if need be, and stretched to the shape. Otherwise E0203, E0201 or E0202; `what` says what must
// be of the type ("the direction of `jvp`").
std::optional<Item> to_fit(Context& c, const Item& item, Type type, const std::string& what);

// The integer, still known at compile time, as one of an element type; E0210 when it does not fit.
std::optional<Item> whole_number(Context& c, Span span, std::int64_t value, Element element);
// A number everywhere in a shape. E0210 when it does not fit the element type.
std::optional<Item> constant(Context& c, Span span, const Number& number, const Type& type);

// Tensors and scalars of one shape, one after the other along a new axis.
std::optional<Item> stack(Context& c, Span span, const std::vector<Item>& items, std::int64_t axis);
std::optional<Item> concatenate(Context& c, Span span, const std::vector<Item>& items, std::int64_t axis);
std::optional<Item> reshape(Context& c, Span span, const Item& value, std::vector<Dim> dims);
// One part of a value along an axis; x itself when it is all of it.
std::optional<Item> part(Context& c, Span span, const Item& value, std::size_t axis, std::int64_t start, std::int64_t size);

}  // namespace bpc::frontend::lowering
