// The lowering of the functions of frontend/builtins/builtins.def. Each gets its arguments as its row says, defaults filled in, and returns
// nullopt when it has reported an error.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "frontend/builtins/builtins.h"
#include "frontend/lower/calls.h"
#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

struct BuiltinCall {
  Span span;
  std::string_view name;
  const ir::Signature& signature;
  std::vector<Item> arguments;

  // The one for this parameter of the signature.
  const Item& operator[](std::string_view parameter) const;
};

namespace builtins {

#define BPC_BUILTIN(id, ...) std::optional<Item> id(Context& c, const BuiltinCall& call);
#define BPC_FORM(id, ...) std::optional<Item> id(Context& c, const CallExpr& call, Span span);
#include "frontend/builtins/builtins.def"

}  // namespace builtins

// A form of the language that looks like a call; null for a function.
using LowerForm = std::optional<Item> (*)(Context& c, const CallExpr& call, Span span);
LowerForm find_form(Builtin builtin);

// A call of a builtin function that is no form.
std::optional<Item> call_builtin(Context& c, const Definition& function, const Name& callee, const std::vector<Given>& given, Span span);
// A spelled operator of the table: elementwise, reduction or scan; arguments as its signature says.
std::optional<Item> call_op(Context& c, ir::Opcode code, const BuiltinCall& call);

// The type to fill: the shape that is given, of this element type, or else the declared type of the initialiser under way. Appends E0105,
// E0205.
std::optional<Type> type_to_fill(Context& c, const BuiltinCall& call, const Item& shape, Element element);

}  // namespace bpc::frontend::lowering
