// The IR: typed SSA over dense tensors with static shapes. Values, ops and blocks are ids into vectors of one Function; a pass reads
// one function and writes another (ir/rewrite.h). ir/verify.h lists the invariants.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/op.h"
#include "support/source.h"
#include "support/type.h"

namespace bpc::ir {

// An index into one of a Function's vectors; the tag keeps kinds apart.
template <class Tag>
struct Id {
  std::uint32_t index = UINT32_MAX;
  bool valid() const { return index != UINT32_MAX; }
  bool operator==(const Id&) const = default;
  auto operator<=>(const Id&) const = default;
};
using ValueId = Id<struct ValueTag>;
using OpId = Id<struct OpTag>;
using BlockId = Id<struct BlockTag>;
using OriginId = Id<struct OriginTag>;

// Where an op comes from.
struct Origin {
  Span span;                 // the expression; for a derivative op, the primal expression it differentiates
  std::vector<Span> calls;   // call sites it was inlined through, innermost first
  std::string path;          // call path such as "h1.dense", empty at the top
  std::string rule;          // compiler-made: the rule that made it ("mul" in an adjoint), else empty
  std::vector<Span> joined;  // places of the ops that CSE merged into this one
  bool operator==(const Origin&) const = default;
};

struct Value {
  Type type;
  std::string name;        // the author's name or a telling one ("dJ_da1"); empty for a temporary. Not unique.
  OpId op;                 // the defining op, or invalid for a block argument or a parameter of the function
  BlockId block;           // the block that defines it
  std::uint32_t slot = 0;  // which result, block argument or parameter
};

struct Op {
  Opcode code;
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  Attributes attrs;
  // if_else: then, else; for_loop: body(i, carried…); while_loop: condition(carried…), body(carried…); map: body(i, j…);
  // checkpoint: body; custom: primal(xs…) yields ys, adjoint(xs…, ys…, dys…) yields dxs. A region reads enclosing values freely.
  std::vector<BlockId> regions;
  OriginId origin;  // may be invalid
  BlockId block;    // the block that holds it
};

struct Block {
  std::vector<ValueId> arguments;
  std::vector<OpId> ops;
  std::vector<ValueId> yields;
  OpId parent;  // the op whose region this is; invalid for the body of the function
};

struct Parameter {
  // What is fitted is computed from inputs once, before training, and is the same from then on.
  enum class Kind : std::uint8_t { input, param, fitted };
  Kind kind;
  std::string path;  // "x", "h1.dense.W"
  ValueId value;
  OriginId origin;           // the name in its declaration; may be invalid
  std::string source;        // an input's `from` clause as a script writes it, path resolved: "data/iris.csv"["label"]; or empty
  std::int64_t classes = 0;  // how many categories it has; 0: it has none
};

struct Output {
  enum class Kind : std::uint8_t { value, gradient };
  Kind kind;
  std::string path;  // the author's name; for a gradient, the param's path
  ValueId value;
  // The path of a parameter of the same type that gives its memory to the output, as a state gives way to the next one; or empty. The
  // caller then binds one buffer to both. A parameter gives its memory to one output at most.
  std::string donor{};
};

class Function {
 public:
  std::string name = "main";
  std::string loss;  // name of the loss that gradients belong to, or empty
  std::vector<Parameter> parameters;
  std::vector<Output> outputs;

  Function() { add_block(OpId{}); }

  BlockId body() const { return BlockId{0}; }
  const Value& value(ValueId id) const { return values_[id.index]; }
  const Op& op(OpId id) const { return ops_[id.index]; }
  const Block& block(BlockId id) const { return blocks_[id.index]; }
  const Origin& origin(OriginId id) const;  // a static empty Origin for an invalid id
  Value& value(ValueId id) { return values_[id.index]; }
  Op& op(OpId id) { return ops_[id.index]; }
  Block& block(BlockId id) { return blocks_[id.index]; }
  std::size_t value_count() const { return values_.size(); }
  std::size_t op_count() const { return ops_.size(); }
  std::size_t block_count() const { return blocks_.size(); }

  const Type& type(ValueId id) const { return values_[id.index].type; }
  // The defining op, or nullptr for an argument or parameter.
  const Op* def(ValueId id) const;

  ValueId add_parameter(Parameter::Kind kind, std::string path, Type type);
  BlockId add_block(OpId parent);
  ValueId add_argument(BlockId block, Type type, std::string name);
  // Appends an op to `block`, or puts it at position `at` of the block's ops. Checks nothing: see Builder.
  OpId add_op(BlockId block, Op op, std::span<const Type> result_types, std::size_t at = SIZE_MAX);
  // One more result of an op that is already there; the caller keeps its regions in step.
  ValueId add_result(OpId op, Type type, std::string name);
  OriginId add_origin(Origin origin);  // equal to the last one added: shared

 private:
  std::vector<Value> values_;
  std::vector<Op> ops_;
  std::vector<Block> blocks_;
  std::vector<Origin> origins_;
};

// A script after lowering.
struct Module {
  std::vector<std::string> files;  // paths that spans refer to, by FileId
  Element real = Element::f32;     // the program's default float
  std::uint64_t seed = 0;          // of the random streams
  // The initial values of what is not given from outside: an output per input with a default, per param, and per value that is fitted; its
  // parameters are inputs that are given. Empty where nothing has an initial value.
  Function initial;
  // Its parameters: every input and param; its outputs: what a run shows. A command runs a part of it (ir/part.h).
  Function main;

  Module() { initial.name = std::string("init"); }
  Module(std::vector<std::string> files, Element real, std::uint64_t seed, Function main)
      : files(std::move(files)), real(real), seed(seed), main(std::move(main)) {
    initial.name = std::string("init");
  }
  std::array<Function*, 2> functions() { return {&initial, &main}; }
  std::array<const Function*, 2> functions() const { return {&initial, &main}; }
};

std::size_t region_count(Opcode code);
// Whether the op is a for_loop or while_loop, whose last operands, arguments and yields are the carried values, in step with its results.
bool is_loop(Opcode code);
// The operands of a loop, and the arguments of its regions, that come before the carried ones.
std::size_t uncarried_operands(Opcode code);
std::size_t uncarried_arguments(Opcode code);

// Whether it is the gradient of the loss by every param, for which nobody asked by name.
bool is_of_loss(const Op& op);
// Of a polygamma or Bessel function; 0 for any other operator.
std::int64_t order_of(const Op& op);
// Whether the op reads or writes a part of a tensor at a place that operands name.
bool has_dynamic_index(const Op& op);

// Whether the op may fail at run time (integer division, an index only known at run time, assert).
bool may_fail(const Function& function, const Op& op);
// Whether it may where it does not stand: what cannot fail, since an op before it has checked the same, can where that did not run.
bool may_fail_elsewhere(const Function& function, const Op& op);
// Whether the op, or one inside its regions, has the trait effect, may fail, or (a while) may not end, unless all loops are known to.
bool has_effect(const Function& function, const Op& op, bool loops_end = false);
// `block` itself or one of the blocks around it.
bool is_enclosed(const Function& function, BlockId block, BlockId by);

}  // namespace bpc::ir
