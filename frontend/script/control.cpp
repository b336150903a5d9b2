// Loops and branches.
#include <fmt/format.h>
#include <algorithm>
#include <utility>

#include "frontend/script/control.h"

#include "frontend/script/blocks.h"

namespace bpc::frontend::script {

using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

constexpr std::size_t kLongestConditional = 80;  // characters of a branch that becomes an expression

}  // namespace

// The value of an expression that has just been read, on its way into a variable.
Assignment moved(Draft& d, const std::string& name, ValueId value, const Term& term) {
  const Op* made = !d.tree.is_word(term) && d.is_temporary(value) ? d.function.def(value) : nullptr;
  return {name, term, d.function.type(value), made ? d.comment(*made) : ""};
}

// Values of a block and what is read for them, on their way into variables: in the order in which they were made, so that a script that is
// read and written again keeps its order; then those that were there before.
void move_all(Draft& d, BlockId block, std::span<const ValueId> values, std::span<const std::string> names, std::span<const Term> terms) {
  std::vector<std::pair<std::pair<std::size_t, std::string>, Assignment>> order;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Op* made = d.function.value(values[i]).block == block ? d.function.def(values[i]) : nullptr;
    order.push_back({{made && !d.tree.is_word(terms[i]) ? d.uses.place(d.function.value(values[i]).op) : kEnd, names[i]},
                     moved(d, names[i], values[i], terms[i])});
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Assignment> assignments;
  for (auto& [place, assignment] : order) assignments.push_back(std::move(assignment));
  d.assign_all(std::move(assignments));
}

void write_if(Draft& d, const Op& op) {
  const Term condition = d.read(op.operands[0]);
  d.flush(d.changed_in(op), has_effect(d.function, op));
  Rendered sides[] = {render(d, op.regions[0]), render(d, op.regions[1])};

  bool plain = op.results.size() == 1 && !d.function.type(op.results[0]).tape && sides[0].statements.empty() && sides[1].statements.empty();
  if (plain && d.tree.width(sides[0].yields[0]) + d.tree.width(sides[1].yields[0]) + d.tree.width(condition) <= kLongestConditional) {
    Term a = sides[0].yields[0];
    const Term& b = sides[1].yields[0];
    if (a.is_literal && b.is_literal) a = d.typed(a, d.function.type(op.results[0]).element);
    Term choice = d.tree.conditional(a, condition, b);
    choice.may_fail = a.may_fail || b.may_fail || condition.may_fail;
    return d.write_result(op.results[0], choice);
  }
  std::vector<std::string> names;
  for (ValueId result : op.results) names.push_back(d.name_of(result));
  for (std::size_t k = 0; k < 2; ++k)
    sides[k].statements = d.collected([&] {
      d.append(sides[k].statements);
      move_all(d, op.regions[k], d.function.block(op.regions[k]).yields, names, sides[k].yields);
    });
  const bool turned = sides[0].statements.empty() && !sides[1].statements.empty();
  if (turned) std::swap(sides[0], sides[1]);
  IfStmt branch{(turned ? d.tree.negated(condition, "not") : condition).id, {std::move(sides[0].statements), {}}, {}};
  if (!sides[1].statements.empty()) branch.otherwise = Block{std::move(sides[1].statements), {}};
  d.put(std::move(branch), d.comment(op));
  for (std::size_t i = 0; i < names.size(); ++i) d.terms[op.results[i].index] = d.tree.name(names[i]);
}

// Gives each carried value its variable and its start; returns the variables. `bounds` are read before that.
std::vector<std::string> start_loop(Draft& d, const Op& op, std::span<Term> bounds) {
  const std::size_t operands = ir::uncarried_operands(op.code), arguments = ir::uncarried_arguments(op.code);
  const std::span<const ValueId> initial = std::span(op.operands).subspan(operands);
  std::vector<std::string> variables;
  std::vector<Term> starts;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    variables.push_back(d.name_of(d.function.block(op.regions.back()).arguments[arguments + k]));
    starts.push_back(d.read(initial[k]));
    for (BlockId region : op.regions) d.terms[d.function.block(region).arguments[arguments + k].index] = d.tree.name(variables[k]);
  }
  std::vector<std::string> changed = d.changed_in(op);
  changed.insert(changed.end(), variables.begin(), variables.end());
  d.flush(changed, has_effect(d.function, op));
  for (std::size_t i = 0; i < bounds.size(); ++i)
    for (std::size_t k = 0; k < variables.size(); ++k)
      if (!d.tree.is_name(starts[k], variables[k]) && d.tree.mentions(bounds[i], variables[k]))
        bounds[i] = d.kept(bounds[i], d.function.type(op.operands[i]));
  move_all(d, op.block, initial, variables, starts);
  return variables;
}

void end_turn(Draft& d, const Op& op, const std::vector<std::string>& variables) {
  const std::vector<ValueId>& yields = d.function.block(op.regions.back()).yields;
  std::vector<Term> terms;
  for (ValueId value : yields) terms.push_back(d.read(value));
  move_all(d, op.regions.back(), yields, variables, terms);
}

// What comes out of a loop is found in its variable, or in one of its own.
void end_loop(Draft& d, const Op& op, const std::vector<std::string>& variables) {
  std::vector<Assignment> copies;
  std::vector<std::string> names;
  std::vector<ValueId> copied;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    ValueId result = op.results[k];
    const Term found = d.tree.name(variables[k]);
    d.terms[result.index] = found;
    ValueId carried = d.function.block(op.regions.back()).arguments[ir::uncarried_arguments(op.code) + k];
    if (d.uses.of(result).count == 0 || d.variables.same(result, carried)) continue;
    if (d.is_temporary(result)) {
      d.await(result, found);
    } else {
      copies.push_back({d.name_of(result), found, d.function.type(result), d.comment(op)});
      names.push_back(d.name_of(result));
      copied.push_back(result);
    }
  }
  d.flush(names, false);
  d.assign_all(std::move(copies));
  for (std::size_t i = 0; i < copied.size(); ++i) d.terms[copied[i].index] = d.tree.name(names[i]);
}

void write_for(Draft& d, const Op& op) {
  const ValueId index = d.function.block(op.regions[0]).arguments[0];
  Term bounds[] = {d.read(op.operands[0]), d.read(op.operands[1]), d.read(op.operands[2])};
  const Element element = d.function.type(index).element;  // literals alone would count as i32
  if (std::all_of(std::begin(bounds), std::end(bounds), [](const Term& bound) { return bound.is_literal; }) && element == Element::i64)
    bounds[0] = d.typed(bounds[0], element);
  std::vector<std::string> variables = start_loop(d, op, bounds);
  const Names::Scope names = d.script.names.open(Names::Kind::block);
  const std::string counter = d.script.names.fresh(d.function.value(index).name.empty() ? "i" : d.function.value(index).name);
  d.terms[index.index] = d.tree.name(counter);
  const Term range = d.tree.range(bounds[0], bounds[1], bounds[2]);
  std::vector<StmtId> body = d.collected([&] {
    write_block(d, op.regions[0]);
    end_turn(d, op, variables);
  });
  d.script.names.close(names);
  d.put(ForStmt{{counter, {}}, range.id, {std::move(body), {}}}, d.comment(op));
  end_loop(d, op, variables);
}

void write_while(Draft& d, const Op& op) {
  std::vector<std::string> variables = start_loop(d, op, {});
  const Rendered condition = render(d, op.regions[0], d.is_top());
  const Type flag{Element::boolean};
  std::string go_on;  // holds the condition when it takes statements to compute
  if (!condition.statements.empty()) {
    go_on = d.script.names.fresh("go_on");
    d.append(condition.statements);
    d.assign({go_on, condition.yields[0], flag, {}});
    d.forget_names(op.regions[0]);  // the body computes it again in names of its own, which the loop need not carry
  }
  const Names::Scope names = d.script.names.open(Names::Kind::block);
  const Term head = go_on.empty() ? condition.yields[0] : d.tree.name(go_on);
  std::vector<StmtId> body = d.collected([&] {
    write_block(d, op.regions[1]);
    end_turn(d, op, variables);
    if (go_on.empty()) return;
    write_block(d, op.regions[0]);
    d.assign({go_on, d.read(d.function.block(op.regions[0]).yields[0]), flag, {}});
  });
  d.script.names.close(names);
  d.put(WhileStmt{head.id, {std::move(body), {}}}, d.comment(op));
  end_loop(d, op, variables);
}

}  // namespace bpc::frontend::script
