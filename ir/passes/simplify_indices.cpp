// Parts that are named by indices which count up evenly, as the turns of a comprehension do, are slices: views, without a check or a copy.
#include <algorithm>

#include "ir/passes/simplifier.h"

namespace bpc::ir {

namespace {

using Maybe = std::optional<ValueId>;

// offset + step * i for i in 0..count.
struct Counted {
  std::int64_t offset = 0, step = 1, count = 0;
};

// Far from what i32 could not hold.
bool is_modest(const Counted& counted) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  return std::abs(counted.offset) < kMost && std::abs(counted.step) < kMost / std::max<std::int64_t>(counted.count, 1);
}

// What an integer value counts, of which no axis but one has a size other than 1.
std::optional<Counted> counted(const Simplifier& s, ValueId id) {
  const std::int64_t count = s.type(id).count();
  if (std::none_of(s.type(id).dims.begin(), s.type(id).dims.end(), [&](const Dim& dim) { return dim.size == count; })) return std::nullopt;
  if (const Op* iota = s.def(id, Opcode::iota)) {
    if (s.type(id).size(static_cast<std::size_t>(iota->attrs.integer(Attr::axis))) == count) return Counted{0, 1, count};
    return std::nullopt;
  }
  for (Opcode code : {Opcode::reshape, Opcode::cast})
    if (const Op* op = s.def(id, code); op && is_integer(s.type(op->operands[0]).element)) return counted(s, op->operands[0]);
  for (Opcode code : {Opcode::add, Opcode::sub, Opcode::mul}) {
    const Op* op = s.def(id, code);
    if (!op) continue;
    ValueId x = op->operands[0], y = op->operands[1];
    if (code != Opcode::sub && s.number(x)) std::swap(x, y);
    const auto number = s.number(y);
    const auto* by = number ? std::get_if<std::int64_t>(&*number) : nullptr;
    std::optional<Counted> result = by && s.type(x).count() == count ? counted(s, x) : std::nullopt;
    if (!result || !is_modest({*by, *by, count})) return std::nullopt;
    if (code != Opcode::mul) result->offset += code == Opcode::add ? *by : -*by;
    if (code == Opcode::mul) result = {result->offset * *by, result->step * *by, count};
    return is_modest(*result) ? result : std::nullopt;
  }
  return std::nullopt;
}

// The part of x that the one index of a gather or scatter_add names, and the steps from there to the part as the op has it.
struct Part {
  std::int64_t axis = 0;
  bool is_whole = false;
  Type type;                             // as a slice of x
  std::vector<std::int64_t> perm, back;  // the axis to the front, and back
  Attributes attrs;                      // of the slice or update
};

std::optional<Part> part_of(const Simplifier& s, const Node& node, std::size_t index) {
  const auto& axes = node.attrs.ints(Attr::axes);
  if (axes.size() != 1) return std::nullopt;
  const Type& x = s.type(node.operands[0]);
  const std::optional<Counted> named = counted(s, node.operands[index]);
  Part part{axes[0], false, x, {axes[0]}, {}, {}};
  const auto axis = static_cast<std::size_t>(part.axis);
  if (!named || named->step < 1 || named->count < 1 || named->offset < 0 ||
      named->offset + (named->count - 1) * named->step >= x.size(axis))
    return std::nullopt;
  part.is_whole = named->count == x.size(axis);
  if (!part.is_whole) part.type.dims[axis] = Dim{named->count};
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis) part.perm.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = 1; i < x.rank(); ++i) part.back.push_back(static_cast<std::int64_t>(i));
  part.back.insert(part.back.begin() + part.axis, 0);
  std::vector<std::int64_t> starts(x.rank(), 0), steps(x.rank(), 1);
  starts[axis] = named->offset;
  steps[axis] = named->step;
  part.attrs.set(Attr::starts, starts);
  part.attrs.set(Attr::sizes, part.type.sizes());
  part.attrs.set(Attr::steps, steps);
  return part;
}

Type permuted(const Type& type, const std::vector<std::int64_t>& perm) {
  Type result(type.element);
  for (std::int64_t axis : perm) result.dims.push_back(type.dims[static_cast<std::size_t>(axis)]);
  return result;
}

}  // namespace

std::optional<ValueId> slice_counted(Simplifier& s, const Node& node) {
  if (node.code != Opcode::gather) return {};
  const std::optional<Part> part = part_of(s, node, 1);
  if (!part) return {};
  ValueId x = node.operands[0];
  if (!part->is_whole) x = s.make({Opcode::slice, {x}, with_defaults(Opcode::slice, part->attrs), part->type});
  x = s.make({Opcode::transpose, {x}, {{Attr::perm, part->perm}}, permuted(part->type, part->perm)});
  return s.make(Opcode::reshape, {x}, node.type);
}

std::optional<ValueId> add_counted(Simplifier& s, const Node& node) {
  if (node.code != Opcode::scatter_add) return {};
  std::optional<Part> part = part_of(s, node, 2);
  if (!part) return {};
  ValueId v = s.make(Opcode::reshape, {node.operands[1]}, permuted(part->type, part->perm));
  v = s.make({Opcode::transpose, {v}, {{Attr::perm, part->back}}, part->type});
  if (part->is_whole) return s.make(Opcode::add, {node.operands[0], v}, node.type);
  part->attrs.set(Attr::add, true);
  return s.make({Opcode::update, {node.operands[0], v}, with_defaults(Opcode::update, part->attrs), node.type});
}

}  // namespace bpc::ir
