// Operators: the enum made from ir/ops.def, and their rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ir/attributes.h"
#include "ir/signature.h"
#include "scalar/operator.h"

namespace bpc::ir {

enum class Opcode : std::uint8_t {
#define BPC_OP(id, ...) id,
#include "ir/ops.def"
#undef BPC_OP
};

enum class ShapeRule : std::uint8_t {
#define BPC_SHAPE_RULE(id, ...) id,
#include "ir/shape_rules.def"
};
enum class Domain : std::uint8_t { number, real, integer, boolean, any };
enum class Group : std::uint8_t {
  elementwise,
  reduction,
  contraction,
  movement,
  library,
  source,
  random,
  tape,
  control,
  effect,
  derivative
};

enum class Derivative : std::uint8_t { equation, zero, sweep };

enum Trait : std::uint32_t {
  none = 0,
  commutative = 1 << 0,
  unbounded = 1 << 1,
  cheap = 1 << 2,
  effect = 1 << 3,
  partial = 1 << 4,
  identity = 1 << 5,
};

struct OpInfo {
  Opcode code;
  std::string_view name;
  std::string_view spelling;
  int min_operands;
  int max_operands;  // -1: any number
  ShapeRule rule;
  Domain domain;
  Group group;
  Derivative derivative;
  std::uint32_t traits;
  Signature signature;
  std::string_view doc;
  std::string_view example;  // in the language; empty where scripts have no name for it

  bool has(Trait trait) const { return (traits & trait) != 0; }
  bool takes(std::size_t operands) const {
    return operands >= static_cast<std::size_t>(min_operands) && (max_operands < 0 || operands <= static_cast<std::size_t>(max_operands));
  }
};

std::span<const OpInfo> all_ops();
const OpInfo& op_info(Opcode code);
const OpInfo& op_info(scalar::Operator op);
// What an elementwise op computes of each element.
scalar::Operator scalar_operator(Opcode code);
// Whether it is a scalar operator with an order, as polygamma is.
bool takes_order(Opcode code);
// By the word in IR text.
std::optional<Opcode> op_from_name(std::string_view name);
// By how a script writes it, with its number of value operands ("-" is neg or sub; "max" is reduce_max or maximum).
std::optional<Opcode> op_from_spelling(std::string_view spelling, std::size_t operands);

// What is wrong with the attributes of an op: one that it has not, one that it lacks, or a value of another kind or too small; empty when
// nothing is.
std::string attribute_problem(Opcode code, const Attributes& attrs);
// With the defaults of those that are not said. The attributes of every op are complete.
Attributes with_defaults(Opcode code, Attributes attrs);

}  // namespace bpc::ir
