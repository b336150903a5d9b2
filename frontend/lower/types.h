// Sizes, shapes, types and axes as scripts write them.
#pragma once

#include <optional>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// "f32", …; "real" or nothing is the program's float; nullopt for an unknown word, which has been reported.
std::optional<Element> to_element(Context& c, const TypeExpr& type);
// A size: a compile-time integer that is not negative, with the dim's name if it is one. E0205, E0210.
std::optional<Dim> to_size(Context& c, const Item& item);
// Whether there are tensors of that shape (shape_problem of support/type.h). E0204, E0210.
bool check_shape(Context& c, Span span, const std::vector<Dim>& dims);
// A shape argument: `[N, 3]`, or one size.
std::optional<std::vector<Dim>> to_shape(Context& c, const Item& item);
std::optional<Type> to_type(Context& c, const TypeExpr& type);

// Axes of a value of that rank, sorted and non-negative: one number, a list, or `none` for all. E0204 for an axis that is not there or
// twice.
std::optional<std::vector<std::int64_t>> to_axes(Context& c, const Item& axes, const Item& value);
// One axis; `extra` 1 allows the position after the last, where expand_dims may put a new one.
std::optional<std::int64_t> to_axis(Context& c, const Item& axis, const Item& value, std::int64_t extra = 0);

}  // namespace bpc::frontend::lowering
