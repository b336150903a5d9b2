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

Binding binding_of(std::string_view spelling) {
  if (spelling == "or") return disjunction;
  if (spelling == "and") return conjunction;
  if (spelling == "+" || spelling == "-") return sum;
  if (spelling == "*" || spelling == "/" || spelling == "//" || spelling == "%") return product;
  if (spelling == "^") return power;
  return spelling.find_first_of("<>=") != std::string_view::npos ? comparison : atom;
}

Expr binary(const std::string& spelling, const Expr& a, const Expr& b) {
  Binding own = binding_of(spelling);
  if (own == power) {
    bool is_number = b.is_literal && b.binding >= minus;  // an exponent may carry a sign
    return {within(a, atom) + "^" + (is_number ? b.text : within(b, atom)), power};
  }
  bool chains = own != comparison;
  return {within(a, chains ? own : own + 1) + " " + spelling + " " + within(b, own + 1), own};
}

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

bool is_splat(const Op* op) {
  return op && op->code == Opcode::constant && op->attrs.find(Attr::value);
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
      return call(element_spec(type.element, script_.module.real), read_typed(op.operands[0]).text);
    case ShapeRule::reduce:
    case ShapeRule::arg_reduce:
    case ShapeRule::scan:
      return reduction(op);
    case ShapeRule::einsum:
      return contraction(op);
    case ShapeRule::reshape: {
      const Use& use = uses_.of(op.results[0]);
      if (is_temporary(op.results[0]) && use.user.valid() && is_stack(function_.op(use.user))) return read(op.operands[0]);
      Expr x = read_typed(op.operands[0]);
      std::size_t rank = function_.type(op.operands[0]).rank();
      if (!type.is_scalar() || rank == 0) return call("reshape", x.text + ", " + sizes_text(type));
      std::vector<std::string> zeros(rank, "0");
      return {within(x, atom) + fmt::format("[{}]", fmt::join(zeros, ", "))};
    }
    case ShapeRule::transpose: {
      const auto& perm = op.attrs.ints(Attr::perm);
      std::vector<std::int64_t> last_two(perm.size());
      std::iota(last_two.begin(), last_two.end(), 0);
      if (perm.size() >= 2) std::swap(last_two.end()[-1], last_two.end()[-2]);
      Expr x = read(op.operands[0]);
      if (perm.size() < 2) return x;
      if (perm == last_two) return {within(x, atom) + ".T"};
      return call("transpose", fmt::format("{}, [{}]", x.text, fmt::join(perm, ", ")));
    }
    case ShapeRule::broadcast:
      if (is_unstretched(op.results[0])) return read(op.operands[0]);
      return call("broadcast_to", read_typed(op.operands[0]).text + ", " + sizes_text(type));
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
    case ShapeRule::declared:
      return constant(op);
    case ShapeRule::update:
    case ShapeRule::nothing:
    case ShapeRule::region:
    case ShapeRule::gradient:
      break;
  }
  throw InternalError("write script", std::string(ir::op_info(op.code).name) + " is no expression", function_.origin(op.origin).span);
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
  if (op.code != Opcode::constant) {  // a draw; one of another type than real takes that of the param it initialises
    std::string shape = type.element == real ? sizes_text(type) + ", " : "";
    std::string name = op.code == Opcode::random_normal ? "normal" : "uniform";
    return call(name, fmt::format("0, 1, {}stream={}", shape, op.attrs.integer(Attr::stream)));
  }
  const ir::AttrValue* value = op.attrs.find(Attr::value);
  if (!value && type.count() > 0) {
    std::size_t next = 0;
    return {list(op, next, 0), atom, type.element != real && type.element != Element::boolean};
  }
  Expr one = number(value ? *value : is_real(type.element) ? ir::AttrValue(0.0) : ir::AttrValue(std::int64_t{0}), type.element, real);
  if (type.is_scalar()) return one;
  bool is_default = type.element == real;
  if (is_default && (one.text == "0" || one.text == "1")) return call(one.text == "0" ? "zeros" : "ones", sizes_text(type));
  return call("full", sizes_text(type) + ", " + (is_default ? one : typed(one, type.element)).text);
}

// ---- elementwise ----

// For each operand whether it is written without the broadcast that made it, or as a number, because it stretches by itself to the shape
// that the others have.
std::vector<bool> FunctionWriter::unstretched(const Op& op) const {
  std::vector<bool> flags(op.operands.size(), false);
  if (ir::op_info(op.code).group != Group::elementwise || op.operands.size() < 2) return flags;
  std::vector<Type> types;
  for (ValueId operand : op.operands) types.push_back(function_.type(operand));
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    const Op* made = function_.def(op.operands[i]);
    if (!made || types[i].is_scalar() || !is_temporary(op.operands[i])) continue;
    Type stretched = types[i];
    if (is_splat(made))
      types[i].dims.clear();
    else if (made->code == Opcode::broadcast)
      types[i] = function_.type(made->operands[0]);
    else
      continue;
    auto dims = ir::broadcast_dims(types, false);
    flags[i] = dims && same_shape(Type(Element::f32, *dims), function_.type(op.results[0]));
    if (!flags[i]) types[i] = stretched;
  }
  return flags;
}

bool FunctionWriter::is_unstretched(ValueId broadcast) const {
  const Use& use = uses_.of(broadcast);
  if (!is_temporary(broadcast) || !use.user.valid()) return false;
  const Op& user = function_.op(use.user);
  auto at = static_cast<std::size_t>(std::find(user.operands.begin(), user.operands.end(), broadcast) - user.operands.begin());
  return unstretched(user)[at];
}

// As they are to be written: at least one of the operands that share a type is no literal, so that the others take its type.
std::vector<Expr> FunctionWriter::elementwise_operands(const Op& op) {
  std::vector<bool> flags = unstretched(op);
  std::vector<Expr> operands;
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    const Op* made = function_.def(op.operands[i]);
    Expr operand = read(op.operands[i]);
    if (flags[i] && is_splat(made))
      operand = number(*made->attrs.find(Attr::value), function_.type(op.operands[i]).element, script_.module.real);
    operands.push_back(std::move(operand));
  }
  std::size_t first = op.code == Opcode::select ? 1 : 0;
  Element element = function_.type(op.operands[first]).element;
  if (!std::all_of(operands.begin() + static_cast<std::ptrdiff_t>(first), operands.end(), [](const Expr& e) { return e.is_literal; }))
    return operands;
  if (is_real(element)) {
    operands[first] = typed(operands[first], element);
  } else {  // a cast literal would still be a compile-time number
    std::string name = script_.names.fresh("");
    assign(name, operands[first], Type(element));
    operands[first] = {name};
  }
  return operands;
}

Expr FunctionWriter::elementwise(const Op& op) {
  std::vector<Expr> operands = elementwise_operands(op);
  const std::string spelling(ir::op_info(op.code).spelling);
  if (op.code == Opcode::neg) return {fmt::format("-{}", within(operands[0], power)), minus};
  if (op.code == Opcode::logical_not) return {fmt::format("not {}", within(operands[0], negation)), negation};
  if (binding_of(spelling) != atom) return binary(spelling, operands[0], operands[1]);
  std::vector<std::string> texts;
  if (op.code == Opcode::polygamma) texts.push_back(std::to_string(op.attrs.integer(Attr::order)));
  for (const Expr& operand : operands) texts.push_back(operand.text);
  return call(spelling, fmt::format("{}", fmt::join(texts, ", ")));
}

// ---- reductions, contractions, parts ----

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

Expr FunctionWriter::contraction(const Op& op) {
  const std::string text = op.attrs.string(Attr::spec);
  const ir::EinsumSpec spec = ir::parse_einsum(text).value();
  Expr a = read(op.operands[0]), b = read(op.operands[1]);
  std::string shape = canonical(text);
  if (shape == "a,a->") return call("dot", a.text + ", " + b.text);
  if (shape == "a,b->ab") return call("outer", a.text + ", " + b.text);
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

Expr FunctionWriter::slice(const Op& op) {
  Expr x = read(op.operands[0]);
  if (function_.type(op.operands[0]).is_scalar()) return x;
  return {within(x, atom) + index(op, 1)};
}

// "[i, 0..3, :]"; the starts known only at run time are operands from `first_start` on.
std::string FunctionWriter::index(const Op& op, std::size_t first_start) {
  const auto& starts = op.attrs.ints(Attr::starts);
  const auto& sizes = op.attrs.ints(Attr::sizes);
  const auto& steps = op.attrs.ints(Attr::steps);
  const auto& dynamic = op.attrs.ints(Attr::dynamic);
  const auto& drop = op.attrs.ints(Attr::drop);
  const Type& type = function_.type(op.operands[0]);
  std::vector<std::string> items;
  for (std::size_t axis = 0; axis < starts.size(); ++axis) {
    auto names_axis = [&](const std::vector<std::int64_t>& axes) {
      return std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(axis));
    };
    std::int64_t start = starts[axis], size = sizes[axis], step = steps[axis];
    std::string by = step == 1 ? "" : fmt::format(" by {}", step);
    if (names_axis(dynamic)) {
      Expr at = read(op.operands[first_start++]);
      if (names_axis(drop)) {
        items.push_back(at.text);
        continue;
      }
      if (at.is_literal || at.binding != atom) {  // written twice, and no number: that could count from the other end
        std::string name = script_.names.fresh("");
        assign(name, at, function_.type(op.operands[first_start - 1]));
        at = {name};
      }
      std::int64_t end = (size - 1) * step + (step > 0 ? 1 : -1);
      items.push_back(fmt::format("{0}..{0} {1} {2}{3}", at.text, end < 0 ? "-" : "+", std::abs(end), by));
    } else if (names_axis(drop)) {
      items.push_back(std::to_string(start));
    } else if (size == 0) {
      items.push_back("0..0");
    } else if (start == 0 && step == 1 && size == type.size(axis)) {
      items.push_back(":");
    } else {
      std::int64_t last = start + (size - 1) * step;
      std::string end = step > 0 ? std::to_string(last + 1) : last > 0 ? std::to_string(last - 1) : "";  // downwards, no bound means to 0
      items.push_back(fmt::format("{}..{}{}", start, end, by));
    }
  }
  return fmt::format("[{}]", fmt::join(items, ", "));
}

}  // namespace bpc::frontend::script
