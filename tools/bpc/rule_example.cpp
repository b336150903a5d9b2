// The shape rules in words, each with the smallest operands that show it.
#include "tools/bpc/rule_book.h"

#include <fmt/format.h>
#include <algorithm>

namespace bpc::tool {

namespace {

using ir::Attr;
using ir::Opcode;
using Ints = std::vector<std::int64_t>;

Type real(Ints sizes = {}) {
  return Type::of_sizes(Element::f32, sizes);
}
Type element_of(ir::Domain domain) {
  return domain == ir::Domain::boolean ? Type(Element::boolean) : domain == ir::Domain::integer ? Type(Element::i32) : real();
}

// The names of the operands: a parameter that is an attribute has a default or stands before them.
std::vector<std::string> operand_names(const ir::OpInfo& op) {
  std::vector<std::string> names(1);
  for (char c : op.signature)
    if (c == ',')
      names.emplace_back();
    else if (c != ' ')
      names.back() += c;
  std::erase_if(names, [](const std::string& name) { return name.empty() || name.find('=') != std::string::npos; });
  auto count = static_cast<std::size_t>(op.min_operands);
  if (op.rule == ir::ShapeRule::pointwise && names.size() > count)
    names.erase(names.begin(), names.end() - static_cast<std::ptrdiff_t>(count));
  names.resize(std::min(names.size(), count));
  return names;
}

// x[i], or x[i, :]: one row.
ir::Attributes row() {
  return {
      {Attr::starts, Ints{0, 0}}, {Attr::sizes, Ints{1, 3}}, {Attr::steps, Ints{1, 1}}, {Attr::dynamic, Ints{0}}, {Attr::drop, Ints{0}}};
}

// Of what scripts write by a notation of its own.
Example written(Example example, std::string notation, std::string usage, std::string sentence, std::string script) {
  example.notation = std::move(notation);
  example.usage = std::move(usage);
  example.sentence = std::move(sentence);
  example.script = std::move(script);
  return example;
}

}  // namespace

Example example_of(const ir::OpInfo& op) {
  const std::vector<std::string> names = operand_names(op);
  const Type matrix = real({2, 3}), index(Element::i32), indices = Type::of_sizes(Element::i32, {4});
  switch (op.rule) {
    case ir::ShapeRule::pointwise: {
      Example example{
          names.size() > 1 ? "that of the operand to which the others stretch" : fmt::format("that of {}", names.empty() ? "x" : names[0]),
          names,
          std::vector<Type>(names.size(), element_of(op.domain)),
          {},
          {}};
      if (op.code == Opcode::polygamma) example.attrs.set(Attr::order, std::int64_t{0});
      return example;
    }
    case ir::ShapeRule::comparison:
      return {"that of the operand to which the other stretches, of bools", names, {real(), real()}, {}, {}};
    case ir::ShapeRule::select:
      return {"that of the operand to which the others stretch", names, {Type(Element::boolean), real(), real()}, {}, {}};
    case ir::ShapeRule::cast:
      return {"that of x", names, {real()}, {}, {Type(Element::f64)}};
    case ir::ShapeRule::reduce: {
      Type x = element_of(op.domain);
      x.dims = matrix.dims;
      return {"x without the axes, or with keep=true of size 1 there", names, {x}, {{Attr::axes, Ints{1}}, {Attr::keep, false}}, {}};
    }
    case ir::ShapeRule::arg_reduce:
      return {"x without the axis, of i32", names, {matrix}, {{Attr::axes, Ints{1}}, {Attr::keep, false}}, {}};
    case ir::ShapeRule::scan:
      return {"that of x", names, {matrix}, {{Attr::axis, std::int64_t{1}}, {Attr::reverse, false}}, {}};
    case ir::ShapeRule::einsum:
      return written({"[n, m] of a [n, k] and b [k, m]; a vector has no n, or no m",
                      names,
                      {matrix, real({3, 4})},
                      {{Attr::spec, std::string("ij,jk->ik")}},
                      {}},
                     "@", "a @ b", "matrix product, of vectors too; axes before the last two are batches",
                     "[[1, 2], [3, 4]] @ [[1], [10]]");
    case ir::ShapeRule::reshape:
      return {"the one given, with as many elements", names, {matrix}, {}, {real({6})}};
    case ir::ShapeRule::transpose:
      return written({"that of x, with its last two sizes swapped", names, {matrix}, {{Attr::perm, Ints{1, 0}}}, {}}, ".T", "x.T",
                     "the last two axes swapped", "[[1, 2], [3, 4]].T");
    case ir::ShapeRule::broadcast:
      return {"the one given, to which x stretches", names, {real({3})}, {}, {matrix}};
    case ir::ShapeRule::slice:
      return written({"a range keeps its axis, with its length; a single index drops it", {"x", "i"}, {matrix, index}, row(), {}}, "x[i]",
                     "x[i], x[a..b by s]", "an element, row or range; an index counts from 0, a negative one from the end",
                     "x = [1, 2, 3, 4]; x[1..]");
    case ir::ShapeRule::update:
      return written({"that of x; v has the shape of the part", {"x", "v", "i"}, {matrix, real({3}), index}, row(), {}}, "x[i] = v",
                     "x[i] = v, x[i] += v", "x is rebound, with v in the place of a part or added to it", "x = [1, 2, 3]; x[1] += 10; x");
    case ir::ShapeRule::gather:
      return written(
          {"x with the axes of the indices in the place of the one they name", {"x", "i"}, {matrix, indices}, {{Attr::axes, Ints{0}}}, {}},
          "x[idx]", "x[idx]", "the rows that a tensor of integers names", "x = [1, 2, 3]; idx = i32([2, 0]); x[idx]");
    case ir::ShapeRule::scatter:
      return written({"that of x", {"x", "v", "i"}, {matrix, real({4, 3}), indices}, {{Attr::axes, Ints{0}}}, {}}, "x[idx] += v",
                     "x[idx] += v", "x is rebound, with v added to the rows that idx names; where one repeats, all add up",
                     "x = [1, 2, 3]; idx = i32([2, 2]); x[idx] += 10; x");
    case ir::ShapeRule::concat:
      return {"that of the operands, whose sizes add up along the axis",
              {"a", "b"},
              {matrix, real({1, 3})},
              {{Attr::axis, std::int64_t{0}}},
              {}};
    case ir::ShapeRule::window:
    case ir::ShapeRule::window_add: {
      bool adds = op.rule == ir::ShapeRule::window_add;
      ir::Attributes attrs{{Attr::axis, std::int64_t{0}}, {Attr::stride, std::int64_t{1}}, {Attr::dilation, std::int64_t{1}}};
      attrs.set(adds ? Attr::length : Attr::size, std::int64_t{adds ? 5 : 2});
      return {adds ? "y without its last axis, and with the length given along the axis"
                   : "x with the number of windows along the axis, and a new last axis of their size",
              names,
              {adds ? real({4, 2}) : real({5})},
              std::move(attrs),
              {}};
    }
    case ir::ShapeRule::square:
      return {"that of A, square matrices", names, {real({3, 3})}, {}, {}};
    case ir::ShapeRule::determinant:
      return {"A without its last two axes", names, {real({3, 3})}, {}, {}};
    case ir::ShapeRule::solve: {
      ir::Attributes attrs{{Attr::transposed, false}};
      if (op.code == Opcode::triangular_solve) attrs.set(Attr::upper, false);
      return {"that of b, as many rows as A has", names, {real({3, 3}), real({3, 2})}, std::move(attrs), {}};
    }
    case ir::ShapeRule::order:
      return {"that of x, of i32", names, {matrix}, {{Attr::axis, std::int64_t{1}}, {Attr::descending, false}}, {}};
    case ir::ShapeRule::declared:
      return {"the one given", {}, {}, {}, {}};
    case ir::ShapeRule::tape:
    case ir::ShapeRule::push:
    case ir::ShapeRule::pop:
      return {"a tape holds values of one type", {}, {}, {}, {}};
    case ir::ShapeRule::nothing:
    case ir::ShapeRule::region:
    case ir::ShapeRule::gradient:
    case ir::ShapeRule::tangent:
      break;
  }
  return {};
}

}  // namespace bpc::tool
