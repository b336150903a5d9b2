// What an expression may be while a script is lowered: a value of the IR, or something known at compile time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "frontend/names/meanings.h"
#include "frontend/syntax/ast.h"
#include "ir/function.h"
#include "support/type.h"

namespace bpc::frontend::lowering {

struct Frame;

// A compile-time number. Without an element it is *weak*: a literal, or arithmetic of literals, that takes the type of what it meets. Dims,
// sizes and integer casts have one (i32 or i64) and stay integers. The dim's name rides along when the number is a declared dim itself.
struct Number {
  std::variant<std::int64_t, double> value;
  std::optional<Element> element = std::nullopt;
  DimName dim = {};

  bool is_integer() const { return std::holds_alternative<std::int64_t>(value); }
  std::int64_t integer() const { return std::get<std::int64_t>(value); }
  double real() const { return is_integer() ? static_cast<double>(integer()) : std::get<double>(value); }
};

struct Item;

struct Poison {};  // an expression that failed: its error has been reported
struct None {};    // `none`
struct Text {
  std::string text;
};
struct List {  // [a, b]: a tensor once a value is needed
  std::vector<Item> items;
};
struct Tuple {  // what a function with several results gives
  std::vector<Item> items;
};
struct Callable {  // a function of a script or of the prelude
  const Ast* ast;
  const Meanings* names;
  const Definition* meaning;
  const FnStmt* fn;
  Frame* globals;                     // the top level of its file, or the call in which it is written
  const AdjointStmt* rule = nullptr;  // its derivative, by the author
};

struct LibraryFunction {  // a function of the library, by name
  const Definition* function;
};

struct Item {
  std::variant<Poison, ir::ValueId, Number, bool, Text, None, List, Tuple, Callable, LibraryFunction> is;
  Span span = {};  // the expression, for carets and the author's text

  template <class T>
  const T* as() const {
    return std::get_if<T>(&is);
  }
  template <class T>
  bool holds() const {
    return std::holds_alternative<T>(is);
  }
  bool failed() const { return holds<Poison>(); }
};

// Whether it is a list of compile-time numbers, such as shape(x), so that size(shape(x)) is the rank and no op.
inline bool is_shape(const List& list) {
  return std::ranges::all_of(list.items, [](const Item& item) { return item.holds<Number>(); });
}

inline bool is_function(const Item& item) {
  return item.holds<Callable>() || item.holds<LibraryFunction>();
}

// How an item enters the choice of a common element type.
struct Strength {
  enum class Kind { typed, weak_integer, weak_real } kind;
  Element element = Element::f32;  // when typed
};

inline Number weak(std::int64_t value) {
  return {value};
}
inline Number weak(double value) {
  return {value};
}
inline Number typed(std::int64_t value, Element element = Element::i32) {
  return {value, element};
}

}  // namespace bpc::frontend::lowering
