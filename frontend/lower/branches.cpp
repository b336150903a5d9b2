#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "frontend/lower/advice.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/regions.h"
#include "frontend/lower/statements.h"
#include "frontend/syntax/exits.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend::lowering {

namespace {

using ir::BlockId;
using ir::Opcode;
using ir::ValueId;

// An `if` on a condition that is known at run time only: the two sides are lowered, then items of both are joined, pair by pair.
class Branch {
 public:
  // `condition`: nullopt after an error. The sides are lowered all the same, for the errors in them.
  Branch(Context& c, const std::optional<Item>& condition, const std::string& what = "the condition of `if`")
      : c_(c), condition_(condition ? condition_value(c, *condition, what) : std::nullopt) {
    for (BlockId& block : blocks_) block = c.function().add_block({});
  }

  bool is_sound() const { return condition_.has_value(); }
  // Lowers a side, the first of which is taken where the condition holds; returns the names that it binds.
  Scope side(std::size_t which, const std::function<void()>& lower) { return in_block(c_, blocks_[which], {}, lower); }
  // Two items as one, which stands at `into` after `finish`; false when their types differ (reported at `span`) or one has failed. `bound`
  // is where a name was bound on each side.
  bool join(const Item& then, const Item& otherwise, Item& into, Span span, const std::string& what, const Span* bound = nullptr);
  // The same where nobody reads what comes from the other side.
  bool take(std::size_t which, const Item& item, Item& into);
  // A fact, known or not, about each side.
  void join_fact(const Item& then, const Item& otherwise, Item& into, Span span);
  void finish(Span span) {
    const std::vector<ValueId> results =
        region_op(c_, span, Opcode::if_else, {*condition_->as<ValueId>()}, types_, {blocks_[0], blocks_[1]});
    for (std::size_t i = 0; i < results.size(); ++i) *into_[i] = {results[i], span};
  }

 private:
  std::optional<Item> in_side(std::size_t which, const std::function<std::optional<Item>()>& make) {
    const BlockId outside = c_.builder->block();
    c_.builder->set_block(blocks_[which]);
    auto made = make();
    c_.builder->set_block(outside);
    return made;
  }
  void give(const Type& type, ValueId then, ValueId otherwise, Item& into) {
    types_.push_back(type);
    into_.push_back(&into);
    c_.function().block(blocks_[0]).yields.push_back(then);
    c_.function().block(blocks_[1]).yields.push_back(otherwise);
  }

  Context& c_;
  std::optional<Item> condition_;
  BlockId blocks_[2];
  std::vector<Type> types_;
  std::vector<Item*> into_;
};

bool Branch::join(const Item& then, const Item& otherwise, Item& into, Span span, const std::string& what, const Span* bound) {
  auto first = strength(c_, then), second = strength(c_, otherwise);
  if (!first || !second) return false;
  bool weak = first->kind != Strength::Kind::typed || second->kind != Strength::Kind::typed;
  auto element = common_element(c_, {*first, *second}, ir::Domain::any);
  auto converted = [&](std::size_t side, const Item& item) {
    return in_side(side, [&] {
      auto value = to_value(c_, item, element);
      if (value && element && weak) value = cast_to(c_, *value, *element, item.span);
      return value;
    });
  };
  auto a = converted(0, then), b = converted(1, otherwise);
  if (!a || !b) return false;
  c_.open_tapes.join(c_.function(), *a->as<ValueId>(), *b->as<ValueId>());
  const Type &x = c_.type(*a), &y = c_.type(*b);
  if (!same_type(x, y)) {
    const bool is_mixed =
        same_shape(x, y) && ((is_real(x.element) && is_integer(y.element)) || (is_integer(x.element) && is_real(y.element)));
    c_.error(Code::E0207, span, fmt::format("{} is {} on one side and {} on the other", what, type_text(x), type_text(y)),
             is_mixed ? (bound ? mixed_help(c_, bound[is_integer(x.element) ? 0 : 1], bound[is_integer(x.element) ? 1 : 0])
                               : "`real(…)` makes a real of an integer")
                      : "");
    return false;
  }
  give(x, *a->as<ValueId>(), *b->as<ValueId>(), into);
  return true;
}

bool Branch::take(std::size_t which, const Item& item, Item& into) {
  if (item.failed()) return false;
  into = item;
  if (is_compile_time(item)) return true;
  auto value = in_side(which, [&] { return to_value(c_, item); });
  if (!value) return false;
  const Type type = c_.type(*value);
  auto unread = in_side(1 - which, [&] { return Item{c_.builder->zero(type)}; });
  const ValueId sides[2] = {*(which == 0 ? value : unread)->as<ValueId>(), *(which == 0 ? unread : value)->as<ValueId>()};
  c_.open_tapes.join(c_.function(), sides[0], sides[1]);
  give(type, sides[0], sides[1], into);
  return true;
}

void Branch::join_fact(const Item& then, const Item& otherwise, Item& into, Span span) {
  const bool *a = then.as<bool>(), *b = otherwise.as<bool>();
  if (a && b && *a == *b)
    into = then;
  else if (a && b && *a)
    into = *condition_;
  else if (a && b)
    into = {c_.builder->emit(Opcode::logical_not, {*condition_->as<ValueId>()}), span};
  else
    join(then, otherwise, into, span, "");
}

// The names that a block binds whichever way it takes.
std::set<const Definition*> bound_names(Context& c, const Block& block) {
  std::set<const Definition*> names;
  for (StmtId id : block.statements) {
    const StmtNode& node = c.stmt(id).node;
    for_each_assigned(node, [&](const Name& name) { names.insert(c.meaning(name)); });
    const auto* branch = std::get_if<IfStmt>(&node);
    if (!branch || !branch->otherwise) continue;
    const std::set<const Definition*> otherwise = bound_names(c, *branch->otherwise);
    for (const Definition* name : bound_names(c, branch->then))
      if (otherwise.contains(name)) names.insert(name);
  }
  return names;
}

// The side that is known to be taken, in a scope of its own. Names that the other one does not bind, and that were not bound before, end
// with it.
Outcome known_side(Context& c, const IfStmt& s, bool then) {
  static const Block nothing;
  const Block& otherwise = s.otherwise ? *s.otherwise : nothing;
  c.frame->scopes.emplace_back();
  Outcome outcome = run(c, then ? s.then : otherwise);
  const Scope inner = std::move(c.frame->scopes.back());
  c.frame->scopes.pop_back();
  std::set<const Definition*> kept = bound_names(c, then ? otherwise : s.then);
  for (const Scope& scope : c.frame->scopes) kept.insert(scope.order.begin(), scope.order.end());
  for (const Definition* name : inner.order) {
    const Binding& binding = inner.names.at(name);
    if (kept.contains(name)) assign_name(c, name, binding.item, binding.span, binding.declared);
  }
  return outcome;
}

bool is_true(const Item& fact) {
  const bool* known = fact.as<bool>();
  return known && *known;
}
bool is_false(const Item& fact) {
  const bool* known = fact.as<bool>();
  return known && !*known;
}
bool is_same(const Item& a, const Item& b) {
  const bool *x = a.as<bool>(), *y = b.as<bool>();
  const ValueId *v = a.as<ValueId>(), *w = b.as<ValueId>();
  return (x && y && *x == *y) || (v && w && *v == *w);
}

bool is_carried(const Context& c, const Definition* name) {
  return std::ranges::any_of(c.frame->scopes, [&](const Scope& scope) { return scope.carried.contains(name); });
}

// What the names are after an `if`, before it is finished.
struct JoinedNames {
  std::vector<const Definition*> names;
  std::vector<Binding> bindings;
};

void join_names(Context& c, Branch& branch, const Scope (&scopes)[2], const Outcome (&outcomes)[2], JoinedNames& joined) {
  std::vector<const Definition*> names = scopes[0].order;
  for (const Definition* name : scopes[1].order)
    if (!scopes[0].names.contains(name)) names.push_back(name);
  joined.bindings.reserve(names.size());  // they are pointed to
  for (const Definition* name : names) {
    std::optional<Binding> sides[2];
    for (int k = 0; k < 2; ++k) {
      if (auto own = scopes[k].names.find(name); own != scopes[k].names.end()) {
        sides[k] = own->second;
      } else if (const Binding* before = c.find_own(name); before && !is_function(before->item)) {
        sides[k] = *before;
        if (auto old = before->item.failed() ? std::nullopt : c.lookup(name, before->span)) sides[k]->item = std::move(*old);
      }
    }
    if (!sides[0] || !sides[1]) continue;  // bound on one side only: not bound afterwards
    // A side that has left for the end of the loop leaves what the loop carries, and one that has left for good nothing.
    auto is_read = [&](std::size_t k) { return !is_true(outcomes[k].left) || (!is_true(outcomes[k].returned) && is_carried(c, name)); };
    if (!is_read(0) && !is_read(1)) continue;
    Span at = scopes[1].names.contains(name) ? sides[1]->span : sides[0]->span;
    const Span bound[2] = {sides[0]->span, sides[1]->span};
    Binding binding{{}, at, sides[0]->declared ? sides[0]->declared : sides[1]->declared};
    auto join = [&](Item& into) {
      if (is_read(0) && is_read(1)) return branch.join(sides[0]->item, sides[1]->item, into, at, fmt::format("`{}`", name->name), bound);
      const std::size_t read = is_read(0) ? 0 : 1;
      return branch.take(read, sides[read]->item, into);
    };
    joined.bindings.push_back(std::move(binding));
    // Of an unknown condition one side may be known to be taken: then they need not agree.
    if (branch.is_sound() && join(joined.bindings.back().item)) {
      joined.names.push_back(name);
    } else {
      joined.bindings.pop_back();
      c.bind(name, {Poison{}, at}, at);
    }
  }
}

// The results of a function that either side may have given.
void join_results(Context& c, Branch& branch, const Outcome (&sides)[2], Span span, std::vector<Item>& into) {
  const std::string& function = c.frame->function;
  const bool gives[2] = {!is_false(sides[0].returned), !is_false(sides[1].returned)};
  const std::size_t count = sides[gives[0] ? 0 : 1].values.size();
  if (gives[0] && gives[1] && sides[1].values.size() != count) {
    c.error(Code::E0207, span,
            fmt::format("`{}` returns {} values where this decides so, and {} otherwise", function, count, sides[1].values.size()));
    into.push_back({Poison{}, span});
    return;
  }
  into.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const bool ok = gives[0] && gives[1] ? branch.join(sides[0].values[i], sides[1].values[i], into[i], sides[1].values[i].span,
                                                       fmt::format("the result of `{}`", function))
                                         : branch.take(gives[0] ? 0 : 1, sides[gives[0] ? 0 : 1].values[i], into[i]);
    if (!ok) into[i] = {Poison{}, span};
  }
}

// How the two sides end, taken together.
void join_outcomes(Context& c, Branch& branch, const Outcome (&sides)[2], Span span, Outcome& into) {
  branch.join_fact(sides[0].returned, sides[1].returned, into.returned, span);
  auto differ = [&](const Item Outcome::* one, const Item Outcome::* other) {
    return !is_same(sides[0].*one, sides[0].*other) || !is_same(sides[1].*one, sides[1].*other);
  };
  if (differ(&Outcome::ended, &Outcome::returned)) branch.join_fact(sides[0].ended, sides[1].ended, into.ended, span);
  if (differ(&Outcome::left, &Outcome::ended)) branch.join_fact(sides[0].left, sides[1].left, into.left, span);
  if (!is_false(sides[0].returned) || !is_false(sides[1].returned)) join_results(c, branch, sides, span, into.values);
}

}  // namespace

std::optional<Item> condition_value(Context& c, const Item& item, const std::string& what) {
  auto value = to_value(c, item);
  if (!value) return std::nullopt;
  const Type& type = c.type(*value);
  if (type.element != Element::boolean || type.tape) {
    c.error(Code::E0203, item.span, fmt::format("{} must be a bool, and `{}` is {}", what, c.text_of(item.span), type_text(type)),
            fmt::format("compare it, as in `{} != 0`", c.text_of(item.span)));
    return std::nullopt;
  }
  if (!type.is_scalar()) {
    c.report(error_at(Code::E0208, item.span, fmt::format("{} must be a single bool, and {} is a tensor", what, c.described(item)),
                      "`all(…)` or `any(…)` makes one bool of it; `where(c, a, b)` chooses element by element")
                 .label(item.span, shape_text(type.dims)));
    return std::nullopt;
  }
  return value;
}

std::optional<Item> conditional(Context& c, Span span, const ConditionalExpr& e) {
  auto item = expression(c, e.condition);
  if (!item) return std::nullopt;
  if (const bool* known = item->as<bool>()) {
    auto chosen = expression(c, *known ? e.then : e.otherwise);
    if (chosen) chosen->span = span;
    return chosen;
  }
  Branch branch(c, item);
  std::optional<Item> sides[2];
  branch.side(0, [&] { sides[0] = expression(c, e.then); });
  branch.side(1, [&] { sides[1] = expression(c, e.otherwise); });
  if (!branch.is_sound() || !sides[0] || !sides[1]) return std::nullopt;
  Item result;
  if (!branch.join(*sides[0], *sides[1], result, span, fmt::format("`{}`", c.text_of(span)))) return std::nullopt;
  branch.finish(span);
  return result;
}

std::optional<Item> guarded(Context& c, const Item& guard, ExprId condition, const std::string& what) {
  const Span span = c.expr(condition).span;
  Branch branch(c, guard);
  std::optional<Item> holds;
  branch.side(0, [&] {
    auto item = expression(c, condition);
    holds = item ? condition_value(c, *item, what) : std::nullopt;
  });
  branch.side(1, [] {});
  Item result;
  if (!holds || !branch.join(*holds, {false, span}, result, span, what)) return std::nullopt;
  branch.finish(span);
  return result;
}

Outcome fork(Context& c, const std::optional<Item>& condition, Span span, const Lower& then, const Lower& otherwise) {
  Branch branch(c, condition);
  Outcome sides[2];
  const Scope scopes[2] = {branch.side(0, [&] { sides[0] = then(); }), branch.side(1, [&] { sides[1] = otherwise(); })};
  JoinedNames joined;
  join_names(c, branch, scopes, sides, joined);
  if (!branch.is_sound()) {
    if (!is_false(sides[0].returned) || !is_false(sides[1].returned)) c.frame->returns_unknown = true;
    return {};
  }
  Outcome outcome;
  c.set_origin(span);
  join_outcomes(c, branch, sides, span, outcome);
  branch.finish(span);
  if (is_same(sides[0].ended, sides[0].returned) && is_same(sides[1].ended, sides[1].returned)) outcome.ended = outcome.returned;
  if (is_same(sides[0].left, sides[0].ended) && is_same(sides[1].left, sides[1].ended)) outcome.left = outcome.ended;
  outcome.open = sides[0].open.valid() ? sides[0].open : sides[1].open.valid() ? sides[1].open : span;
  for (std::size_t i = 0; i < joined.names.size(); ++i) {
    const Binding& binding = joined.bindings[i];
    Item item = binding.item;
    item.span = binding.span;
    assign_name(c, joined.names[i], std::move(item), binding.span, binding.declared);
  }
  return outcome;
}

void if_statement(Context& c, const IfStmt& s) {
  auto item = expression(c, s.condition);
  if (const bool* known = item ? item->as<bool>() : nullptr) {
    known_side(c, s, *known);
    return;
  }
  fork(c, item, c.expr(s.condition).span, [&] { return run(c, s.then); }, [&] { return s.otherwise ? run(c, *s.otherwise) : Outcome{}; });
}

Outcome leaving_if(Context& c, const IfStmt& s, Rest rest) {
  const Span span = c.expr(s.condition).span;
  auto item = expression(c, s.condition);
  if (const bool* known = item ? item->as<bool>() : nullptr) return go_on(c, known_side(c, s, *known), rest);
  // A side that always leaves gives the rest to the other one. Where both may come to their end, the rest is not doubled.
  const Ast& ast = *c.frame->ast;
  const bool then_leaves = always_leaves(ast, s.then), otherwise_leaves = s.otherwise && always_leaves(ast, *s.otherwise);
  static const std::vector<StmtId> nothing;
  const Rest then{&s.then.statements, 0, otherwise_leaves ? &rest : nullptr};
  const Rest otherwise{s.otherwise ? &s.otherwise->statements : &nothing, 0, then_leaves ? &rest : nullptr};
  Outcome outcome = fork(c, item, span, [&] { return run(c, then); }, [&] { return run(c, otherwise); });
  return then_leaves || otherwise_leaves ? outcome : go_on(c, std::move(outcome), rest);
}

Outcome go_on(Context& c, Outcome before, Rest rest) {
  while (rest.at == rest.statements->size() && rest.next) rest = *rest.next;
  if (is_true(before.left) || rest.at == rest.statements->size()) return before;
  if (is_false(before.left)) return run(c, rest);
  // On the side where it has left, what it has left is known where `left` says so.
  auto certain = [&] {
    Outcome outcome = before;
    for (Item* fact : {&outcome.returned, &outcome.ended})
      if (is_same(*fact, before.left)) *fact = {true, before.open};
    outcome.left = {true, before.open};
    outcome.open = {};
    return outcome;
  };
  Outcome outcome = fork(c, before.left, before.open, certain, [&] { return run(c, rest); });
  outcome.open = before.open;
  return outcome;
}

}  // namespace bpc::frontend::lowering
