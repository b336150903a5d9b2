// Operators: the enum made from ir/ops.def, their rows, and the attributes an op carries.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "scalar/operator.h"

namespace bpc::ir {

enum class Opcode : std::uint8_t {
#define BPC_OP(id, ...) id,
#include "ir/ops.def"
#undef BPC_OP
};

enum class ShapeRule : std::uint8_t {
  pointwise,
  comparison,
  select,
  cast,
  reduce,
  arg_reduce,
  scan,
  einsum,
  reshape,
  transpose,
  broadcast,
  slice,
  update,
  gather,
  scatter,
  concat,
  window,
  window_add,
  square,
  determinant,
  solve,
  order,
  declared,
  tape,
  push,
  pop,
  nothing,
  region,
  gradient,
  tangent
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

enum Trait : std::uint32_t {
  none = 0,
  commutative = 1 << 0,
  flat = 1 << 1,
  unbounded = 1 << 2,
  cheap = 1 << 3,
  effect = 1 << 4,
  partial = 1 << 5,
  identity = 1 << 6,
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
  std::uint32_t traits;
  std::string_view signature;
  std::string_view doc;
  std::string_view example;  // in the language; empty where scripts have no name for it

  bool has(Trait trait) const { return (traits & trait) != 0; }
  bool takes(std::size_t operands) const {
    return operands >= static_cast<std::size_t>(min_operands) && (max_operands < 0 || operands <= static_cast<std::size_t>(max_operands));
  }
};

std::span<const OpInfo> all_ops();
const OpInfo& op_info(Opcode code);
// What an elementwise op computes of each element.
scalar::Operator scalar_operator(Opcode code);
// By the word in IR text.
std::optional<Opcode> op_from_name(std::string_view name);
// By how a script writes it, with its number of value operands ("-" is neg or sub; "max" is reduce_max or maximum).
std::optional<Opcode> op_from_spelling(std::string_view spelling, std::size_t operands);

// Names of attributes. Which op has which:
//   axes (ints), keep (bool)          reduce_*, argmax, argmin (axes sorted, non-negative; all axes when the reduction is total)
//   axes (ints)                       gather, scatter_add: the axes of x that the index tensors name, one each, sorted. The index tensors
//                                     have one shape S; the part of x that one index of S names is x without these axes, and the
//                                     result (or v) has the shape S + part. Negative indices count from the end.
//   axis (int)                        cumsum, concat, argsort, iota; window, window_add: the axis of x along which windows slide
//   reverse (bool)                    cumsum: from the end
//   order (int)                       polygamma
//   spec (string)                     einsum: distinct letters per operand; a letter of one operand alone is in the result
//   perm (ints)                       transpose: result axis i is operand axis perm[i]
//   size (int)                        assert_true: it fails where an element of its one shown operand, integers, is not in 0..size-1
//   size, stride, dilation (ints)     window: elements of one (the new last axis), how far the next one starts, and the distance of its
//                                     elements; all at least 1. window_add has stride and dilation, and
//   length (int)                      the size that axis gets: one of which window would make just the windows of y
//   starts, sizes, steps (ints)       slice, update: per axis of x; steps may be negative, never 0
//   dynamic (ints)                    slice, update: axes whose start is an operand (a scalar integer; a negative one counts from
//                                     the end), in operand order; their entry in starts is 0
//   drop (ints)                       slice, update: axes of size 1 that the result (or v) lacks
//   add (bool)                        update: v is added to the part instead of replacing it
//   checked (bool)                    slice, update, gather, scatter_add, solve, triangular_solve: an earlier op has checked that the index
//                                     is inside (the matrix invertible), as the one that a derivative comes from has
//   upper (bool)                      triangular_solve: the upper triangle is read, not the lower one
//   transposed (bool)                 triangular_solve, solve: with A^T in place of A
//   descending (bool)                 argsort
//   value (int or real)               constant: every element (bool: 0 or 1)
//   ints / reals                      constant: all elements, row by row, instead of value
//   stream (int)                      random_*: which stream of the seed
//   seed (int)                        random_*: the key
//   text (strings)                    print: text[0] item0 text[1] item1 … text[n], spaces included
//   message (string)                  assert_true: the author's message, or empty
//   names (strings)                   assert_true: source text of each shown operand; grad: paths of the xs when implicit
//   implicit (bool)                   grad: the gradient of the loss by every param; an x that does not reach y is dropped with a
//                                     warning instead of an error
enum class Attr : std::uint8_t {
  axes,
  keep,
  axis,
  reverse,
  order,
  spec,
  perm,
  size,
  stride,
  dilation,
  length,
  starts,
  sizes,
  steps,
  dynamic,
  drop,
  add,
  checked,
  upper,
  transposed,
  descending,
  value,
  ints,
  reals,
  stream,
  seed,
  text,
  message,
  names,
  implicit
};
std::string_view attr_name(Attr attr);
std::optional<Attr> attr_from_name(std::string_view name);

using AttrValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>>;

// A small ordered map; getters return a neutral value when the attribute is absent.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<Attr, AttrValue>> items);
  void set(Attr attr, AttrValue value);  // keeps the enum's order
  void erase(Attr attr);
  const AttrValue* find(Attr attr) const;
  bool flag(Attr attr) const;
  std::int64_t integer(Attr attr, std::int64_t otherwise = 0) const;
  const std::string& string(Attr attr) const;
  const std::vector<std::int64_t>& ints(Attr attr) const;
  const std::vector<double>& reals(Attr attr) const;
  const std::vector<std::string>& strings(Attr attr) const;
  const std::vector<std::pair<Attr, AttrValue>>& items() const { return items_; }
  bool operator==(const Attributes& other) const = default;  // note: NaN differs from NaN; CSE compares bits instead

 private:
  std::vector<std::pair<Attr, AttrValue>> items_;
};

}  // namespace bpc::ir
