#include "frontend/lower/uncalled.h"

#include <algorithm>

#include "frontend/lower/calls.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/types.h"
#include "ir/limits.h"

namespace bpc::frontend::lowering {

namespace {

// A parameter in a function that nobody calls. A `real` is of one float or the other; an integer or a bool may be known at compile time.
Item stand_in(Context& c, const FnParameter& parameter, Element real) {
  const Item unknown{Poison{}, parameter.name.span};
  auto type = parameter.type ? to_type(c, *parameter.type) : std::nullopt;
  if (!type || (type->is_scalar() && !is_real(type->element))) return unknown;
  if (parameter.type->element.empty() || parameter.type->element == "real") type->element = real;
  return {c.main.add_parameter(ir::Parameter::Kind::input, parameter.name.text, *type), parameter.name.span};
}

// What goes wrong where a `real` is that float; nothing where the limits of work end it.
std::vector<Diagnostic> mistakes(Context& c, const Callable& function, Element real) {
  Diagnostics found;
  const Trial trial(c, found);
  Frame frame;
  frame.ast = function.ast;
  frame.names = function.names;
  frame.globals = function.globals;
  frame.function = frame.path = function.meaning->name;
  Temporarily<Frame*> enter(c.frame, &frame);
  const ir::BlockId block = c.builder->block();
  try {
    for (const Definition* size : function.meaning->sizes) c.bind(size, {Poison{}, size->span}, size->span);
    for (const FnParameter& parameter : function.fn->parameters) {
      if (parameter.value.valid()) expression(c, parameter.value);
      c.bind(parameter.name, stand_in(c, parameter, real), parameter.name.span);
    }
    lower_body(c, function, function.fn->name.span);
  } catch (const ir::LimitReached&) {
    c.builder->set_block(block);
    return {};
  }
  return {found.all().begin(), found.all().end()};
}

}  // namespace

std::vector<Callable> uncalled_functions(const Context& c) {
  std::vector<Callable> functions;
  for (const auto& file : c.files)
    if (file)
      for (const Definition* name : file->scopes.front().order) {
        const Callable* function = file->scopes.front().names.at(name).item.as<Callable>();
        if (function && function->globals == file.get() && !c.called.contains(name)) functions.push_back(*function);
      }
  std::ranges::reverse(functions);
  return functions;
}

void check_uncalled(Context& c, const Callable& function) {
  if (c.called.contains(function.meaning)) return;  // by one that nobody calls
  std::vector<Diagnostic> found = mistakes(c, function, Element::f32);
  if (found.empty()) return;
  const std::vector<Diagnostic> again = mistakes(c, function, Element::f64);
  for (Diagnostic& each : found)
    if (std::ranges::any_of(again, [&](const Diagnostic& other) { return other.code == each.code && other.span == each.span; }))
      c.report_once(std::move(each));
}

}  // namespace bpc::frontend::lowering
