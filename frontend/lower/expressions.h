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
bool is_comparison(const std::string& spelling);

// ---- matrix products (matmul.cpp) ----

// a @ b on vectors, matrices and leading batch axes, as in NumPy; a batch axis of size 1, or one that is missing, stretches.
std::optional<Item> matmul(Context& c, Span span, Span sign, const Item& a, const Item& b);
// The product that a spec such as "ij,jk->ik" describes.
std::optional<Item> contract(Context& c, Span span, const std::string& spec, const Item& a, const Item& b, Span sign = {});

// ---- indexing (indexing.cpp) ----

// The part of a value that an index names, as the attributes of slice and update, and the dynamic starts.
struct Part {
  ir::Attributes attrs;
  std::vector<Item> starts;
};
// E0204 too many indices, E0401 out of range, E0205 a length not known at compile time, E0203 a real index.
std::optional<Part> resolve_index(Context& c, const Item& base, const std::vector<ExprId>& items, Span span);
std::optional<Item> read_part(Context& c, Span span, const Item& base, const Part& part);
// `base` with that part replaced by `v`, stretched to the part's shape and widened to base's element type.
std::optional<Item> write_part(Context& c, Span span, const Item& base, const Part& part, const Item& v);

// ---- conditions (branches.cpp) ----

// A scalar bool as a value: E0208 for a tensor, E0203 for a number.
std::optional<Item> condition_value(Context& c, const Item& item, const std::string& what);
std::optional<Item> conditional(Context& c, Span span, const ConditionalExpr& e);

}  // namespace bpc::frontend::lowering
