#include "frontend/lower/initialisers.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"

namespace bpc::frontend::lowering {

namespace {

using ir::ValueId;

// FNV-1a, 64 bits (Fowler, Noll, Vo), without the sign bit.
std::int64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3u;
  return static_cast<std::int64_t>(hash & 0x7fffffffffffffffu);
}

ValueId outside_value(Context& c, ValueId id) {
  const ir::Parameter& parameter = c.main.parameters[c.main.value(id).slot];
  ValueId inside = c.init.add_parameter(parameter.kind, parameter.path, c.main.type(id));
  c.init.parameters.back().source = parameter.source;
  return inside;
}

// The ops of main's body that `id` is computed from, in order; nullopt when a region takes part.
std::optional<std::set<ir::OpId>> needed_ops(const Context& c, ValueId id) {
  std::set<ir::OpId> ops;
  std::vector<ValueId> open{id};
  while (!open.empty()) {
    ValueId next = open.back();
    open.pop_back();
    if (c.init_values.contains(next)) continue;
    const ir::Value& value = c.main.value(next);
    if (value.block != c.main.body()) return std::nullopt;
    if (!value.op.valid() || !ops.insert(value.op).second) continue;
    const ir::Op& op = c.main.op(value.op);
    if (!op.regions.empty()) return std::nullopt;
    open.insert(open.end(), op.operands.begin(), op.operands.end());
  }
  return ops;
}

ValueId mapped(Context& c, ValueId id) {
  auto known = c.init_values.find(id);
  if (known == c.init_values.end()) known = c.init_values.emplace(id, outside_value(c, id)).first;
  return known->second;
}

std::optional<ValueId> init_value(Context& c, ValueId id, Span span) {
  auto ops = needed_ops(c, id);
  if (!ops) {
    c.not_implemented(span, "an initialiser that reads a value computed in a loop or branch");
    return std::nullopt;
  }
  for (ir::OpId op_id : *ops) {
    const ir::Op& from = c.main.op(op_id);
    std::vector<ValueId> operands;
    std::vector<Type> types;
    for (ValueId operand : from.operands) operands.push_back(mapped(c, operand));
    for (ValueId result : from.results) types.push_back(c.main.type(result));
    ir::Op copy{from.code, operands, {}, from.attrs, {}, c.init.add_origin(c.main.origin(from.origin)), c.init.body()};
    ir::OpId to = c.init.add_op(c.init.body(), std::move(copy), types);
    for (std::size_t i = 0; i < from.results.size(); ++i) c.init_values[from.results[i]] = c.init.op(to).results[i];
  }
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
  Temporarily<std::optional<Initialiser>> initialiser(c.initialiser, Initialiser{declared, path, 0});
  auto item = expression(c, value);
  if (!item) return std::nullopt;
  auto result = declared ? to_declared(c, *item, *declared, fmt::format("`{}`", path), true) : to_value(c, *item);
  if (result && real && is_integer(c.type(*result->as<ValueId>()).element)) result = cast_to(c, *result, c.module.real, item->span);
  if (!result) return std::nullopt;
  ValueId id = *result->as<ValueId>();
  if (c.init.value(id).name.empty()) c.init.value(id).name = path;
  c.init.outputs.push_back({ir::Output::Kind::value, path, id});
  return id;
}

std::int64_t next_stream(Initialiser& initialiser) {
  int draw = initialiser.draws++;
  return stable_hash(draw == 0 ? initialiser.path : fmt::format("{}#{}", initialiser.path, draw + 1));
}

}  // namespace bpc::frontend::lowering
