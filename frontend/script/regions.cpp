#include "frontend/script/regions.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/builtins/builtins.h"
#include "frontend/format/format.h"
#include "frontend/script/blocks.h"
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

// ---- functions ----

// What the regions of the op read from outside, but for numbers, which are written there again.
std::vector<ValueId> captured(Draft& d, const Op& op) {
  std::vector<ValueId> values;
  for (BlockId region : op.regions)
    ir::for_each_use(d.function, region, [&](ValueId value) {
      bool is_inside = ir::is_enclosed(d.function, d.function.value(value).block, region);
      if (!is_inside && !d.is_number(value) && std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    });
  return values;
}

// The name of a function, which is written before the script's statements unless it is there already, with its adjoint if it has one.
std::string function_named(Draft& d, const std::string& wanted, const std::vector<std::string>& parameters, const Rendered& body,
                           const std::vector<Term>& results, std::optional<AdjointStmt> rule) {
  FnStmt fn;
  for (const std::string& parameter : parameters) fn.parameters.push_back({{parameter, {}}, {}, {}});
  if (body.statements.empty() && results.size() == 1) {
    fn.expression = results[0].id;
  } else {
    ReturnStmt returned;
    for (const Term& result : results) returned.values.push_back(result.id);
    fn.body.statements = body.statements;
    fn.body.statements.push_back(d.tree.add(std::move(returned)));
  }
  std::vector<StmtId> nameless{d.tree.add(fn)};
  if (rule) nameless.push_back(d.tree.add(*rule));
  auto [known, is_new] = d.script.functions.try_emplace(d.tree.text_of(nameless, kLineLimit));
  if (!is_new) return known->second;
  fn.name.text = known->second = d.script.names.lasting(wanted);
  d.script.before.push_back(d.tree.add(std::move(fn)));
  if (rule) rule->function.text = known->second;
  if (rule) d.script.before.push_back(d.tree.add(std::move(*rule)));
  return known->second;
}

// The call of a function that takes what the op's region reads from outside, and the indices, in the order in which it reads them.
Term call_outlined(Draft& d, const Op& op, const Rendered& body, const std::vector<Term>& results,
                   const std::vector<std::string>& indices) {
  std::set<std::string> outside(indices.begin(), indices.end());
  for (ValueId value : captured(d, op))
    if (const auto* name = std::get_if<NameExpr>(&d.tree.expr(d.terms[value.index]).node)) outside.insert(name->name);
  std::vector<std::string> names = d.tree.names_in(body.statements, results);
  std::erase_if(names, [&](const std::string& name) { return !outside.contains(name); });
  std::vector<Term> arguments;
  for (const std::string& name : names) arguments.push_back(d.tree.name(name));
  const std::string otherwise = op.code == ir::Opcode::map ? "element" : "part";
  return d.tree.call(function_named(d, function_called(d.function, op, otherwise), names, body, results, {}), arguments);
}

// ---- ops ----

// The range of a map's index, when all that the index is used for is `lo + step * index`: the author's, and what stands for that.
struct IndexRange {
  ValueId value;
  std::int64_t lo = 0, step = 1;
  std::vector<ValueId> skipped = {};  // made of the index, and written as its range
};
IndexRange index_range(Draft& d, ValueId index) {
  IndexRange range{index};
  auto only_use = [&](Opcode code) -> const Op* {
    const Use& use = d.uses.of(range.value);
    const Op* user = use.count == 1 && use.local && use.user.valid() ? &d.function.op(use.user) : nullptr;
    return user && user->code == code && user->operands[0] == range.value && d.is_number(user->operands[1]) ? user : nullptr;
  };
  auto number_of = [&](const Op& user) { return std::get<std::int64_t>(*d.function.def(user.operands[1])->attrs.find(ir::Attr::value)); };
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

// A parameter x of a function with an adjoint rule, where dx has a meaning too.
std::string parameter(Draft& d, const std::string& wanted, std::set<std::string>& used) {
  const std::string plain = spelled_path(wanted);
  std::string name = plain;
  auto is_bad = [&](const std::string& one) { return used.contains(one) || d.script.names.is_function(one); };
  for (int turn = 2; is_bad(name) || is_bad("d" + name); ++turn) name = fmt::format("{}_{}", plain, turn);
  for (const std::string& one : {name, "d" + name}) {
    used.insert(one);
    d.script.names.shadow(one);
  }
  return name;
}

}  // namespace

// One comprehension for each result.
void write_map(Draft& d, const Op& op) {
  d.flush(d.changed_in(op), has_effect(d.function, op));
  const Block& block = d.function.block(op.regions[0]);
  const Type& first = d.function.type(op.results[0]);
  const Names::Scope opened = d.script.names.open(Names::Kind::function);
  std::vector<std::string> indices;
  std::vector<Generator> generators;
  for (std::size_t i = 0; i < block.arguments.size(); ++i) {
    const IndexRange range = index_range(d, block.arguments[i]);
    const std::string& name = d.function.value(range.value).name;
    indices.push_back(d.script.names.fresh(name.empty() ? "i" : name));
    d.terms[range.value.index] = d.tree.name(indices[i]);
    d.skipped.insert(range.skipped.begin(), range.skipped.end());
    const Term lo = d.tree.integer(range.lo), hi = d.tree.integer(range.lo + range.step * first.size(i));
    generators.push_back(d.tree.generator(indices[i], d.tree.range(lo, hi, d.tree.integer(range.step))));
  }
  Rendered body = render(d, op.regions[0]);
  std::vector<Term> terms;
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    Element kind = d.function.type(op.results[k]).element;
    Term element = kind == d.script.module.real ? body.yields[k] : d.typed(body.yields[k], kind);
    if (!body.statements.empty()) element = call_outlined(d, op, body, {element}, indices);
    terms.push_back(d.tree.comprehension(element, generators));
    terms.back().may_fail = has_effect(d.function, op);
  }
  d.script.names.close(opened);
  for (std::size_t k = 0; k < op.results.size(); ++k) d.write_result(op.results[k], terms[k]);
}

void write_checkpoint(Draft& d, const Op& op) {
  d.flush(d.changed_in(op), has_effect(d.function, op));
  const Names::Scope opened = d.script.names.open(Names::Kind::function);
  Rendered body = render(d, op.regions[0]);
  for (std::size_t k = 0; k < op.results.size(); ++k) {
    Element element = d.function.type(op.results[k]).element;
    if (element != d.script.module.real) body.yields[k] = d.typed(body.yields[k], element);
  }
  bool is_expression = body.statements.empty() && body.yields.size() == 1;
  Term term = d.call("checkpoint", {is_expression ? body.yields[0] : call_outlined(d, op, body, body.yields, {})});
  d.script.names.close(opened);
  term.may_fail = has_effect(d.function, op);
  d.write_results(op, term);
}

// What the regions read from outside become parameters too, whose derivative is none.
void write_custom(Draft& d, const Op& op) {
  const Block &primal = d.function.block(op.regions[0]), &adjoint = d.function.block(op.regions[1]);
  const std::size_t inputs = op.operands.size(), outputs = op.results.size();
  std::vector<Term> given;
  for (ValueId operand : op.operands) {  // a literal would not be a value
    const Term term = d.read(operand);
    given.push_back(term.is_literal ? d.kept(term, d.function.type(operand)) : term);
  }

  d.flush(d.changed_in(op), has_effect(d.function, op));
  const Names::Scope opened = d.script.names.open(Names::Kind::function);
  std::set<std::string> used;
  std::vector<std::string> parameters, results;
  auto name_or = [&](ValueId value, const char* otherwise) {
    return d.function.value(value).name.empty() ? otherwise : d.function.value(value).name;
  };
  for (std::size_t i = 0; i < inputs; ++i) {
    parameters.push_back(parameter(d, name_or(primal.arguments[i], "x"), used));
    d.terms[primal.arguments[i].index] = d.terms[adjoint.arguments[i].index] = d.tree.name(parameters[i]);
  }
  std::map<ValueId, Term> outside;
  for (ValueId value : captured(d, op)) {
    const Term term = outside[value] = d.terms[value.index];
    given.push_back(term);
    parameters.push_back(parameter(d, std::get<NameExpr>(d.tree.expr(term).node).name, used));
    d.terms[value.index] = d.tree.name(parameters.back());
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    results.push_back(parameter(d, name_or(adjoint.arguments[inputs + i], "y"), used));
    d.terms[adjoint.arguments[inputs + i].index] = d.tree.name(results[i]);
    d.terms[adjoint.arguments[inputs + outputs + i].index] = d.tree.name("d" + results[i]);
  }
  for (std::size_t i = 0; i < inputs; ++i) {  // a cotangent has its name from the start
    ValueId value = adjoint.yields[i];
    bool is_made_here = d.function.def(value) && d.function.value(value).block == op.regions[1];
    if (is_made_here && is_real(d.function.type(value).element)) d.suggest_name(value, "d" + parameters[i]);
  }
  const Rendered body = render(d, op.regions[0]);
  Rendered backward = render(d, op.regions[1]);
  auto set = [&](const std::string& parameter, const Term& cotangent) {
    const std::string name = "d" + parameter;
    if (!d.tree.is_name(cotangent, name)) backward.statements.push_back(d.tree.assign(name, cotangent, {}, {}));
  };
  for (std::size_t i = 0; i < inputs; ++i)
    if (is_real(d.function.type(op.operands[i]).element)) set(parameters[i], backward.yields[i]);
  for (const auto& [value, term] : outside) {
    if (is_real(d.function.type(value).element)) set(std::get<NameExpr>(d.tree.expr(d.terms[value.index]).node).name, d.tree.integer(0));
    d.terms[value.index] = term;
  }
  AdjointStmt rule{{}, {}, {}, {std::move(backward.statements), {}}};
  for (const std::string& parameter : parameters) rule.inputs.push_back({parameter, {}});
  for (const std::string& result : results) rule.outputs.push_back({result, {}});
  d.script.names.close(opened);
  std::string wanted = last_step(d.function.origin(op.origin).path);
  Term term = d.tree.call(function_named(d, wanted.empty() ? "f" : wanted, parameters, body, body.yields, std::move(rule)), given);
  term.may_fail = has_effect(d.function, op);
  d.write_results(op, term);
}

}  // namespace bpc::frontend::script
