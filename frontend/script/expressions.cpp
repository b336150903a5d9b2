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
using ir::ShapeRule;
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
  const Type& type = function_.type(op.results[0]);
  switch (ir::op_info(op.code).rule) {
    case ShapeRule::pointwise:
    case ShapeRule::comparison:
    case ShapeRule::select:
      return elementwise(op);
    case ShapeRule::cast:
      return cast(op);
    case ShapeRule::reduce:
    case ShapeRule::arg_reduce:
    case ShapeRule::scan:
      return reduction(op);
    case ShapeRule::einsum:
      return contraction(op);
    case ShapeRule::reshape: {
      const Use& use = uses_.of(op.results[0]);
      const Op* user = is_temporary(op.results[0]) && use.user.valid() ? &function_.op(use.user) : nullptr;
      bool is_scalar = function_.type(op.operands[0]).is_scalar();
      if (user && (is_stack(*user) || (user->code == Opcode::broadcast && is_scalar))) return read(op.operands[0]);
      const Term x = read_typed(op.operands[0]);
      std::size_t rank = function_.type(op.operands[0]).rank();
      if (same_shape(type, function_.type(op.operands[0]))) return x;
      if (!type.is_scalar() || rank == 0) return call("reshape", {x, tree_.integers(type.sizes())});
      return tree_.index(x, std::vector(rank, tree_.integer(0)));
    }
    case ShapeRule::transpose:
      return transposition(op);
    case ShapeRule::broadcast:
      if (is_unstretched(op.results[0])) return read(op.operands[0]);
      return stretched(op);
    case ShapeRule::slice:
      return slice(op);
    case ShapeRule::concat: {
      std::vector<Term> parts;
      for (ValueId operand : op.operands) parts.push_back(read(operand));
      if (std::all_of(parts.begin(), parts.end(), [](const Term& part) { return part.is_literal; }))
        parts[0] = typed(parts[0], type.element);
      const Term list = tree_.list(parts);
      return is_stack(op) ? list : call("concat", {list}, {{"axis", tree_.integer(op.attrs.integer(Attr::axis))}});
    }
    case ShapeRule::window:
    case ShapeRule::window_add: {
      bool adds = op.code == Opcode::window_add;
      const std::vector<Term> arguments{read_typed(op.operands[0]), tree_.integer(op.attrs.integer(Attr::axis)),
                                        tree_.integer(op.attrs.integer(adds ? Attr::length : Attr::size))};
      std::vector<std::pair<std::string, Term>> named;
      for (Attr attr : {Attr::stride, Attr::dilation})
        if (op.attrs.integer(attr) != 1) named.emplace_back(ir::attr_name(attr), tree_.integer(op.attrs.integer(attr)));
      return call(adds ? "window_add" : "window", arguments, named);
    }
    case ShapeRule::square:
    case ShapeRule::determinant:
    case ShapeRule::solve:
    case ShapeRule::order:
      return library(op);
    case ShapeRule::declared:
      return constant(op);
    case ShapeRule::gather:
      return gather(op);
    case ShapeRule::update:
    case ShapeRule::scatter:
    case ShapeRule::tape:
    case ShapeRule::push:
    case ShapeRule::pop:
    case ShapeRule::nothing:
    case ShapeRule::region:
    case ShapeRule::gradient:
    case ShapeRule::tangent:
      break;
  }
  throw InternalError("write script", std::string(ir::op_info(op.code).name) + " is no expression", function_.origin(op.origin).span);
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
  const auto& axes = op.attrs.ints(Attr::axes);
  std::size_t rank = function_.type(op.operands[0]).rank();
  const Term x = read_typed(op.operands[0]);
  const std::string name(ir::op_info(op.code).spelling);
  if (op.code == Opcode::cumsum) {
    const Term axis = tree_.integer(op.attrs.integer(Attr::axis));
    auto flipped = [&](const Term& y) { return op.attrs.flag(Attr::reverse) ? call("flip", {y, axis}) : y; };
    return flipped(call(name, {flipped(x)}, {{"axis", axis}}));
  }
  if (axes.empty() && rank > 0) return x;  // over no axis
  std::vector<std::pair<std::string, Term>> named;
  if (axes.size() == 1 && rank > 1)
    named.emplace_back("axis", tree_.integer(axes[0]));
  else if (axes.size() < rank)
    named.emplace_back("axis", tree_.integers(axes));
  if (op.attrs.flag(Attr::keep)) named.emplace_back("keep", tree_.truth(true));
  return call(name, {x}, named);
}

Term FunctionWriter::library(const Op& op) {
  std::vector<Term> arguments;
  for (ValueId operand : op.operands) arguments.push_back(read_typed(operand));
  std::vector<std::pair<std::string, Term>> named;
  if (op.attrs.flag(Attr::upper)) named.emplace_back("lower", tree_.truth(false));
  if (op.attrs.flag(Attr::transposed)) named.emplace_back("transposed", tree_.truth(true));
  if (op.code == Opcode::argsort) named.emplace_back("axis", tree_.integer(op.attrs.integer(Attr::axis)));
  if (op.attrs.flag(Attr::descending)) named.emplace_back("descending", tree_.truth(true));
  return call(std::string(ir::op_info(op.code).spelling), arguments, named);
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
