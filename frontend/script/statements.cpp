#include <fmt/format.h>
#include <algorithm>

#include "frontend/script/blank_tapes.h"
#include "frontend/script/function_writer.h"

namespace bpc::frontend::script {

using ir::Attr;
using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

constexpr std::size_t kLongestInside = 80;  // characters of an expression that becomes part of another

void rename(const ir::Function& function, BlockId block, const std::string& from, const std::string& to, std::vector<std::string>& names) {
  auto apply = [&](ValueId value) {
    if (names[value.index] == from) names[value.index] = to;
  };
  std::for_each(function.block(block).arguments.begin(), function.block(block).arguments.end(), apply);
  for (OpId id : function.block(block).ops) {
    std::for_each(function.op(id).results.begin(), function.op(id).results.end(), apply);
    for (BlockId region : function.op(id).regions) rename(function, region, from, to, names);
  }
}

// What a loop makes from nothing is called as it is in the end from the start.
void name_sums(const ir::Function& function, BlockId block, std::vector<std::string>& names) {
  for (OpId id : function.block(block).ops) {
    const Op& op = function.op(id);
    for (std::size_t k = 0; ir::is_loop(op.code) && k < op.results.size(); ++k) {
      ValueId inside = function.block(op.regions.back()).arguments[k + ir::uncarried_arguments(op.code)];
      ValueId start = op.operands[k + ir::uncarried_operands(op.code)];
      const std::string old = names[inside.index], &wanted = names[op.results[k].index];
      if (wanted.empty() || old.empty() || wanted == old || !names[start.index].empty()) continue;
      for (BlockId region : op.regions) rename(function, region, old, wanted, names);
    }
    for (BlockId region : op.regions) name_sums(function, region, names);
  }
}

// What each value is to be called; empty for a temporary.
std::vector<std::string> value_names(const ir::Function& function, const std::map<std::string, std::string>& parameters,
                                     const std::map<ValueId, std::string>& wanted) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < function.value_count(); ++i) names.push_back(spelled_path(function.value(ValueId{i}).name));
  for (const ir::Parameter& parameter : function.parameters) names[parameter.value.index] = parameters.at(parameter.path);
  for (const auto& [value, name] : wanted) names[value.index] = name;
  name_sums(function, function.body(), names);
  return names;
}

}  // namespace

FunctionWriter::FunctionWriter(Script& script, const ir::Function& function, const std::map<std::string, std::string>& parameters,
                               const std::map<ValueId, std::string>& wanted, bool is_top)
    : script_(script),
      tree_(script.tree),
      function_(function),
      uses_(function),
      wanted_(wanted),
      variables_(function, uses_, value_names(function, parameters, wanted)),
      terms_(function.value_count()),
      blank_tapes_(blank_tapes(function)),
      is_top_(is_top) {
  for (const auto& [value, name] : wanted) names_[variables_.of(value)] = name;
  for (const ir::Parameter& parameter : function.parameters) {
    names_[variables_.of(parameter.value)] = parameters.at(parameter.path);
    terms_[parameter.value.index] = tree_.name(parameters.at(parameter.path));
  }
}

// ---- names and statements ----

void FunctionWriter::put(StmtId statement) {
  if (is_top_) {
    if (is_backward_ != last_was_backward_ && !statements_.empty()) tree_.set_apart(statement);
    last_was_backward_ = is_backward_;
  }
  statements_.push_back(statement);
}

const std::string& FunctionWriter::name_of(ValueId value) {
  std::string& name = names_[variables_.of(value)];
  if (name.empty()) name = script_.names.fresh(variables_.name(value));
  return name;
}

// Whether a derivative rule made the op. What keeps values for later belongs to the way forward.
bool FunctionWriter::is_backward(const Op& op) const {
  return !function_.origin(op.origin).rule.empty() && op.code != Opcode::tape && op.code != Opcode::push;
}

// Contributions to one cotangent are told apart: "mul, line 2 + sin, line 3".
std::string FunctionWriter::comment(const Op& op) const {
  if (op.code != Opcode::add || !is_backward(op)) return comment_of(op);
  std::vector<std::string> texts;
  for (ValueId operand : op.operands) {
    const Op* part = function_.def(operand);
    std::string text = part && is_backward(*part) && is_temporary(operand) ? comment(*part) : std::string();
    if (!text.empty() && std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  return texts.size() < 2 ? comment_of(op) : fmt::format("{}", fmt::join(texts, " + "));
}

// "mul, line 8" for an op that a derivative rule made, "for mul, line 8" for one that keeps a value for it.
std::string FunctionWriter::comment_of(const Op& op) const {
  const ir::Origin& origin = function_.origin(op.origin);
  if (origin.rule.empty()) return "";
  auto is_readers = [&](const Span& span) {
    return span.valid() && span.file < script_.module.files.size() && !script_.module.files[span.file].starts_with("prelude/");
  };
  Span place = origin.span;
  for (std::size_t i = 0; !is_readers(place) && i < origin.calls.size(); ++i) place = origin.calls[i];
  std::string text = is_backward(op) ? origin.rule : "for " + origin.rule;
  if (!is_readers(place)) return text;
  return fmt::format("{}, {}line {}", text, place.file == 0 ? "" : script_.module.files[place.file] + " ", place.line);
}

void FunctionWriter::assign(const Assignment& assignment) {
  const auto& [name, term, type, comment] = assignment;
  // `loss = e` would declare a loss.
  const bool needs_type = (term.is_literal && type.element != script_.module.real) || name == "loss";
  put(tree_.assign(name, term, needs_type ? std::optional(tree_.type(type)) : std::nullopt, comment));
}

void FunctionWriter::assign_all(std::vector<Assignment> assignments) {
  std::erase_if(assignments, [&](const Assignment& a) { return tree_.is_name(a.term, a.name); });
  auto reads_other = [&](const Assignment& reader, const Assignment& target) {
    return &reader != &target && tree_.mentions(reader.term, target.name);
  };
  while (!assignments.empty()) {
    auto is_free = [&](const Assignment& a) {
      return std::none_of(assignments.begin(), assignments.end(), [&](const Assignment& other) { return reads_other(other, a); });
    };
    auto next = std::find_if(assignments.begin(), assignments.end(), is_free);
    if (next != assignments.end()) {
      assign(*next);
      assignments.erase(next);
      continue;
    }
    // A cycle, as in a swap: one that reads another target is computed beforehand, the same whatever the order they come in.
    auto reads_any = [&](const Assignment& a) {
      return std::any_of(assignments.begin(), assignments.end(), [&](const Assignment& other) { return reads_other(a, other); });
    };
    auto reader = std::min_element(assignments.begin(), assignments.end(), [&](const Assignment& a, const Assignment& b) {
      return std::pair(!reads_any(a), a.name) < std::pair(!reads_any(b), b.name);
    });
    reader->term = kept(reader->term, reader->type);
  }
}

Term FunctionWriter::named(const Term& term, const Type& type) {
  return std::holds_alternative<NameExpr>(tree_.expr(term).node) ? term : kept(term, type);
}

Term FunctionWriter::kept(const Term& term, const Type& type) {
  const std::string name = script_.names.fresh("");
  assign({name, term, type, {}});
  return tree_.name(name);
}

// ---- values ----

// A number without a name is written where it is used, an integer also in a wider type.
bool FunctionWriter::is_number(ValueId value) const {
  if (!function_.value(value).name.empty() || wanted_.contains(value) || uses_.of(value).is_variable) return false;
  const Type& type = function_.type(value);
  if (const Op* wider = type.element == Element::i64 ? def(value, Opcode::cast) : nullptr)
    return function_.type(wider->operands[0]).element == Element::i32 && is_number(wider->operands[0]);
  return def(value, Opcode::constant) && type.is_scalar();
}

bool FunctionWriter::is_temporary(ValueId value) const {
  const Use& use = uses_.of(value);
  if (use.count != 1 || !use.local || use.is_variable || wanted_.contains(value)) return false;
  return use.role != Role::operand || function_.value(value).name.empty();
}

Term FunctionWriter::read(ValueId value) {
  std::erase(waiting_, value);
  return terms_[value.index];
}

void FunctionWriter::bind(ValueId value, const Term& term) {
  const std::string name = name_of(value);
  flush(std::span(&name, 1), false);
  const Op* op = function_.def(value);
  bool outer = is_backward_;
  if (op) is_backward_ = is_backward(*op);
  if (!tree_.is_name(term, name)) assign({name, term, function_.type(value), op ? comment(*op) : ""});
  is_backward_ = outer;
  terms_[value.index] = tree_.name(name);
}

bool FunctionWriter::is_awaited(const std::string& variable) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](ValueId value) { return tree_.mentions(terms_[value.index], variable); });
}

void FunctionWriter::flush(std::span<const std::string> variables, bool failing) {
  for (ValueId value : std::vector<ValueId>(waiting_)) {
    const Term term = terms_[value.index];
    bool reads = std::any_of(variables.begin(), variables.end(), [&](const std::string& name) { return tree_.mentions(term, name); });
    if (!reads && !(failing && term.may_fail)) continue;
    std::erase(waiting_, value);
    bind(value, term);
  }
}

// Whether the value's only use is to be what a loop or an update goes on with, in the same variable.
bool FunctionWriter::starts_variable(ValueId value) const {
  const Use& use = uses_.of(value);
  auto slot_of = [&](const std::vector<ValueId>& values) {
    return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) - values.begin());
  };
  auto is_carried = [&](const Op& loop, std::size_t slot) {
    return variables_.same(value, function_.block(loop.regions.back()).arguments[slot + ir::uncarried_arguments(loop.code)]);
  };
  const BlockId home = function_.value(value).block;
  const ir::Block& block = function_.block(home);
  switch (use.role) {
    case Role::operand:
      return false;
    case Role::updated:
      return variables_.same(value, function_.op(use.user).results[0]);
    case Role::initial: {
      const Op& loop = function_.op(use.user);
      return is_carried(loop, slot_of(loop.operands) - ir::uncarried_operands(loop.code));
    }
    case Role::yield: {
      const Op* loop = block.parent.valid() ? &function_.op(block.parent) : nullptr;
      return loop && ir::is_loop(loop->code) && loop->regions.back() == home && is_carried(*loop, slot_of(block.yields));
    }
  }
  return false;
}

void FunctionWriter::write_result(ValueId value, Term term) {
  if (is_number(value)) {
    terms_[value.index] = term;
    return;
  }
  bool needs_type = def(value, Opcode::constant) && term.is_literal && !function_.type(value).is_scalar();
  bool inside = is_temporary(value) && !needs_type && (uses_.of(value).role != Role::operand || tree_.width(term) <= kLongestInside);
  // What a variable starts or goes on with is put there straight away, unless something still waits to read what it holds.
  if (inside && !(starts_variable(value) && !is_awaited(name_of(value)))) {
    terms_[value.index] = term;
    waiting_.push_back(value);
  } else {
    bind(value, term);
  }
}

void FunctionWriter::write_results(const Op& op, const Term& term) {
  if (op.results.size() == 1) return write_result(op.results[0], term);
  std::vector<std::string> names;
  for (ValueId result : op.results) names.push_back(name_of(result));
  flush(names, term.may_fail);
  AssignStmt assignment{{}, "=", {}, {term.id}};
  for (const std::string& name : names) assignment.targets.push_back(Tree::target(name));
  put(std::move(assignment), comment(op));
  for (std::size_t i = 0; i < names.size(); ++i) terms_[op.results[i].index] = tree_.name(names[i]);
}

// ---- blocks and ops ----

void FunctionWriter::write_body() {
  write_block(function_.body());
  is_backward_ = false;
}

void FunctionWriter::write_block(BlockId block) {
  for (OpId id : function_.block(block).ops) {
    bool outer = is_backward_;
    is_backward_ = is_backward(function_.op(id));
    write_op(id);
    is_backward_ = outer;
  }
}

void FunctionWriter::write_op(OpId id) {
  const Op& op = function_.op(id);
  switch (op.code) {
    case Opcode::update:
    case Opcode::scatter_add:
      return write_change(op);
    case Opcode::tape:
      return write_tape(op);
    case Opcode::push:
      return write_push(op);
    case Opcode::pop:
      return write_pop(op);
    case Opcode::if_else:
      return write_if(op);
    case Opcode::for_loop:
      return write_for(op);
    case Opcode::while_loop:
      return write_while(op);
    case Opcode::map:
      return write_map(op);
    case Opcode::checkpoint:
      return write_checkpoint(op);
    case Opcode::custom:
      return write_custom(op);
    case Opcode::print:
      return write_print(op);
    case Opcode::assert_true:
      return write_assert(op);
    case Opcode::grad:
    case Opcode::vjp:
    case Opcode::jvp:
      return write_derivative(op);
    default: {
      if (ranges_.contains(op.results[0])) return;
      Term term = expression(op);
      term.may_fail = may_fail(function_, op) ||
                      std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) { return terms_[operand.index].may_fail; });
      return write_result(op.results[0], term);
    }
  }
}

void FunctionWriter::write_derivative(const Op& op) {
  std::vector<Term> operands;
  for (ValueId operand : op.operands) operands.push_back(read(operand));
  if (op.code != Opcode::vjp) return write_results(op, call(std::string(ir::op_info(op.code).name), operands));
  for (std::size_t i = 0; i < op.results.size(); ++i)  // the script's takes one variable
    write_result(op.results[i], call("vjp", {operands[0], operands[i + 2], operands[1]}));
}

void FunctionWriter::write_tape(const Op& op) {
  bind(op.results[0], call("tape", {}));
  if (!blank_tapes_.contains(op.results[0])) return;
  const std::string name = name_of(op.results[0]);
  const Type entry = function_.type(op.results[0]).as_entry();
  Term zero = everywhere(is_real(entry.element) ? ir::AttrValue(0.0) : ir::AttrValue(std::int64_t{0}), entry);
  if (entry.element != script_.module.real) zero = typed(zero, entry.element);
  put(tree_.assign(name, call("push", {tree_.name(name), zero}), {}, "says what it holds"));
  AssignStmt popped{{}, "=", {}, {call("pop", {tree_.name(name)}).id}};
  for (const std::string& target : {name, script_.names.fresh("")}) popped.targets.push_back(Tree::target(target));
  put(std::move(popped));
}

void FunctionWriter::write_push(const Op& op) {
  Term tape = read(op.operands[0]), entry = read(op.operands[1]);
  if (function_.type(op.operands[1]).element != script_.module.real) entry = typed(entry, function_.type(op.operands[1]).element);
  bind(op.results[0], call("push", {tape, entry}));
}

void FunctionWriter::write_pop(const Op& op) {
  write_results(op, call("pop", {read(op.operands[0])}));
}

// The texts between the items hold the spaces that `print` puts there.
void FunctionWriter::write_print(const Op& op) {
  const auto& texts = op.attrs.strings(Attr::text);
  PrintStmt print;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text = texts[i];
    bool after = i > 0, before = i + 1 < texts.size(), is_space = after && before && text == " ";
    bool is_nothing = text.empty() && (after || before);
    if (after && text.starts_with(' ')) text.erase(0, 1);
    if (before && text.ends_with(' ')) text.pop_back();
    if (!is_space && !is_nothing) print.items.push_back(tree_.text(std::move(text)).id);
    if (before) print.items.push_back(read_typed(op.operands[i]).id);
  }
  flush({}, true);
  put(std::move(print));
}

void FunctionWriter::write_assert(const Op& op) {
  const Term condition = read(op.operands[0]);
  flush({}, true);
  const std::string& message = op.attrs.string(Attr::message);
  put(AssertStmt{condition.id, message.empty() ? std::nullopt : std::optional(message)});
}

}  // namespace bpc::frontend::script
