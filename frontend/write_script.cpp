#include "frontend/write_script.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <set>

#include "frontend/script/function_writer.h"
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

class ScriptWriter {
 public:
  ScriptWriter(const ir::Module& module, const Function& main, const std::set<std::string>& reserved)
      : module_(module), main_(main), script_{module, Names(reserved), {}, {}, {}} {}

  std::string run() {
    name_parameters();
    name_outputs();
    std::vector<std::string>& lines = script_.lines;
    if (module_.seed != 0) lines.push_back(fmt::format("seed {}", module_.seed));
    for (const Parameter& parameter : main_.parameters) declare(parameter);
    std::size_t declared = lines.size();
    FunctionWriter writer(script_, main_, parameters_, wanted_, 0);
    writer.write_body();
    bind_outputs(writer);
    std::vector<std::string> gradients = shown_gradients();
    if (declared > 0 && lines.size() > declared) lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(declared), "");
    std::vector<std::string> body = writer.take_lines();
    if (!lines.empty() && !body.empty()) lines.emplace_back();
    lines.insert(lines.end(), body.begin(), body.end());
    lines.insert(lines.end(), gradients.begin(), gradients.end());
    return fmt::format("{}\n", fmt::join(lines, "\n"));
  }

  const std::set<std::string>& called() const { return script_.called; }

 private:
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
  void bind_outputs(FunctionWriter& writer) {
    std::vector<Assignment> late;
    for (std::size_t i = 0; i < main_.outputs.size(); ++i) {
      ValueId value = main_.outputs[i].value;
      auto wanted = wanted_.find(value);
      if (wanted != wanted_.end() && wanted->second == output_names_[i]) continue;
      Assignment one{output_names_[i], writer.read(value), main_.type(value), {}};
      if (one.expr.text == one.name && !main_.def(value)) writer.assign(one);  // `x = x`, which shows the parameter x
      late.push_back(std::move(one));
    }
    writer.assign_all(std::move(late));
  }

  // A script that prints shows nothing else: there the gradients are printed, too.
  std::vector<std::string> shown_gradients() const {
    bool prints = false;
    for (std::uint32_t i = 0; i < main_.op_count(); ++i) prints |= main_.op(ir::OpId{i}).code == ir::Opcode::print;
    std::vector<std::string> lines;
    for (std::size_t i = 0; prints && i < main_.outputs.size(); ++i)
      if (main_.outputs[i].kind == Output::Kind::gradient) lines.push_back(fmt::format("print \"{0} =\", {0}", output_names_[i]));
    return lines;
  }

  void declare(const Parameter& parameter) {
    const Type& type = main_.type(parameter.value);
    const std::string& name = parameters_.at(parameter.path);
    bool is_default = type.is_scalar() && type.element == module_.real && parameter.source.empty();
    std::string text = (parameter.kind == Parameter::Kind::input ? "input " : "param ") + name;
    if (!is_default) text += " : " + type_spec(type, module_.real);
    if (auto initial = initial_value(parameter.path, name)) text += " = " + *initial;
    if (!parameter.source.empty()) text += " from " + parameter.source;
    script_.lines.push_back(std::move(text));
  }

  // What the function "init" gives the parameter, as one expression: the call of a function written before it where that takes statements.
  std::optional<std::string> initial_value(const std::string& path, const std::string& name) {
    const Function* init = module_.find("init");
    if (!init) return std::nullopt;
    Function part = *init;
    std::erase_if(part.outputs, [&](const Output& output) { return output.path != path; });
    if (part.outputs.empty()) return std::nullopt;
    part = without_dead_ops(part);
    ValueId value = part.outputs[0].value;
    part.value(value).name.clear();
    const ir::Op* made = part.def(value);
    const ir::AttrValue* everywhere = made && made->code == ir::Opcode::constant ? made->attrs.find(ir::Attr::value) : nullptr;
    if (everywhere) return number(*everywhere, part.type(value).element, module_.real).text;
    const Names::Scope opened = script_.names.open(Names::Kind::function);
    FunctionWriter writer(script_, part, parameters_, {}, 1);
    writer.write_body();
    Expr result = writer.read(value);
    std::vector<std::string> body = writer.take_lines();
    script_.names.close(opened);
    if (body.empty()) return result.text;
    std::string function = script_.names.lasting("initial_" + name);
    script_.lines.push_back("fn " + function + "() {");
    script_.lines.insert(script_.lines.end(), body.begin(), body.end());
    script_.lines.push_back("  return " + result.text);
    script_.lines.push_back("}");
    return function + "()";
  }

  const ir::Module& module_;
  const Function& main_;
  Script script_;
  std::map<std::string, std::string> parameters_;  // path to name
  std::vector<std::string> output_names_;          // of each output of main
  std::map<ValueId, std::string> wanted_;          // values that are bound to an output's name by their own statement
};

}  // namespace

std::string write_script(const ir::Module& module) {
  const Function* main = module.find("main");
  if (!main) throw InternalError("write script", "the module has no function main");
  Function live = without_dead_ops(*main);
  // No name may hide a function that the script calls. Which are called is known once it is written.
  std::set<std::string> reserved;
  while (true) {
    ScriptWriter writer(module, live, reserved);
    std::string text = writer.run();
    std::size_t known = reserved.size();
    reserved.insert(writer.called().begin(), writer.called().end());
    if (reserved.size() == known) return text;
  }
}

}  // namespace bpc::frontend
