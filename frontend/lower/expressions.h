// Expressions: each becomes an Item; nullopt when it failed, which has been reported then.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

std::optional<Item> expression(Context& c, ExprId id);
// As a value of the IR (a literal is real).
std::optional<Item> value(Context& c, ExprId id);

// ---- operators (operators.cpp) ----

// A unary or binary operator, spelled as in ir/ops.def or "@". Compile-time operands fold. `sign` is the place of the operator itself.
std::optional<Item> unary(Context& c, Span span, const std::string& spelling, const Item& x);
std::optional<Item> binary(Context& c, Span span, Span sign, const std::string& spelling, const Item& a, const Item& b);
// A table operator on operands of one element type.
std::optional<Item> elementwise(Context& c, Span span, ir::Opcode code, const std::vector<Item>& operands, Span sign = {});

// ---- matrix products (matmul.cpp) ----

// a @ b on vectors, matrices and leading batch axes, as in NumPy; a batch axis of size 1, or one that is missing, stretches.
std::optional<Item> matmul(Context& c, Span span, Span sign, const Item& a, const Item& b);
// The product that a spec such as "ij,jk->ik" describes.
std::optional<Item> contract(Context& c, Span span, const std::string& spec, const Item& a, const Item& b, Span sign = {});

// ---- indexing (indexing.cpp, parts.cpp) ----

// The part of a value that an index names: a slice (the attributes of slice and update, and the dynamic starts), of which tensors of
// indices name parts.
struct Part {
  ir::Attributes attrs;
  std::vector<Item> starts;
  bool is_whole = false;           // the slice is the value itself
  std::vector<std::int64_t> axes;  // that `indices` name, sorted
  std::vector<Item> indices;       // of one shape, whose axes stand …
  std::size_t place = 0;           // … after so many axes of the rest
};
// E0204 too many indices, E0401 out of range, E0205 a length not known at compile time, E0203 a real index, E0201 indices of several
// shapes.
std::optional<Part> resolve_index(Context& c, const Item& base, const std::vector<ExprId>& items, Span span);
// An integer or a tensor of them that indexes an axis of `base`. E0203; E0401 for constants outside.
std::optional<Item> index_value(Context& c, const Item& item, const Item& base, std::size_t axis);
std::optional<Item> read_part(Context& c, Span span, const Item& base, const Part& part);
// `base` with that part replaced by `v`, or with v added to it; v is stretched to the part's shape and widened to base's element type.
// E0208 where tensors of indices would be assigned to.
std::optional<Item> write_part(Context& c, Span span, const Item& base, const Part& part, const Item& v);
std::optional<Item> add_to_part(Context& c, Span span, const Item& base, const Part& part, const Item& v);

// ---- conditions (branches.cpp) ----

// A scalar bool as a value: E0208 for a tensor, E0203 for a number.
std::optional<Item> condition_value(Context& c, const Item& item, const std::string& what);
std::optional<Item> conditional(Context& c, Span span, const ConditionalExpr& e);

}  // namespace bpc::frontend::lowering
