#include <algorithm>

#include "ir/batch/batch.h"
#include "ir/shape_rules.h"
#include "support/internal_error.h"

namespace bpc::ir {

void Batch::straight(const Op& op) {
  const std::size_t known = function_.value_count();
  ValueId result;
  switch (op_info(op.code).rule) {
    case ShapeRule::pointwise:
    case ShapeRule::comparison:
    case ShapeRule::select:
      result = elementwise(op);
      break;
    case ShapeRule::cast:
      result = builder_.cast(now(op.operands[0]), old_type(op.results[0]).element);
      break;
#define BPC_BY_axes(id) case ShapeRule::id:
#define BPC_BY_own(id)
#define BPC_SHAPE_RULE(id, batch, ...) BPC_BY_##batch(id)
#include "ir/shape_rules.def"
      result = builder_.emit(op.code, {now(op.operands[0])}, shifted(op.attrs));
      break;
    case ShapeRule::solve:
      result = solve(op);
      break;
    case ShapeRule::einsum:
      result = contraction(op);
      break;
    case ShapeRule::reshape:
      result = builder_.reshape(now(op.operands[0]), with_batch(old_type(op.results[0]).dims));
      break;
    case ShapeRule::broadcast: {
      const Type to = old_type(op.results[0]);
      result = builder_.broadcast(widened(now(op.operands[0]), old_type(op.operands[0]).rank(), to.rank()), with_batch(to.dims));
      break;
    }
    case ShapeRule::transpose: {
      std::vector<std::int64_t> perm = shifted(op.attrs.ints(Attr::perm));
      for (std::size_t i = rank(); i-- > 0;) perm.insert(perm.begin(), static_cast<std::int64_t>(i));
      result = builder_.transpose(now(op.operands[0]), perm);
      break;
    }
    case ShapeRule::concat: {
      std::vector<ValueId> parts;
      for (ValueId operand : op.operands) parts.push_back(batched(operand));
      result = builder_.emit(op.code, parts, shifted(op.attrs));
      break;
    }
    case ShapeRule::slice:
      result = slice(op);
      break;
    case ShapeRule::update:
      result = update(op);
      break;
    case ShapeRule::gather:
      result = gather(op);
      break;
    case ShapeRule::scatter:
      result = scatter(op);
      break;
    case ShapeRule::tape:
    case ShapeRule::push:
      result = tape(op);
      break;
    case ShapeRule::declared:
      result = draws(op);
      break;
    case ShapeRule::pop:
      return pop(op);
    case ShapeRule::nothing:
    case ShapeRule::region:
    case ShapeRule::gradient:
    case ShapeRule::tangent:
      throw InternalError("vectorise", std::string(op_info(op.code).name) + " cannot vary", function_.origin(op.origin).span);
  }
  copies_.set(op.results[0], result);
  if (std::string& name = function_.value(result).name; name.empty() && result.index >= known)
    name = std::string(function_.value(op.results[0]).name);
}

// Operands that vary get axes of size 1 up to the rank of the result; one that does not is a suffix already, unless it has axes of size 1.
// Where no operand has the whole shape, one is stretched to it.
ValueId Batch::elementwise(const Op& op) {
  const std::vector<Dim> whole = with_batch(old_type(op.results[0]).dims);
  const std::size_t to = old_type(op.results[0]).rank();
  std::vector<ValueId> operands;
  std::vector<Type> types;
  std::size_t varying = 0;
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    const Type type = old_type(op.operands[i]);
    ValueId value = now(op.operands[i]);
    if (varying_[op.operands[i]]) {
      value = widened(value, type.rank(), to);
      varying = i;
    } else if (type.rank() == to && to > 0 && !same_shape(type, old_type(op.results[0]))) {
      value = widened(value, to, to + rank());
    }
    operands.push_back(value);
    types.push_back(function_.type(value));
  }
  auto met = broadcast_dims(types, false);
  if (!met || !same_shape(Type(types[0].element, *met), Type(types[0].element, whole)))
    operands[varying] = builder_.broadcast(operands[varying], whole);
  return builder_.emit(op.code, operands, op.attrs);
}

ValueId Batch::contraction(const Op& op) {
  EinsumSpec spec = *parse_einsum(op.attrs.string(Attr::spec));
  std::string batch;
  for (char letter = 'a'; batch.size() < rank(); letter = letter == 'z' ? 'A' : static_cast<char>(letter + 1)) {
    if (letter == '[') throw InternalError("vectorise", "an einsum ran out of letters", function_.origin(op.origin).span);
    if ((spec.a + spec.b + spec.out).find(letter) == std::string::npos) batch += letter;
  }
  if (varying_[op.operands[0]]) spec.a.insert(0, batch);
  if (varying_[op.operands[1]]) spec.b.insert(0, batch);
  spec.out.insert(0, batch);
  return builder_.emit(op.code, {now(op.operands[0]), now(op.operands[1])}, {{Attr::spec, einsum_text(spec)}});
}

void Batch::pop(const Op& op) {
  Type tape = old_type(op.results[0]), top = old_type(op.results[1]);
  tape.dims = top.dims = with_batch(top.dims);
  const Type types[] = {tape, top};
  const std::vector<ValueId> popped = function_.op(builder_.emit_op(Opcode::pop, {{now(op.operands[0])}}, {}, types)).results;
  for (std::size_t i = 0; i < 2; ++i) {
    copies_.set(op.results[i], popped[i]);
    function_.value(popped[i]).name = std::string(function_.value(op.results[i]).name);
  }
}

// A tape has the type that its entries have.
ValueId Batch::tape(const Op& op) {
  if (op.code == Opcode::push) return builder_.emit(op.code, {now(op.operands[0]), batched(op.operands[1])});
  Type type = old_type(op.results[0]);
  type.dims = with_batch(type.dims);
  return builder_.emit(op.code, {}, {}, &type);
}

// Of the sources, only draws have an operand: their turns.
ValueId Batch::draws(const Op& op) {
  Type type = old_type(op.results[0]);
  type.dims = with_batch(type.dims);
  return builder_.emit(op.code, {builder_.cast(now(op.operands[0]), Element::i64)}, op.attrs, &type);
}

// ---- parts ----

// The index of a part, with the batch axes whole.
Attributes Batch::shifted_part(const Attributes& attrs) const {
  Attributes result = attrs;
  auto lead = [&](Attr attr, auto value_at) {
    std::vector<std::int64_t> values = attrs.ints(attr);
    for (std::size_t i = rank(); i-- > 0;) values.insert(values.begin(), value_at(i));
    result.set(attr, std::move(values));
  };
  lead(Attr::starts, [](std::size_t) { return 0; });
  lead(Attr::steps, [](std::size_t) { return 1; });
  lead(Attr::sizes, [&](std::size_t i) { return sizes_[i].size; });
  result.set(Attr::dynamic, shifted(attrs.ints(Attr::dynamic)));
  result.set(Attr::drop, shifted(attrs.ints(Attr::drop)));
  return result;
}

// A start that counts from the end counts from the front; one that is outside stays outside, whatever is added within the axis.
ValueId Batch::starts_inside(ValueId start, std::int64_t size) {
  Element element = function_.type(start).element;
  ValueId n = builder_.integer(size, element), zero = builder_.integer(0, element);
  ValueId lowest = builder_.integer(-size, element);
  ValueId from_end = builder_.emit(Opcode::add, {start, n}), outside = builder_.emit(Opcode::sub, {start, n});
  ValueId negative = builder_.emit(Opcode::select, {builder_.emit(Opcode::lt, {start, lowest}), outside, from_end});
  return builder_.emit(Opcode::select, {builder_.emit(Opcode::lt, {start, zero}), negative, start});
}

Batch::Place Batch::varying_place(const Op& op, std::size_t first_start) {
  Place place;
  const auto& dynamic = op.attrs.ints(Attr::dynamic);
  const Type whole = old_type(op.operands[0]);
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < dynamic.size(); ++i)
    if (varying_[op.operands[first_start + i]]) {
      place.axes.push_back(dynamic[i]);
      place.window.push_back({op.attrs.ints(Attr::sizes)[static_cast<std::size_t>(dynamic[i])], {}});
      starts.push_back(first_start + i);
    }
  for (std::size_t k = 0; k < place.axes.size(); ++k) {
    auto axis = static_cast<std::size_t>(place.axes[k]);
    ValueId start = now(op.operands[starts[k]]);
    std::int64_t size = place.window[k].size;
    Element element = function_.type(start).element;
    ValueId index = size == 1 ? start : starts_inside(start, whole.size(axis));
    index = spread(index, place.window);
    if (size != 1) {
      Type type(element, with_batch(place.window));
      ValueId along = builder_.emit(Opcode::iota, {}, {{Attr::axis, static_cast<std::int64_t>(rank() + k)}}, &type);
      ValueId step = builder_.integer(op.attrs.ints(Attr::steps)[axis], element);
      index = builder_.emit(Opcode::add, {index, builder_.emit(Opcode::mul, {along, step})});
    }
    place.indices.push_back(index);
  }
  return place;
}

namespace {

// The attributes of a gather or scatter that does what `op` did for one index.
Attributes indexing(const Op& op, const std::vector<std::int64_t>& axes) {
  Attributes attrs{{Attr::axes, axes}};
  if (op.attrs.flag(Attr::checked)) attrs.set(Attr::checked, true);
  return attrs;
}

// Where each axis of an array that lists `first` and then the other axes of 0..rank in order stands when sorted: the permutation to sort
// it.
std::vector<std::int64_t> sorting(const std::vector<std::int64_t>& first, std::size_t rank) {
  std::vector<std::int64_t> order = first;
  for (std::size_t i = 0; i < rank; ++i)
    if (std::find(first.begin(), first.end(), static_cast<std::int64_t>(i)) == first.end()) order.push_back(static_cast<std::int64_t>(i));
  std::vector<std::int64_t> perm(rank);
  for (std::size_t i = 0; i < rank; ++i) perm[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return perm;
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return result;
}

// Leaves the first `lead` axes where they are.
std::vector<std::int64_t> after(std::size_t lead, std::vector<std::int64_t> perm) {
  for (std::int64_t& axis : perm) axis += static_cast<std::int64_t>(lead);
  for (std::size_t i = lead; i-- > 0;) perm.insert(perm.begin(), static_cast<std::int64_t>(i));
  return perm;
}

}  // namespace

// `x[i, j]` for all i and j of two axes is x, its axes in the order of the map's; nullopt where the places are others. What only some of
// the map's indices say stays a place: as x, stretched along the others, `t[i] - t[j]` would read `t - t` in what is written of it.
std::optional<ValueId> Batch::along_batch(ValueId x, const Place& place) {
  if (place.axes.size() != rank()) return std::nullopt;
  const Type batch_type(Element::i32, sizes_);
  auto batch_axis = [&](ValueId index) -> std::optional<std::int64_t> {
    const Op* made = function_.def(index);
    while (made && made->code == Opcode::reshape) made = function_.def(made->operands[0]);
    if (!made || made->code != Opcode::iota || !same_shape(function_.type(made->results[0]), batch_type)) return std::nullopt;
    return made->attrs.integer(Attr::axis);
  };
  std::vector<std::int64_t> perm;
  for (std::size_t axis = 0; axis < rank(); ++axis)
    for (std::size_t k = 0; k < rank(); ++k)
      if (batch_axis(place.indices[k]) == static_cast<std::int64_t>(axis) && place.window[k].size == 1 &&
          function_.type(x).size(static_cast<std::size_t>(place.axes[k])) == sizes_[axis].size)
        perm.push_back(place.axes[k]);
  if (perm.size() != rank()) return std::nullopt;
  for (std::size_t axis = 0; axis < function_.type(x).rank(); ++axis)
    if (std::ranges::find(place.axes, static_cast<std::int64_t>(axis)) == place.axes.end()) perm.push_back(static_cast<std::int64_t>(axis));
  return builder_.transpose(x, perm);
}

// A single matrix serves all indices as it is. Other operands get all batch axes, those of the index first.
ValueId Batch::solve(const Op& op) {
  const Type a = old_type(op.operands[0]), b = old_type(op.operands[1]), y = old_type(op.results[0]);
  const bool is_vector = b.rank() == 1;
  const std::vector<Dim> leading(y.dims.begin(), y.dims.end() - (is_vector ? 1 : 2));
  auto matrices = [&](ValueId old, const Type& type) {
    if (!varying_[old] && type.rank() == 2) return now(old);
    std::vector<Dim> dims = leading;
    dims.insert(dims.end(), type.dims.end() - 2, type.dims.end());
    ValueId value = varying_[old] ? widened(now(old), type.rank(), dims.size()) : now(old);
    return builder_.broadcast(value, with_batch(dims));
  };
  ValueId right = now(op.operands[1]);
  if (is_vector && varying_[op.operands[1]]) {
    std::vector<Dim> dims = leading;
    dims.insert(dims.end(), {b.dims[0], {1, {}}});
    ValueId column = builder_.reshape(right, with_batch({b.dims[0], {1, {}}}));
    right = builder_.broadcast(widened(column, 2, dims.size()), with_batch(dims));
  } else if (!is_vector) {
    right = matrices(op.operands[1], b);
  }
  ValueId solved = builder_.emit(op.code, {matrices(op.operands[0], a), right}, op.attrs);
  return builder_.reshape(solved, with_batch(y.dims));
}

ValueId Batch::slice(const Op& op) {
  Place place = varying_place(op, 1);
  const Type whole = old_type(op.operands[0]);
  std::vector<ValueId> operands;
  if (place.axes.empty()) {
    operands = {now(op.operands[0])};
    for (std::size_t i = 1; i < op.operands.size(); ++i) operands.push_back(now(op.operands[i]));
    return builder_.emit(op.code, operands, shifted_part(op.attrs));
  }
  // The axes whose starts do not vary are cut first; then the others are gathered, and the axes put back in order.
  bool x_varies = varying_[op.operands[0]];
  auto is_placed = [&](std::int64_t axis) { return std::find(place.axes.begin(), place.axes.end(), axis) != place.axes.end(); };
  Attributes fixed = op.attrs;
  std::vector<std::int64_t> starts = op.attrs.ints(Attr::starts), sizes = op.attrs.ints(Attr::sizes), steps = op.attrs.ints(Attr::steps),
                            dynamic;
  operands = {now(op.operands[0])};
  for (std::size_t i = 0; i < op.attrs.ints(Attr::dynamic).size(); ++i)
    if (std::int64_t axis = op.attrs.ints(Attr::dynamic)[i]; !is_placed(axis)) {
      dynamic.push_back(axis);
      operands.push_back(now(op.operands[1 + i]));
    }
  bool cuts = !dynamic.empty();
  for (std::size_t axis = 0; axis < whole.rank(); ++axis) {
    if (is_placed(static_cast<std::int64_t>(axis))) {
      starts[axis] = 0;
      steps[axis] = 1;
      sizes[axis] = whole.size(axis);
    }
    cuts |= sizes[axis] != whole.size(axis) || steps[axis] != 1;
  }
  fixed.set(Attr::starts, starts);
  fixed.set(Attr::sizes, sizes);
  fixed.set(Attr::steps, steps);
  fixed.set(Attr::dynamic, dynamic);
  fixed.set(Attr::drop, std::vector<std::int64_t>{});
  ValueId x = cuts ? builder_.emit(op.code, operands, x_varies ? shifted_part(fixed) : fixed) : operands[0];

  if (const auto part = x_varies ? std::nullopt : along_batch(x, place))
    return builder_.reshape(*part, with_batch(old_type(op.results[0]).dims));
  operands = {x};
  std::vector<std::int64_t> axes = x_varies ? shifted(place.axes) : place.axes;
  for (std::size_t i = 0; x_varies && i < rank(); ++i) {
    axes.insert(axes.begin() + static_cast<std::ptrdiff_t>(i), static_cast<std::int64_t>(i));
    operands.push_back(batch_index(i, place.window));
  }
  operands.insert(operands.end(), place.indices.begin(), place.indices.end());
  ValueId part = builder_.emit(Opcode::gather, operands, indexing(op, axes));
  part = builder_.transpose(part, after(rank(), sorting(place.axes, whole.rank())));
  return builder_.reshape(part, with_batch(old_type(op.results[0]).dims));
}

ValueId Batch::update(const Op& op) {
  Place place = varying_place(op, 2);
  const Type whole = old_type(op.operands[0]);
  if (place.axes.empty()) {
    std::vector<ValueId> operands{batched(op.operands[0]), batched(op.operands[1])};
    for (std::size_t i = 2; i < op.operands.size(); ++i) operands.push_back(now(op.operands[i]));
    return builder_.emit(op.code, operands, shifted_part(op.attrs));
  }
  // An addition at places that vary: every axis whose part is not whole gets an index tensor, and v's axes are put into that order.
  const auto &sizes = op.attrs.ints(Attr::sizes), &steps = op.attrs.ints(Attr::steps), &dynamic = op.attrs.ints(Attr::dynamic);
  std::vector<std::int64_t> axes;
  std::vector<Dim> window;
  for (std::size_t axis = 0; axis < whole.rank(); ++axis) {
    bool is_dynamic = std::binary_search(dynamic.begin(), dynamic.end(), static_cast<std::int64_t>(axis));
    if (!is_dynamic && sizes[axis] == whole.size(axis) && steps[axis] == 1) continue;
    axes.push_back(static_cast<std::int64_t>(axis));
    window.push_back({sizes[axis], {}});
  }
  std::vector<ValueId> operands{batched(op.operands[0]), {}};
  for (std::size_t i = 0; i < rank(); ++i) operands.push_back(batch_index(i, window));
  for (std::size_t k = 0; k < axes.size(); ++k) {
    auto axis = static_cast<std::size_t>(axes[k]);
    auto at = std::find(dynamic.begin(), dynamic.end(), axes[k]);
    ValueId start = at == dynamic.end() ? builder_.integer(op.attrs.ints(Attr::starts)[axis], Element::i32)
                                        : now(op.operands[2 + static_cast<std::size_t>(at - dynamic.begin())]);
    Element element = function_.type(start).element;
    if (sizes[axis] != 1) start = starts_inside(start, whole.size(axis));
    bool varies = function_.type(start).rank() > 0;
    ValueId index = varies ? spread(start, window) : builder_.broadcast(start, with_batch(window));
    Type type(element, with_batch(window));
    ValueId along = builder_.emit(Opcode::iota, {}, {{Attr::axis, static_cast<std::int64_t>(rank() + k)}}, &type);
    if (sizes[axis] != 1)
      index = builder_.emit(Opcode::add, {index, builder_.emit(Opcode::mul, {along, builder_.integer(steps[axis], element)})});
    operands.push_back(index);
  }
  // v with the axes that it dropped, then those of the window before the whole ones.
  std::vector<Dim> dims;
  for (std::size_t axis = 0; axis < whole.rank(); ++axis) dims.push_back({sizes[axis], {}});
  ValueId v = builder_.reshape(batched(op.operands[1]), with_batch(dims));
  operands[1] = builder_.transpose(v, after(rank(), inverse(sorting(axes, whole.rank()))));
  std::vector<std::int64_t> all = shifted(axes);
  for (std::size_t i = rank(); i-- > 0;) all.insert(all.begin(), static_cast<std::int64_t>(i));
  return builder_.emit(Opcode::scatter_add, operands, indexing(op, all));
}

// The index tensors of a gather or scatter, over the batch axes too; where x varies, with an index for each of these.
ValueId Batch::gather(const Op& op) {
  bool x_varies = varying_[op.operands[0]];
  std::vector<std::int64_t> axes = x_varies ? shifted(op.attrs.ints(Attr::axes)) : op.attrs.ints(Attr::axes);
  std::vector<ValueId> operands{now(op.operands[0])};
  for (std::size_t i = 0; x_varies && i < rank(); ++i) {
    axes.insert(axes.begin() + static_cast<std::ptrdiff_t>(i), static_cast<std::int64_t>(i));
    operands.push_back(batch_index(i, old_type(op.operands[1]).dims));
  }
  for (std::size_t i = 1; i < op.operands.size(); ++i) operands.push_back(batched(op.operands[i]));
  return builder_.emit(op.code, operands, indexing(op, axes));
}

ValueId Batch::scatter(const Op& op) {
  std::vector<std::int64_t> axes = shifted(op.attrs.ints(Attr::axes));
  std::vector<ValueId> operands{batched(op.operands[0]), batched(op.operands[1])};
  for (std::size_t i = 0; i < rank(); ++i) {
    axes.insert(axes.begin() + static_cast<std::ptrdiff_t>(i), static_cast<std::int64_t>(i));
    operands.push_back(batch_index(i, old_type(op.operands[2]).dims));
  }
  for (std::size_t i = 2; i < op.operands.size(); ++i) operands.push_back(batched(op.operands[i]));
  return builder_.emit(op.code, operands, indexing(op, axes));
}

}  // namespace bpc::ir
