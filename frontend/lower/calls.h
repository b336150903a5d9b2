// Calls: arguments meet parameters, and the body of a function is lowered in place.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/lower/context.h"
#include "frontend/names/arguments.h"

namespace bpc::frontend::lowering {

struct Given {  // an argument
  std::optional<Name> name;
  Item item;
};

// A call of a function of the script, a builtin or the prelude, as its name means; nullopt, silently, for null.
std::optional<Item> call(Context& c, const Definition* callee, const CallExpr& e, Span span);

// A call of a builtin or of the prelude with its arguments lowered.
std::optional<Item> call_library(Context& c, const Definition& function, const Name& callee, const std::vector<Given>& given, Span span);

// A function of the prelude, parsed when a script first uses it.
const Callable& prelude_function(Context& c, const PreludeFunction& function);

// Arguments by parameter, E0105; those that are left to their defaults are empty.
std::optional<std::vector<std::optional<Item>>> match(Context& c, Span span, const Parameters& parameters, const std::vector<Given>& given);
// Enters what the parameters are, by the names that the call gives them.
void note_types(Context& c, const Parameters& parameters, const std::vector<Given>& given, const std::vector<Item>& items);

// The derivatives in the body of a function or of a rule. (inlining.cpp)
const Differentiation& differentiation(Context& c, const Callable& callee, Span body);

// Makes a copy of what a parameter or a param of a function is: where derivatives are taken, it is a value of its own, wherever it comes
// from. (inlining.cpp)
void separate(Context& c, Item& item, const std::string& name);

// A function of a file, whose top level is `globals`, with the adjoint rule that the file has for it.
Callable callable(const Definition& function, Frame& globals);

// Inlines a call. Sizes in the signature that are not dims are bound by unification with the arguments. (inlining.cpp)
std::optional<Item> call_function(Context& c, const Callable& callee, const std::vector<Given>& given, Span span);

// What the body of a function gives in the current frame, as its signature declares it. (inlining.cpp)
std::optional<std::vector<Item>> lower_body(Context& c, const Callable& callee, Span span);

// The results of a call of a function with an adjoint rule, whose parameters are bound in the current frame: a `custom` op around what
// `body` lowers, of the arguments that are tensors. E0305 for a rule that does not fit. (custom_adjoint.cpp)
std::optional<std::vector<Item>> with_rule(Context& c, const Callable& callee, Span span,
                                           const std::function<std::optional<std::vector<Item>>()>& body);

}  // namespace bpc::frontend::lowering
