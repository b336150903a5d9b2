#include <fmt/format.h>
#include <algorithm>

#include "frontend/script/function_writer.h"
#include "ir/text.h"
#include "support/internal_error.h"

namespace bpc::frontend::script {

using ir::Attr;
using ir::Block;
using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

constexpr std::size_t kLongestInside = 80;  // characters of an expression that becomes part of another

}  // namespace

FunctionWriter::FunctionWriter(Script& script, const ir::Function& function, const std::map<std::string, std::string>& parameters,
                               const std::map<ValueId, std::string>& wanted, std::size_t depth)
    : script_(script), function_(function), uses_(function), wanted_(wanted), exprs_(function.value_count()), depth_(depth) {
  for (const ir::Parameter& parameter : function.parameters) exprs_[parameter.value.index] = {parameters.at(parameter.path)};
  for (std::uint32_t i = 0; i < function.value_count(); ++i)
    if (auto next = continuation(ValueId{i})) {
      continued_[ValueId{i}] = *next;
      continues_[*next] = ValueId{i};
    }
}

// The update or loop that alone uses what an update or control flow has left in a variable goes on with that variable.
std::optional<ValueId> FunctionWriter::continuation(ValueId value) const {
  const Use& use = uses_.of(value);
  const Op* made = function_.def(value);
  bool is_variable = made && (made->code == Opcode::update || !made->regions.empty());
  if (!is_variable || use.count != 1 || !use.local || wanted_.contains(value)) return std::nullopt;
  if (use.role != Role::updated && use.role != Role::initial) return std::nullopt;
  const Op& user = function_.op(use.user);
  auto operand = static_cast<std::size_t>(std::find(user.operands.begin(), user.operands.end(), value) - user.operands.begin());
  return user.results[user.code == Opcode::for_loop ? operand - 3 : operand];
}

// ---- names and lines ----

void FunctionWriter::line(const std::string& text, const std::string& comment) {
  if (depth_ == 0 && is_backward_ != last_was_backward_ && !lines_.empty()) lines_.emplace_back();
  last_was_backward_ = is_backward_;
  lines_.push_back(std::string(2 * depth_, ' ') + text + (comment.empty() ? "" : "   # " + comment));
}

std::string FunctionWriter::name_of(ValueId value) {
  auto known = variables_.find(value);
  if (known != variables_.end()) return known->second;
  std::vector<ValueId> chain{value};  // all on one variable
  for (auto next = continued_.find(value); next != continued_.end(); next = continued_.find(next->second)) chain.push_back(next->second);
  ValueId last = chain.back();
  auto decided = variables_.find(last);
  auto wanted = wanted_.find(last);
  std::string name = decided != variables_.end() ? decided->second
                     : wanted != wanted_.end()   ? wanted->second
                                                 : script_.names.fresh(function_.value(last).name);
  for (ValueId one : chain) variables_[one] = name;
  return name;
}

// "mul, line 8" for an op that a derivative rule made.
std::string FunctionWriter::comment(const Op& op) const {
  const ir::Origin& origin = function_.origin(op.origin);
  if (origin.rule.empty()) return "";
  auto is_readers = [&](const Span& span) {
    return span.valid() && span.file < script_.module.files.size() && !script_.module.files[span.file].starts_with("prelude/");
  };
  Span place = origin.span;
  for (std::size_t i = 0; !is_readers(place) && i < origin.calls.size(); ++i) place = origin.calls[i];
  if (!is_readers(place)) return origin.rule;
  return fmt::format("{}, {}line {}", origin.rule, place.file == 0 ? "" : script_.module.files[place.file] + " ", place.line);
}

void FunctionWriter::assign(const std::string& name, const Expr& expr, const Type& type, const std::string& comment) {
  // `loss = e` would declare a loss.
  bool needs_type = (expr.is_literal && type.element != script_.module.real) || name == "loss";
  line(name + (needs_type ? " : " + type_spec(type, script_.module.real) : "") + " = " + expr.text, comment);
}

void FunctionWriter::assign_all(std::vector<Assignment> assignments) {
  std::erase_if(assignments, [](const Assignment& a) { return a.expr.text == a.name; });
  auto reads_other = [&](const Assignment& reader, const Assignment& target) {
    return &reader != &target && mentions(reader.expr.text, target.name);
  };
  while (!assignments.empty()) {
    auto is_free = [&](const Assignment& a) {
      return std::none_of(assignments.begin(), assignments.end(), [&](const Assignment& other) { return reads_other(other, a); });
    };
    auto next = std::find_if(assignments.begin(), assignments.end(), is_free);
    if (next != assignments.end()) {
      assign(next->name, next->expr, next->type);
      assignments.erase(next);
      continue;
    }
    // A cycle, as in a swap: one that reads another target is computed beforehand.
    auto reader = std::find_if(assignments.begin(), assignments.end(), [&](const Assignment& a) {
      return std::any_of(assignments.begin(), assignments.end(), [&](const Assignment& other) { return reads_other(a, other); });
    });
    std::string kept = script_.names.fresh("");
    assign(kept, reader->expr, reader->type);
    reader->expr = {kept};
  }
}

// ---- values ----

bool FunctionWriter::is_temporary(ValueId value) const {
  const Use& use = uses_.of(value);
  if (use.count != 1 || !use.local || wanted_.contains(value)) return false;
  return use.role != Role::operand || function_.value(value).name.empty();
}

Expr FunctionWriter::read(ValueId value) {
  std::erase(waiting_, value);
  return exprs_[value.index];
}

void FunctionWriter::bind(ValueId value, const Expr& expr) {
  std::string name = name_of(value);
  const Op* op = function_.def(value);
  flush(std::span(&name, 1), false);
  assign(name, expr, function_.type(value), op ? comment(*op) : "");
  exprs_[value.index] = {name};
}

void FunctionWriter::flush(std::span<const std::string> variables, bool failing) {
  for (ValueId value : std::vector<ValueId>(waiting_)) {
    const Expr expr = exprs_[value.index];
    bool reads = std::any_of(variables.begin(), variables.end(), [&](const std::string& name) { return mentions(expr.text, name); });
    if (!reads && !(failing && expr.may_fail)) continue;
    std::erase(waiting_, value);
    bind(value, expr);
  }
}

void FunctionWriter::write_result(OpId id, Expr expr) {
  const Op& op = function_.op(id);
  ValueId value = op.results[0];
  bool is_scalar = function_.type(value).is_scalar();
  bool is_number = op.code == Opcode::constant && is_scalar && function_.value(value).name.empty() && !wanted_.contains(value);
  bool is_short = uses_.of(value).role != Role::operand || expr.text.size() <= kLongestInside;
  bool needs_type = op.code == Opcode::constant && expr.is_literal && !is_scalar;
  if (is_number || (is_temporary(value) && !variables_.contains(value) && is_short && !needs_type)) {
    exprs_[value.index] = expr;
    if (!is_number) waiting_.push_back(value);
  } else {
    bind(value, expr);
  }
}

// ---- blocks and ops ----

void FunctionWriter::write_body() {
  write_block(function_.body());
  is_backward_ = false;
}

void FunctionWriter::write_block(BlockId block) {
  for (OpId id : function_.block(block).ops) write_op(id);
}

void FunctionWriter::write_op(OpId id) {
  const Op& op = function_.op(id);
  is_backward_ = !function_.origin(op.origin).rule.empty();
  switch (op.code) {
    case Opcode::update:
      return write_update(id);
    case Opcode::if_else:
      return write_if(id);
    case Opcode::for_loop:
      return write_for(id);
    case Opcode::while_loop:
      return write_while(id);
    case Opcode::print:
      return write_print(op);
    case Opcode::assert_true:
      return write_assert(op);
    default: {
      Expr expr = expression(op);
      expr.may_fail = may_fail(function_, op) ||
                      std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) { return exprs_[operand.index].may_fail; });
      return write_result(id, std::move(expr));
    }
  }
}

void FunctionWriter::write_update(OpId id) {
  const Op& op = function_.op(id);
  ValueId result = op.results[0];
  Expr base = read(op.operands[0]), part = read(op.operands[1]);
  std::string place = index(op, 2), name = name_of(result);
  if (base.text != name) {
    if (mentions(part.text, name)) {
      std::string kept = script_.names.fresh("");
      assign(kept, part, function_.type(op.operands[1]));
      part = {kept};
    }
    flush(std::span(&name, 1), false);
    assign(name, base, function_.type(result));
  }
  flush(std::span(&name, 1), may_fail(function_, op));
  line(name + place + " = " + part.text, comment(op));
  exprs_[result.index] = {name};
}

// The texts between the items hold the spaces that `print` puts there.
void FunctionWriter::write_print(const Op& op) {
  const auto& texts = op.attrs.strings(Attr::text);
  std::vector<std::string> items;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text = texts[i];
    bool after = i > 0, before = i + 1 < texts.size(), is_space = after && before && text == " ";
    bool is_nothing = text.empty() && (after || before);
    if (after && text.starts_with(' ')) text.erase(0, 1);
    if (before && text.ends_with(' ')) text.pop_back();
    if (!is_space && !is_nothing) items.push_back(ir::quoted(text));
    if (before) items.push_back(read_typed(op.operands[i]).text);
  }
  flush({}, true);
  line(fmt::format("print {}", fmt::join(items, ", ")));
}

void FunctionWriter::write_assert(const Op& op) {
  Expr condition = read(op.operands[0]);
  flush({}, true);
  const std::string& message = op.attrs.string(Attr::message);
  line("assert " + condition.text + (message.empty() ? "" : ", " + ir::quoted(message)));
}

// ---- control flow ----

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

void FunctionWriter::write_if(OpId id) {
  const Op& op = function_.op(id);
  Expr condition = read(op.operands[0]);
  std::vector<std::string> names;
  for (ValueId result : op.results)
    if (variables_.contains(result)) names.push_back(variables_[result]);  // a loop's variable, that a branch changes
  flush(names, has_effect(function_, op));
  Rendered sides[] = {render(op.regions[0], depth_ + 1), render(op.regions[1], depth_ + 1)};

  bool plain = op.results.size() == 1 && sides[0].lines.empty() && sides[1].lines.empty();
  if (plain && sides[0].yields[0].text.size() + sides[1].yields[0].text.size() + condition.text.size() <= kLongestInside) {
    Expr &a = sides[0].yields[0], &b = sides[1].yields[0];
    if (a.is_literal && b.is_literal) a = typed(a, function_.type(op.results[0]).element);
    std::string text = within(a, disjunction) + " if " + within(condition, disjunction) + " else " + within(b, disjunction);
    return write_result(id, {text, conditional, false, a.may_fail || b.may_fail || condition.may_fail});
  }
  line("if " + condition.text + " {");
  for (std::size_t k = 0; k < 2; ++k) {
    std::size_t before = lines_.size();
    if (k == 1) line("} else {");
    ++depth_;
    for (std::string& text : sides[k].lines) lines_.push_back(std::move(text));
    std::vector<Assignment> assignments;
    for (std::size_t i = 0; i < op.results.size(); ++i)
      assignments.push_back({name_of(op.results[i]), sides[k].yields[i], function_.type(op.results[i])});
    assign_all(std::move(assignments));
    --depth_;
    if (k == 1 && lines_.size() == before + 1) lines_.pop_back();
  }
  line("}");
  for (ValueId result : op.results) exprs_[result.index] = {name_of(result)};
}

// Gives each carried value its variable and its start; returns the variables.
std::vector<std::string> FunctionWriter::start_loop(const Op& op, std::size_t uncarried) {
  std::vector<std::string> variables;
  std::vector<Assignment> starts;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    ValueId result = op.results[k], argument = function_.block(op.regions.back()).arguments[op.code == Opcode::for_loop ? k + 1 : k];
    if (function_.value(result).name.empty() && !variables_.contains(result) && !wanted_.contains(result) && !continued_.contains(result))
      variables_[result] = script_.names.fresh(function_.value(argument).name);
    variables.push_back(name_of(result));
    starts.push_back({variables[k], read(op.operands[uncarried + k]), function_.type(result)});
    for (BlockId region : op.regions) {
      const auto& arguments = function_.block(region).arguments;
      exprs_[arguments[arguments.size() - op.results.size() + k].index] = {variables[k]};
    }
    exprs_[result.index] = {variables[k]};
  }
  flush(variables, has_effect(function_, op));
  assign_all(std::move(starts));
  const Block& body = function_.block(op.regions.back());
  for (std::size_t k = 0; k < op.results.size(); ++k)
    take_over(body, k, variables[k], body.arguments[body.arguments.size() - op.results.size() + k]);
  return variables;
}

// What the body yields is computed into the loop's variable straight away, when nothing reads the old value after that.
void FunctionWriter::take_over(const Block& body, std::size_t k, const std::string& variable, ValueId argument) {
  ValueId yielded = body.yields[k], first = yielded;
  const Op* made = function_.def(yielded);
  if (!made || made->block != function_.value(argument).block || variables_.contains(yielded) || made->code == Opcode::constant) return;
  for (auto before = continues_.find(first); before != continues_.end(); before = continues_.find(first)) first = before->second;
  const Use& old = uses_.of(argument);
  std::size_t position = uses_.position(function_.value(first).op);
  bool is_loop = def(first, Opcode::for_loop) || def(first, Opcode::while_loop);
  if (old.count > 0 && (old.last > position || (old.last == position && old.last_is_nested && is_loop))) return;
  if (uses_.of(yielded).count == 1 && made->code != Opcode::update && made->regions.empty()) return;  // assigned at the end anyway
  variables_[yielded] = variable;
}

void FunctionWriter::end_loop(const Block& body, const std::vector<std::string>& variables) {
  std::vector<Assignment> assignments;
  for (std::size_t k = 0; k < variables.size(); ++k)
    assignments.push_back({variables[k], read(body.yields[k]), function_.type(body.yields[k])});
  assign_all(std::move(assignments));
}

void FunctionWriter::write_for(OpId id) {
  const Op& op = function_.op(id);
  const Block& body = function_.block(op.regions[0]);
  auto bound = [&](ValueId value) {
    Expr expr = read(value);
    if (function_.type(value).element == Element::i64) expr = typed(expr, Element::i64);  // a literal counts as i32
    for (ValueId result : op.results)  // the start of the loop may change a variable that goes on from outside
      if (variables_.contains(result) && mentions(expr.text, variables_[result])) {
        std::string kept = script_.names.fresh("");
        assign(kept, expr, function_.type(value));
        expr = {kept};
      }
    return expr;
  };
  Expr lo = bound(op.operands[0]), hi = bound(op.operands[1]), by = bound(op.operands[2]);
  std::vector<std::string> variables = start_loop(op, 3);
  std::size_t names = script_.names.open();
  std::string index = script_.names.fresh(function_.value(body.arguments[0]).name.empty() ? "i" : function_.value(body.arguments[0]).name);
  exprs_[body.arguments[0].index] = {index};
  line(fmt::format("for {} in {}..{}{} {{", index, within(lo, disjunction), within(hi, disjunction),
                   by.text == "1" ? "" : " by " + within(by, disjunction)));
  ++depth_;
  write_block(op.regions[0]);
  end_loop(body, variables);
  script_.names.close(names);
  --depth_;
  line("}");
}

void FunctionWriter::write_while(OpId id) {
  const Op& op = function_.op(id);
  std::vector<std::string> variables = start_loop(op, 0);
  Rendered condition = render(op.regions[0], depth_);
  const Type flag(Element::boolean);
  std::string go_on;  // holds the condition when it takes statements to compute
  if (!condition.lines.empty()) {
    go_on = script_.names.fresh("go_on");
    for (std::string& text : condition.lines) lines_.push_back(std::move(text));
    assign(go_on, condition.yields[0], flag);
  }
  std::size_t names = script_.names.open();
  line("while " + (go_on.empty() ? condition.yields[0].text : go_on) + " {");
  ++depth_;
  write_block(op.regions[1]);
  end_loop(function_.block(op.regions[1]), variables);
  if (!go_on.empty()) {
    write_block(op.regions[0]);
    assign(go_on, read(function_.block(op.regions[0]).yields[0]), flag);
  }
  script_.names.close(names);
  --depth_;
  line("}");
}

}  // namespace bpc::frontend::script
