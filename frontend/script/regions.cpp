// Comprehensions, checkpoints and functions with an adjoint rule: regions that are one expression, or the body of a function.
#include <fmt/format.h>
#include <algorithm>

#include "frontend/format/format.h"
#include "frontend/lower/builtins.h"
#include "frontend/script/function_writer.h"
#include "ir/clone.h"

namespace bpc::frontend::script {

using ir::Block;
using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

// "h1.dense_2" as "dense_2"
std::string last_step(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

// The function that the author called in the region, or `otherwise`.
std::string function_called(const ir::Function& function, const Op& op, const std::string& otherwise) {
  const std::string& around = function.origin(op.origin).path;
  for (OpId id : function.block(op.regions[0]).ops) {
    const std::string& path = function.origin(function.op(id).origin).path;
    if (path != around && !path.empty() && !is_library_function(last_step(path))) return last_step(path);
  }
  return otherwise;
}

}  // namespace

// ---- functions ----

// What the regions of the op read from outside, but for numbers, which are written there again.
std::vector<ValueId> FunctionWriter::captured(const Op& op) const {
  std::vector<ValueId> values;
  for (BlockId region : op.regions)
    ir::for_each_use(function_, region, [&](ValueId value) {
      bool is_inside = ir::is_enclosed(function_, function_.value(value).block, region);
      if (!is_inside && !is_number(value) && std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    });
  return values;
}

// The name of a function, which is written before the script's statements unless it is there already, with its adjoint if it has one.
std::string FunctionWriter::function_named(const std::string& wanted, const std::vector<std::string>& parameters, const Rendered& body,
                                           const std::vector<Term>& results, std::optional<AdjointStmt> rule) {
  FnStmt fn;
  for (const std::string& parameter : parameters) fn.parameters.push_back({{parameter, {}}, {}, {}});
  if (body.statements.empty() && results.size() == 1) {
    fn.expression = results[0].id;
  } else {
    ReturnStmt returned;
    for (const Term& result : results) returned.values.push_back(result.id);
    fn.body.statements = body.statements;
    fn.body.statements.push_back(tree_.add(std::move(returned)));
  }
  std::vector<StmtId> nameless{tree_.add(fn)};
  if (rule) nameless.push_back(tree_.add(*rule));
  auto [known, is_new] = script_.functions.try_emplace(tree_.text_of(nameless, kLineLimit));
  if (!is_new) return known->second;
  fn.name.text = known->second = script_.names.lasting(wanted);
  script_.before.push_back(tree_.add(std::move(fn)));
  if (rule) rule->function.text = known->second;
  if (rule) script_.before.push_back(tree_.add(std::move(*rule)));
  return known->second;
}

// The call of a function that takes what the op's region reads from outside, and the indices, in the order in which it reads them.
Term FunctionWriter::call_outlined(const Op& op, const Rendered& body, const std::vector<Term>& results,
                                   const std::vector<std::string>& indices) {
  std::set<std::string> outside(indices.begin(), indices.end());
  for (ValueId value : captured(op))
    if (const auto* name = std::get_if<NameExpr>(&tree_.expr(terms_[value.index]).node)) outside.insert(name->name);
  std::vector<std::string> names = tree_.names_in(body.statements, results);
  std::erase_if(names, [&](const std::string& name) { return !outside.contains(name); });
  std::vector<Term> arguments;
  for (const std::string& name : names) arguments.push_back(tree_.name(name));
  const std::string otherwise = op.code == ir::Opcode::map ? "element" : "part";
  return tree_.call(function_named(function_called(function_, op, otherwise), names, body, results, {}), arguments);
}

// ---- ops ----

// The range of a map's index, when all that the index is used for is `lo + step * index`: the author's, and what stands for that.
FunctionWriter::IndexRange FunctionWriter::index_range(ValueId index) const {
  IndexRange range{index};
  auto only_use = [&](Opcode code) -> const Op* {
    const Use& use = uses_.of(range.value);
    const Op* user = use.count == 1 && use.local && use.user.valid() ? &function_.op(use.user) : nullptr;
    return user && user->code == code && user->operands[0] == range.value && is_number(user->operands[1]) ? user : nullptr;
  };
  auto number_of = [&](const Op& user) { return std::get<std::int64_t>(*function_.def(user.operands[1])->attrs.find(ir::Attr::value)); };
  if (const Op* times = only_use(Opcode::mul); times && number_of(*times) != 0) {
    range.step = number_of(*times);
    range.skipped.push_back(range.value = times->results[0]);
  }
  if (const Op* plus = only_use(Opcode::add)) {
    range.lo = number_of(*plus);
    range.skipped.push_back(range.value = plus->results[0]);
  }
  return range;
}

// One comprehension for each result.
void FunctionWriter::write_map(const Op& op) {
  flush(changed_in(op), has_effect(function_, op));
  const Block& block = function_.block(op.regions[0]);
  const Type& first = function_.type(op.results[0]);
  const Names::Scope opened = script_.names.open(Names::Kind::function);
  std::vector<std::string> indices;
  std::vector<Generator> generators;
  for (std::size_t i = 0; i < block.arguments.size(); ++i) {
    const IndexRange range = index_range(block.arguments[i]);
    const std::string& name = function_.value(range.value).name;
    indices.push_back(script_.names.fresh(name.empty() ? "i" : name));
    terms_[range.value.index] = tree_.name(indices[i]);
    ranges_.insert(range.skipped.begin(), range.skipped.end());
    const Term lo = tree_.integer(range.lo), hi = tree_.integer(range.lo + range.step * first.size(i));
    generators.push_back(tree_.generator(indices[i], tree_.range(lo, hi, tree_.integer(range.step))));
  }
  Rendered body = render(op.regions[0]);
  std::vector<Term> terms;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    Element kind = function_.type(op.results[k]).element;
    Term element = kind == script_.module.real ? body.yields[k] : typed(body.yields[k], kind);
    if (!body.statements.empty()) element = call_outlined(op, body, {element}, indices);
    terms.push_back(tree_.comprehension(element, generators));
    terms.back().may_fail = has_effect(function_, op);
  }
  script_.names.close(opened);
  for (std::size_t k = 0; k < op.results.size(); ++k) write_result(op.results[k], terms[k]);
}

void FunctionWriter::write_checkpoint(const Op& op) {
  flush(changed_in(op), has_effect(function_, op));
  const Names::Scope opened = script_.names.open(Names::Kind::function);
  Rendered body = render(op.regions[0]);
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    Element element = function_.type(op.results[k]).element;
    if (element != script_.module.real) body.yields[k] = typed(body.yields[k], element);
  }
  bool is_expression = body.statements.empty() && body.yields.size() == 1;
  Term term = call("checkpoint", {is_expression ? body.yields[0] : call_outlined(op, body, body.yields, {})});
  script_.names.close(opened);
  term.may_fail = has_effect(function_, op);
  write_results(op, term);
}

// A parameter x of a function with an adjoint rule, where dx has a meaning too.
std::string FunctionWriter::parameter(const std::string& wanted, std::set<std::string>& used) {
  const std::string plain = spelled_path(wanted);
  std::string name = plain;
  auto is_bad = [&](const std::string& one) { return used.contains(one) || script_.names.is_function(one); };
  for (int turn = 2; is_bad(name) || is_bad("d" + name); ++turn) name = fmt::format("{}_{}", plain, turn);
  for (const std::string& one : {name, "d" + name}) {
    used.insert(one);
    script_.names.shadow(one);
  }
  return name;
}

// What the regions read from outside become parameters too, whose derivative is none.
void FunctionWriter::write_custom(const Op& op) {
  const Block &primal = function_.block(op.regions[0]), &adjoint = function_.block(op.regions[1]);
  const std::size_t inputs = op.operands.size(), outputs = op.results.size();
  std::vector<Term> given;
  for (ValueId operand : op.operands) {  // a literal would not be a value
    const Term term = read(operand);
    given.push_back(term.is_literal ? kept(term, function_.type(operand)) : term);
  }

  flush(changed_in(op), has_effect(function_, op));
  const Names::Scope opened = script_.names.open(Names::Kind::function);
  std::set<std::string> used;
  std::vector<std::string> parameters, results;
  auto name_or = [&](ValueId value, const char* otherwise) {
    return function_.value(value).name.empty() ? otherwise : function_.value(value).name;
  };
  for (std::size_t i = 0; i < inputs; ++i) {
    parameters.push_back(parameter(name_or(primal.arguments[i], "x"), used));
    terms_[primal.arguments[i].index] = terms_[adjoint.arguments[i].index] = tree_.name(parameters[i]);
  }
  std::map<ValueId, Term> outside;
  for (ValueId value : captured(op)) {
    const Term term = outside[value] = terms_[value.index];
    given.push_back(term);
    parameters.push_back(parameter(std::get<NameExpr>(tree_.expr(term).node).name, used));
    terms_[value.index] = tree_.name(parameters.back());
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    results.push_back(parameter(name_or(adjoint.arguments[inputs + i], "y"), used));
    terms_[adjoint.arguments[inputs + i].index] = tree_.name(results[i]);
    terms_[adjoint.arguments[inputs + outputs + i].index] = tree_.name("d" + results[i]);
  }
  for (std::size_t i = 0; i < inputs; ++i) {  // a cotangent has its name from the start
    ValueId value = adjoint.yields[i];
    bool is_made_here = function_.def(value) && function_.value(value).block == op.regions[1];
    if (is_made_here && is_real(function_.type(value).element)) names_.try_emplace(variables_.of(value), "d" + parameters[i]);
  }
  const Rendered body = render(op.regions[0]);
  Rendered backward = render(op.regions[1]);
  auto set = [&](const std::string& parameter, const Term& cotangent) {
    const std::string name = "d" + parameter;
    if (!tree_.is_name(cotangent, name)) backward.statements.push_back(tree_.assign(name, cotangent, {}, {}));
  };
  for (std::size_t i = 0; i < inputs; ++i)
    if (is_real(function_.type(op.operands[i]).element)) set(parameters[i], backward.yields[i]);
  for (const auto& [value, term] : outside) {
    if (is_real(function_.type(value).element)) set(std::get<NameExpr>(tree_.expr(terms_[value.index]).node).name, tree_.integer(0));
    terms_[value.index] = term;
  }
  AdjointStmt rule{{}, {}, {}, {std::move(backward.statements), {}}};
  for (const std::string& parameter : parameters) rule.inputs.push_back({parameter, {}});
  for (const std::string& result : results) rule.outputs.push_back({result, {}});
  script_.names.close(opened);
  std::string wanted = last_step(function_.origin(op.origin).path);
  Term term = tree_.call(function_named(wanted.empty() ? "f" : wanted, parameters, body, body.yields, std::move(rule)), given);
  term.may_fail = has_effect(function_, op);
  write_results(op, term);
}

}  // namespace bpc::frontend::script
