// The functions that scripts may call without defining them: the spelled operators of ir/ops.def, those that the front end makes of
// operators (builtins.def), and the prelude's; and the names of numbers. What each takes and what is said of it stands here, how it is
// lowered in frontend/lower.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/prelude/prelude.h"
#include "ir/signature.h"

namespace bpc::frontend {

enum class Builtin : std::uint8_t {
#define BPC_BUILTIN(id, ...) id,
#include "frontend/builtins/builtins.def"
};

enum class BuiltinKind : std::uint8_t { plain, random, tape, derivative };

struct BuiltinInfo {  // a row of builtins.def
  Builtin code;
  std::string_view name;
  BuiltinKind kind;
  ir::Signature signature;
  Help help;
};
std::span<const BuiltinInfo> all_builtins();
// By name, or null.
const BuiltinInfo* find_builtin(std::string_view name);
inline bool is_kind(const BuiltinInfo* builtin, BuiltinKind kind) {
  return builtin && builtin->kind == kind;
}

// Whether a script may call this name without defining it.
bool is_builtin_function(std::string_view name);
// Whether it is a function of the library, for scripts or for other functions of the library.
bool is_library_function(std::string_view name);
// All that scripts may call, for "did you mean".
std::vector<std::string> builtin_names();

// Names of numbers, which a script may bind anew.
struct BuiltinConstant {
  std::string_view name;
  double value;
};
std::span<const BuiltinConstant> builtin_constants();
// By name, or null.
const BuiltinConstant* find_builtin_constant(std::string_view name);

}  // namespace bpc::frontend
