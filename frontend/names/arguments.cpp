#include "frontend/names/arguments.h"

#include <fmt/format.h>

#include <utility>

namespace bpc::frontend {

namespace {

std::string signature(const FnStmt& fn) {
  std::string list;
  for (const FnParameter& parameter : fn.parameters) list += fmt::format("{}{}", list.empty() ? "" : ", ", parameter.name.text);
  return fmt::format("{}({})", fn.name.text, list);
}

}  // namespace

bool check_arguments(const Ast& ast, const CallExpr& call, Span at, const FnStmt& fn, Span declared, Diagnostics& diagnostics) {
  auto wrong = [&](Span where, std::string message) {
    diagnostics.error(Code::E0105, where, std::move(message)).label(where, "").label(declared, signature(fn));
    return false;
  };
  std::vector<bool> given(fn.parameters.size(), false);
  std::size_t position = 0;
  bool named = false;
  for (const Argument& argument : call.arguments) {
    const Span where = argument.name ? argument.name->span : ast.expr(argument.value).span;
    std::size_t parameter = position;
    if (argument.name) {
      named = true;
      for (parameter = 0; parameter < fn.parameters.size() && fn.parameters[parameter].name.text != argument.name->text;) ++parameter;
      if (parameter == fn.parameters.size())
        return wrong(where, fmt::format("`{}` has no parameter `{}`", fn.name.text, argument.name->text));
      if (given[parameter]) return wrong(where, fmt::format("`{}` is given twice", argument.name->text));
    } else {
      if (named) return wrong(where, "an argument without a name stands after a named one");
      if (position++ >= fn.parameters.size())
        return wrong(where, fmt::format("`{}` takes {} argument{}; {} are given", fn.name.text, fn.parameters.size(),
                                        fn.parameters.size() == 1 ? "" : "s", call.arguments.size()));
    }
    given[parameter] = true;
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < given.size(); ++i)
    if (!given[i] && !fn.parameters[i].value.valid()) missing.push_back(fmt::format("`{}`", fn.parameters[i].name.text));
  return missing.empty() || wrong(at, fmt::format("the call of `{}` lacks {}", fn.name.text, fmt::join(missing, ", ")));
}

}  // namespace bpc::frontend
