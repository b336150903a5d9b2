#include "frontend/builtins/builtins.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <numbers>

#include "ir/op.h"

namespace bpc::frontend {

namespace {

using ir::by_name;
using ir::many;
using ir::nothing;

#define BPC_LIST(...) {__VA_ARGS__}
constexpr BuiltinInfo kBuiltins[] = {
#define BPC_BUILTIN(id, name, kind, parameters, ...) {Builtin::id, name, BuiltinKind::kind, BPC_LIST parameters, {__VA_ARGS__}},
#include "frontend/builtins/builtins.def"
};
#undef BPC_LIST

constexpr BuiltinConstant kConstants[] = {
    {"pi", std::numbers::pi}, {"inf", std::numeric_limits<double>::infinity()}, {"nan", std::numeric_limits<double>::quiet_NaN()}};

bool is_word(std::string_view spelling) {
  return !spelling.empty() && std::isalpha(static_cast<unsigned char>(spelling[0])) && spelling != "and" && spelling != "or" &&
         spelling != "not";
}

// Whether a spelled operator is called like a function of this name.
bool is_spelled_function(std::string_view name) {
  return is_word(name) && std::ranges::find(ir::all_ops(), name, &ir::OpInfo::spelling) != ir::all_ops().end();
}

// The row of that name, or null.
template <class Row>
const Row* find(std::span<const Row> rows, std::string_view name) {
  auto found = std::ranges::find(rows, name, &Row::name);
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::span<const BuiltinInfo> all_builtins() {
  return kBuiltins;
}

const BuiltinInfo* find_builtin(std::string_view name) {
  return find(all_builtins(), name);
}

bool is_builtin_function(std::string_view name) {
  if (const BuiltinInfo* builtin = find_builtin(name)) return builtin->help.is_given();
  const PreludeFunction* function = find_prelude_function(name);
  return function ? function->help.is_given() : is_spelled_function(name);
}

bool is_library_function(std::string_view name) {
  return find_builtin(name) || find_prelude_function(name) || is_spelled_function(name);
}

std::vector<std::string> builtin_names() {
  std::vector<std::string> names;
  for (const ir::OpInfo& info : ir::all_ops())
    if (is_word(info.spelling)) names.emplace_back(info.spelling);
  for (const BuiltinInfo& builtin : all_builtins())
    if (builtin.help.is_given()) names.emplace_back(builtin.name);
  for (const PreludeFunction& function : prelude_functions())
    if (function.help.is_given()) names.emplace_back(function.name);
  return names;
}

std::span<const BuiltinConstant> builtin_constants() {
  return kConstants;
}

const BuiltinConstant* find_builtin_constant(std::string_view name) {
  return find(builtin_constants(), name);
}

}  // namespace bpc::frontend
