#include <algorithm>
#include <cmath>
#include <numeric>

#include "frontend/script/function_writer.h"
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

}  // namespace

Term FunctionWriter::call(const std::string& name, const std::vector<Term>& arguments,
                          const std::vector<std::pair<std::string, Term>>& named) {
  script_.called.insert(name);
  return tree_.call(name, arguments, named);
}

Term FunctionWriter::typed(const Term& term, Element element) {
  return term.is_literal ? call(tree_.element_spec(element), {term}) : term;
}

const Op* FunctionWriter::def(ValueId value, Opcode code) const {
  const Op* op = function_.def(value);
  return op && op->code == code ? op : nullptr;
}

// The value of an op with one result, by what it is made of.
Term FunctionWriter::expression(const Op& op) {
  const ir::OpInfo& info = ir::op_info(op.code);
  switch (info.group) {
    case Group::elementwise:
      return op.code == Opcode::cast ? cast(op) : elementwise(op);
    case Group::reduction:
      return reduction(op);
    case Group::contraction:
      return contraction(op);
    case Group::movement:
      return info.spelling.empty() ? movement(op) : function(op, read_all(op));
    case Group::library:
      return function(op, read_all(op));
    case Group::source:
    case Group::random:
      return constant(op);
    case Group::tape:
    case Group::control:
    case Group::effect:
    case Group::derivative:
      break;
  }
  throw no_expression(op);
}

InternalError FunctionWriter::no_expression(const Op& op) const {
  return InternalError("write script", std::string(ir::op_info(op.code).name) + " is no expression", function_.origin(op.origin).span);
}

// ---- functions ----

std::vector<Term> FunctionWriter::read_all(const Op& op) {
  std::vector<Term> terms;
  for (ValueId operand : op.operands) terms.push_back(read_typed(operand));
  return terms;
}

// A call of the op's function: what it needs in order, and by name what is not as it is without a word.
Term FunctionWriter::function(const Op& op, const std::vector<Term>& operands) {
  std::vector<Term> arguments;
  std::vector<std::pair<std::string, Term>> named;
  for (std::size_t next = 0; const ir::Formal& formal : ir::op_info(op.code).signature) {
    if (!formal.attr) {
      arguments.push_back(operands[next++]);
    } else if (auto value = formal.is_argument() ? argument(op, *formal.attr) : std::nullopt) {
      if (formal.otherwise.kind == ir::Otherwise::Kind::needed)
        arguments.push_back(*value);
      else
        named.emplace_back(formal.word, *value);
    }
  }
  return call(std::string(ir::op_info(op.code).spelling), arguments, named);
}

// What gives an op this attribute; nullopt where it need not be said.
std::optional<Term> FunctionWriter::argument(const Op& op, Attr attr) {
  const ir::AttrInfo& info = ir::attr_info(attr);
  if (*op.attrs.find(attr) == ir::default_value(attr)) return std::nullopt;
  if (info.kind == ir::AttrKind::boolean) return tree_.truth(op.attrs.flag(attr) != (info.written == ir::Written::opposite));
  if (info.kind == ir::AttrKind::integer) return tree_.integer(op.attrs.integer(attr));
  const auto& axes = op.attrs.ints(attr);
  const std::size_t rank = function_.type(op.operands[0]).rank();
  if (axes.size() == rank) return std::nullopt;  // all
  return axes.size() == 1 ? tree_.integer(axes[0]) : tree_.integers(axes);
}

// ---- notation ----

Term FunctionWriter::movement(const Op& op) {
  if (op.code == Opcode::reshape) return reshaped(op);
  if (op.code == Opcode::transpose) return transposition(op);
  if (op.code == Opcode::broadcast) return is_unstretched(op.results[0]) ? read(op.operands[0]) : stretched(op);
  if (op.code == Opcode::slice) return slice(op);
  if (op.code == Opcode::gather) return gather(op);
  if (op.code == Opcode::concat) return joined(op);
  throw no_expression(op);
}

Term FunctionWriter::reshaped(const Op& op) {
  const Type &type = function_.type(op.results[0]), &from = function_.type(op.operands[0]);
  const Use& use = uses_.of(op.results[0]);
  const Op* user = is_temporary(op.results[0]) && use.user.valid() ? &function_.op(use.user) : nullptr;
  if (user && (is_stack(*user) || (user->code == Opcode::broadcast && from.is_scalar()))) return read(op.operands[0]);
  const Term x = read_typed(op.operands[0]);
  if (same_shape(type, from)) return x;
  if (!type.is_scalar() || from.rank() == 0) return call("reshape", {x, tree_.integers(type.sizes())});
  return tree_.index(x, std::vector(from.rank(), tree_.integer(0)));
}

Term FunctionWriter::joined(const Op& op) {
  std::vector<Term> parts;
  for (ValueId operand : op.operands) parts.push_back(read(operand));
  if (std::all_of(parts.begin(), parts.end(), [](const Term& part) { return part.is_literal; }))
    parts[0] = typed(parts[0], function_.type(op.results[0]).element);
  const Term list = tree_.list(parts);
  return is_stack(op) ? list : call("concat", {list}, {{"axis", tree_.integer(op.attrs.integer(Attr::axis))}});
}

Term FunctionWriter::cast(const Op& op) {
  const Element element = function_.type(op.results[0]).element;
  if (is_number(op.results[0])) return tree_.number(*function_.def(op.operands[0])->attrs.find(Attr::value), element);
  return call(tree_.element_spec(element), {read_typed(op.operands[0])});
}

Term FunctionWriter::stretched(const Op& op) {
  const Type& type = function_.type(op.results[0]);
  const Term x = read(op.operands[0]), sizes = tree_.integers(type.sizes());
  if (!x.is_literal) return call("broadcast_to", {x, sizes});
  return call("full", {sizes, type.element == script_.module.real ? x : typed(x, type.element)});
}

Term FunctionWriter::transposition(const Op& op) {
  const Term x = read(op.operands[0]);
  const auto& perm = op.attrs.ints(Attr::perm);
  return perm.size() < 2 || is_placed(op) ? x : transposed(x, perm);
}

Term FunctionWriter::transposed(const Term& x, const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> last_two(perm.size());
  std::iota(last_two.begin(), last_two.end(), 0);
  std::swap(last_two.end()[-1], last_two.end()[-2]);
  return perm == last_two ? tree_.transposed(x) : call("transpose", {x, tree_.integers(perm)});
}

// `[a, b]`: a concat of reshapes that only give each item the axis along which they are joined.
bool FunctionWriter::is_stack(const Op& op) const {
  return op.code == Opcode::concat && op.attrs.integer(Attr::axis) == 0 &&
         std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) {
           const Op* made = def(operand, Opcode::reshape);
           std::vector<std::int64_t> sizes = made ? function_.type(made->operands[0]).sizes() : std::vector<std::int64_t>();
           sizes.insert(sizes.begin(), 1);
           return made && is_temporary(operand) && function_.type(operand).sizes() == sizes;
         });
}

// ---- sources ----

// The elements of a constant from `next` on, nested along the axes from `axis`.
Term FunctionWriter::list(const Op& op, std::size_t& next, std::size_t axis) {
  const Type& type = function_.type(op.results[0]);
  if (axis == type.rank()) {
    const std::size_t at = next++;
    return tree_.number(
        is_real(type.element) ? ir::AttrValue(op.attrs.reals(Attr::reals)[at]) : ir::AttrValue(op.attrs.ints(Attr::ints)[at]),
        type.element);
  }
  std::vector<Term> items;
  for (std::int64_t i = 0; i < type.size(axis); ++i) items.push_back(list(op, next, axis + 1));
  return tree_.list(items);
}

Term FunctionWriter::constant(const Op& op) {
  const Type& type = function_.type(op.results[0]);
  const Element real = script_.module.real;
  if (op.code == Opcode::iota) {
    if (type.rank() == 1 && type.element == real) return call("arange", {tree_.integer(type.size(0))});
    const Term index = call("iota", {tree_.integers(type.sizes()), tree_.integer(op.attrs.integer(Attr::axis))});
    return type.element == Element::i32 ? index : call(tree_.element_spec(type.element), {index});
  }
  if (op.code != Opcode::constant) {  // a draw, of the type that its bounds have
    Term lo = tree_.integer(0), hi = tree_.integer(1);
    if (type.element != real) lo = typed(lo, type.element), hi = typed(hi, type.element);
    std::vector<std::pair<std::string, Term>> named{{"stream", tree_.integer(op.attrs.integer(Attr::stream))}};
    if (!op.operands.empty()) named.emplace_back("turn", read(op.operands[0]));
    return call(op.code == Opcode::random_normal ? "normal" : "uniform", {lo, hi, tree_.integers(type.sizes())}, named);
  }
  const ir::AttrValue* value = op.attrs.find(Attr::value);
  if (!value && type.count() > 0) {
    std::size_t next = 0;
    Term elements = list(op, next, 0);
    elements.is_literal = type.element != real && type.element != Element::boolean;
    return elements;
  }
  return everywhere(value ? *value : is_real(type.element) ? ir::AttrValue(0.0) : ir::AttrValue(std::int64_t{0}), type);
}

// The number as a scalar, or as every element of a tensor.
Term FunctionWriter::everywhere(const ir::AttrValue& value, const Type& type) {
  const Term one = tree_.number(value, type.element);
  if (type.is_scalar()) return one;
  const bool is_default = type.element == script_.module.real;
  const Term sizes = tree_.integers(type.sizes());
  if (is_default && is_plain(value, 0)) return call("zeros", {sizes});
  if (is_default && is_plain(value, 1)) return call("ones", {sizes});
  return call("full", {sizes, is_default ? one : typed(one, type.element)});
}

// ---- reductions, contractions ----

Term FunctionWriter::reduction(const Op& op) {
  const Term x = read_typed(op.operands[0]);
  if (op.code == Opcode::cumsum && op.attrs.flag(Attr::reverse)) {
    const Term axis = tree_.integer(op.attrs.integer(Attr::axis));
    return call("flip", {function(op, {call("flip", {x, axis})}), axis});
  }
  const bool is_over_none = op.code != Opcode::cumsum && op.attrs.ints(Attr::axes).empty() && function_.type(op.operands[0]).rank() > 0;
  return is_over_none ? x : function(op, {x});
}

Term FunctionWriter::contraction(const Op& op) {
  const std::string text = op.attrs.string(Attr::spec);
  const ir::EinsumSpec spec = ir::parse_einsum(text).value();
  const Term a = read(op.operands[0]), b = read(op.operands[1]);
  std::string shape = canonical(text);
  if (shape == "a,a->") return call("dot", {a, b});
  if (shape == "a,b->ab") return call("outer", {a, b});
  bool scales = (spec.a.empty() && spec.b == spec.out) || (spec.b.empty() && spec.a == spec.out);
  if (scales && !a.is_literal && !b.is_literal) return tree_.binary("*", a, b);
  for (bool turn_a : {false, true})
    for (bool turn_b : {false, true}) {
      if ((turn_a && spec.a.size() < 2) || (turn_b && spec.b.size() < 2) || spec.a.empty() || spec.b.empty()) continue;
      std::string turned = (turn_a ? swapped(spec.a) : spec.a) + "," + (turn_b ? swapped(spec.b) : spec.b) + "->" + spec.out;
      if (canonical(turned) != matmul_spec(spec.a.size(), spec.b.size())) continue;
      return tree_.binary("@", turn_a ? tree_.transposed(a) : a, turn_b ? tree_.transposed(b) : b);
    }
  return call("einsum", {tree_.text(text), a, b});
}

}  // namespace bpc::frontend::script
