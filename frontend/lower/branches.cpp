#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "frontend/lower/advice.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/regions.h"
#include "frontend/lower/statements.h"
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
  Branch(Context& c, const std::optional<Item>& condition)
      : c_(c), condition_(condition ? condition_value(c, *condition, "the condition of `if`") : std::nullopt) {
    for (BlockId& block : blocks_) block = c.function().add_block({});
  }

  bool is_sound() const { return condition_.has_value(); }
  // Lowers a side, the first of which is taken where the condition holds; returns the names that it binds.
  Scope side(std::size_t which, const std::function<void()>& lower) { return in_block(c_, blocks_[which], {}, lower); }
  // Two items as one result of the `if`; false when their types differ (reported at `span`) or one has failed. `bound` is where a name was
  // bound on each side.
  bool join(const Item& then, const Item& otherwise, Span span, const std::string& what, const Span* bound = nullptr);
  // What comes out, in the order in which it was joined.
  std::vector<ValueId> finish(Span span) {
    return region_op(c_, span, Opcode::if_else, {*condition_->as<ValueId>()}, types_, {blocks_[0], blocks_[1]});
  }

 private:
  Context& c_;
  std::optional<Item> condition_;
  BlockId blocks_[2];
  std::vector<Type> types_;
};

bool Branch::join(const Item& then, const Item& otherwise, Span span, const std::string& what, const Span* bound) {
  auto first = strength(c_, then), second = strength(c_, otherwise);
  if (!first || !second) return false;
  bool weak = first->kind != Strength::Kind::typed || second->kind != Strength::Kind::typed;
  auto element = common_element(c_, {*first, *second}, ir::Domain::any);
  auto converted = [&](BlockId block, const Item& item) -> std::optional<Item> {
    BlockId outside = c_.builder->block();
    c_.builder->set_block(block);
    auto value = to_value(c_, item, element);
    if (value && element && weak) value = cast_to(c_, *value, *element, item.span);
    c_.builder->set_block(outside);
    return value;
  };
  auto a = converted(blocks_[0], then), b = converted(blocks_[1], otherwise);
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
  types_.push_back(x);
  c_.function().block(blocks_[0]).yields.push_back(*a->as<ValueId>());
  c_.function().block(blocks_[1]).yields.push_back(*b->as<ValueId>());
  return true;
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

Rest side_of(Context& c, const IfStmt& s, bool then, const Rest* next) {
  static const std::vector<StmtId> nothing;
  std::size_t around = c.frame->scopes.size();
  const Block* otherwise = s.otherwise ? &*s.otherwise : nullptr;
  if (then) return {&s.then.statements, 0, next, otherwise, around};
  return {otherwise ? &otherwise->statements : &nothing, 0, next, &s.then, around};
}

// The side that is known to be taken, in a scope of its own.
Outcome known_side(Context& c, Rest side) {
  side.is_known = true;
  c.frame->scopes.emplace_back();
  Outcome outcome = run(c, side);
  if (!side.next) leave_side(c, side);
  c.frame->scopes.resize(side.around);  // it is still there after a `return`
  return outcome;
}

}  // namespace

void leave_side(Context& c, const Rest& side) {
  auto& scopes = c.frame->scopes;
  std::set<const Definition*> kept = side.other ? bound_names(c, *side.other) : std::set<const Definition*>{};
  for (std::size_t i = 0; i < side.around; ++i) kept.insert(scopes[i].order.begin(), scopes[i].order.end());
  for (std::size_t i = side.around; i < scopes.size(); ++i) {
    std::erase_if(scopes[i].names, [&](const auto& entry) { return !kept.contains(entry.first); });
    std::erase_if(scopes[i].order, [&](const Definition* name) { return !kept.contains(name); });
  }
  if (!side.is_known || scopes.size() != side.around + 1) return;
  Scope inner = std::move(scopes.back());
  scopes.pop_back();
  for (const Definition* name : inner.order) {
    const Binding& binding = inner.names.at(name);
    assign_name(c, name, binding.item, binding.span, binding.declared);
  }
}

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
  if (!branch.join(*sides[0], *sides[1], span, fmt::format("`{}`", c.text_of(span)))) return std::nullopt;
  return Item{branch.finish(span)[0], span};
}

bool contains_return(const Ast& ast, const Block& block) {
  return std::any_of(block.statements.begin(), block.statements.end(), [&](StmtId id) {
    const StmtNode& node = ast.stmt(id).node;
    if (const auto* branch = std::get_if<IfStmt>(&node))
      return contains_return(ast, branch->then) || (branch->otherwise && contains_return(ast, *branch->otherwise));
    return std::holds_alternative<ReturnStmt>(node);
  });
}

void if_statement(Context& c, const IfStmt& s) {
  Span span = c.expr(s.condition).span;
  auto item = expression(c, s.condition);
  if (const bool* known = item ? item->as<bool>() : nullptr) {
    known_side(c, side_of(c, s, *known, nullptr));
    return;
  }
  Branch branch(c, item);
  const Scope scopes[2] = {branch.side(0, [&] { run(c, {&s.then.statements, 0, nullptr}); }),
                           s.otherwise ? branch.side(1, [&] { run(c, {&s.otherwise->statements, 0, nullptr}); }) : Scope{}};

  std::vector<const Definition*> names = scopes[0].order, live;
  for (const Definition* name : scopes[1].order)
    if (!scopes[0].names.contains(name)) names.push_back(name);
  std::vector<Binding> bindings;
  for (const Definition* name : names) {
    std::optional<Binding> sides[2];
    for (int k = 0; k < 2; ++k) {
      if (auto own = scopes[k].names.find(name); own != scopes[k].names.end()) {
        sides[k] = own->second;
      } else if (const Binding* before = c.find_own(name); before && !before->item.holds<Callable>()) {
        sides[k] = *before;
        if (auto old = before->item.failed() ? std::nullopt : c.lookup(name, before->span)) sides[k]->item = std::move(*old);
      }
    }
    if (!sides[0] || !sides[1]) continue;  // bound on one side only: not bound afterwards
    Span at = scopes[1].names.contains(name) ? sides[1]->span : sides[0]->span;
    const Span bound[2] = {sides[0]->span, sides[1]->span};
    // Of an unknown condition one side may be known to be taken: then they need not agree.
    if (!branch.is_sound() || !branch.join(sides[0]->item, sides[1]->item, at, fmt::format("`{}`", name->name), bound)) {
      c.bind(name, {Poison{}, at}, at);
      continue;
    }
    live.push_back(name);
    bindings.push_back({{}, at, sides[0]->declared ? sides[0]->declared : sides[1]->declared});
  }
  if (!branch.is_sound()) return;
  const std::vector<ValueId> results = branch.finish(span);
  for (std::size_t i = 0; i < live.size(); ++i)
    assign_name(c, live[i], {results[i], bindings[i].span}, bindings[i].span, bindings[i].declared);
}

Outcome returning_if(Context& c, const IfStmt& s, Span span, const Rest& rest) {
  auto item = expression(c, s.condition);
  const Rest then = side_of(c, s, true, &rest), otherwise = side_of(c, s, false, &rest);
  if (const bool* known = item ? item->as<bool>() : nullptr) return known_side(c, *known ? then : otherwise);
  Branch branch(c, item);
  Outcome sides[2];
  branch.side(0, [&] { sides[0] = run(c, then); });
  branch.side(1, [&] { sides[1] = run(c, otherwise); });
  Outcome outcome{true, {}};
  if (!branch.is_sound()) {  // one side may be known to be taken
    outcome.values.push_back({Poison{}, span});
    return outcome;
  }
  if (!sides[0].returned || !sides[1].returned) {
    if (!c.frame->returns_unknown)
      c.error(Code::E0209, c.expr(s.condition).span, fmt::format("`{}` returns on one side of this `if` only", c.frame->function));
    outcome.values.push_back({Poison{}, span});
    return outcome;
  }
  if (sides[0].values.size() != sides[1].values.size()) {
    c.error(Code::E0207, c.expr(s.condition).span,
            fmt::format("`{}` returns {} values on one side of this `if` and {} on the other", c.frame->function, sides[0].values.size(),
                        sides[1].values.size()));
    outcome.values.push_back({Poison{}, span});
    return outcome;
  }
  bool ok = true;
  for (std::size_t i = 0; i < sides[0].values.size(); ++i) {
    const Item& otherwise_value = sides[1].values[i];
    ok &= branch.join(sides[0].values[i], otherwise_value, otherwise_value.span, fmt::format("the result of `{}`", c.frame->function));
  }
  if (!ok) {
    outcome.values.assign(sides[0].values.size(), {Poison{}, span});
    return outcome;
  }
  Span at = c.expr(s.condition).span;
  for (ValueId id : branch.finish(at)) outcome.values.push_back({id, at});
  return outcome;
}

}  // namespace bpc::frontend::lowering
