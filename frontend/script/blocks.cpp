// Ops in order: those that are expressions, and those with an effect.
#include "frontend/script/blocks.h"

#include <algorithm>

#include "frontend/script/control.h"
#include "frontend/script/expressions.h"
#include "frontend/script/parts.h"
#include "frontend/script/regions.h"

namespace bpc::frontend::script {

using ir::Attr;
using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

void write_derivative(Draft& d, const Op& op) {
  std::vector<Term> operands;
  for (ValueId operand : op.operands) operands.push_back(d.read(operand));
  if (op.code != Opcode::vjp) return d.write_results(op, d.call(std::string(ir::op_info(op.code).name), operands));
  for (std::size_t i = 0; i < op.results.size(); ++i)  // the script's takes one variable
    d.write_result(op.results[i], d.call("vjp", {operands[0], operands[i + 2], operands[1]}));
}

void write_tape(Draft& d, const Op& op) {
  d.bind(op.results[0], d.call("tape", {}));
  if (!d.blank_tapes.contains(op.results[0])) return;
  const std::string name = d.name_of(op.results[0]);
  const Type entry = d.function.type(op.results[0]).as_entry();
  Term zero = everywhere(d, is_real(entry.element) ? ir::AttrValue(0.0) : ir::AttrValue(std::int64_t{0}), entry);
  if (entry.element != d.script.module.real) zero = d.typed(zero, entry.element);
  d.put(d.tree.assign(name, d.call("push", {d.tree.name(name), zero}), {}, "says what it holds"));
  AssignStmt popped{{}, "=", {}, {d.call("pop", {d.tree.name(name)}).id}};
  for (const std::string& target : {name, d.script.names.fresh("")}) popped.targets.push_back(Tree::target(target));
  d.put(std::move(popped));
}

void write_push(Draft& d, const Op& op) {
  Term tape = d.read(op.operands[0]), entry = d.read(op.operands[1]);
  if (d.function.type(op.operands[1]).element != d.script.module.real) entry = d.typed(entry, d.function.type(op.operands[1]).element);
  d.bind(op.results[0], d.call("push", {tape, entry}));
}

void write_pop(Draft& d, const Op& op) {
  d.write_results(op, d.call("pop", {d.read(op.operands[0])}));
}

// The texts between the items hold the spaces that `print` puts there.
void write_print(Draft& d, const Op& op) {
  const auto& texts = op.attrs.strings(Attr::text);
  PrintStmt print;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text = texts[i];
    bool after = i > 0, before = i + 1 < texts.size(), is_space = after && before && text == " ";
    bool is_nothing = text.empty() && (after || before);
    if (after && text.starts_with(' ')) text.erase(0, 1);
    if (before && text.ends_with(' ')) text.pop_back();
    if (!is_space && !is_nothing) print.items.push_back(d.tree.text(std::move(text)).id);
    if (before) print.items.push_back(d.read_typed(op.operands[i]).id);
  }
  d.flush({}, true);
  d.put(std::move(print));
}

void write_assert(Draft& d, const Op& op) {
  const Term condition = d.read(op.operands[0]);
  d.flush({}, true);
  const std::string& message = op.attrs.string(Attr::message);
  d.put(AssertStmt{condition.id, message.empty() ? std::nullopt : std::optional(message)});
}

void write_op(Draft& d, const Op& op) {
  switch (op.code) {
    case Opcode::update:
    case Opcode::scatter_add:
      return write_change(d, op);
    case Opcode::tape:
      return write_tape(d, op);
    case Opcode::push:
      return write_push(d, op);
    case Opcode::pop:
      return write_pop(d, op);
    case Opcode::if_else:
      return write_if(d, op);
    case Opcode::for_loop:
      return write_for(d, op);
    case Opcode::while_loop:
      return write_while(d, op);
    case Opcode::map:
      return write_map(d, op);
    case Opcode::checkpoint:
      return write_checkpoint(d, op);
    case Opcode::custom:
      return write_custom(d, op);
    case Opcode::print:
      return write_print(d, op);
    case Opcode::assert_true:
      return write_assert(d, op);
    case Opcode::grad:
    case Opcode::vjp:
    case Opcode::jvp:
      return write_derivative(d, op);
    default: {
      if (d.skipped.contains(op.results[0])) return;
      Term term = expression(d, op);
      term.may_fail = may_fail(d.function, op) ||
                      std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) { return d.terms[operand.index].may_fail; });
      return d.write_result(op.results[0], term);
    }
  }
}

}  // namespace

void write_block(Draft& d, BlockId block) {
  for (OpId id : d.function.block(block).ops) {
    const Draft::Maker maker(d, &d.function.op(id));
    write_op(d, d.function.op(id));
  }
}

Rendered render(Draft& d, BlockId region, bool is_top) {
  Rendered rendered;
  auto write = [&] {
    write_block(d, region);
    for (ValueId value : d.function.block(region).yields) rendered.yields.push_back(d.read(value));
  };
  rendered.statements = d.collected(write, is_top);
  return rendered;
}

}  // namespace bpc::frontend::script
