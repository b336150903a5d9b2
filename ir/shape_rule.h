// The rules behind ir/shape_rules.h, and what they are written with. For their files alone.
#pragma once

#include "ir/shape_rules.h"

namespace bpc::ir::shape_rule {

using Types = std::vector<Type>;
using Result = std::variant<Types, ShapeError>;

ShapeError error(Code code, std::string message, std::vector<std::string> notes = {}, std::string help = {});
// The author's spelling of an operator, or its name in the IR.
std::string symbol(Opcode code);
// The type that a rule which cannot do without was given.
const Type& declared_type(const ShapeQuery& query);

// Equal sizes whose names do not clash, if names matter.
bool sizes_match(const Dim& a, const Dim& b, bool strict);
// Whether `from` stretches to `to`: equal, a scalar, a trailing suffix, or size 1 at equal rank.
bool stretches(const std::vector<Dim>& from, const std::vector<Dim>& to, bool strict);
// With the name that any operand gives to a size.
std::vector<Dim> with_names(std::vector<Dim> dims, std::span<const Type> operands);

// Ascending, each once, below the rank.
bool valid_axes(const std::vector<std::int64_t>& axes, std::size_t rank);
ShapeError bad_axis(const ShapeQuery& query);
// Without these axes, or with size 1 in their places.
std::vector<Dim> reduced(const Type& type, const std::vector<std::int64_t>& axes, bool keep);

// The rules: in shape_rules.cpp, movement_rules.cpp and matrix_rules.cpp.
#define BPC_SHAPE_RULE(id, ...) Result id(const ShapeQuery& query);
#include "ir/shape_rules.def"

}  // namespace bpc::ir::shape_rule
