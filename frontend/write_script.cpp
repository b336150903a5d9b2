#include "frontend/write_script.h"

#include <algorithm>
#include <map>
#include <set>

#include "frontend/lower.h"
#include "frontend/script/blocks.h"
#include "frontend/syntax/parse.h"
#include "ir/passes/passes.h"
#include "support/internal_error.h"

namespace bpc::frontend {

namespace {

using namespace script;
using ir::Function;
using ir::Output;
using ir::Parameter;
using ir::ValueId;

// Unused ops would be noise.
Function without_dead_ops(const Function& function) {
  Diagnostics none;
  return ir::drop_dead(function, none);
}

ExprId selector(Tree& tree, const Selector& selector) {
  auto column = [&](const Selector::Column& column) {
    const auto* name = std::get_if<std::string>(&column);
    return name ? tree.text(*name) : tree.integer(std::get<std::int64_t>(column));
  };
  auto bound = [&](const std::optional<std::int64_t>& bound) { return bound ? tree.integer(*bound) : Term{}; };
  if (const auto* one = std::get_if<Selector::Column>(&selector.which)) return column(*one).id;
  if (const auto* range = std::get_if<Selector::Range>(&selector.which))
    return tree.range(bound(range->from), bound(range->to), tree.integer(range->step)).id;
  std::vector<Term> columns;
  for (const Selector::Column& each : std::get<std::vector<Selector::Column>>(selector.which)) columns.push_back(column(each));
  return tree.list(columns).id;
}

// `"iris.csv"["label"]`, as the IR keeps it.
FromClause from_clause(Tree& tree, const std::string& text) {
  SourceMap sources;
  Diagnostics none;
  const auto ast = parse(sources, sources.add("a source", "input x from " + text + "\n"), none);
  const auto* input = ast && ast->top.size() == 1 ? std::get_if<InputStmt>(&ast->stmt(ast->top[0]).node) : nullptr;
  if (!input || !input->from) throw InternalError("write script", "a source cannot be read: " + text);
  FromClause from{input->from->path, {}, {}};
  const ExprId wanted = input->from->selector;
  if (const auto read = wanted.valid() ? read_selector(sources.text(ast->expr(wanted).span)) : std::nullopt)
    from.selector = selector(tree, *read);
  return from;
}

class ScriptWriter {
 public:
  ScriptWriter(const ir::Module& module, const Function& main, const std::set<std::string>& reserved)
      : module_(module), main_(main), script_{module, Names(reserved)} {}

  std::string run(std::size_t line_limit) {
    keep_dims();
    name_parameters();
    name_outputs();
    std::vector<StmtId>& before = script_.before;
    if (module_.real == Element::f64) before.push_back(tree().add(RealStmt{{std::string(element_name(module_.real)), {}}}));
    if (module_.seed != 0) before.push_back(tree().add(SeedStmt{tree().integer(static_cast<std::int64_t>(module_.seed)).id}));
    for (const auto& [name, size] : dims_) before.push_back(tree().add(DimStmt{{name, {}}, tree().integer(size).id}));
    for (const Parameter& parameter : main_.parameters) declare(parameter);
    const std::size_t declared = before.size();
    Draft draft(script_, main_, parameters_, wanted_, true);
    write_block(draft, draft.function.body());
    bind_outputs(draft);
    if (declared > 0 && before.size() > declared) tree().set_apart(before[declared]);
    const std::vector<StmtId> body = draft.take_statements();
    if (!before.empty() && !body.empty()) tree().set_apart(body.front());
    group(draft, body);
    std::vector<StmtId> all = before;
    all.insert(all.end(), body.begin(), body.end());
    print_gradients(all);
    return tree().text_of(all, line_limit);
  }

  const std::set<std::string>& called() const { return script_.called; }

 private:
  // The way forward and the way back get headings; on both, what one line of the script has become stands together.
  void group(const Draft& draft, const std::vector<StmtId>& body) {
    struct Group {
      StmtId first;
      Draft::Place place;
      std::size_t count;
    };
    std::vector<Group> groups;
    for (StmtId statement : body) {
      const Draft::Place place = draft.place_of(statement);
      if (!groups.empty() && groups.back().place == place)
        ++groups.back().count;
      else
        groups.push_back({statement, place, 1});
    }
    if (std::none_of(groups.begin(), groups.end(), [](const Group& each) { return each.place.is_backward; })) return;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const bool turns = i == 0 || groups[i].place.is_backward != groups[i - 1].place.is_backward;
      const bool is_whole = i > 0 && (groups[i].count > 1 || groups[i - 1].count > 1);
      const bool is_anyones = !groups[i].place.is_backward && groups[i].place.line == 0;  // a second name of an output
      if (turns && !is_anyones) tree().head(groups[i].first, groups[i].place.is_backward ? "Backward" : "Forward");
      if (turns || is_whole) tree().set_apart(groups[i].first);
    }
  }

  // The author's dims, but for those of one size: what the IR makes of a value may have either's name.
  void keep_dims() {
    std::map<std::int64_t, std::set<std::string>> names;
    for (std::uint32_t i = 0; i < main_.value_count(); ++i)
      for (const Dim& dim : main_.type(ValueId{i}).dims)
        if (!dim.name.empty() && !dim.name.is_open) names[dim.size].insert(dim.name.text);
    for (const auto& [size, all] : names)
      if (all.size() == 1 && !script_.names.is_taken(*all.begin())) dims_[*all.begin()] = size;
    for (const auto& [name, size] : dims_) script_.names.take(name);
    tree().name_dims(dims_);
  }

  void name_parameters() {
    for (const Parameter& parameter : main_.parameters) parameters_[parameter.path] = script_.names.fresh(parameter.path);
  }

  // Each output's name; a value is bound to the first of its names that no parameter has, the others are assigned at the end.
  void name_outputs() {
    std::set<std::string> authors;
    for (const auto& [path, name] : parameters_) authors.insert(name);
    for (const Output& output : main_.outputs)
      if (output.kind == Output::Kind::value) authors.insert(output.path);
    for (const Output& output : main_.outputs) {
      std::string name = output.path;
      if (output.kind == Output::Kind::gradient) {
        name = "d" + main_.loss + "_d" + spelled_path(output.path);
        while (!authors.insert(name).second) name += "_";
      }
      output_names_.push_back(name);
      bool is_free = !script_.names.is_taken(name) && main_.def(output.value) && !wanted_.contains(output.value);
      if (is_free) wanted_[output.value] = name;
    }
    for (const auto& [value, name] : wanted_) script_.names.take(name);
    for (const std::string& name : output_names_) script_.names.take(name);
  }

  // Outputs that are parameters, or that have a second name, or the name of a parameter or of a function that the script calls: these
  // names change their meaning here, after everything has been computed.
  void bind_outputs(Draft& draft) {
    std::vector<Assignment> late;
    for (std::size_t i = 0; i < main_.outputs.size(); ++i) {
      ValueId value = main_.outputs[i].value;
      auto wanted = wanted_.find(value);
      if (wanted != wanted_.end() && wanted->second == output_names_[i]) continue;
      Assignment one{output_names_[i], draft.read(value), main_.type(value), {}};
      if (tree().is_name(one.term, one.name) && !main_.def(value)) draft.assign(one);  // `x = x`, which shows the parameter x
      late.push_back(std::move(one));
    }
    draft.assign_all(std::move(late));
  }

  // A script that prints shows nothing else: there the gradients are printed, too.
  void print_gradients(std::vector<StmtId>& statements) {
    bool prints = false;
    for (std::uint32_t i = 0; i < main_.op_count(); ++i) prints |= main_.op(ir::OpId{i}).code == ir::Opcode::print;
    for (std::size_t i = 0; prints && i < main_.outputs.size(); ++i) {
      const std::string& name = output_names_[i];
      if (main_.outputs[i].kind == Output::Kind::gradient)
        statements.push_back(tree().add(PrintStmt{{tree().text(name + " =").id, tree().name(name).id}}));
    }
  }

  void declare(const Parameter& parameter) {
    const Type& type = main_.type(parameter.value);
    const std::string& name = parameters_.at(parameter.path);
    const bool is_default = type.is_scalar() && type.element == module_.real && parameter.source.empty();
    std::optional<TypeExpr> written;
    if (!is_default) written = tree().type(type);
    std::optional<FromClause> from;
    if (!parameter.source.empty()) from = from_clause(tree(), parameter.source);
    const ExprId of = parameter.classes > 0 ? tree().integer(parameter.classes).id : ExprId();
    const ExprId initial = initial_value(parameter.path, name);
    script_.before.push_back(parameter.kind == Parameter::Kind::param
                                 ? tree().add(ParamStmt{{name, {}}, std::move(written), initial, std::move(from)})
                                 : tree().add(InputStmt{{name, {}}, std::move(written), initial, std::move(from), of}));
  }

  // What the module's `initial` gives the parameter, as one expression: the call of a function written before it where that takes
  // statements.
  ExprId initial_value(const std::string& path, const std::string& name) {
    Function part = module_.initial;
    std::erase_if(part.outputs, [&](const Output& output) { return output.path != path; });
    if (part.outputs.empty()) return {};
    part = without_dead_ops(part);
    ValueId value = part.outputs[0].value;
    part.value(value).name.clear();
    const ir::Op* made = part.def(value);
    const ir::AttrValue* everywhere = made && made->code == ir::Opcode::constant ? made->attrs.find(ir::Attr::value) : nullptr;
    if (everywhere) return tree().number(*everywhere, part.type(value).element).id;
    const Names::Scope opened = script_.names.open(Names::Kind::function);
    Draft draft(script_, part, parameters_, {}, false);
    write_block(draft, draft.function.body());
    const Term result = draft.read(value);
    std::vector<StmtId> body = draft.take_statements();
    script_.names.close(opened);
    if (body.empty()) return result.id;
    FnStmt fn;
    fn.name.text = script_.names.lasting("initial_" + name);
    body.push_back(tree().add(ReturnStmt{{result.id}}));
    fn.body.statements = std::move(body);
    const Term call = tree().call(fn.name.text, {});
    script_.before.push_back(tree().add(std::move(fn)));
    return call.id;
  }

  Tree& tree() { return script_.tree; }

  const ir::Module& module_;
  const Function& main_;
  Script script_;
  std::map<std::string, std::int64_t> dims_;       // kept, by name
  std::map<std::string, std::string> parameters_;  // path to name
  std::vector<std::string> output_names_;          // of each output of main
  std::map<ValueId, std::string> wanted_;          // values that are bound to an output's name by their own statement
};

}  // namespace

std::string write_script(const ir::Module& module, std::size_t line_limit) {
  Function live = without_dead_ops(module.main);
  // No name may hide a function that the script calls. Which are called is known once it is written.
  std::set<std::string> reserved;
  while (true) {
    ScriptWriter writer(module, live, reserved);
    std::string text = writer.run(line_limit);
    std::size_t known = reserved.size();
    reserved.insert(writer.called().begin(), writer.called().end());
    if (reserved.size() == known) return text;
  }
}

}  // namespace bpc::frontend
