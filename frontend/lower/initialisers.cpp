#include "frontend/lower/initialisers.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "ir/clone.h"
#include "ir/part.h"

namespace bpc::frontend::lowering {

namespace {

using ir::ValueId;

ValueId outside_value(Context& c, ValueId id) {
  const ir::Parameter& parameter = c.main.parameters[c.main.value(id).slot];
  ValueId inside = c.init.add_parameter(parameter.kind, parameter.path, c.main.type(id));
  c.init.parameters.back().origin = c.init.add_origin(c.main.origin(parameter.origin));
  c.init.parameters.back().source = parameter.source;
  c.init.parameters.back().classes = parameter.classes;
  return inside;
}

// What a value of main is in init: the ops that it is computed from are copied there, in order, without the prints and asserts in their
// regions, which have their say in main.
std::optional<ValueId> init_value(Context& c, ValueId id, Span span) {
  if (c.main.value(id).block != c.main.body()) {
    c.not_implemented(span, "an initialiser that reads a value of a loop, branch or comprehension from inside it");
    return std::nullopt;
  }
  std::set<ir::OpId> ops;
  std::vector<ValueId> open{id};
  while (!open.empty()) {
    ValueId next = open.back();
    open.pop_back();
    const ir::Value& value = c.main.value(next);
    const bool is_inside = value.block != c.main.body();  // of a region that is copied with its op
    if (is_inside || c.init_copies.has(next)) continue;
    if (!value.op.valid()) {
      c.init_copies.set(next, outside_value(c, next));
      continue;
    }
    if (!ops.insert(value.op).second) continue;
    const ir::Op& op = c.main.op(value.op);
    open.insert(open.end(), op.operands.begin(), op.operands.end());
    for (ir::BlockId region : op.regions) ir::for_each_use(c.main, region, [&](ValueId use) { open.push_back(use); });
  }
  for (ir::OpId op : ops) c.init_copies.clone(op);
  return c.init_copies.map(id);
}

}  // namespace

std::optional<Item> into_init(Context& c, Item item) {
  if (const ValueId* id = item.as<ValueId>()) {
    auto inside = init_value(c, *id, item.span);
    if (!inside) return std::nullopt;
    item.is = *inside;
  }
  if (List* list = std::get_if<List>(&item.is))
    for (Item& inner : list->items) {
      auto inside = into_init(c, inner);
      if (!inside) return std::nullopt;
      inner = std::move(*inside);
    }
  return item;
}

std::optional<Item> fitted_value(Context& c, const Item& item, Span span) {
  auto refuse = [&](Code code, const std::string& message, const std::string& help) {
    c.error(code, span, message, help);
    return std::nullopt;
  };
  const ValueId id = *item.as<ValueId>();
  if (c.builder->block() != c.main.body())
    return refuse(Code::E0109, "`fitted` is computed once, and cannot stand in a loop, branch or comprehension", "fit it before");
  for (const ir::Parameter& parameter : c.main.parameters)
    if (parameter.kind == ir::Parameter::Kind::param && ir::computed_from(c.main, std::span(&parameter.value, 1))[id.index])
      return refuse(Code::E0109,
                    fmt::format("what is fitted is computed before training, and this is computed from the param `{}`", parameter.path),
                    "fit what inputs give");
  std::string path = c.frame->path;
  const std::string name = c.frame->binding.empty() ? "fitted" : c.frame->binding;
  path += (path.empty() ? "" : ".") + name;
  const std::string first = path;
  auto is_taken = [&] { return std::ranges::find(c.main.parameters, path, &ir::Parameter::path) != c.main.parameters.end(); };
  for (int n = 2; is_taken(); ++n) path = fmt::format("{}_{}", first, n);
  const Type type = c.type(id);
  const auto given = c.options.bound.find(path);
  if (given != c.options.bound.end() && !same_shape(given->second, type))
    return refuse(Code::E0504,
                  fmt::format("what was fitted as `{}` is {}, and here it would be {}", path, type_text(given->second), type_text(type)),
                  "take a `mean(…, axis=0)`, or something else that has no axis of rows");
  const auto initial = given == c.options.bound.end() ? init_value(c, id, span) : std::nullopt;
  if (given == c.options.bound.end() && !initial) return std::nullopt;
  const ValueId kept = c.main.add_parameter(ir::Parameter::Kind::fitted, path, type);
  c.main.parameters.back().origin = c.main.add_origin({span, c.frame->calls, c.frame->path, {}, {}});
  if (initial) {
    c.init_copies.set(kept, *initial);
    c.init.outputs.push_back({ir::Output::Kind::value, path, *initial});
  }
  return Item{kept, span};
}

std::optional<ValueId> initial_value(Context& c, ExprId value, const std::optional<Type>& declared, const std::string& path, bool real) {
  Temporarily<ir::Builder*> in_init(c.builder, &c.init_builder);
  Temporarily<std::optional<Initialiser>> initialiser(c.initialiser, Initialiser{declared, path});
  Temporarily<std::vector<Counter>> alone(c.counters, {});  // of the loops around the declaration it knows nothing
  auto item = expression(c, value);
  if (!item || !reject_tape(c, *item, "an initialiser")) return std::nullopt;
  auto result = declared ? to_declared(c, *item, *declared, fmt::format("`{}`", path), true) : to_value(c, *item);
  if (result && real && is_integer(c.type(*result).element)) result = cast_to(c, *result, c.module.real, item->span);
  if (!result) return std::nullopt;
  ValueId id = *result->as<ValueId>();
  if (c.init.value(id).name.empty()) c.init.value(id).name = path;
  c.init.outputs.push_back({ir::Output::Kind::value, path, id});
  return id;
}

}  // namespace bpc::frontend::lowering
