#include "frontend/script/expressions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "frontend/script/elementwise.h"
#include "frontend/script/parts.h"
#include "ir/shape_rules.h"
#include "support/internal_error.h"

namespace bpc::frontend::script {

using ir::Attr;
using ir::Group;
using ir::Op;
using ir::Opcode;
using ir::ValueId;

namespace {

// The spec with its letters renamed in order of appearance.
std::string canonical(const std::string& spec) {
  std::string known, text;
  for (char c : spec) {
    if (!std::isalpha(static_cast<unsigned char>(c))) {
      text += c;
      continue;
    }
    if (known.find(c) == std::string::npos) known += c;
    text += static_cast<char>('a' + known.find(c) % 26);
  }
  return text;
}

// What `a @ b` means for these ranks, if it multiplies vectors, matrices or equally many matrices.
std::string matmul_spec(std::size_t a, std::size_t b) {
  std::string batch =
      std::string("uvwxyz").substr(0, std::max({a, b, std::size_t{2}}) - 2);  // more axes than that are written as an einsum
  std::string rows = a > 1 ? "i" : "", columns = b > 1 ? "k" : "";
  return canonical(batch + rows + "j," + batch + "j" + columns + "->" + batch + rows + columns);
}

// Whether it is written as this digit.
bool is_plain(const ir::AttrValue& value, int digit) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer == digit;
  const double real = std::get<double>(value);
  return real == digit && !std::signbit(real);
}

std::string swapped(std::string letters) {
  std::swap(letters.end()[-1], letters.end()[-2]);
  return letters;
}

InternalError no_expression(Draft& d, const Op& op) {
  return InternalError("write script", std::string(ir::op_info(op.code).name) + " is no expression", d.function.origin(op.origin).span);
}

std::vector<Term> read_all(Draft& d, const Op& op) {
  std::vector<Term> terms;
  for (ValueId operand : op.operands) terms.push_back(d.read_typed(operand));
  return terms;
}

// What gives an op this attribute; nullopt where it need not be said.
std::optional<Term> argument(Draft& d, const Op& op, Attr attr) {
  const ir::AttrInfo& info = ir::attr_info(attr);
  if (*op.attrs.find(attr) == ir::default_value(attr)) return std::nullopt;
  if (info.kind == ir::AttrKind::boolean) return d.tree.truth(op.attrs.flag(attr) != (info.written == ir::Written::opposite));
  if (info.kind == ir::AttrKind::integer) return d.tree.integer(op.attrs.integer(attr));
  const auto& axes = op.attrs.ints(attr);
  const std::size_t rank = d.function.type(op.operands[0]).rank();
  if (axes.size() == rank) return std::nullopt;  // all
  return axes.size() == 1 ? d.tree.integer(axes[0]) : d.tree.integers(axes);
}

}  // namespace

Term function_call(Draft& d, const Op& op, const std::vector<Term>& operands) {
  std::vector<Term> arguments;
  std::vector<std::pair<std::string, Term>> named;
  for (std::size_t next = 0; const ir::Formal& formal : ir::op_info(op.code).signature) {
    if (!formal.attr) {
      arguments.push_back(operands[next++]);
    } else if (auto value = formal.is_argument() ? argument(d, op, *formal.attr) : std::nullopt) {
      if (formal.otherwise.kind == ir::Otherwise::Kind::needed)
        arguments.push_back(*value);
      else
        named.emplace_back(formal.word, *value);
    }
  }
  return d.call(std::string(ir::op_info(op.code).spelling), arguments, named);
}

Term transposed(Draft& d, const Term& x, const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> last_two(perm.size());
  std::iota(last_two.begin(), last_two.end(), 0);
  std::swap(last_two.end()[-1], last_two.end()[-2]);
  return perm == last_two ? d.tree.transposed(x) : d.call("transpose", {x, d.tree.integers(perm)});
}

Term everywhere(Draft& d, const ir::AttrValue& value, const Type& type) {
  const Term one = d.tree.number(value, type.element);
  if (type.is_scalar()) return one;
  const bool is_default = type.element == d.script.module.real;
  const Term sizes = d.tree.sizes(type);
  if (is_default && is_plain(value, 0)) return d.call("zeros", {sizes});
  if (is_default && is_plain(value, 1)) return d.call("ones", {sizes});
  return d.call("full", {sizes, is_default ? one : d.typed(one, type.element)});
}

namespace {

// `[a, b]`: a concat of reshapes that only give each item the axis along which they are joined.
bool is_stack(Draft& d, const Op& op) {
  return op.code == Opcode::concat && op.attrs.integer(Attr::axis) == 0 &&
         std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) {
           const Op* made = d.def(operand, Opcode::reshape);
           std::vector<std::int64_t> sizes = made ? d.function.type(made->operands[0]).sizes() : std::vector<std::int64_t>();
           sizes.insert(sizes.begin(), 1);
           return made && d.is_temporary(operand) && d.function.type(operand).sizes() == sizes;
         });
}

Term reshaped(Draft& d, const Op& op) {
  const Type &type = d.function.type(op.results[0]), &from = d.function.type(op.operands[0]);
  const Use& use = d.uses.of(op.results[0]);
  const Op* user = d.is_temporary(op.results[0]) && use.user.valid() ? &d.function.op(use.user) : nullptr;
  if (user && (is_stack(d, *user) || (user->code == Opcode::broadcast && from.is_scalar()))) return d.read(op.operands[0]);
  const Term x = d.read_typed(op.operands[0]);
  if (same_shape(type, from)) return x;
  if (!type.is_scalar() || from.rank() == 0) return d.call("reshape", {x, d.tree.sizes(type)});
  return d.tree.index(x, std::vector(from.rank(), d.tree.integer(0)));
}

Term joined(Draft& d, const Op& op) {
  std::vector<Term> parts;
  for (ValueId operand : op.operands) parts.push_back(d.read(operand));
  if (std::all_of(parts.begin(), parts.end(), [](const Term& part) { return part.is_literal; }))
    parts[0] = d.typed(parts[0], d.function.type(op.results[0]).element);
  const Term list = d.tree.list(parts);
  return is_stack(d, op) ? list : d.call("concat", {list}, {{"axis", d.tree.integer(op.attrs.integer(Attr::axis))}});
}

Term cast(Draft& d, const Op& op) {
  const Element element = d.function.type(op.results[0]).element;
  if (d.is_number(op.results[0])) return d.tree.number(*d.function.def(op.operands[0])->attrs.find(Attr::value), element);
  return d.call(d.tree.element_spec(element), {d.read_typed(op.operands[0])});
}

Term stretched(Draft& d, const Op& op) {
  const Type& type = d.function.type(op.results[0]);
  const Term x = d.read(op.operands[0]), sizes = d.tree.sizes(type);
  if (!x.is_literal) return d.call("broadcast_to", {x, sizes});
  return d.call("full", {sizes, type.element == d.script.module.real ? x : d.typed(x, type.element)});
}

Term transposition(Draft& d, const Op& op) {
  const Term x = d.read(op.operands[0]);
  const auto& perm = op.attrs.ints(Attr::perm);
  return perm.size() < 2 || is_placed(d, op) ? x : transposed(d, x, perm);
}

// The elements of a constant from `next` on, nested along the axes from `axis`.
Term list(Draft& d, const Op& op, std::size_t& next, std::size_t axis) {
  const Type& type = d.function.type(op.results[0]);
  if (axis == type.rank()) {
    const std::size_t at = next++;
    return d.tree.number(
        is_real(type.element) ? ir::AttrValue(op.attrs.reals(Attr::reals)[at]) : ir::AttrValue(op.attrs.ints(Attr::ints)[at]),
        type.element);
  }
  std::vector<Term> items;
  for (std::int64_t i = 0; i < type.size(axis); ++i) items.push_back(list(d, op, next, axis + 1));
  return d.tree.list(items);
}

Term constant(Draft& d, const Op& op) {
  const Type& type = d.function.type(op.results[0]);
  const Element real = d.script.module.real;
  if (op.code == Opcode::iota) {
    if (type.rank() == 1 && type.element == real) return d.call("arange", {d.tree.integer(type.size(0))});
    const Term index = d.call("iota", {d.tree.sizes(type), d.tree.integer(op.attrs.integer(Attr::axis))});
    return type.element == Element::i32 ? index : d.call(d.tree.element_spec(type.element), {index});
  }
  if (op.code != Opcode::constant) {  // a draw, of the type that its bounds have
    Term lo = d.tree.integer(0), hi = d.tree.integer(1);
    if (type.element != real) lo = d.typed(lo, type.element), hi = d.typed(hi, type.element);
    std::vector<std::pair<std::string, Term>> named{{"stream", d.tree.integer(op.attrs.integer(Attr::stream))}};
    if (!op.operands.empty()) named.emplace_back("turn", d.read(op.operands[0]));
    return d.call(op.code == Opcode::random_normal ? "normal" : "uniform", {lo, hi, d.tree.sizes(type)}, named);
  }
  const ir::AttrValue* value = op.attrs.find(Attr::value);
  if (!value && type.count() > 0) {
    std::size_t next = 0;
    Term elements = list(d, op, next, 0);
    elements.is_literal = type.element != real && type.element != Element::boolean;
    return elements;
  }
  return everywhere(d, value ? *value : is_real(type.element) ? ir::AttrValue(0.0) : ir::AttrValue(std::int64_t{0}), type);
}

Term reduction(Draft& d, const Op& op) {
  const Term x = d.read_typed(op.operands[0]);
  if (op.code == Opcode::cumsum && op.attrs.flag(Attr::reverse)) {
    const Term axis = d.tree.integer(op.attrs.integer(Attr::axis));
    return d.call("flip", {function_call(d, op, {d.call("flip", {x, axis})}), axis});
  }
  const bool is_over_none = op.code != Opcode::cumsum && op.attrs.ints(Attr::axes).empty() && d.function.type(op.operands[0]).rank() > 0;
  return is_over_none ? x : function_call(d, op, {x});
}

Term contraction(Draft& d, const Op& op) {
  const std::string text = op.attrs.string(Attr::spec);
  const ir::EinsumSpec spec = ir::parse_einsum(text).value();
  const Term a = d.read(op.operands[0]), b = d.read(op.operands[1]);
  std::string shape = canonical(text);
  if (shape == "a,a->") return d.call("dot", {a, b});
  if (shape == "a,b->ab") return d.call("outer", {a, b});
  bool scales = (spec.a.empty() && spec.b == spec.out) || (spec.b.empty() && spec.a == spec.out);
  if (scales && !a.is_literal && !b.is_literal) return d.tree.binary("*", a, b);
  for (bool turn_a : {false, true})
    for (bool turn_b : {false, true}) {
      if ((turn_a && spec.a.size() < 2) || (turn_b && spec.b.size() < 2) || spec.a.empty() || spec.b.empty()) continue;
      std::string turned = (turn_a ? swapped(spec.a) : spec.a) + "," + (turn_b ? swapped(spec.b) : spec.b) + "->" + spec.out;
      if (canonical(turned) != matmul_spec(spec.a.size(), spec.b.size())) continue;
      return d.tree.binary("@", turn_a ? d.tree.transposed(a) : a, turn_b ? d.tree.transposed(b) : b);
    }
  return d.call("einsum", {d.tree.text(text), a, b});
}

Term movement(Draft& d, const Op& op) {
  if (op.code == Opcode::reshape) return reshaped(d, op);
  if (op.code == Opcode::transpose) return transposition(d, op);
  if (op.code == Opcode::broadcast) return is_unstretched(d, op.results[0]) ? d.read(op.operands[0]) : stretched(d, op);
  if (op.code == Opcode::slice) return slice(d, op);
  if (op.code == Opcode::gather) return gather(d, op);
  if (op.code == Opcode::concat) return joined(d, op);
  throw no_expression(d, op);
}

}  // namespace

Term expression(Draft& d, const Op& op) {
  const ir::OpInfo& info = ir::op_info(op.code);
  switch (info.group) {
    case Group::elementwise:
      return op.code == Opcode::cast ? cast(d, op) : elementwise(d, op);
    case Group::reduction:
      return reduction(d, op);
    case Group::contraction:
      return contraction(d, op);
    case Group::movement:
      return info.spelling.empty() ? movement(d, op) : function_call(d, op, read_all(d, op));
    case Group::library:
      return function_call(d, op, read_all(d, op));
    case Group::source:
    case Group::random:
      return constant(d, op);
    case Group::tape:
    case Group::control:
    case Group::effect:
    case Group::derivative:
      break;
  }
  throw no_expression(d, op);
}

}  // namespace bpc::frontend::script
