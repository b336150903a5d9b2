// The functions of the builtin table. Each gets its arguments in the order of its signature, defaults filled in, and returns nullopt when
// it has reported an error.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/lower/builtins.h"
#include "frontend/lower/calls.h"
#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

struct BuiltinCall {
  Span span;
  std::string_view name;
  std::vector<Item> arguments;
};

struct Builtin {
  std::string_view name;
  ir::Signature signature;
  std::optional<Item> (*lower)(Context& c, const BuiltinCall& call);
  Help help;  // empty: for the library alone, scripts cannot call it
};

// The tables, by idea.
std::span<const Builtin> shape_builtins();       // builtins_shape.cpp: reshape, concat, split …
std::span<const Builtin> layout_builtins();      // builtins_pad.cpp: pad, roll, tile
std::span<const Builtin> fill_builtins();        // builtins_fill.cpp: zeros, arange …
std::span<const Builtin> random_builtins();      // builtins_random.cpp: normal, uniform, glorot …
std::span<const Builtin> value_builtins();       // builtins_value.cpp: casts, products, prod …
std::span<const Builtin> index_builtins();       // parts.cpp: gather, scatter_add, embedding
std::span<const Builtin> tape_builtins();        // tapes.cpp: tape, push, pop
std::span<const Builtin> derivative_builtins();  // derivatives.cpp: vjp, jvp, hessian …

// einsum(spec, a, b, …), of any number of operands. (einsum.cpp)
std::optional<Item> einsum(Context& c, const BuiltinCall& call);
// The type to fill: the shape that is given, of this element type, or else the declared type of the initialiser under way. Appends E0105,
// E0205.
std::optional<Type> type_to_fill(Context& c, const BuiltinCall& call, const Item& shape, Element element);
// grad(J, w, …): any number of w.
std::optional<Item> call_grad(Context& c, const Name& callee, const std::vector<Given>& given, Span span);
// A call of a name for which is_native_builtin holds.
std::optional<Item> call_builtin(Context& c, const Name& callee, const std::vector<Given>& given, Span span);
// A spelled operator of the table: elementwise, reduction or scan; arguments as its signature says.
std::optional<Item> call_op(Context& c, ir::Opcode code, const BuiltinCall& call);

}  // namespace bpc::frontend::lowering
