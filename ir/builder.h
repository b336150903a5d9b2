// Appends ops to a function with inferred types.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

class Builder {
 public:
  explicit Builder(Function& function) : function_(function), block_(function.body()) {}

  Function& function() { return function_; }
  BlockId block() const { return block_; }
  void set_block(BlockId block) {
    block_ = block;
    at_ = SIZE_MAX;
  }
  // Later ops go before position `at` of the block (SIZE_MAX: at the end); the position moves along.
  void set_position(BlockId block, std::size_t at) {
    block_ = block;
    at_ = at;
  }
  // Goes on where a copy of this builder stood, with its origin.
  void return_to(const Builder& place) {
    block_ = place.block_;
    at_ = place.at_;
    origin_ = place.origin_;
  }
  void set_origin(OriginId origin) { origin_ = origin; }
  OriginId origin() const { return origin_; }

  // Emits an op whose shape rule gives one result; InternalError when the rule rejects it (callers that handle user code ask
  // infer_types first), LimitReached when the result is a shape that no tensor has. `declared` for the rules that need it.
  ValueId emit(Opcode code, std::span<const ValueId> operands, Attributes attrs = {}, const Type* declared = nullptr,
               std::string name = {});
  ValueId emit(Opcode code, std::initializer_list<ValueId> operands, Attributes attrs = {}, const Type* declared = nullptr,
               std::string name = {}) {
    return emit(code, std::span(operands.begin(), operands.size()), std::move(attrs), declared, std::move(name));
  }
  // An op with any number of results of given types: effects, region ops (add their blocks with Function::add_block afterwards), grad.
  // LimitReached past kMostOps.
  OpId emit_op(Opcode code, std::span<const ValueId> operands, Attributes attrs, std::span<const Type> result_types);

  // Shorthands. A real constant is rounded to f32 when its type is.
  ValueId constant(double value, const Type& type);
  ValueId integer(std::int64_t value, Element element);
  ValueId zero(Type type);                              // of a tape, an empty one: popping it gives zeros
  ValueId cast(ValueId x, Element element);             // x itself when it has that element type
  ValueId reshape(ValueId x, std::vector<Dim> dims);    // x itself when it has those sizes
  ValueId broadcast(ValueId x, std::vector<Dim> dims);  // x itself when it has those sizes
  ValueId transpose(ValueId x, std::vector<std::int64_t> perm);
  ValueId reduce(Opcode code, ValueId x, std::vector<std::int64_t> axes, bool keep);

 private:
  Function& function_;
  BlockId block_;
  std::size_t at_ = SIZE_MAX;
  OriginId origin_;
};

}  // namespace bpc::ir
