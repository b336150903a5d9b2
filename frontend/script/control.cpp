// Loops and branches.
#include <fmt/format.h>
#include <algorithm>
#include <utility>

#include "frontend/script/function_writer.h"

namespace bpc::frontend::script {

using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

constexpr std::size_t kLongestConditional = 80;  // characters of a branch that becomes an expression

}  // namespace

template <typename F>
std::vector<StmtId> FunctionWriter::collected(F&& write, bool is_top) {
  std::vector<StmtId> outside = std::exchange(statements_, {});
  const bool was_top = std::exchange(is_top_, is_top);
  write();
  is_top_ = was_top;
  return std::exchange(statements_, std::move(outside));
}

FunctionWriter::Rendered FunctionWriter::render(BlockId region, bool is_top) {
  Rendered rendered;
  auto write = [&] {
    write_block(region);
    for (ValueId value : function_.block(region).yields) rendered.yields.push_back(read(value));
  };
  rendered.statements = collected(write, is_top);
  return rendered;
}

// The variables that the op changes: what waits to read them must not wait until after it.
std::vector<std::string> FunctionWriter::changed_in(const Op& op) const {
  std::set<std::string> names;
  collect_changed(op, names);
  return {names.begin(), names.end()};
}

void FunctionWriter::collect_changed(const Op& op, std::set<std::string>& names) const {
  auto note = [&](ValueId value) {
    if (auto known = names_.find(variables_.of(value)); known != names_.end()) names.insert(known->second);
  };
  std::for_each(op.results.begin(), op.results.end(), note);
  for (BlockId region : op.regions) {
    if (ir::is_loop(op.code)) std::for_each(function_.block(region).arguments.begin(), function_.block(region).arguments.end(), note);
    for (OpId id : function_.block(region).ops) collect_changed(function_.op(id), names);
  }
}

// The value of an expression that has just been read, on its way into a variable.
Assignment FunctionWriter::moved(const std::string& name, ValueId value, const Term& term) const {
  const Op* made = !tree_.is_word(term) && is_temporary(value) ? function_.def(value) : nullptr;
  return {name, term, function_.type(value), made ? comment(*made) : ""};
}

// Values of a block and what is read for them, on their way into variables: in the order in which they were made, so that a script that is
// read and written again keeps its order; then those that were there before.
void FunctionWriter::move_all(BlockId block, std::span<const ValueId> values, std::span<const std::string> names,
                              std::span<const Term> terms) {
  std::vector<std::pair<std::pair<std::size_t, std::string>, Assignment>> order;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Op* made = function_.value(values[i]).block == block ? function_.def(values[i]) : nullptr;
    order.push_back({{made && !tree_.is_word(terms[i]) ? uses_.place(function_.value(values[i]).op) : kEnd, names[i]},
                     moved(names[i], values[i], terms[i])});
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Assignment> assignments;
  for (auto& [place, assignment] : order) assignments.push_back(std::move(assignment));
  assign_all(std::move(assignments));
}

void FunctionWriter::write_if(const Op& op) {
  const Term condition = read(op.operands[0]);
  flush(changed_in(op), has_effect(function_, op));
  Rendered sides[] = {render(op.regions[0]), render(op.regions[1])};

  bool plain = op.results.size() == 1 && !function_.type(op.results[0]).tape && sides[0].statements.empty() && sides[1].statements.empty();
  if (plain && tree_.width(sides[0].yields[0]) + tree_.width(sides[1].yields[0]) + tree_.width(condition) <= kLongestConditional) {
    Term a = sides[0].yields[0];
    const Term& b = sides[1].yields[0];
    if (a.is_literal && b.is_literal) a = typed(a, function_.type(op.results[0]).element);
    Term choice = tree_.conditional(a, condition, b);
    choice.may_fail = a.may_fail || b.may_fail || condition.may_fail;
    return write_result(op.results[0], choice);
  }
  std::vector<std::string> names;
  for (ValueId result : op.results) names.push_back(name_of(result));
  for (std::size_t k = 0; k < 2; ++k)
    sides[k].statements = collected([&] {
      statements_ = std::move(sides[k].statements);
      move_all(op.regions[k], function_.block(op.regions[k]).yields, names, sides[k].yields);
    });
  const bool turned = sides[0].statements.empty() && !sides[1].statements.empty();
  if (turned) std::swap(sides[0], sides[1]);
  IfStmt branch{(turned ? tree_.negated(condition, "not") : condition).id, {std::move(sides[0].statements), {}}, {}};
  if (!sides[1].statements.empty()) branch.otherwise = Block{std::move(sides[1].statements), {}};
  put(std::move(branch), comment(op));
  for (std::size_t i = 0; i < names.size(); ++i) terms_[op.results[i].index] = tree_.name(names[i]);
}

// Gives each carried value its variable and its start; returns the variables. `bounds` are read before that.
std::vector<std::string> FunctionWriter::start_loop(const Op& op, std::span<Term> bounds) {
  const std::size_t operands = ir::uncarried_operands(op.code), arguments = ir::uncarried_arguments(op.code);
  const std::span<const ValueId> initial = std::span(op.operands).subspan(operands);
  std::vector<std::string> variables;
  std::vector<Term> starts;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    variables.push_back(name_of(function_.block(op.regions.back()).arguments[arguments + k]));
    starts.push_back(read(initial[k]));
    for (BlockId region : op.regions) terms_[function_.block(region).arguments[arguments + k].index] = tree_.name(variables[k]);
  }
  std::vector<std::string> changed = changed_in(op);
  changed.insert(changed.end(), variables.begin(), variables.end());
  flush(changed, has_effect(function_, op));
  for (std::size_t i = 0; i < bounds.size(); ++i)
    for (std::size_t k = 0; k < variables.size(); ++k)
      if (!tree_.is_name(starts[k], variables[k]) && tree_.mentions(bounds[i], variables[k]))
        bounds[i] = kept(bounds[i], function_.type(op.operands[i]));
  move_all(op.block, initial, variables, starts);
  return variables;
}

void FunctionWriter::end_turn(const Op& op, const std::vector<std::string>& variables) {
  const std::vector<ValueId>& yields = function_.block(op.regions.back()).yields;
  std::vector<Term> terms;
  for (ValueId value : yields) terms.push_back(read(value));
  move_all(op.regions.back(), yields, variables, terms);
}

// What comes out of a loop is found in its variable, or in one of its own.
void FunctionWriter::end_loop(const Op& op, const std::vector<std::string>& variables) {
  std::vector<Assignment> copies;
  std::vector<std::string> names;
  std::vector<ValueId> copied;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    ValueId result = op.results[k];
    terms_[result.index] = tree_.name(variables[k]);
    ValueId carried = function_.block(op.regions.back()).arguments[ir::uncarried_arguments(op.code) + k];
    if (uses_.of(result).count == 0 || variables_.same(result, carried)) continue;
    if (is_temporary(result)) {
      waiting_.push_back(result);
    } else {
      copies.push_back({name_of(result), tree_.name(variables[k]), function_.type(result), comment(op)});
      names.push_back(name_of(result));
      copied.push_back(result);
    }
  }
  flush(names, false);
  assign_all(std::move(copies));
  for (std::size_t i = 0; i < copied.size(); ++i) terms_[copied[i].index] = tree_.name(names[i]);
}

void FunctionWriter::write_for(const Op& op) {
  const ValueId index = function_.block(op.regions[0]).arguments[0];
  Term bounds[] = {read(op.operands[0]), read(op.operands[1]), read(op.operands[2])};
  const Element element = function_.type(index).element;  // literals alone would count as i32
  if (std::all_of(std::begin(bounds), std::end(bounds), [](const Term& bound) { return bound.is_literal; }) && element == Element::i64)
    bounds[0] = typed(bounds[0], element);
  std::vector<std::string> variables = start_loop(op, bounds);
  const Names::Scope names = script_.names.open(Names::Kind::block);
  const std::string counter = script_.names.fresh(function_.value(index).name.empty() ? "i" : function_.value(index).name);
  terms_[index.index] = tree_.name(counter);
  const Term range = tree_.range(bounds[0], bounds[1], bounds[2]);
  std::vector<StmtId> body = collected([&] {
    write_block(op.regions[0]);
    end_turn(op, variables);
  });
  script_.names.close(names);
  put(ForStmt{{counter, {}}, range.id, {std::move(body), {}}}, comment(op));
  end_loop(op, variables);
}

// What the region computes gets other names when it is written again.
void FunctionWriter::forget_names(BlockId region) {
  for (ir::OpId id : function_.block(region).ops) {
    const Op& op = function_.op(id);
    for (ValueId result : op.results) names_.erase(variables_.of(result));
    for (BlockId inner : op.regions) {
      for (ValueId argument : function_.block(inner).arguments) names_.erase(variables_.of(argument));
      forget_names(inner);
    }
  }
}

void FunctionWriter::write_while(const Op& op) {
  std::vector<std::string> variables = start_loop(op, {});
  const Rendered condition = render(op.regions[0], is_top_);
  const Type flag{Element::boolean};
  std::string go_on;  // holds the condition when it takes statements to compute
  if (!condition.statements.empty()) {
    go_on = script_.names.fresh("go_on");
    statements_.insert(statements_.end(), condition.statements.begin(), condition.statements.end());
    assign({go_on, condition.yields[0], flag, {}});
    forget_names(op.regions[0]);  // the body computes it again in names of its own, which the loop need not carry
  }
  const Names::Scope names = script_.names.open(Names::Kind::block);
  const Term head = go_on.empty() ? condition.yields[0] : tree_.name(go_on);
  std::vector<StmtId> body = collected([&] {
    write_block(op.regions[1]);
    end_turn(op, variables);
    if (go_on.empty()) return;
    write_block(op.regions[0]);
    assign({go_on, read(function_.block(op.regions[0]).yields[0]), flag, {}});
  });
  script_.names.close(names);
  put(WhileStmt{head.id, {std::move(body), {}}}, comment(op));
  end_loop(op, variables);
}

}  // namespace bpc::frontend::script
