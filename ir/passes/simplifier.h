// What the rules of `simplify` work with.
#pragma once

#include <optional>
#include <vector>

#include "ir/rewrite.h"
#include "scalar/apply.h"

namespace bpc::ir {

// An op with one result that is about to be emitted; its operands are values of the new function.
struct Node {
  Opcode code;
  std::vector<ValueId> operands;
  Attributes attrs;
  Type type;  // of the result
};

class Simplifier {
 public:
  explicit Simplifier(Rewriter& rewriter) : rewriter_(rewriter) {}

  // The first rule that applies, if any.
  std::optional<ValueId> simplified(const Node& node);
  // Emits the node, or what it simplifies to.
  ValueId make(const Node& node);
  ValueId make(Opcode code, std::vector<ValueId> operands, const Type& type) { return make({code, std::move(operands), {}, type}); }
  ValueId splat(const scalar::Value& value, const Type& type);
  // `value` broadcast to the shape of the type, if it has another one.
  ValueId stretched(ValueId value, const Type& type);

  const Type& type(ValueId value) const { return rewriter_.to().type(value); }
  // The op that defines the value when it is of that kind, else nullptr. Emitting moves ops: copy what is needed first.
  const Op* def(ValueId value, Opcode code) const;
  // The number that every element of the value is known to be.
  std::optional<scalar::Value> number(ValueId value) const;
  // Whether every element is the number: a real to the sign of zero, an integer or bool likewise.
  bool is_number(ValueId value, double expected) const;

 private:
  Rewriter& rewriter_;
};

using Rule = std::optional<ValueId> (*)(Simplifier& s, const Node& node);

// simplify_indices.cpp: a gather, and a scatter_add, whose indices count up evenly.
std::optional<ValueId> slice_counted(Simplifier& s, const Node& node);
std::optional<ValueId> add_counted(Simplifier& s, const Node& node);

}  // namespace bpc::ir
