#include "frontend/script/variables.h"

#include <algorithm>

namespace bpc::frontend::script {

using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

// Whether what the op's regions read is read again after they have run.
bool repeats(const Op& op) {
  return ir::is_loop(op.code) || op.code == Opcode::map;
}

}  // namespace

Variables::Variables(const ir::Function& function, const Uses& uses, std::vector<std::string> names)
    : function_(function), uses_(uses), sites_(function.value_count()), names_(std::move(names)) {
  for (std::uint32_t i = 0; i < function.value_count(); ++i) {
    class_.push_back(i);
    members_.push_back({ValueId{i}});
  }
  for (const ir::Parameter& parameter : function.parameters) make(parameter.value, function.body(), 0);
  visit(function.body());
  join_loops(false);
  join_branches();
  for (OpId id : ops_)
    if (ValueId changed = changed_operand(function.op(id)); changed.valid()) join(changed, function.op(id).results[0]);
  for (OpId id : ops_)
    if (ir::is_loop(function.op(id).code)) {
      const ir::Block& body = function.block(function.op(id).regions.back());
      for (std::size_t k = 0; k < body.yields.size(); ++k)
        join(body.arguments[ir::uncarried_arguments(function.op(id).code) + k], body.yields[k]);
    }
  join_loops(true);
}

std::uint32_t Variables::of(ValueId value) const {
  return class_[value.index];
}

void Variables::visit(BlockId block) {
  for (ValueId argument : function_.block(block).arguments) make(argument, block, 0);
  for (OpId id : function_.block(block).ops) {
    ops_.push_back(id);
    for (BlockId region : function_.op(id).regions) visit(region);
    for (ValueId result : function_.op(id).results) make(result, block, uses_.place(id));
  }
}

void Variables::make(ValueId value, BlockId block, std::size_t place) {
  // Arguments and results of one site follow each other.
  sites_[value.index] = {block, place, made_++};
}

// What a loop carries is one variable in all its regions.
void Variables::join_loops(bool with_starts) {
  for (OpId id : ops_) {
    const Op& op = function_.op(id);
    if (!ir::is_loop(op.code)) continue;
    for (std::size_t k = 0; k < op.results.size(); ++k) {
      auto argument = [&](BlockId region) { return function_.block(region).arguments[ir::uncarried_arguments(op.code) + k]; };
      ValueId carried = argument(op.regions.back());
      if (with_starts) {
        join(op.operands[ir::uncarried_operands(op.code) + k], carried);
        continue;
      }
      join(argument(op.regions.front()), carried);
      join(carried, op.results[k]);
    }
  }
}

void Variables::join_branches() {
  for (OpId id : ops_) {
    const Op& op = function_.op(id);
    if (op.code != Opcode::if_else) continue;
    for (BlockId side : op.regions)
      for (std::size_t k = 0; k < op.results.size(); ++k) join(function_.block(side).yields[k], op.results[k]);
  }
}

// Numbers stand in the text as they are, and the index of a loop is not the script's to change.
bool Variables::is_fixed(ValueId id) const {
  const ir::Value& value = function_.value(id);
  const Op* def = function_.def(id);
  if (def) return def->code == Opcode::constant && value.type.is_scalar() && names_[of(id)].empty();
  OpId parent = function_.block(value.block).parent;
  if (!parent.valid()) return false;
  const Op& around = function_.op(parent);
  return around.code == Opcode::map || (ir::is_loop(around.code) && value.slot < ir::uncarried_arguments(around.code));
}

void Variables::join(ValueId a, ValueId b) {
  std::uint32_t to = of(a), from = of(b);
  if (to == from || is_fixed(a) || is_fixed(b) || !same_type(function_.type(a), function_.type(b))) return;
  if (!names_[to].empty() && !names_[from].empty() && names_[to] != names_[from]) return;
  auto order = [&](ValueId value) { return sites_[value.index].order; };
  if (order(members_[to].front()) > order(members_[from].front())) std::swap(to, from);
  std::vector<ValueId>&first = members_[to], &second = members_[from];
  if (!can_share(to, from)) return;
  for (ValueId moved : second) class_[moved.index] = to;
  if (names_[to].empty()) names_[to] = names_[from];
  std::size_t middle = first.size();
  bool overlaps = order(first.back()) > order(second.front());
  first.insert(first.end(), second.begin(), second.end());
  auto earlier = [&](ValueId x, ValueId y) { return order(x) < order(y); };
  if (overlaps) std::inplace_merge(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(middle), first.end(), earlier);
  second.clear();
}

// Whether no value of two classes, which get along among themselves, is needed after one of the other class has been made. Of those around
// a value the nearest tells about all (Boissinot et al. 2009, Revisiting Out-of-SSA Translation, 4.2).
bool Variables::can_share(std::uint32_t a, std::uint32_t b) const {
  const std::vector<ValueId>&first = members_[a], &second = members_[b];
  auto is_later = [&](ValueId value, ValueId other) { return sites_[value.index].order > sites_[other.index].order; };
  // Where the second class starts, only the end of the first matters.
  std::size_t i = first.size(), k = 0;
  while (i > 0 && is_later(first[i - 1], second[0])) --i;
  std::vector<ValueId> around;  // dominate the value at hand, outermost first; what is before `deepest` in the first class may do so too
  std::size_t deepest = i;
  ValueId before = i > 0 ? first[i - 1] : ValueId();
  while (k < second.size() || i < first.size()) {
    bool takes_second = i == first.size() || (k < second.size() && is_later(first[i], second[k]));
    ValueId value = takes_second ? second[k++] : first[i++];
    if (before.valid() && sites_[before.index] == sites_[value.index]) return false;
    while (!around.empty() && !dominates(around.back(), value)) around.pop_back();
    while (around.empty() && deepest > 0) {
      ValueId outer = first[--deepest];
      if (dominates(outer, value)) around.push_back(outer);
    }
    if (!around.empty() && (is_needed_after(around.back(), value) || !comes_out(around.back(), value, a, b))) return false;
    around.push_back(value);
    before = value;
  }
  return true;
}

// Whether the branches around `b` but not `a` have a value of the classes for a result: a script's variable that one side assigns comes
// out.
bool Variables::comes_out(ValueId a, ValueId b, std::uint32_t first, std::uint32_t second) const {
  for (BlockId block = sites_[b.index].block; block != sites_[a.index].block;) {
    const Op& op = function_.op(function_.block(block).parent);
    bool is_result =
        std::any_of(op.results.begin(), op.results.end(), [&](ValueId result) { return of(result) == first || of(result) == second; });
    if (op.code == Opcode::if_else && !is_result) return false;
    block = op.block;
  }
  return true;
}

bool Variables::dominates(ValueId a, ValueId b) const {
  const Site& site = sites_[a.index];
  auto [block, place, order] = sites_[b.index];
  while (block != site.block) {
    OpId parent = function_.block(block).parent;
    if (!parent.valid()) return false;
    block = function_.op(parent).block;
    place = uses_.place(parent);
  }
  return site.place < place;
}

// Whether `a`, which dominates `b`, may be read once `b` is there.
bool Variables::is_needed_after(ValueId a, ValueId b) const {
  auto [block, place, order] = sites_[b.index];
  while (true) {
    if (uses_.is_read_behind(a, block, place)) return true;
    if (block == sites_[a.index].block) return false;
    const Op& around = function_.op(function_.block(block).parent);
    if (repeats(around))
      for (BlockId region : around.regions)
        if (uses_.is_read_behind(a, region, 0)) return true;
    place = uses_.place(function_.block(block).parent);
    block = around.block;
  }
}

}  // namespace bpc::frontend::script
