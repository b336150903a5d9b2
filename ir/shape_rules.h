// One shape rule per kind of operator serves inference (builder, front end) and verification alike.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ir/op.h"
#include "support/diagnostics.h"
#include "support/type.h"

namespace bpc::ir {

struct ShapeQuery {
  Opcode code;
  std::span<const Type> operands;
  const Attributes& attrs;
  const Type* declared = nullptr;  // for rules that need it: cast, reshape, broadcast, declared
  bool strict_names = false;       // the front end: two different dim names clash although the sizes are equal
};

// What is wrong, in terms of operand positions: "{0}" stands for the author's text of operand 0 followed by its shape, "{0.name}" for
// the text alone. `operand_notes[i]` goes under operand i (may be empty).
struct ShapeError {
  Code code;
  std::string message;
  std::vector<std::string> operand_notes;
  std::string help;
  bool misshapen = false;  // the operands fit, but no tensor has the shape of the result
};

// The result types (one, but for `pop`, `gradient` and `nothing`), or what is wrong. Region ops are not inferred: InternalError.
std::variant<std::vector<Type>, ShapeError> infer_types(const ShapeQuery& query);

// One-sided broadcasting: the shape two operands meet at, or nullopt. An operand stretches only to the shape of the other one: a scalar,
// a trailing suffix, or size 1 at equal rank (from either side only if a single operand does all the stretching).
std::optional<std::vector<Dim>> broadcast_dims(std::span<const Type> operands, bool strict_names);

// Letters of a two-operand einsum: "ij,jk->ik" gives {"ij", "jk", "ik"}.
struct EinsumSpec {
  std::string a, b, out;
};
std::optional<EinsumSpec> parse_einsum(std::string_view spec);
std::string einsum_text(const EinsumSpec& spec);
// One for each choice of the letters of both operands.
std::int64_t multiply_adds(const EinsumSpec& spec, const Type& a, const Type& b);

}  // namespace bpc::ir
