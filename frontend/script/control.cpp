// Loops and branches.
#include <fmt/format.h>
#include <algorithm>

#include "frontend/script/function_writer.h"
#include "ir/text.h"

namespace bpc::frontend::script {

using ir::Block;
using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

constexpr std::size_t kLongestConditional = 80;  // characters of a branch that becomes an expression

}  // namespace

FunctionWriter::Rendered FunctionWriter::render(BlockId region, std::size_t depth) {
  std::vector<std::string> outside;
  std::swap(outside, lines_);
  std::swap(depth, depth_);
  write_block(region);
  Rendered rendered;
  for (ValueId value : function_.block(region).yields) rendered.yields.push_back(read(value));
  std::swap(depth, depth_);
  std::swap(outside, lines_);
  rendered.lines = std::move(outside);
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
Assignment FunctionWriter::moved(const std::string& name, ValueId value, Expr expr) const {
  const Op* made = expr.text != name && !ir::is_identifier(expr.text) && is_temporary(value) ? function_.def(value) : nullptr;
  return {name, std::move(expr), function_.type(value), made ? comment(*made) : ""};
}

// Values of a block and what is read for them, on their way into variables: in the order in which they were made, so that a script that is
// read and written again keeps its order; then those that were there before.
void FunctionWriter::move_all(BlockId block, std::span<const ValueId> values, std::span<const std::string> names,
                              std::span<const Expr> exprs) {
  std::vector<std::pair<std::pair<std::size_t, std::string>, Assignment>> order;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Op* made = function_.value(values[i]).block == block ? function_.def(values[i]) : nullptr;
    order.push_back({{made && !ir::is_identifier(exprs[i].text) ? uses_.place(function_.value(values[i]).op) : kEnd, names[i]},
                     moved(names[i], values[i], exprs[i])});
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Assignment> assignments;
  for (auto& [place, assignment] : order) assignments.push_back(std::move(assignment));
  assign_all(std::move(assignments));
}

void FunctionWriter::write_if(const Op& op) {
  Expr condition = read(op.operands[0]);
  flush(changed_in(op), has_effect(function_, op));
  Rendered sides[] = {render(op.regions[0], depth_ + 1), render(op.regions[1], depth_ + 1)};

  bool plain = op.results.size() == 1 && !function_.type(op.results[0]).tape && sides[0].lines.empty() && sides[1].lines.empty();
  if (plain && sides[0].yields[0].text.size() + sides[1].yields[0].text.size() + condition.text.size() <= kLongestConditional) {
    Expr &a = sides[0].yields[0], &b = sides[1].yields[0];
    if (a.is_literal && b.is_literal) a = typed(a, function_.type(op.results[0]).element);
    std::string text = within(a, disjunction) + " if " + within(condition, disjunction) + " else " + within(b, disjunction);
    return write_result(op.results[0], {text, conditional, false, a.may_fail || b.may_fail || condition.may_fail});
  }
  std::vector<std::string> names;
  for (ValueId result : op.results) names.push_back(name_of(result));
  for (std::size_t k = 0; k < 2; ++k) {
    std::vector<std::string> before;
    std::swap(before, lines_);
    lines_ = std::move(sides[k].lines);
    ++depth_;
    move_all(op.regions[k], function_.block(op.regions[k]).yields, names, sides[k].yields);
    --depth_;
    std::swap(before, lines_);
    sides[k].lines = std::move(before);
  }
  bool turned = sides[0].lines.empty() && !sides[1].lines.empty();
  if (turned) std::swap(sides[0], sides[1]);
  line("if " + (turned ? "not " + within(condition, negation) : condition.text) + " {", comment(op));
  for (std::size_t k = 0; k < 2; ++k) {
    if (k == 1 && sides[k].lines.empty()) continue;
    if (k == 1) line("} else {");
    for (std::string& text : sides[k].lines) lines_.push_back(std::move(text));
  }
  line("}");
  for (std::size_t i = 0; i < names.size(); ++i) exprs_[op.results[i].index] = {names[i]};
}

// Gives each carried value its variable and its start; returns the variables. `bounds` are read before that.
std::vector<std::string> FunctionWriter::start_loop(const Op& op, std::span<Expr> bounds) {
  const std::size_t operands = ir::uncarried_operands(op.code), arguments = ir::uncarried_arguments(op.code);
  const std::span<const ValueId> initial = std::span(op.operands).subspan(operands);
  std::vector<std::string> variables;
  std::vector<Expr> starts;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    variables.push_back(name_of(function_.block(op.regions.back()).arguments[arguments + k]));
    starts.push_back(read(initial[k]));
    for (BlockId region : op.regions) exprs_[function_.block(region).arguments[arguments + k].index] = {variables[k]};
  }
  std::vector<std::string> changed = changed_in(op);
  changed.insert(changed.end(), variables.begin(), variables.end());
  flush(changed, has_effect(function_, op));
  for (std::size_t i = 0; i < bounds.size(); ++i)
    for (std::size_t k = 0; k < variables.size(); ++k)
      if (starts[k].text != variables[k] && mentions(bounds[i].text, variables[k]))
        bounds[i] = {kept(bounds[i], function_.type(op.operands[i]))};
  move_all(op.block, initial, variables, starts);
  return variables;
}

void FunctionWriter::end_turn(const Op& op, const std::vector<std::string>& variables) {
  const std::vector<ValueId>& yields = function_.block(op.regions.back()).yields;
  std::vector<Expr> exprs;
  for (ValueId value : yields) exprs.push_back(read(value));
  move_all(op.regions.back(), yields, variables, exprs);
}

// What comes out of a loop is found in its variable, or in one of its own.
void FunctionWriter::end_loop(const Op& op, const std::vector<std::string>& variables) {
  std::vector<Assignment> copies;
  std::vector<std::string> names;
  std::vector<ValueId> copied;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    ValueId result = op.results[k];
    exprs_[result.index] = {variables[k]};
    ValueId carried = function_.block(op.regions.back()).arguments[ir::uncarried_arguments(op.code) + k];
    if (uses_.of(result).count == 0 || variables_.same(result, carried)) continue;
    if (is_temporary(result)) {
      waiting_.push_back(result);
    } else {
      copies.push_back({name_of(result), {variables[k]}, function_.type(result), comment(op)});
      names.push_back(name_of(result));
      copied.push_back(result);
    }
  }
  flush(names, false);
  assign_all(std::move(copies));
  for (std::size_t i = 0; i < copied.size(); ++i) exprs_[copied[i].index] = {names[i]};
}

void FunctionWriter::write_for(const Op& op) {
  const Block& body = function_.block(op.regions[0]);
  Expr bounds[] = {read(op.operands[0]), read(op.operands[1]), read(op.operands[2])};
  const ValueId index = body.arguments[0];
  const Element element = function_.type(index).element;  // literals alone would count as i32
  if (std::all_of(std::begin(bounds), std::end(bounds), [](const Expr& bound) { return bound.is_literal; }) && element == Element::i64)
    bounds[0] = typed(bounds[0], element);
  std::vector<std::string> variables = start_loop(op, bounds);
  const Names::Scope names = script_.names.open(Names::Kind::block);
  std::string counter = script_.names.fresh(function_.value(index).name.empty() ? "i" : function_.value(index).name);
  exprs_[index.index] = {counter};
  const auto& [lo, hi, by] = bounds;
  line(fmt::format("for {} in {}..{}{} {{", counter, within(lo, disjunction), within(hi, disjunction),
                   by.text == "1" ? "" : " by " + within(by, disjunction)),
       comment(op));
  ++depth_;
  write_block(op.regions[0]);
  end_turn(op, variables);
  script_.names.close(names);
  --depth_;
  line("}");
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
  Rendered condition = render(op.regions[0], depth_);
  const Type flag{Element::boolean};
  std::string go_on;  // holds the condition when it takes statements to compute
  if (!condition.lines.empty()) {
    go_on = script_.names.fresh("go_on");
    for (std::string& text : condition.lines) lines_.push_back(std::move(text));
    assign({go_on, condition.yields[0], flag, {}});
    forget_names(op.regions[0]);  // the body computes it again in names of its own, which the loop need not carry
  }
  const Names::Scope names = script_.names.open(Names::Kind::block);
  line("while " + (go_on.empty() ? condition.yields[0].text : go_on) + " {", comment(op));
  ++depth_;
  write_block(op.regions[1]);
  end_turn(op, variables);
  if (!go_on.empty()) {
    write_block(op.regions[0]);
    assign({go_on, read(function_.block(op.regions[0]).yields[0]), flag, {}});
  }
  script_.names.close(names);
  --depth_;
  line("}");
  end_loop(op, variables);
}

}  // namespace bpc::frontend::script
