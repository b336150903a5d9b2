#include "frontend/lower/initialisers.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "ir/clone.h"

namespace bpc::frontend::lowering {

namespace {

using ir::ValueId;

ValueId outside_value(Context& c, ValueId id) {
  const ir::Parameter& parameter = c.main.parameters[c.main.value(id).slot];
  ValueId inside = c.init.add_parameter(parameter.kind, parameter.path, c.main.type(id));
  c.init.parameters.back().origin = c.init.add_origin(c.main.origin(parameter.origin));
  c.init.parameters.back().source = parameter.source;
  return inside;
}

// The ops of main's body that `id` is computed from, in order; nullopt when it is a value of a region.
std::optional<std::set<ir::OpId>> needed_ops(const Context& c, ValueId id) {
  if (c.main.value(id).block != c.main.body()) return std::nullopt;
  std::set<ir::OpId> ops;
  std::vector<ValueId> open{id};
  while (!open.empty()) {
    ValueId next = open.back();
    open.pop_back();
    const ir::Value& value = c.main.value(next);
    bool is_inside = value.block != c.main.body();  // of a region that is copied with its op
    if (is_inside || c.init_values.contains(next) || !value.op.valid() || !ops.insert(value.op).second) continue;
    const ir::Op& op = c.main.op(value.op);
    open.insert(open.end(), op.operands.begin(), op.operands.end());
    for (ir::BlockId region : op.regions) ir::for_each_use(c.main, region, [&](ValueId use) { open.push_back(use); });
  }
  return ops;
}

ValueId mapped(Context& c, ValueId id) {
  auto known = c.init_values.find(id);
  if (known == c.init_values.end()) known = c.init_values.emplace(id, outside_value(c, id)).first;
  return known->second;
}

// Copies an op of main, without the prints and asserts in its regions, which have their say in main.
void copy_op(Context& c, ir::OpId id, ir::BlockId block) {
  const ir::Op& from = c.main.op(id);
  if (ir::op_info(from.code).has(ir::Trait::effect)) return;
  std::vector<ValueId> operands;
  std::vector<Type> types;
  for (ValueId operand : from.operands) operands.push_back(mapped(c, operand));
  for (ValueId result : from.results) types.push_back(c.main.type(result));
  ir::Op copy{from.code, operands, {}, from.attrs, {}, c.init.add_origin(c.main.origin(from.origin)), block};
  ir::OpId to = c.init.add_op(block, std::move(copy), types);
  for (ir::BlockId region : from.regions) {
    ir::BlockId inside = c.init.add_block(to);
    for (ValueId argument : c.main.block(region).arguments)
      c.init_values[argument] = c.init.add_argument(inside, c.main.type(argument), c.main.value(argument).name);
    for (ir::OpId inner : c.main.block(region).ops) copy_op(c, inner, inside);
    std::vector<ValueId> yields;
    for (ValueId yield : c.main.block(region).yields) yields.push_back(mapped(c, yield));
    c.init.block(inside).yields = std::move(yields);
  }
  for (std::size_t i = 0; i < from.results.size(); ++i) c.init_values[from.results[i]] = c.init.op(to).results[i];
}

std::optional<ValueId> init_value(Context& c, ValueId id, Span span) {
  auto ops = needed_ops(c, id);
  if (!ops) {
    c.not_implemented(span, "an initialiser that reads a value of a loop, branch or comprehension from inside it");
    return std::nullopt;
  }
  for (ir::OpId op : *ops) copy_op(c, op, c.init.body());
  return mapped(c, id);
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
