#include <fmt/format.h>
#include <algorithm>
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

std::string swapped(std::string letters) {
  std::swap(letters.end()[-1], letters.end()[-2]);
  return letters;
}

}  // namespace

Expr FunctionWriter::call(const std::string& name, const std::string& arguments) {
  script_.called.insert(name);
  return {name + "(" + arguments + ")"};
}

Expr FunctionWriter::typed(const Expr& expr, Element element) {
  return expr.is_literal ? call(element_spec(element, script_.module.real), expr.text) : expr;
}

const Op* FunctionWriter::def(ValueId value, Opcode code) const {
  const Op* op = function_.def(value);
  return op && op->code == code ? op : nullptr;
}

// The value of an op with one result, by what it is made of.
Expr FunctionWriter::expression(const Op& op) {
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
      Expr x = read_typed(op.operands[0]);
      std::size_t rank = function_.type(op.operands[0]).rank();
      if (same_shape(type, function_.type(op.operands[0]))) return x;
      if (!type.is_scalar() || rank == 0) return call("reshape", x.text + ", " + sizes_text(type));
      std::vector<std::string> zeros(rank, "0");
      return {within(x, atom) + fmt::format("[{}]", fmt::join(zeros, ", "))};
    }
    case ShapeRule::transpose:
      return transposition(op);
    case ShapeRule::broadcast:
      if (is_unstretched(op.results[0])) return read(op.operands[0]);
      return stretched(op);
    case ShapeRule::slice:
      return slice(op);
    case ShapeRule::concat: {
      std::vector<Expr> parts;
      for (ValueId operand : op.operands) parts.push_back(read(operand));
      if (std::all_of(parts.begin(), parts.end(), [](const Expr& part) { return part.is_literal; }))
        parts[0] = typed(parts[0], type.element);
      std::vector<std::string> texts;
      for (const Expr& part : parts) texts.push_back(part.text);
      if (is_stack(op)) return {fmt::format("[{}]", fmt::join(texts, ", "))};
      return call("concat", fmt::format("[{}], axis={}", fmt::join(texts, ", "), op.attrs.integer(Attr::axis)));
    }
    case ShapeRule::window:
    case ShapeRule::window_add: {
      bool adds = op.code == Opcode::window_add;
      std::string text = fmt::format("{}, {}, {}", read_typed(op.operands[0]).text, op.attrs.integer(Attr::axis),
                                     op.attrs.integer(adds ? Attr::length : Attr::size));
      for (Attr attr : {Attr::stride, Attr::dilation})
        if (op.attrs.integer(attr) != 1) text += fmt::format(", {}={}", ir::attr_name(attr), op.attrs.integer(attr));
      return call(adds ? "window_add" : "window", text);
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

Expr FunctionWriter::cast(const Op& op) {
  const Element element = function_.type(op.results[0]).element;
  if (is_number(op.results[0])) return number(*function_.def(op.operands[0])->attrs.find(Attr::value), element, script_.module.real);
  return call(element_spec(element, script_.module.real), read_typed(op.operands[0]).text);
}

Expr FunctionWriter::stretched(const Op& op) {
  const Type& type = function_.type(op.results[0]);
  Expr x = read(op.operands[0]);
  if (!x.is_literal) return call("broadcast_to", x.text + ", " + sizes_text(type));
  if (type.element != script_.module.real) x = typed(x, type.element);
  return call("full", sizes_text(type) + ", " + x.text);
}

Expr FunctionWriter::transposition(const Op& op) {
  Expr x = read(op.operands[0]);
  const auto& perm = op.attrs.ints(Attr::perm);
  if (perm.size() < 2 || is_placed(op)) return x;
  return transposed(x, perm);
}

Expr FunctionWriter::transposed(const Expr& x, const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> last_two(perm.size());
  std::iota(last_two.begin(), last_two.end(), 0);
  std::swap(last_two.end()[-1], last_two.end()[-2]);
  if (perm == last_two) return {within(x, atom) + ".T"};
  return call("transpose", fmt::format("{}, [{}]", x.text, fmt::join(perm, ", ")));
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
std::string FunctionWriter::list(const Op& op, std::size_t& next, std::size_t axis) const {
  const Type& type = function_.type(op.results[0]);
  if (axis == type.rank()) {
    const auto& reals = op.attrs.reals(Attr::reals);
    ir::AttrValue value = is_real(type.element) ? ir::AttrValue(reals[next]) : ir::AttrValue(op.attrs.ints(Attr::ints)[next]);
    ++next;
    return number(value, type.element, script_.module.real).text;
  }
  std::vector<std::string> items;
  for (std::int64_t i = 0; i < type.size(axis); ++i) items.push_back(list(op, next, axis + 1));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

Expr FunctionWriter::constant(const Op& op) {
  const Type& type = function_.type(op.results[0]);
  const Element real = script_.module.real;
  if (op.code == Opcode::iota) {
    bool plain = type.rank() == 1 && type.element == real;
    if (plain) return call("arange", std::to_string(type.size(0)));
    Expr index = call("iota", fmt::format("{}, {}", sizes_text(type), op.attrs.integer(Attr::axis)));
    return type.element == Element::i32 ? index : call(element_spec(type.element, real), index.text);
  }
  if (op.code != Opcode::constant) {  // a draw, of the type that its bounds have
    std::string bounds = type.element == real ? "0, 1" : fmt::format("{0}(0), {0}(1)", element_spec(type.element, real));
    std::string turn = op.operands.empty() ? "" : ", turn=" + read(op.operands[0]).text;
    std::string name = op.code == Opcode::random_normal ? "normal" : "uniform";
    return call(name, fmt::format("{}, {}, stream={}{}", bounds, sizes_text(type), op.attrs.integer(Attr::stream), turn));
  }
  const ir::AttrValue* value = op.attrs.find(Attr::value);
  if (!value && type.count() > 0) {
    std::size_t next = 0;
    return {list(op, next, 0), atom, type.element != real && type.element != Element::boolean};
  }
  return everywhere(value ? *value : is_real(type.element) ? ir::AttrValue(0.0) : ir::AttrValue(std::int64_t{0}), type);
}

// The number as a scalar, or as every element of a tensor.
Expr FunctionWriter::everywhere(const ir::AttrValue& value, const Type& type) {
  Expr one = number(value, type.element, script_.module.real);
  if (type.is_scalar()) return one;
  bool is_default = type.element == script_.module.real;
  if (is_default && (one.text == "0" || one.text == "1")) return call(one.text == "0" ? "zeros" : "ones", sizes_text(type));
  return call("full", sizes_text(type) + ", " + (is_default ? one : typed(one, type.element)).text);
}

// ---- reductions, contractions ----

Expr FunctionWriter::reduction(const Op& op) {
  const auto& axes = op.attrs.ints(Attr::axes);
  std::size_t rank = function_.type(op.operands[0]).rank();
  Expr x = read_typed(op.operands[0]);
  std::string name(ir::op_info(op.code).spelling);
  if (op.code == Opcode::cumsum) {
    std::int64_t axis = op.attrs.integer(Attr::axis);
    if (!op.attrs.flag(Attr::reverse)) return call(name, fmt::format("{}, axis={}", x.text, axis));
    std::string inner = call(name, fmt::format("{}, axis={}", call("flip", fmt::format("{}, {}", x.text, axis)).text, axis)).text;
    return call("flip", fmt::format("{}, {}", inner, axis));
  }
  if (axes.empty() && rank > 0) return x;  // over no axis
  std::string arguments = x.text;
  if (axes.size() == 1 && rank > 1)
    arguments += fmt::format(", axis={}", axes[0]);
  else if (axes.size() < rank)
    arguments += fmt::format(", axis=[{}]", fmt::join(axes, ", "));
  if (op.attrs.flag(Attr::keep)) arguments += ", keep=true";
  return call(name, arguments);
}

Expr FunctionWriter::library(const Op& op) {
  std::string arguments = read_typed(op.operands[0]).text;
  if (op.operands.size() > 1) arguments += ", " + read_typed(op.operands[1]).text;
  if (op.attrs.flag(Attr::upper)) arguments += ", lower=false";
  if (op.attrs.flag(Attr::transposed)) arguments += ", transposed=true";
  if (op.code == Opcode::argsort) arguments += fmt::format(", axis={}", op.attrs.integer(Attr::axis));
  if (op.attrs.flag(Attr::descending)) arguments += ", descending=true";
  return call(std::string(ir::op_info(op.code).spelling), arguments);
}

Expr FunctionWriter::contraction(const Op& op) {
  const std::string text = op.attrs.string(Attr::spec);
  const ir::EinsumSpec spec = ir::parse_einsum(text).value();
  Expr a = read(op.operands[0]), b = read(op.operands[1]);
  std::string shape = canonical(text);
  if (shape == "a,a->") return call("dot", a.text + ", " + b.text);
  if (shape == "a,b->ab") return call("outer", a.text + ", " + b.text);
  bool scales = (spec.a.empty() && spec.b == spec.out) || (spec.b.empty() && spec.a == spec.out);
  if (scales && !a.is_literal && !b.is_literal) return {within(a, product) + " * " + within(b, product + 1), product};
  for (bool turn_a : {false, true})
    for (bool turn_b : {false, true}) {
      if ((turn_a && spec.a.size() < 2) || (turn_b && spec.b.size() < 2) || spec.a.empty() || spec.b.empty()) continue;
      std::string turned = (turn_a ? swapped(spec.a) : spec.a) + "," + (turn_b ? swapped(spec.b) : spec.b) + "->" + spec.out;
      if (canonical(turned) != matmul_spec(spec.a.size(), spec.b.size())) continue;
      if (turn_a) a = {within(a, atom) + ".T"};
      if (turn_b) b = {within(b, atom) + ".T"};
      return {within(a, product) + " @ " + within(b, product + 1), product};
    }
  return call("einsum", "\"" + text + "\", " + a.text + ", " + b.text);
}

}  // namespace bpc::frontend::script
