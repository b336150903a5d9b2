#include "ir/shape_rules.h"

#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "ir/matrix_rules.h"
#include "support/internal_error.h"

namespace bpc::ir {

namespace {

using Types = std::vector<Type>;
using Result = std::variant<Types, ShapeError>;

constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

ShapeError error(Code code, std::string message, std::vector<std::string> notes = {}, std::string help = {}) {
  return {code, std::move(message), std::move(notes), std::move(help)};
}

bool names_clash(const Dim& a, const Dim& b) {
  return !a.name.empty() && !b.name.empty() && a.name != b.name;
}

bool sizes_match(const Dim& a, const Dim& b, bool strict) {
  return a.size == b.size && !(strict && names_clash(a, b));
}

// Whether `from` stretches to `to`: equal, a scalar, a trailing suffix, or size 1 at equal rank.
bool stretches(const std::vector<Dim>& from, const std::vector<Dim>& to, bool strict) {
  if (from.size() > to.size()) return false;
  std::size_t offset = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    bool stretched = offset == 0 && from[i].size == 1;
    if (!stretched && !sizes_match(from[i], to[offset + i], strict)) return false;
  }
  return true;
}

// A name that any operand gives to a size of the result.
std::vector<Dim> with_names(std::vector<Dim> dims, std::span<const Type> operands) {
  for (const Type& operand : operands) {
    std::size_t offset = dims.size() - operand.rank();
    for (std::size_t i = 0; i < operand.rank(); ++i)
      if (Dim& dim = dims[offset + i]; dim.name.empty() && dim.size == operand.size(i)) dim.name = operand.dims[i].name;
  }
  return dims;
}

std::string symbol(Opcode code) {
  const OpInfo& info = op_info(code);
  return std::string(info.spelling.empty() ? info.name : info.spelling);
}

// "{0} + {1}" for operators, "max({0}, {1})" for functions.
std::string written(Opcode code, std::size_t operands) {
  std::string spelled = symbol(code);
  bool word = std::isalpha(static_cast<unsigned char>(spelled[0])) && spelled != "and" && spelled != "or" && spelled != "not";
  if (!word && operands == 2) return "{0} " + spelled + " {1}";
  if (!word && operands == 1) return spelled + " {0}";
  std::string text = spelled + "(";
  for (std::size_t i = 0; i < operands; ++i) text += fmt::format("{}{{{}}}", i ? ", " : "", i);
  return text + ")";
}

std::string verb(Opcode code) {
  switch (op_info(code).group) {
    case Group::elementwise:
      if (code == Opcode::add) return "cannot add ";
      if (code == Opcode::sub) return "cannot subtract ";
      if (code == Opcode::mul) return "cannot multiply ";
      if (code == Opcode::div) return "cannot divide ";
      if (op_info(code).rule == ShapeRule::comparison) return "cannot compare ";
      break;
    default:
      break;
  }
  return "cannot compute ";
}

// ---- elementwise ----

Result broadcast_result(const ShapeQuery& query, std::span<const Type> operands, Element element) {
  if (auto dims = broadcast_dims(operands, query.strict_names)) return Types{Type(element, std::move(*dims))};
  std::vector<std::string> notes;
  for (const Type& operand : query.operands) notes.push_back(shape_text(operand.dims));
  std::string what = verb(query.code) + written(query.code, query.operands.size());
  if (query.strict_names && broadcast_dims(operands, false))
    return error(Code::E0202, what + ": the sizes are equal, but the dims have different names", notes,
                 "if the match is meant, rename one with `reshape(v, [NAME])`");
  std::string help;
  if (operands.size() == 2) {
    std::size_t low = operands[0].rank() <= operands[1].rank() ? 0 : 1;
    const Type& small = operands[low];
    const Type& large = operands[1 - low];
    if (small.rank() == 1 && large.rank() == 2 && small.size(0) == large.size(0))
      help = fmt::format("`expand_dims({{{}.name}}, 1)` makes it a column, which stretches along the rows", low);
    else if (small.rank() == 1 && large.rank() == 2 && large.size(1) == 1)
      help = fmt::format(
          "for all pairs write `{{{0}.name}} {2} broadcast_to({{{1}.name}}, [{3}, {4}])`; an operand stretches only to the shape of the "
          "other one",
          low, 1 - low, symbol(query.code), large.size(0), small.size(0));
  }
  return error(Code::E0201, what, notes, help);
}

Result pointwise(const ShapeQuery& query) {
  return broadcast_result(query, query.operands, query.operands[0].element);
}

Result comparison(const ShapeQuery& query) {
  return broadcast_result(query, query.operands, Element::boolean);
}

Result select(const ShapeQuery& query) {
  if (query.operands[0].element != Element::boolean)
    return error(Code::E0203, "the condition of `where` must be bool, and {0} is " + std::string(element_name(query.operands[0].element)));
  return broadcast_result(query, query.operands, query.operands[1].element);
}

// ---- attributes that name axes ----

bool valid_axes(const std::vector<std::int64_t>& axes, std::size_t rank) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] < 0 || axes[i] >= static_cast<std::int64_t>(rank) || (i > 0 && axes[i] <= axes[i - 1])) return false;
  return true;
}

ShapeError bad_axis(const ShapeQuery& query) {
  return error(
      Code::E0204, fmt::format("`{}` names an axis that {{0}} does not have", symbol(query.code)),
      {fmt::format("{}: axes 0 to {}", shape_text(query.operands[0].dims), static_cast<std::int64_t>(query.operands[0].rank()) - 1)});
}

std::vector<Dim> reduced(const Type& type, const std::vector<std::int64_t>& axes, bool keep) {
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < type.rank(); ++i) {
    bool is_reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) != axes.end();
    if (!is_reduced)
      dims.push_back(type.dims[i]);
    else if (keep)
      dims.push_back({1, {}});
  }
  return dims;
}

Result reduce(const ShapeQuery& query, std::optional<Element> element) {
  const Type& x = query.operands[0];
  const auto& axes = query.attrs.ints(Attr::axes);
  if (!valid_axes(axes, x.rank())) return bad_axis(query);
  if (element)  // an index: there must be something to point at
    for (std::int64_t axis : axes)
      if (x.size(static_cast<std::size_t>(axis)) == 0)
        return error(Code::E0201, fmt::format("`{}` of an empty axis: {{0}}", symbol(query.code)));
  return Types{Type(element.value_or(x.element), reduced(x, axes, query.attrs.flag(Attr::keep)))};
}

Result scan(const ShapeQuery& query) {
  if (!valid_axes({query.attrs.integer(Attr::axis)}, query.operands[0].rank())) return bad_axis(query);
  return Types{query.operands[0]};
}

// ---- contraction ----

Result einsum(const ShapeQuery& query) {
  auto spec = parse_einsum(query.attrs.string(Attr::spec));
  if (!spec) return error(Code::E0204, fmt::format("\"{}\" is not the spec of an einsum of two operands", query.attrs.string(Attr::spec)));
  const std::string* letters[] = {&spec->a, &spec->b};
  for (std::size_t k = 0; k < 2; ++k)
    if (letters[k]->size() != query.operands[k].rank())
      return error(Code::E0204, fmt::format("einsum names {} axes for {{{}}}", letters[k]->size(), k));
  std::vector<std::pair<char, Dim>> sizes;
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t i = 0; i < letters[k]->size(); ++i) {
      const Dim& dim = query.operands[k].dims[i];
      auto known = std::find_if(sizes.begin(), sizes.end(), [&](const auto& item) { return item.first == (*letters[k])[i]; });
      if (known == sizes.end()) {
        sizes.push_back({(*letters[k])[i], dim});
      } else if (!sizes_match(known->second, dim, query.strict_names)) {
        bool equal = known->second.size == dim.size;
        return error(equal ? Code::E0202 : Code::E0201, fmt::format("cannot multiply {{0}} and {{1}}: {} and {} {}", known->second.size,
                                                                    dim.size, equal ? "have different names" : "should be equal"));
      } else if (known->second.name.empty()) {
        known->second.name = dim.name;
      }
    }
  std::vector<Dim> dims;
  for (char letter : spec->out)
    dims.push_back(std::find_if(sizes.begin(), sizes.end(), [&](const auto& item) { return item.first == letter; })->second);
  return Types{Type(query.operands[0].element, std::move(dims))};
}

// ---- movement ----

const Type& declared_type(const ShapeQuery& query) {
  if (!query.declared) throw InternalError("shape rules", std::string(op_info(query.code).name) + " needs a declared type");
  return *query.declared;
}

Result cast(const ShapeQuery& query) {
  return Types{query.operands[0].with_element(declared_type(query).element)};
}

Result reshape(const ShapeQuery& query) {
  const Type& to = declared_type(query);
  if (to.count() != query.operands[0].count())
    return error(Code::E0201, fmt::format("cannot reshape {{0}} to {}: {} elements do not fill {}", shape_text(to.dims),
                                          query.operands[0].count(), to.count()));
  return Types{to.with_element(query.operands[0].element)};
}

Result transpose(const ShapeQuery& query) {
  const auto& perm = query.attrs.ints(Attr::perm);
  std::vector<std::int64_t> sorted = perm, axes(query.operands[0].rank());
  std::sort(sorted.begin(), sorted.end());
  std::iota(axes.begin(), axes.end(), 0);
  if (sorted != axes) return error(Code::E0204, fmt::format("[{}] does not name each axis of {{0}} once", fmt::join(perm, ", ")));
  std::vector<Dim> dims;
  for (std::int64_t axis : perm) dims.push_back(query.operands[0].dims[static_cast<std::size_t>(axis)]);
  return Types{Type(query.operands[0].element, std::move(dims))};
}

Result broadcast(const ShapeQuery& query) {
  const Type& to = declared_type(query);
  if (!stretches(query.operands[0].dims, to.dims, query.strict_names))
    return error(Code::E0201, "cannot stretch {0} to " + shape_text(to.dims));
  return Types{Type(query.operands[0].element, with_names(to.dims, query.operands.first(1)))};
}

// The type of the part of x that an index names.
Result indexed(const ShapeQuery& query, std::size_t first_start) {
  const Type& x = query.operands[0];
  const auto& starts = query.attrs.ints(Attr::starts);
  const auto& sizes = query.attrs.ints(Attr::sizes);
  const auto& steps = query.attrs.ints(Attr::steps);
  const auto& dynamic = query.attrs.ints(Attr::dynamic);
  const auto& drop = query.attrs.ints(Attr::drop);
  if (starts.size() != x.rank() || sizes.size() != x.rank() || steps.size() != x.rank() || !valid_axes(dynamic, x.rank()) ||
      !valid_axes(drop, x.rank()) || query.operands.size() != first_start + dynamic.size())
    return error(Code::E0204, "the index does not fit {0}");
  for (std::size_t i = first_start; i < query.operands.size(); ++i)
    if (!query.operands[i].is_scalar() || !is_integer(query.operands[i].element))
      return error(Code::E0203, fmt::format("an index must be an integer, and {{{}}} is {}", i, type_text(query.operands[i])));
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    auto axis = static_cast<std::int64_t>(i);
    bool is_dynamic = std::binary_search(dynamic.begin(), dynamic.end(), axis);
    // The reach |step|·(size - 1) must not overflow on hostile IR text, hence the divisions.
    std::int64_t room = x.size(i) - 1;
    std::int64_t stride = steps[i] < 0 ? (steps[i] == INT64_MIN ? INT64_MAX : -steps[i]) : steps[i];
    bool fits = steps[i] != 0 && sizes[i] >= 0 && (sizes[i] == 0 || (room >= 0 && (sizes[i] - 1 <= room / stride)));
    if (fits && !is_dynamic && sizes[i] > 0) {
      fits = starts[i] >= 0 && starts[i] <= room;
      std::int64_t reach = stride * (sizes[i] - 1);
      fits = fits && (steps[i] > 0 ? starts[i] <= room - reach : starts[i] >= reach);
    }
    if (!fits) return error(Code::E0401, fmt::format("the index is outside axis {} of {{0}}, which has size {}", axis, x.size(i)));
    bool is_dropped = std::binary_search(drop.begin(), drop.end(), axis);
    if (is_dropped && sizes[i] != 1) return error(Code::E0204, "the index drops an axis of {0} whose part is not of size 1");
    bool is_whole = !is_dynamic && sizes[i] == x.size(i) && steps[i] == 1;
    if (!is_dropped) dims.push_back({sizes[i], is_whole ? x.dims[i].name : std::string{}});
  }
  return Types{Type(x.element, std::move(dims))};
}

Result update(const ShapeQuery& query) {
  Result part = indexed(query, 2);
  if (std::holds_alternative<ShapeError>(part)) return part;
  const Type& expected = std::get<Types>(part)[0];
  if (!same_type(expected, query.operands[1]))
    return error(Code::E0201, fmt::format("cannot put {{1}} in the place of {}", type_text(expected)));
  if (query.attrs.flag(Attr::add) && expected.element == Element::boolean) return error(Code::E0203, "cannot add to bools in {0}");
  return Types{query.operands[0]};
}

// The shape of what tensors of indices name: their own, then x without the axes they index.
Result gathered(const ShapeQuery& query, std::size_t first_index) {
  const Type& x = query.operands[0];
  const auto& axes = query.attrs.ints(Attr::axes);
  if (!valid_axes(axes, x.rank()) || axes.empty() || query.operands.size() != first_index + axes.size())
    return error(Code::E0204, "the index does not fit {0}");
  const Type& index = query.operands[first_index];
  for (std::size_t i = first_index; i < query.operands.size(); ++i) {
    if (!is_integer(query.operands[i].element))
      return error(Code::E0203, fmt::format("an index must be an integer, and {{{}}} is {}", i, type_text(query.operands[i])));
    if (!same_shape(query.operands[i], index))
      return error(Code::E0201, fmt::format("the indices {{{}}} and {{{}}} differ in shape", first_index, i));
  }
  std::vector<Dim> dims = index.dims;
  for (const Dim& dim : reduced(x, axes, false)) dims.push_back(dim);
  return Types{Type(x.element, std::move(dims))};
}

Result scattered(const ShapeQuery& query) {
  Result part = gathered(query, 2);
  if (std::holds_alternative<ShapeError>(part)) return part;
  const Type& expected = std::get<Types>(part)[0];
  if (!same_type(expected, query.operands[1]))
    return error(Code::E0201, fmt::format("cannot add {{1}} to parts of {}", type_text(expected)));
  return Types{query.operands[0]};
}

Result concat(const ShapeQuery& query) {
  Type result = query.operands[0];
  std::int64_t axis = query.attrs.integer(Attr::axis);
  if (!valid_axes({axis}, result.rank())) return bad_axis(query);
  Dim& joined = result.dims[static_cast<std::size_t>(axis)];
  joined.size = 0;
  if (query.operands.size() > 1) joined.name.clear();
  for (std::size_t k = 0; k < query.operands.size(); ++k) {
    const Type& operand = query.operands[k];
    bool fits = operand.rank() == result.rank() && operand.element == result.element;
    for (std::size_t i = 0; fits && i < result.rank(); ++i) {
      if (static_cast<std::int64_t>(i) == axis) {
        joined.size += operand.size(i);
      } else {
        fits = sizes_match(operand.dims[i], result.dims[i], query.strict_names);
        if (result.dims[i].name.empty()) result.dims[i].name = operand.dims[i].name;
      }
    }
    if (!fits) return error(Code::E0201, fmt::format("cannot join {{0}} and {{{}}} along axis {}", k, axis));
  }
  return Types{std::move(result)};
}

// ---- the rest ----

// Windows of `size` elements that do not fit, because a number is senseless, or else for the reason given.
ShapeError misplaced_windows(const ShapeQuery& query, std::int64_t size, std::string reason, std::string note = {}) {
  std::int64_t stride = query.attrs.integer(Attr::stride), dilation = query.attrs.integer(Attr::dilation);
  if (size < 1 || stride < 1 || dilation < 1)
    return error(Code::E0210, fmt::format("the size, stride and dilation of `{}` are at least 1, and these are {}, {} and {}",
                                          symbol(query.code), size, stride, dilation));
  return error(Code::E0201, std::move(reason), {std::move(note)});
}

// The axis gets as many elements as there are windows; a new last axis is what is in one.
Result windows(const ShapeQuery& query) {
  Type type = query.operands[0];
  std::int64_t axis = query.attrs.integer(Attr::axis), size = query.attrs.integer(Attr::size);
  if (!valid_axes({axis}, type.rank())) return bad_axis(query);
  Dim& slid = type.dims[static_cast<std::size_t>(axis)];
  auto count = window_count(slid.size, size, query.attrs.integer(Attr::stride), query.attrs.integer(Attr::dilation));
  if (!count)
    return misplaced_windows(query, size,
                             fmt::format("a window of {} elements, {} apart, does not fit within axis {} of {{0}}", size,
                                         query.attrs.integer(Attr::dilation), axis),
                             fmt::format("axis {} has size {}", axis, slid.size));
  if (*count != slid.size) slid = {*count, {}};
  type.dims.push_back({size, {}});
  return Types{std::move(type)};
}

Result added_windows(const ShapeQuery& query) {
  Type type = query.operands[0];
  std::int64_t axis = query.attrs.integer(Attr::axis), length = query.attrs.integer(Attr::length);
  if (type.rank() < 2 || !valid_axes({axis}, type.rank() - 1))
    return error(Code::E0204, "`window_add` takes windows: their axis, and last the axis of what is in one; {0} lacks them");
  std::int64_t size = type.dims.back().size;
  type.dims.pop_back();
  Dim& slid = type.dims[static_cast<std::size_t>(axis)];
  auto count = window_count(length, size, query.attrs.integer(Attr::stride), query.attrs.integer(Attr::dilation));
  if (!count || *count != slid.size)
    return misplaced_windows(query, size,
                             fmt::format("a length of {} does not give the windows of {{0}}: {} of {} elements", length, slid.size, size));
  if (slid.size != length) slid = {length, {}};
  return Types{std::move(type)};
}

// A turn, or a tensor of turns: its axes are the first ones of what is drawn.
Result draws(const ShapeQuery& query, const Type& type) {
  if (!is_real(type.element)) return error(Code::E0203, "random draws are real");
  if (query.operands.empty()) return Types{type};
  const Type& turn = query.operands[0];
  if (!is_integer(turn.element))
    return error(Code::E0203, fmt::format("a turn is an integer, and {{0}} is {}", element_name(turn.element)));
  if (!turn.is_scalar() && turn.element != Element::i64) return error(Code::E0203, "a tensor of turns has elements i64");
  bool leads = turn.rank() <= type.rank();
  for (std::size_t i = 0; leads && i < turn.rank(); ++i) leads = turn.size(i) == type.size(i);
  if (leads) return Types{type};
  return error(Code::E0201, fmt::format("the turns {{0}} do not have the first sizes of the draws {}", shape_text(type.dims)));
}

Result declared(const ShapeQuery& query) {
  const Type& type = declared_type(query);
  auto holds = [&](Attr attr) { return query.attrs.find(attr) != nullptr; };
  if (query.code == Opcode::iota && !valid_axes({query.attrs.integer(Attr::axis)}, type.rank()))
    return error(Code::E0204, "iota needs one of its axes");
  if (query.code == Opcode::constant) {
    if (holds(Attr::value) + holds(Attr::ints) + holds(Attr::reals) != 1)
      return error(Code::E0209, "a constant holds one of value, ints and reals");
    const AttrValue* value = query.attrs.find(Attr::value);
    bool real = value ? std::holds_alternative<double>(*value) : holds(Attr::reals);
    bool integer = value ? std::holds_alternative<std::int64_t>(*value) : holds(Attr::ints);
    if (is_real(type.element) ? !real : !integer) return error(Code::E0203, "the data of a constant are not of its element type");
    std::size_t given = real ? query.attrs.reals(Attr::reals).size() : query.attrs.ints(Attr::ints).size();
    if (!value && static_cast<std::int64_t>(given) != type.count())
      return error(Code::E0201, fmt::format("{} elements given for a constant of {}", given, type.count()));
  }
  if (op_info(query.code).group == Group::random) return draws(query, type);
  return Types{type};
}

Result new_tape(const ShapeQuery& query) {
  const Type& type = declared_type(query);
  return type.tape ? Result(Types{type}) : error(Code::E0203, "a tape has the type of a tape");
}

Result push(const ShapeQuery& query) {
  if (!query.operands[0].tape) return error(Code::E0203, "`push` puts a value on a tape, and {0} is none");
  if (!same_type(query.operands[0].as_entry(), query.operands[1]))
    return error(Code::E0201, fmt::format("cannot push {{1}} on a tape of {}", type_text(query.operands[0].as_entry())));
  return Types{query.operands[0]};
}

Result pop(const ShapeQuery& query) {
  if (!query.operands[0].tape) return error(Code::E0203, "`pop` takes the top of a tape, and {0} is none");
  return Types{query.operands[0], query.operands[0].as_entry()};
}

Result gradient(const ShapeQuery& query) {
  const Type& y = query.operands[0];
  std::size_t first = query.code == Opcode::grad ? 1 : 2;
  if (query.code == Opcode::grad && !y.is_scalar())
    return error(Code::E0302, "`grad` needs a scalar, and {0} is a tensor", {shape_text(y.dims)},
                 "take `sum({0.name})` or `mean({0.name})`");
  for (std::size_t i = 0; i < query.operands.size(); ++i)
    if (!is_real(query.operands[i].element))
      return error(Code::E0303, fmt::format("{{{}}} is {}, which has no derivative", i, element_name(query.operands[i].element)));
  if (first == 2 && !same_type(y, query.operands[1])) return error(Code::E0201, "the cotangent {1} should have the type of {0}");
  return Types(query.operands.begin() + static_cast<std::ptrdiff_t>(first), query.operands.end());
}

Result tangent(const ShapeQuery& query) {
  for (std::size_t i = 0; i < query.operands.size(); ++i)
    if (!is_real(query.operands[i].element))
      return error(Code::E0303, fmt::format("{{{}}} is {}, which has no derivative", i, element_name(query.operands[i].element)));
  if (!same_type(query.operands[1], query.operands[2])) return error(Code::E0201, "the direction {2} should have the type of {1}");
  return Types{query.operands[0]};
}

Result infer(const ShapeQuery& query) {
  switch (op_info(query.code).rule) {
    case ShapeRule::pointwise:
      return pointwise(query);
    case ShapeRule::comparison:
      return comparison(query);
    case ShapeRule::select:
      return select(query);
    case ShapeRule::cast:
      return cast(query);
    case ShapeRule::reduce:
      return reduce(query, std::nullopt);
    case ShapeRule::arg_reduce:
      return reduce(query, Element::i32);
    case ShapeRule::scan:
      return scan(query);
    case ShapeRule::einsum:
      return einsum(query);
    case ShapeRule::reshape:
      return reshape(query);
    case ShapeRule::transpose:
      return transpose(query);
    case ShapeRule::broadcast:
      return broadcast(query);
    case ShapeRule::slice:
      return indexed(query, 1);
    case ShapeRule::update:
      return update(query);
    case ShapeRule::gather:
      return gathered(query, 1);
    case ShapeRule::scatter:
      return scattered(query);
    case ShapeRule::concat:
      return concat(query);
    case ShapeRule::window:
      return windows(query);
    case ShapeRule::window_add:
      return added_windows(query);
    case ShapeRule::square:
    case ShapeRule::determinant:
    case ShapeRule::solve:
    case ShapeRule::order:
      return infer_matrix_types(query);
    case ShapeRule::declared:
      return declared(query);
    case ShapeRule::tape:
      return new_tape(query);
    case ShapeRule::push:
      return push(query);
    case ShapeRule::pop:
      return pop(query);
    case ShapeRule::nothing:
      return Types{};
    case ShapeRule::gradient:
      return gradient(query);
    case ShapeRule::tangent:
      return tangent(query);
    case ShapeRule::region:
      break;
  }
  throw InternalError("shape rules", "the results of a region op come from its regions");
}

bool takes_element(Domain domain, Element element) {
  switch (domain) {
    case Domain::number:
      return element != Element::boolean;
    case Domain::real:
      return is_real(element);
    case Domain::integer:
      return is_integer(element);
    case Domain::boolean:
      return element == Element::boolean;
    case Domain::any:
      return true;
  }
  return false;
}

std::optional<ShapeError> check_operands(const ShapeQuery& query) {
  const OpInfo& info = op_info(query.code);
  if (!info.takes(query.operands.size()))
    return error(Code::E0105, fmt::format("`{}` does not take {} operands", symbol(query.code), query.operands.size()));
  for (std::size_t i = 0; info.group != Group::tape && i < query.operands.size(); ++i)
    if (query.operands[i].tape)
      return error(Code::E0203, fmt::format("`{}` does not work on tapes, and {{{}}} is one", symbol(query.code), i));
  bool check_domain = info.group != Group::derivative && info.group != Group::random;  // whose messages are their own
  for (std::size_t i = 0; check_domain && i < query.operands.size(); ++i)
    if (!takes_element(info.domain, query.operands[i].element)) {
      std::string wants = info.domain == Domain::boolean ? "bools" : info.domain == Domain::real ? "reals" : "numbers";
      return error(Code::E0203,
                   fmt::format("`{}` takes {}, and {{{}}} is {}", symbol(query.code), wants, i, element_name(query.operands[i].element)));
    }
  if (info.group == Group::elementwise || info.group == Group::contraction || info.group == Group::library) {
    std::size_t first = query.code == Opcode::select ? 1 : 0;  // the condition is a bool
    for (std::size_t i = first + 1; i < query.operands.size(); ++i)
      if (query.operands[i].element != query.operands[first].element)
        return error(Code::E0203, fmt::format("`{}` of {} and {}", symbol(query.code), element_name(query.operands[first].element),
                                              element_name(query.operands[i].element)));
  }
  return std::nullopt;
}

// Sizes are non-negative and their product stays addressable.
bool is_sane(const Type& type) {
  std::int64_t count = 1;
  for (const Dim& dim : type.dims) {
    if (dim.size < 0 || dim.size > kMostElements) return false;
    count *= std::max<std::int64_t>(dim.size, 1);
    if (count > kMostElements) return false;
  }
  return true;
}

}  // namespace

std::variant<std::vector<Type>, ShapeError> infer_types(const ShapeQuery& query) {
  if (auto problem = check_operands(query)) return *problem;
  auto too_large = [](const Type& type) {
    return error(Code::E0210, fmt::format("the shape {} is negative or has more than 2^40 elements", shape_text(type.dims)));
  };
  if (query.declared && !is_sane(*query.declared)) return too_large(*query.declared);
  Result result = infer(query);
  if (const Types* types = std::get_if<Types>(&result))
    for (const Type& type : *types)
      if (!is_sane(type)) return too_large(type);
  return result;
}

std::optional<std::vector<Dim>> broadcast_dims(std::span<const Type> operands, bool strict_names) {
  for (const Type& target : operands) {
    bool all = std::all_of(operands.begin(), operands.end(), [&](const Type& t) { return stretches(t.dims, target.dims, strict_names); });
    if (!all) continue;
    // The target may be unnamed where two others clash.
    std::vector<Dim> dims = with_names(target.dims, operands);
    if (strict_names && !std::all_of(operands.begin(), operands.end(), [&](const Type& t) { return stretches(t.dims, dims, true); }))
      continue;
    return dims;
  }
  return std::nullopt;
}

std::optional<std::int64_t> window_count(std::int64_t length, std::int64_t size, std::int64_t stride, std::int64_t dilation) {
  if (length < 1 || size < 1 || stride < 1 || dilation < 1 || size - 1 > (length - 1) / dilation) return std::nullopt;
  return (length - 1 - dilation * (size - 1)) / stride + 1;
}

std::optional<EinsumSpec> parse_einsum(std::string_view spec) {
  std::size_t comma = spec.find(','), arrow = spec.find("->");
  if (comma == std::string_view::npos || arrow == std::string_view::npos || comma > arrow) return std::nullopt;
  EinsumSpec result{std::string(spec.substr(0, comma)), std::string(spec.substr(comma + 1, arrow - comma - 1)),
                    std::string(spec.substr(arrow + 2))};
  auto letters = [](const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (!std::isalpha(static_cast<unsigned char>(text[i])) || text.find(text[i]) != i) return false;
    return true;
  };
  if (!letters(result.a) || !letters(result.b) || !letters(result.out)) return std::nullopt;
  auto within = [](char letter, const std::string& text) { return text.find(letter) != std::string::npos; };
  for (char letter : result.out)
    if (!within(letter, result.a) && !within(letter, result.b)) return std::nullopt;
  for (char letter : result.a)
    if (!within(letter, result.b) && !within(letter, result.out)) return std::nullopt;
  for (char letter : result.b)
    if (!within(letter, result.a) && !within(letter, result.out)) return std::nullopt;
  return result;
}

std::string einsum_text(const EinsumSpec& spec) {
  return spec.a + "," + spec.b + "->" + spec.out;
}

}  // namespace bpc::ir
