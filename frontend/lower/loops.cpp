#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/advice.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/draws.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/regions.h"
#include "frontend/lower/statements.h"
#include "frontend/syntax/walk.h"
#include "ir/dependence.h"

namespace bpc::frontend::lowering {

namespace {

using ir::BlockId;
using ir::Opcode;
using ir::ValueId;

std::vector<Type> types_of(Context& c, const std::vector<ValueId>& values) {
  std::vector<Type> types;
  for (ValueId id : values) types.push_back(c.type(id));
  return types;
}

void collect_assigned(Context& c, const Block& block, std::vector<const Definition*>& names) {
  for (StmtId id : block.statements) {
    const StmtNode& node = c.stmt(id).node;
    for_each_assigned(node, [&](const Name& name) {
      if (std::find(names.begin(), names.end(), c.meaning(name)) == names.end()) names.push_back(c.meaning(name));
    });
    for_each_block(node, [&](const Block& inner) { collect_assigned(c, inner, names); });
  }
}

// The names that a loop carries, with their values before it.
struct Carried {
  std::vector<const Definition*> names;
  std::vector<ValueId> before;
  std::vector<Span> bound;                // where they were bound
  std::vector<const Definition*> failed;  // their values before the loop are unknown
};

Carried carried_names(Context& c, const Block& body) {
  Carried carried;
  std::vector<const Definition*> assigned;
  collect_assigned(c, body, assigned);
  for (const Definition* name : assigned) {
    const Binding* binding = c.find_own(name);
    if (!binding || binding->item.holds<Callable>() || binding->item.holds<None>() || binding->item.holds<Text>()) continue;
    auto item = binding->item.failed() ? std::nullopt : c.lookup(name, binding->span);
    auto value = item ? to_value(c, *item) : std::nullopt;
    if (!value) {
      carried.failed.push_back(name);
      continue;
    }
    carried.names.push_back(name);
    carried.before.push_back(*value->as<ValueId>());
    carried.bound.push_back(c.find_own(name)->span);
  }
  return carried;
}

// The scope of a loop's block: its arguments under the carried names.
Scope loop_scope(Context& c, BlockId block, const Carried& carried) {
  Scope scope;
  for (std::size_t i = 0; i < carried.names.size(); ++i) {
    const Binding* old = c.find_own(carried.names[i]);
    ValueId argument = c.function().add_argument(block, c.type(carried.before[i]), carried.names[i]->name);
    c.open_tapes.follow(c.function(), argument, carried.before[i]);
    scope.bind(carried.names[i], {{argument, old->span}, old->span, old->declared});
  }
  for (const Definition* name : carried.failed) scope.bind(name, {{Poison{}, {}}, {}, std::nullopt});
  for (const Definition* name : scope.order) scope.carried.insert(name);
  return scope;
}

// Whether a value is put together from parts of which one is what the turn starts with: then each turn makes a larger one.
bool grows(Context& c, ValueId value, const std::string& name, BlockId block) {
  const ir::Op* made = c.function().def(value);
  if (!made || made->code != Opcode::concat) return false;
  const std::vector<bool> parts = ir::ancestors(c.function(), value);
  const std::vector<ValueId>& starts = c.function().block(block).arguments;
  return std::any_of(starts.begin(), starts.end(),
                     [&](ValueId start) { return parts[start.index] && c.function().value(start).name == name; });
}

// Yields what a turn leaves in the carried names; false when a type changed (reported at the assignment).
bool yield_carried(Context& c, BlockId block, const Carried& carried) {
  bool ok = true;
  std::vector<ValueId> yields;
  for (std::size_t i = 0; i < carried.names.size(); ++i) {
    const Binding binding = *c.find_own(carried.names[i]);
    auto value = binding.item.failed() ? std::nullopt : to_value(c, binding.item);
    ok &= value.has_value();
    if (!value) continue;
    c.open_tapes.join(c.function(), carried.before[i], *value->as<ValueId>());
    const Type before = c.type(carried.before[i]), after = c.type(*value);
    yields.push_back(*value->as<ValueId>());
    if (same_type(before, after)) continue;
    ok = false;
    std::string help;
    if (before.tape || after.tape)
      help = "a tape stays one, and holds values of one type";
    else if (!same_shape(before, after) && grows(c, *value->as<ValueId>(), carried.names[i]->name, block))
      help = "what a loop carries keeps its shape: make it whole before, as in `x = zeros([4])`, and set its elements, `x[i] = …`";
    else if (!same_shape(before, after))
      help = fmt::format("start with a value of that shape, as in `{} = zeros({})`", carried.names[i]->name,
                         shape_text(Type::of_sizes(after.element, after.sizes()).dims));
    else
      help = is_real(before.element) && is_integer(after.element) ? mixed_help(c, binding.span, carried.bound[i])
                                                                  : fmt::format("declare its type before the loop, as in `{} : {} = …`",
                                                                                carried.names[i]->name, element_name(after.element));
    c.error(
        Code::E0207, binding.span,
        fmt::format("`{}` is {} before the loop and {} after a turn of it", carried.names[i]->name, type_text(before), type_text(after)),
        help);
  }
  c.function().block(block).yields = std::move(yields);
  return ok;
}

void bind_results(Context& c, const Carried& carried, const std::vector<ValueId>& results, const Scope& inner, Span span) {
  for (std::size_t i = 0; i < carried.names.size(); ++i) {
    const Binding& last = inner.names.at(carried.names[i]);
    Item item{results[i], span};
    if (last.item.failed()) item.is = Poison{};
    if (const ValueId* id = item.as<ValueId>()) c.function().value(*id).name = carried.names[i]->name;
    assign_name(c, carried.names[i], std::move(item), last.span, last.declared);
  }
  for (const Definition* name : carried.failed) c.bind(name, {Poison{}, span}, span);
}

}  // namespace

void for_statement(Context& c, const ForStmt& s, Span span) {
  const auto* range = std::get_if<RangeExpr>(&c.expr(s.range).node);
  Span at = c.expr(s.range).span;
  if (!range || !range->lo.valid() || !range->hi.valid())
    return c.error(Code::E0209, at, "`for` runs over a range", "write `for i in 0..n { … }`");
  std::vector<Item> bounds;
  Element element = Element::i32;
  bool ok = true;
  for (ExprId id : {range->lo, range->hi, range->step}) {
    auto item = id.valid() ? expression(c, id) : Item{weak(std::int64_t{1}), at};
    auto bound = item ? to_value(c, *item, Element::i32) : std::nullopt;
    ok &= bound.has_value();
    if (!bound) continue;
    const Type& type = c.type(*bound);
    const Number* step = id == range->step ? item->as<Number>() : nullptr;
    if (step && step->real() == 0) {
      c.error(Code::E0407, item->span, "the step is 0, and the loop would never end");
      ok = false;
    } else if (!is_integer(type.element) || !type.is_scalar()) {
      c.error(Code::E0203, item->span,
              fmt::format("the bounds of a range are integers, and `{}` is {}", c.text_of(item->span), type_text(type)),
              bound_help(c, *item, type));
      ok = false;
    } else if (type.element == Element::i64) {
      element = Element::i64;
    }
    bounds.push_back(std::move(*bound));
  }
  Carried carried = carried_names(c, s.body);
  BlockId block = c.function().add_block({});
  ValueId index = c.function().add_argument(block, Type(element), s.variable.text);
  c.note_type(s.variable.span, {index, s.variable.span});
  Scope scope = loop_scope(c, block, carried);
  scope.bind(c.meaning(s.variable), {{index, s.variable.span}, s.variable.span, std::nullopt});
  Temporarily<int> loops(c.frame->loops, c.frame->loops + 1);
  const Counted counted(c, {{}, {index}});
  Scope inner = in_block(c, block, std::move(scope), [&] {
    run(c, {&s.body.statements, 0, nullptr});
    ok &= yield_carried(c, block, carried);
  });
  std::vector<ValueId> operands;
  for (const Item& bound : bounds)
    if (auto converted = ok ? cast_to(c, bound, element, bound.span) : std::nullopt) operands.push_back(*converted->as<ValueId>());
  operands.insert(operands.end(), carried.before.begin(), carried.before.end());
  // After an error the names keep their types from before the loop, so that what follows is checked all the same.
  std::vector<ValueId> results = carried.before;
  if (ok) results = region_op(c, at, Opcode::for_loop, operands, types_of(c, carried.before), {block});
  bind_results(c, carried, results, inner, span);
}

void while_statement(Context& c, const WhileStmt& s, Span span) {
  Carried carried = carried_names(c, s.body);
  BlockId condition_block = c.function().add_block({}), block = c.function().add_block({});
  bool ok = true;
  Scope scope = loop_scope(c, condition_block, carried);
  bool counts = false;  // for a random draw in the condition
  {
    const Counted counted(c, {condition_block, {}});
    in_block(c, condition_block, std::move(scope), [&] {
      auto item = expression(c, s.condition);
      auto condition = item ? condition_value(c, *item, "the condition of `while`") : std::nullopt;
      ok &= condition.has_value();
      if (condition) c.function().block(condition_block).yields = {*condition->as<ValueId>()};
    });
    counts = counted.is_needed();
  }
  Temporarily<int> loops(c.frame->loops, c.frame->loops + 1);
  scope = loop_scope(c, block, carried);
  const Counted counted(c, {block, {}});
  if (counts) counted.value(c);
  Scope inner = in_block(c, block, std::move(scope), [&] {
    run(c, {&s.body.statements, 0, nullptr});
    ok &= yield_carried(c, block, carried);
    if (!counted.is_needed()) return;
    ValueId next = c.builder->emit(Opcode::add, {counted.value(c), c.builder->integer(1, Element::i64)});
    c.function().block(block).yields.push_back(next);
  });
  std::vector<ValueId> operands = carried.before;
  if (counted.is_needed()) {
    if (!counts) c.function().add_argument(condition_block, Type(Element::i64), "turn");
    operands.push_back(c.builder->integer(0, Element::i64));
  }
  std::vector<ValueId> results = carried.before;
  if (ok) results = region_op(c, c.expr(s.condition).span, Opcode::while_loop, operands, types_of(c, operands), {condition_block, block});
  bind_results(c, carried, results, inner, span);
}

}  // namespace bpc::frontend::lowering
