// From an element type known at run time to the C++ type that holds it.
#pragma once

#include <cstdint>

#include "support/internal_error.h"
#include "support/type.h"

namespace bpc {

// Calls f with a value of the C++ type that holds the element (its value is of no interest): f32 float, f64 double, i32 std::int32_t,
// i64 std::int64_t, bool bool.
template <class F>
auto with_element(Element element, F&& f) {
  switch (element) {
    case Element::f32:
      return f(float{});
    case Element::f64:
      return f(double{});
    case Element::i32:
      return f(std::int32_t{});
    case Element::i64:
      return f(std::int64_t{});
    case Element::boolean:
      return f(bool{});
  }
  throw InternalError("element", "no such element type");
}

}  // namespace bpc
