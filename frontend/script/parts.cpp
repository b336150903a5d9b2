#include "frontend/script/parts.h"

#include <algorithm>
#include <numeric>

#include "frontend/script/elementwise.h"
#include "frontend/script/expressions.h"

namespace bpc::frontend::script {

using ir::Attr;
using ir::Op;
using ir::Opcode;
using ir::ValueId;

namespace {

bool contains(const std::vector<std::int64_t>& axes, std::size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return result;
}

// `[i, 0..3, :]`; the starts known only at run time are operands from `first_start` on.
std::vector<Term> index(Draft& d, const Op& op, std::size_t first_start) {
  const auto& starts = op.attrs.ints(Attr::starts);
  const auto& sizes = op.attrs.ints(Attr::sizes);
  const auto& steps = op.attrs.ints(Attr::steps);
  const Type& type = d.function.type(op.operands[0]);
  std::vector<Term> items;
  for (std::size_t axis = 0; axis < starts.size(); ++axis) {
    bool is_single = contains(op.attrs.ints(Attr::drop), axis);
    std::int64_t start = starts[axis], size = sizes[axis], step = steps[axis];
    if (contains(op.attrs.ints(Attr::dynamic), axis)) {
      ValueId operand = op.operands[first_start++];
      Term at = d.read(operand);
      if (is_single) {
        items.push_back(at);
        continue;
      }
      if (d.tree.level(at) != Level::atom || at.is_literal)
        at = d.named(at, d.function.type(operand));  // written twice; a number could count from the end
      std::int64_t end = (size - 1) * step + (step > 0 ? 1 : -1);
      items.push_back(d.tree.range(at, d.tree.binary(end < 0 ? "-" : "+", at, d.tree.integer(std::abs(end))), d.tree.integer(step)));
    } else if (is_single) {
      items.push_back(d.tree.integer(start));
    } else if (size == 0) {
      items.push_back(d.tree.range(d.tree.integer(0), d.tree.integer(0)));
    } else if (start == 0 && step == 1 && size == type.size(axis)) {
      items.push_back(d.tree.range({}, {}));
    } else {
      std::int64_t last = start + (size - 1) * step;
      const bool has_end = step > 0 || last > 0;  // downwards, no bound means to 0
      items.push_back(
          d.tree.range(d.tree.integer(start), has_end ? d.tree.integer(step > 0 ? last + 1 : last - 1) : Term{}, d.tree.integer(step)));
    }
  }
  return items;
}

// `[:, i, j]` with tensors of indices, which are operands from `first_index` on.
std::vector<Term> tensor_index(Draft& d, const Op& op, std::size_t first_index) {
  const auto& axes = op.attrs.ints(Attr::axes);
  std::vector<Term> items(static_cast<std::size_t>(axes.back()) + 1, d.tree.range({}, {}));
  for (std::size_t k = 0; k < axes.size(); ++k) items[static_cast<std::size_t>(axes[k])] = d.read(op.operands[first_index + k]);
  return items;
}

}  // namespace

Term slice(Draft& d, const Op& op) {
  const Term x = d.read(op.operands[0]);
  return d.function.type(op.operands[0]).is_scalar() ? x : d.tree.index(x, index(d, op, 1));
}

// In a script the axes of the indices stand where the first of them does, in the IR they come first: the axes of what the script gives, by
// the IR's. Empty where both are the same.
std::vector<std::int64_t> placement(const Draft& d, const Op& op) {
  bool gathers = op.code == Opcode::gather;
  std::size_t first = d.function.type(op.operands.back()).rank();
  std::int64_t before = op.attrs.ints(Attr::axes)[0];
  if (first == 0 || before == 0) return {};
  std::vector<std::int64_t> perm(d.function.type(gathers ? op.results[0] : op.operands[1]).rank());
  std::iota(perm.begin(), perm.end(), 0);
  auto middle = perm.begin() + static_cast<std::ptrdiff_t>(first);
  std::rotate(perm.begin(), middle, middle + before);
  return perm;
}

// Whether the transpose only puts the axes of indices into place: those of a gather after it, or of a scatter before it.
bool is_placed(const Draft& d, const Op& transpose) {
  const auto& perm = transpose.attrs.ints(Attr::perm);
  const Op* gathered = d.def(transpose.operands[0], Opcode::gather);
  if (gathered && d.is_temporary(transpose.operands[0]) && placement(d, *gathered) == perm) return true;
  const Use& use = d.uses.of(transpose.results[0]);
  if (!d.is_temporary(transpose.results[0]) || !use.user.valid()) return false;
  const Op& user = d.function.op(use.user);
  return user.code == Opcode::scatter_add && user.operands[1] == transpose.results[0] && placement(d, user) == inverse(perm);
}

Term gather(Draft& d, const Op& op) {
  const Term x = d.read(op.operands[0]), part = d.tree.index(x, tensor_index(d, op, 1));
  const std::vector<std::int64_t> perm = placement(d, op);
  const Use& use = d.uses.of(op.results[0]);
  const Op* user = use.user.valid() ? &d.function.op(use.user) : nullptr;
  bool is_in_place = perm.empty() || (user && user->code == Opcode::transpose && is_placed(d, *user));
  return is_in_place ? part : transposed(d, part, inverse(perm));
}

// `x[i] = v`, `x[i] += v`: an update, or an addition at tensors of indices.
void write_change(Draft& d, const Op& op) {
  ValueId result = op.results[0];
  bool scatters = op.code == Opcode::scatter_add;
  const Term base = d.read(op.operands[0]);
  Term part = read_stretching(d, op, 1, unstretched(d, op)[1]);
  const std::vector<std::int64_t> perm = scatters ? placement(d, op) : std::vector<std::int64_t>();
  const Op* made = d.function.def(op.operands[1]);
  if (!perm.empty() && !(made && made->code == Opcode::transpose && is_placed(d, *made))) part = transposed(d, part, perm);
  const std::vector<Term> place = scatters ? tensor_index(d, op, 2) : index(d, op, 2);
  const std::string name = d.name_of(result);
  std::string variable = name;
  if (!d.tree.is_name(base, name)) {  // a copy is changed; not in the variable itself, when it is still read for the change
    auto reads = [&](const Term& term) { return d.tree.mentions(term, name); };
    if (reads(part) || std::any_of(place.begin(), place.end(), reads)) variable = d.script.names.fresh("");
    d.flush(std::span(&variable, 1), false);
    d.assign({variable, base, d.function.type(result), {}});
  }
  d.flush(std::span(&variable, 1), may_fail(d.function, op));
  Target target = Tree::target(variable);
  target.index.emplace();
  for (const Term& item : place) target.index->push_back(item.id);
  d.put(AssignStmt{{std::move(target)}, scatters || op.attrs.flag(Attr::add) ? "+=" : "=", {}, {part.id}}, d.comment(op));
  if (variable != name) d.flush(std::span(&name, 1), false);
  if (variable != name) d.assign({name, d.tree.name(variable), d.function.type(result), {}});
  d.terms[result.index] = d.tree.name(name);
}

}  // namespace bpc::frontend::script
