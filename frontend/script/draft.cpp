#include "frontend/script/draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/script/blank_tapes.h"

namespace bpc::frontend::script {

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

Draft::Draft(Script& script, const ir::Function& function, const std::map<std::string, std::string>& parameters,
             const std::map<ValueId, std::string>& wanted, bool is_top)
    : script(script),
      tree(script.tree),
      function(function),
      uses(function),
      variables(function, uses, value_names(function, parameters, wanted)),
      blank_tapes(script::blank_tapes(function)),
      terms(function.value_count()),
      wanted_(wanted),
      is_top_(is_top) {
  for (const auto& [value, name] : wanted) names_[variables.of(value)] = name;
  for (const ir::Parameter& parameter : function.parameters) {
    names_[variables.of(parameter.value)] = parameters.at(parameter.path);
    terms[parameter.value.index] = tree.name(parameters.at(parameter.path));
  }
}

// ---- names and statements ----

void Draft::put(StmtId statement) {
  if (is_top_) places_[statement.index] = place_;
  statements_.push_back(statement);
}

Draft::Place Draft::place_of(StmtId statement) const {
  const auto place = places_.find(statement.index);
  return place == places_.end() ? Place{} : place->second;
}

const std::string& Draft::name_of(ValueId value) {
  std::string& name = names_[variables.of(value)];
  if (name.empty()) name = script.names.fresh(variables.name(value));
  return name;
}

// Whether a derivative rule made the op. What keeps values for later belongs to the way forward.
bool Draft::is_backward(const Op& op) const {
  return !function.origin(op.origin).rule.empty() && op.code != Opcode::tape && op.code != Opcode::push;
}

// Contributions to one cotangent are told apart: "mul, line 2 + sin, line 3".
std::string Draft::comment(const Op& op) const {
  if (op.code != Opcode::add || !is_backward(op)) return comment_of(op);
  std::vector<std::string> texts;
  for (ValueId operand : op.operands) {
    const Op* part = function.def(operand);
    std::string text = part && is_backward(*part) ? is_temporary(operand) ? comment(*part) : comment_of(op) : std::string();
    if (!text.empty() && std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  return texts.size() < 2 ? comment_of(op) : fmt::format("{}", fmt::join(texts, " + "));
}

// Where a reader finds it: outside of the library.
Span Draft::authors_place(const Op& op) const {
  const ir::Origin& origin = function.origin(op.origin);
  const auto is_readers = [&](const Span& span) {
    return span.valid() && span.file < script.module.files.size() && !script.module.files[span.file].starts_with("prelude/");
  };
  Span place = origin.span;
  for (std::size_t i = 0; !is_readers(place) && i < origin.calls.size(); ++i) place = origin.calls[i];
  return is_readers(place) ? place : Span();
}

std::string Draft::comment_of(const Op& op) const {
  const ir::Origin& origin = function.origin(op.origin);
  if (origin.rule.empty()) return "";
  const Span place = authors_place(op);
  std::string text = is_backward(op) ? origin.rule : "for " + origin.rule;
  if (!place.valid()) return text;
  return fmt::format("{}, {}line {}", text, place.file == 0 ? "" : script.module.files[place.file] + " ", place.line);
}

void Draft::assign(const Assignment& assignment) {
  const auto& [name, term, type, comment] = assignment;
  // `loss = e` would declare a loss.
  const bool needs_type = (term.is_literal && type.element != script.module.real) || name == "loss";
  put(tree.assign(name, term, needs_type ? std::optional(tree.type(type)) : std::nullopt, comment));
}

void Draft::assign_all(std::vector<Assignment> assignments) {
  std::erase_if(assignments, [&](const Assignment& a) { return tree.is_name(a.term, a.name); });
  auto reads_other = [&](const Assignment& reader, const Assignment& target) {
    return &reader != &target && tree.mentions(reader.term, target.name);
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

Term Draft::named(const Term& term, const Type& type) {
  return std::holds_alternative<NameExpr>(tree.expr(term).node) ? term : kept(term, type);
}

Term Draft::kept(const Term& term, const Type& type) {
  const std::string name = script.names.fresh("");
  assign({name, term, type, {}});
  return tree.name(name);
}

// ---- values ----

bool Draft::is_number(ValueId value) const {
  if (!function.value(value).name.empty() || wanted_.contains(value) || uses.of(value).is_variable) return false;
  const Type& type = function.type(value);
  if (const Op* wider = type.element == Element::i64 ? def(value, Opcode::cast) : nullptr)
    return function.type(wider->operands[0]).element == Element::i32 && is_number(wider->operands[0]);
  return def(value, Opcode::constant) && type.is_scalar();
}

bool Draft::is_temporary(ValueId value) const {
  const Use& use = uses.of(value);
  if (use.count != 1 || !use.local || use.is_variable || wanted_.contains(value)) return false;
  return use.role != Role::operand || function.value(value).name.empty();
}

Term Draft::read(ValueId value) {
  std::erase(waiting_, value);
  return terms[value.index];
}

void Draft::bind(ValueId value, const Term& term) {
  const std::string name = name_of(value);
  flush(std::span(&name, 1), false);
  const Op* op = function.def(value);
  const Maker maker(*this, op);
  if (!tree.is_name(term, name)) assign({name, term, function.type(value), op ? comment(*op) : ""});
  terms[value.index] = tree.name(name);
}

void Draft::await(ValueId value, const Term& term) {
  terms[value.index] = term;
  waiting_.push_back(value);
}

bool Draft::is_awaited(const std::string& variable) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](ValueId value) { return tree.mentions(terms[value.index], variable); });
}

void Draft::flush(std::span<const std::string> variables, bool failing) {
  for (ValueId value : std::vector<ValueId>(waiting_)) {
    const Term term = terms[value.index];
    bool reads = std::any_of(variables.begin(), variables.end(), [&](const std::string& name) { return tree.mentions(term, name); });
    if (!reads && !(failing && term.may_fail)) continue;
    std::erase(waiting_, value);
    bind(value, term);
  }
}

// Whether the value's only use is to be what a loop or an update goes on with, in the same variable.
bool Draft::starts_variable(ValueId value) const {
  const Use& use = uses.of(value);
  auto slot_of = [&](const std::vector<ValueId>& values) {
    return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) - values.begin());
  };
  auto is_carried = [&](const Op& loop, std::size_t slot) {
    return variables.same(value, function.block(loop.regions.back()).arguments[slot + ir::uncarried_arguments(loop.code)]);
  };
  const BlockId home = function.value(value).block;
  const ir::Block& block = function.block(home);
  switch (use.role) {
    case Role::operand:
      return false;
    case Role::updated:
      return variables.same(value, function.op(use.user).results[0]);
    case Role::initial: {
      const Op& loop = function.op(use.user);
      return is_carried(loop, slot_of(loop.operands) - ir::uncarried_operands(loop.code));
    }
    case Role::yield: {
      const Op* loop = block.parent.valid() ? &function.op(block.parent) : nullptr;
      return loop && ir::is_loop(loop->code) && loop->regions.back() == home && is_carried(*loop, slot_of(block.yields));
    }
  }
  return false;
}

void Draft::write_result(ValueId value, const Term& term) {
  if (is_number(value)) {
    terms[value.index] = term;
    return;
  }
  bool needs_type = def(value, Opcode::constant) && term.is_literal && !function.type(value).is_scalar();
  bool inside = is_temporary(value) && !needs_type && (uses.of(value).role != Role::operand || tree.width(term) <= kLongestInside);
  // What a variable starts or goes on with is put there straight away, unless something still waits to read what it holds.
  if (inside && !(starts_variable(value) && !is_awaited(name_of(value)))) {
    await(value, term);
  } else {
    bind(value, term);
  }
}

void Draft::write_results(const Op& op, const Term& term) {
  if (op.results.size() == 1) return write_result(op.results[0], term);
  std::vector<std::string> names;
  for (ValueId result : op.results) names.push_back(name_of(result));
  flush(names, term.may_fail);
  AssignStmt assignment{{}, "=", {}, {term.id}};
  for (const std::string& name : names) assignment.targets.push_back(Tree::target(name));
  put(std::move(assignment), comment(op));
  for (std::size_t i = 0; i < names.size(); ++i) terms[op.results[i].index] = tree.name(names[i]);
}

Term Draft::call(const std::string& name, const std::vector<Term>& arguments, const std::vector<std::pair<std::string, Term>>& named) {
  script.called.insert(name);
  return tree.call(name, arguments, named);
}

Term Draft::typed(const Term& term, Element element) {
  return term.is_literal ? call(tree.element_spec(element), {term}) : term;
}

const Op* Draft::def(ValueId value, Opcode code) const {
  const Op* op = function.def(value);
  return op && op->code == code ? op : nullptr;
}

std::vector<std::string> Draft::changed_in(const Op& op) const {
  std::set<std::string> names;
  collect_changed(op, names);
  return {names.begin(), names.end()};
}

void Draft::collect_changed(const Op& op, std::set<std::string>& names) const {
  auto note = [&](ValueId value) {
    if (auto known = names_.find(variables.of(value)); known != names_.end()) names.insert(known->second);
  };
  std::for_each(op.results.begin(), op.results.end(), note);
  for (BlockId region : op.regions) {
    if (ir::is_loop(op.code)) std::for_each(function.block(region).arguments.begin(), function.block(region).arguments.end(), note);
    for (OpId id : function.block(region).ops) collect_changed(function.op(id), names);
  }
}

void Draft::forget_names(BlockId region) {
  for (ir::OpId id : function.block(region).ops) {
    const Op& op = function.op(id);
    for (ValueId result : op.results) names_.erase(variables.of(result));
    for (BlockId inner : op.regions) {
      for (ValueId argument : function.block(inner).arguments) names_.erase(variables.of(argument));
      forget_names(inner);
    }
  }
}

}  // namespace bpc::frontend::script
