#include <fmt/format.h>
#include <algorithm>
#include <span>

#include "frontend/lower/advice.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/draws.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/regions.h"
#include "frontend/lower/statements.h"
#include "frontend/syntax/exits.h"
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
  std::vector<const Definition*> assigned;  // by the statements of the loop
  std::vector<const Definition*> names;
  std::vector<ValueId> before;
  std::vector<Span> bound;                // where they were bound
  std::vector<const Definition*> failed;  // their values before the loop are unknown
};

Carried carried_names(Context& c, const Block& body) {
  Carried carried;
  collect_assigned(c, body, carried.assigned);
  for (const Definition* name : carried.assigned) {
    const Binding* binding = c.find_own(name);
    if (!binding || is_function(binding->item) || binding->item.holds<None>() || binding->item.holds<Text>()) continue;
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
    ValueId argument = c.function().add_argument(block, c.type(carried.before[i]), value_name(*carried.names[i]));
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
    if (const ValueId* id = item.as<ValueId>()) c.function().value(*id).name = value_name(*carried.names[i]);
    assign_name(c, carried.names[i], std::move(item), last.span, last.declared);
  }
  for (const Definition* name : carried.failed) c.bind(name, {Poison{}, span}, span);
}

// The params of functions that a loop carries, behind what else it carries.
class CarriedParams final : public LoopUnderWay {
 public:
  // `blocks`: those of the loop, that of a turn last.
  CarriedParams(Context& c, const std::vector<const Definition*>& assigned, std::vector<BlockId> blocks)
      : c_(c), assigned_(assigned), blocks_(std::move(blocks)) {}

  bool may_be_any() const {
    return std::ranges::any_of(assigned_, [](const Definition* name) { return name && is_path(name->name); });
  }
  // Lowers a turn, in whose scope we are; then yields.
  void turn(const std::function<void()>& lower) {
    frame_ = c_.frame;
    scope_ = frame_->scopes.size() - 1;
    frame_->loops.push_back(this);
    lower();
    frame_->loops.pop_back();
  }
  std::optional<ValueId> carry_param(const Definition* path, ValueId before) override {
    if (std::ranges::find(assigned_, path) == assigned_.end()) return std::nullopt;
    ValueId argument;
    for (BlockId block : blocks_) argument = c_.function().add_argument(block, c_.type(before), value_name(*path));
    paths_.push_back(path);
    before_.push_back(before);
    Scope& scope = frame_->scopes[scope_];
    scope.bind(path, {{argument, path->span}, path->span, std::nullopt});
    scope.carried.insert(path);
    return argument;
  }
  bool yield() {
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      const Binding binding = *c_.find_own(paths_[i]);
      Item item = binding.item;
      item.span = binding.span;
      auto value = item.failed() ? std::nullopt : to_declared(c_, item, c_.type(before_[i]), fmt::format("`{}`", paths_[i]->name), false);
      if (!value) return false;
      c_.function().block(blocks_.back()).yields.push_back(*value->as<ValueId>());
    }
    return true;
  }
  const std::vector<ValueId>& before() const { return before_; }
  // `after`: what the loop has left in them.
  void bind(std::span<const ValueId> after, Span span) {
    for (std::size_t i = 0; i < paths_.size(); ++i) assign_name(c_, paths_[i], {after[i], span}, span);
  }

 private:
  Context& c_;
  const std::vector<const Definition*>& assigned_;
  const std::vector<BlockId> blocks_;
  Frame* frame_ = nullptr;
  std::size_t scope_ = 0;
  std::vector<const Definition*> paths_;
  std::vector<ValueId> before_;
};

// A `while`, or a `for` that may end before its range does, under construction: first its condition is lowered, then a turn. If `break` or
// `return` may end it, it carries whether it is going on, and what is returned.
class WhileLoop {
 public:
  WhileLoop(Context& c, const Block& body)
      : c_(c),
        body_(body),
        exits_(exits_of(*c.frame->ast, body)),
        carried_(carried_names(c, body)),
        blocks_{c.function().add_block({}), c.function().add_block({})},
        params_(c, carried_.assigned, {blocks_[0], blocks_[1]}),
        operands_(carried_.before) {
    for (std::size_t k = 0; k < 2; ++k) scopes_[k] = loop_scope(c, blocks_[k], carried_);
    if (exits_.loop || exits_.function) going_ = carry(c.builder->constant(1, Type(Element::boolean)), "going");
  }

  // A value that it carries besides names, by its place.
  std::size_t carry(ValueId before, const std::string& name) {
    for (BlockId block : blocks_) c_.function().add_argument(block, c_.type(before), name);
    operands_.push_back(before);
    return operands_.size() - 1;
  }
  ValueId in_condition(std::size_t place) const { return c_.function().block(blocks_[0]).arguments[place]; }
  ValueId in_turn(std::size_t place) const { return c_.function().block(blocks_[1]).arguments[place]; }
  BlockId block() const { return blocks_[1]; }
  bool may_end_early() const { return going_.has_value(); }
  ValueId going() const { return in_condition(*going_); }
  void bind(const Definition* name, ValueId value, Span span) { scopes_[1].bind(name, {{value, span}, span, std::nullopt}); }

  void condition(const std::function<std::optional<Item>()>& lower) {
    const Counted counted(c_, {blocks_[0], {}});
    in_block(c_, blocks_[0], std::move(scopes_[0]), [&] {
      auto holds = lower();
      ok_ &= holds.has_value();
      if (holds) c_.function().block(blocks_[0]).yields = {*holds->as<ValueId>()};
    });
    counts_ = counted.is_needed();
  }

  // `counter` tells the turns apart, and `last` gives what the turn leaves in the further values that are carried.
  void turn(Span at, const Counter& counter, const std::function<std::vector<ValueId>()>& last) {
    const bool counts_turns = counter.values.empty();
    const Counted counted(c_, counter);
    bool is_counted = false;
    auto count = [&] {
      counted.value(c_);
      if (!counts_) c_.function().add_argument(blocks_[0], Type(Element::i64), "turn");
      operands_.push_back(c_.builder->integer(0, Element::i64));
      is_counted = true;
    };
    // Params are carried behind the counter, so that it stands there before.
    if (counts_ || (counts_turns && params_.may_be_any())) count();
    inner_ = in_block(c_, blocks_[1], std::move(scopes_[1]), [&] {
      params_.turn([&] { outcome_ = run(c_, body_); });
      ok_ &= yield_carried(c_, blocks_[1], carried_);
      c_.set_origin(at);
      if (going_) yield(negated(outcome_.ended));
      for (ValueId value : last()) yield(value);
      if (counts_turns && counted.is_needed())
        yield(c_.builder->emit(Opcode::add, {counted.value(c_), c_.builder->integer(1, Element::i64)}));
      ok_ &= params_.yield();
      yield_results();
    });
    if (counts_turns && counted.is_needed() && !is_counted) count();
    operands_.insert(operands_.end(), params_.before().begin(), params_.before().end());
    for (const Type& type : results_) {
      const ValueId none = c_.builder->zero(type);
      carry(none, "result");
    }
  }

  // After an error the names keep their values from before the loop, so that what follows is checked all the same.
  Outcome finish(Span at, Span span, bool is_endless) {
    std::vector<ValueId> after = operands_;
    if (ok_) after = region_op(c_, at, Opcode::while_loop, operands_, types_of(c_, operands_), {blocks_[0], blocks_[1]});
    bind_results(c_, carried_, after, inner_, span);
    const std::size_t behind = after.size() - results_.size();
    params_.bind(std::span(after).subspan(behind - params_.before().size(), params_.before().size()), span);
    const bool* returned = outcome_.returned.as<bool>();
    if (returned && !*returned) return {};
    if (!ok_) c_.frame->returns_unknown = true;
    if (!ok_) return {};
    Outcome outcome;
    auto next = after.begin() + static_cast<std::ptrdiff_t>(behind);
    if (is_endless && !exits_.loop)
      outcome.returned = {true, at};
    else if (has_flag_)
      outcome.returned = {*next, at};
    else
      outcome.returned = negated({after[*going_], at});
    if (has_flag_) ++next;
    for (const Item& item : outcome_.values) outcome.values.push_back(item.holds<ValueId>() ? Item{*next++, item.span} : item);
    outcome.left = outcome.ended = outcome.returned;
    outcome.open = at;
    return outcome;
  }

 private:
  void yield(ValueId value) { c_.function().block(blocks_[1]).yields.push_back(value); }

  Item negated(const Item& fact) {
    const bool* known = fact.as<bool>();
    if (known) return {!*known, fact.span};
    return {c_.builder->emit(Opcode::logical_not, {*fact.as<ValueId>()}), fact.span};
  }
  void yield(const Item& fact) {
    const bool* known = fact.as<bool>();
    yield(known ? c_.builder->constant(*known, Type(Element::boolean)) : *fact.as<ValueId>());
  }

  // Whether the function has returned, where that is not why the loop has ended, and with what, where that is not known.
  void yield_results() {
    const Item& returned = outcome_.returned;
    const bool* known = returned.as<bool>();
    if (known && !*known) return;
    has_flag_ = exits_.loop;
    if (has_flag_) yield(returned);
    if (has_flag_) results_.emplace_back(Element::boolean);
    for (Item& item : outcome_.values) {
      if (is_compile_time(item)) continue;
      auto value = item.failed() ? std::nullopt : to_value(c_, item);
      ok_ &= value.has_value();
      if (!value) continue;
      item = std::move(*value);
      yield(*item.as<ValueId>());
      results_.push_back(c_.type(item));
    }
  }

  Context& c_;
  const Block& body_;
  const Exits exits_;
  const Carried carried_;
  const BlockId blocks_[2];
  CarriedParams params_;
  std::vector<ValueId> operands_;
  Scope scopes_[2], inner_;
  std::optional<std::size_t> going_;
  bool ok_ = true, counts_ = false;  // its condition counts its turns
  Outcome outcome_;                  // of a turn
  bool has_flag_ = false;
  std::vector<Type> results_;  // of the function, carried last
};

struct Bounds {
  Item lo, hi, by;  // of one integer type
  Element element;
  std::optional<std::int64_t> step;  // if it is known
};

std::optional<Bounds> bounds_of(Context& c, const ForStmt& s) {
  const auto* range = std::get_if<RangeExpr>(&c.expr(s.range).node);
  Span at = c.expr(s.range).span;
  if (!range || !range->lo.valid() || !range->hi.valid()) {
    c.error(Code::E0209, at, "`for` runs over a range", "write `for i in 0..n { … }`");
    return std::nullopt;
  }
  std::vector<Item> bounds;
  Bounds result{{}, {}, {}, Element::i32, std::nullopt};
  bool ok = true;
  for (ExprId id : {range->lo, range->hi, range->step}) {
    auto item = id.valid() ? expression(c, id) : Item{weak(std::int64_t{1}), at};
    auto bound = item ? to_value(c, *item, Element::i32) : std::nullopt;
    ok &= bound.has_value();
    if (!bound) continue;
    const Type& type = c.type(*bound);
    const Number* step = id == range->step ? item->as<Number>() : nullptr;
    if (step && step->is_integer()) result.step = step->integer();
    if (step && step->real() == 0) {
      c.error(Code::E0407, item->span, "the step is 0, and the loop would never end");
      ok = false;
    } else if (!is_integer(type.element) || !type.is_scalar()) {
      c.error(Code::E0203, item->span,
              fmt::format("the bounds of a range are integers, and `{}` is {}", c.text_of(item->span), type_text(type)),
              bound_help(c, *item, type));
      ok = false;
    } else if (type.element == Element::i64) {
      result.element = Element::i64;
    }
    bounds.push_back(std::move(*bound));
  }
  if (!ok) return std::nullopt;
  Item* into[] = {&result.lo, &result.hi, &result.by};
  for (std::size_t i = 0; i < 3; ++i) {
    auto converted = cast_to(c, bounds[i], result.element, bounds[i].span);
    if (!converted) return std::nullopt;
    *into[i] = std::move(*converted);
  }
  return result;
}

// Its index is carried, in i64 where a step beyond the range might not be an i32.
Outcome early_ending_for(Context& c, const ForStmt& s, const Bounds& bounds, Span span) {
  const Span at = c.expr(s.range).span;
  const std::int64_t step = *bounds.step;
  const Element element = step == 1 || step == -1 ? bounds.element : Element::i64;
  ir::Builder& builder = *c.builder;
  c.set_origin(at);
  const ValueId hi = builder.cast(*bounds.hi.as<ValueId>(), element);
  WhileLoop loop(c, s.body);
  const std::size_t place = loop.carry(builder.cast(*bounds.lo.as<ValueId>(), element), s.variable.text);
  loop.condition([&] {
    c.set_origin(at);
    const ValueId is_inside = builder.emit(step > 0 ? Opcode::lt : Opcode::gt, {loop.in_condition(place), hi});
    return std::optional(Item{builder.emit(Opcode::logical_and, {loop.going(), is_inside}), at});
  });
  const BlockId outside = builder.block();
  builder.set_block(loop.block());
  const ValueId index = builder.cast(loop.in_turn(place), bounds.element);
  builder.set_block(outside);
  loop.bind(c.meaning(s.variable), index, s.variable.span);
  c.note_type(s.variable.span, {index, s.variable.span});
  loop.turn(at, {{}, {index}}, [&] {
    return std::vector{builder.emit(Opcode::add, {loop.in_turn(place), builder.integer(step, element)}, {}, nullptr, s.variable.text)};
  });
  return loop.finish(at, span, false);
}

}  // namespace

Outcome for_statement(Context& c, const ForStmt& s, Span span) {
  const Span at = c.expr(s.range).span;
  const auto bounds = bounds_of(c, s);
  bool ok = bounds.has_value();
  const Exits exits = exits_of(*c.frame->ast, s.body);
  if (exits.loop || exits.function) {
    if (ok && bounds->step) return early_ending_for(c, s, *bounds, span);
    if (ok)
      c.error(Code::E0205, bounds->by.span,
              fmt::format("the step of a loop with `{}` must be known at compile time", exits.loop ? "break" : "return"),
              "write a `while` that takes such steps");
    ok = false;
    c.frame->returns_unknown |= exits.function;
  }
  Carried carried = carried_names(c, s.body);
  BlockId block = c.function().add_block({});
  ValueId index = c.function().add_argument(block, Type(ok ? bounds->element : Element::i32), s.variable.text);
  c.note_type(s.variable.span, {index, s.variable.span});
  Scope scope = loop_scope(c, block, carried);
  scope.bind(c.meaning(s.variable), {{index, s.variable.span}, s.variable.span, std::nullopt});
  const Counted counted(c, {{}, {index}});
  CarriedParams params(c, carried.assigned, {block});
  Scope inner = in_block(c, block, std::move(scope), [&] {
    params.turn([&] { run(c, s.body); });
    ok &= yield_carried(c, block, carried);
    ok &= params.yield();
  });
  std::vector<ValueId> before = carried.before;
  before.insert(before.end(), params.before().begin(), params.before().end());
  // After an error the names keep their types from before the loop, so that what follows is checked all the same.
  std::vector<ValueId> results = before;
  if (ok) {
    std::vector<ValueId> operands;
    for (const Item* bound : {&bounds->lo, &bounds->hi, &bounds->by}) operands.push_back(*bound->as<ValueId>());
    operands.insert(operands.end(), before.begin(), before.end());
    results = region_op(c, at, Opcode::for_loop, operands, types_of(c, before), {block});
  }
  bind_results(c, carried, results, inner, span);
  params.bind(std::span(results).subspan(carried.names.size()), span);
  return {};
}

Outcome while_statement(Context& c, const WhileStmt& s, Span span) {
  static constexpr const char* kWhat = "the condition of `while`";
  const Span at = c.expr(s.condition).span;
  WhileLoop loop(c, s.body);
  const auto* literal = std::get_if<BoolExpr>(&c.expr(s.condition).node);
  const bool is_endless = literal && literal->value;
  loop.condition([&]() -> std::optional<Item> {
    if (loop.may_end_early()) return is_endless ? Item{loop.going(), at} : guarded(c, {loop.going(), at}, s.condition, kWhat);
    auto item = expression(c, s.condition);
    return item ? condition_value(c, *item, kWhat) : std::nullopt;
  });
  loop.turn(at, {loop.block(), {}}, [] { return std::vector<ValueId>{}; });
  return loop.finish(at, span, is_endless);
}

}  // namespace bpc::frontend::lowering
