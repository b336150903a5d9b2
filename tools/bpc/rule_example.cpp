// The operands that show what an operator does to shapes, and what its derivative is.
#include "tools/bpc/rule_book.h"

#include <fmt/format.h>

#include "support/internal_error.h"
#include "tools/bpc/driver.h"

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

// In words, by shape rule.
constexpr std::string_view kShapes[] = {
#define BPC_SHAPE_RULE(id, batch, shape) shape,
#include "ir/shape_rules.def"
};

std::string shape_of(const ir::OpInfo& op, const std::vector<std::string>& names) {
  const bool is_alone = op.rule == ir::ShapeRule::pointwise && names.size() == 1;
  return is_alone ? "that of " + names[0] : std::string(kShapes[static_cast<std::size_t>(op.rule)]);
}

std::vector<std::string> operand_names(const ir::OpInfo& op) {
  std::vector<std::string> names;
  for (const ir::Formal& formal : op.signature)
    if (!formal.attr) names.emplace_back(formal.word);
  return names;
}

ir::Attributes along(std::int64_t axis) {
  return {{Attr::axis, axis}};
}

// x[i], or x[i, :]: one row.
ir::Attributes row() {
  return {
      {Attr::starts, Ints{0, 0}}, {Attr::sizes, Ints{1, 3}}, {Attr::steps, Ints{1, 1}}, {Attr::dynamic, Ints{0}}, {Attr::drop, Ints{0}}};
}

const Type kMatrix = real({2, 3}), kIndex(Element::i32), kIndices = Type::of_sizes(Element::i32, {4});

// Of what scripts write by a notation of its own.
Example of_notation(const ir::OpInfo& op) {
  auto written = [](Example example, const char* notation, const char* usage, const char* sentence, const char* script) {
    example.notation = notation, example.usage = usage, example.sentence = sentence, example.script = script;
    return example;
  };
  if (op.code == Opcode::einsum)
    return written({{}, {"a", "b"}, {kMatrix, real({3, 4})}, {{Attr::spec, std::string("ij,jk->ik")}}}, "@", "a @ b",
                   "matrix product, of vectors too; axes before the last two are batches", "[[1, 2], [3, 4]] @ [[1], [10]]");
  if (op.code == Opcode::transpose)
    return written({{}, {"x"}, {kMatrix}, {{Attr::perm, Ints{1, 0}}}}, ".T", "x.T", "the last two axes swapped", "[[1, 2], [3, 4]].T");
  if (op.code == Opcode::slice)
    return written({{}, {"x", "i"}, {kMatrix, kIndex}, row()}, "x[i]", "x[i], x[a..b by s]",
                   "an element, row or range; an index counts from 0, a negative one from the end", "x = [1, 2, 3, 4]; x[1..]");
  if (op.code == Opcode::update)
    return written({{}, {"x", "v", "i"}, {kMatrix, real({3}), kIndex}, row()}, "x[i] = v", "x[i] = v, x[i] += v",
                   "x is rebound, with v in the place of a part or added to it", "x = [1, 2, 3]; x[1] += 10; x");
  if (op.code == Opcode::gather)
    return written({{}, {"x", "i"}, {kMatrix, kIndices}, {{Attr::axes, Ints{0}}}}, "x[idx]", "x[idx]",
                   "the rows that a tensor of integers names", "x = [1, 2, 3]; idx = i32([2, 0]); x[idx]");
  if (op.code == Opcode::scatter_add)
    return written({{}, {"x", "v", "i"}, {kMatrix, real({4, 3}), kIndices}, {{Attr::axes, Ints{0}}}}, "x[idx] += v", "x[idx] += v",
                   "x is rebound, with v added to the rows that idx names; where one repeats, all add up",
                   "x = [1, 2, 3]; idx = i32([2, 2]); x[idx] += 10; x");
  return {};
}

// As in the script of the row.
Example of_script(const ir::OpInfo& op) {
  Options options;
  Session session(options);
  auto program = load_script(session, session.sources.add("<example>", "y = " + std::string(op.example) + "\n"));
  auto script = program ? lower_script(session, std::move(*program), DataNeed::values) : std::nullopt;
  if (!script) throw InternalError("rules", fmt::format("the example `{}` is wrong", op.example));
  const ir::Function& main = script->module.main;
  const ir::Op& shown = *main.def(main.outputs.at(0).value);
  Example example;
  for (ir::ValueId operand : shown.operands) example.operands.push_back(main.type(operand));
  example.attrs = shown.attrs;
  return example;
}

// The smallest operands that show the rule.
Example smallest(const ir::OpInfo& op) {
  const auto count = static_cast<std::size_t>(op.min_operands);
  Type whole = element_of(op.domain);
  switch (op.group) {
    case ir::Group::elementwise: {
      Example example{{}, {}, std::vector<Type>(count, whole), {}};
      if (op.code == Opcode::select) example.operands[0] = Type(Element::boolean);
      if (ir::takes_order(op.code)) example.attrs.set(Attr::order, std::int64_t{0});
      return example;
    }
    case ir::Group::reduction:
      whole.dims = kMatrix.dims;
      return {{}, {}, {whole}, op.code == Opcode::cumsum ? along(1) : ir::Attributes{{Attr::axes, Ints{1}}}};
    case ir::Group::library:
      if (op.code == Opcode::argsort) return {{}, {}, {kMatrix}, along(1)};
      return {{}, {}, count == 1 ? std::vector{real({3, 3})} : std::vector{real({3, 3}), real({3, 2})}, {}};
    case ir::Group::movement:
      return of_script(op);
    case ir::Group::contraction:
    case ir::Group::source:
    case ir::Group::random:
    case ir::Group::tape:
    case ir::Group::control:
    case ir::Group::effect:
    case ir::Group::derivative:
      break;
  }
  return {};
}

}  // namespace

Example example_of(const ir::OpInfo& op) {
  Example example = op.spelling.empty() ? of_notation(op) : smallest(op);
  if (example.names.empty()) example.names = operand_names(op);
  example.shape = shape_of(op, example.names);
  example.attrs = ir::with_defaults(op.code, std::move(example.attrs));
  return example;
}

}  // namespace bpc::tool
