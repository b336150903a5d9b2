#include "frontend/lower/tapes.h"

#include <fmt/format.h>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "ir/tape_uses.h"

namespace bpc::frontend::lowering {

using ir::Opcode;
using ir::ValueId;

namespace {

// The first argument of push and pop.
bool require_tape(Context& c, const BuiltinCall& call) {
  const Item& s = call["s"];
  const ValueId* id = s.as<ValueId>();
  if (id && c.type(*id).tape) return true;
  c.error(Code::E0203, s.span, fmt::format("`{}` takes a tape, and `{}` is none", call.name, c.text_of(s.span)), "`s = tape()` makes one");
  return false;
}

}  // namespace

// An empty tape. Until something is pushed its type is a placeholder.
std::optional<Item> builtins::tape(Context& c, const BuiltinCall& call) {
  Type type = Type(c.module.real).as_tape();
  auto result = c.emit(call.span, Opcode::tape, {}, {}, &type);
  if (result) c.open_tapes.add(c.function(), *result->as<ValueId>());
  return result;
}

std::optional<Item> builtins::push(Context& c, const BuiltinCall& call) {
  const Item &s = call["s"], &v = call["v"];
  if (!require_tape(c, call) || !reject_tape(c, v, "`push`")) return std::nullopt;
  bool is_open = c.open_tapes.contains(c.function(), *s.as<ValueId>());
  auto value = is_open ? to_value(c, v) : to_value(c, v, c.type(s).element);
  if (!value) return std::nullopt;
  if (is_open) c.open_tapes.settle(c.function(), *s.as<ValueId>(), c.type(*value));
  const Type entry = c.type(s).as_entry(), given = c.type(*value);
  if (!same_shape(entry, given) || !widens(given.element, entry.element)) {
    c.error(same_shape(entry, given) ? Code::E0203 : Code::E0201, v.span,
            fmt::format("`{}` holds {}, and `{}` is {}", c.text_of(s.span), type_text(entry), c.text_of(v.span), type_text(given)),
            "all that is pushed on a tape has one type and shape");
    return std::nullopt;
  }
  value = cast_to(c, *value, entry.element, v.span);
  return value ? c.emit(call.span, Opcode::push, {s, *value}) : std::nullopt;
}

std::optional<Item> builtins::pop(Context& c, const BuiltinCall& call) {
  const Item& s = call["s"];
  if (!require_tape(c, call)) return std::nullopt;
  if (c.open_tapes.contains(c.function(), *s.as<ValueId>())) {
    c.error(Code::E0211, s.span, fmt::format("nothing was pushed on `{}` before, so that what it holds is not known", c.text_of(s.span)));
    return std::nullopt;
  }
  auto rest = c.emit(call.span, Opcode::pop, {s});
  if (!rest) return std::nullopt;
  Tuple both;
  for (ValueId result : c.function().def(*rest->as<ValueId>())->results) both.items.push_back({result, call.span});
  return Item{std::move(both), call.span};
}

void OpenTapes::follow(const ir::Function& function, ValueId value, ValueId tape) {
  if (auto found = classes_.find({&function, tape}); found != classes_.end()) put({&function, value}, found->second);
}

void OpenTapes::join(ir::Function& function, ValueId a, ValueId b) {
  if (!function.type(a).tape || !function.type(b).tape) return;
  bool a_open = contains(function, a), b_open = contains(function, b);
  if (a_open && b_open) {
    int from = classes_.at({&function, a}), to = classes_.at({&function, b});
    if (from == to) return;
    if (members_[from].size() > members_[to].size()) std::swap(from, to);
    auto moved = members_.extract(from);
    for (const Key& key : moved.mapped()) put(key, to);
  } else if (a_open || b_open) {
    settle(function, a_open ? a : b, function.type(a_open ? b : a).as_entry());
  }
}

void OpenTapes::settle(ir::Function& function, ValueId tape, const Type& entry) {
  auto settled = members_.extract(classes_.at({&function, tape}));
  for (const Key& key : settled.mapped()) {
    function.value(key.second).type = entry.as_tape();
    classes_.erase(key);
  }
}

bool reject_tape(Context& c, const Item& item, const std::string& what) {
  const ValueId* id = item.as<ValueId>();
  const List* list = item.as<List>();
  for (const Item& inner : list ? list->items : std::vector<Item>{})
    if (!reject_tape(c, inner, what)) return false;
  if (!id || !c.type(*id).tape) return true;
  c.error(Code::E0203, item.span, fmt::format("{} does not work on tapes, and `{}` is one", what, c.text_of(item.span)),
          "`s, v = pop(s)` takes off what was pushed last");
  return false;
}

void check_tapes(Context& c, const ir::Function& function) {
  for (const ir::TapeMisuse& misuse : ir::tape_misuses(function)) {
    const ir::Origin& use = function.origin(function.op(misuse.use).origin);
    Frame at;
    at.ast = c.top->ast;
    at.calls = use.calls;
    Temporarily<Frame*> enter(c.frame, &at);
    const std::string& name = function.value(misuse.tape).name;
    std::string tape = name.empty() ? "a tape" : fmt::format("`{}`", name);
    if (misuse.before.valid()) {
      c.report(error_at(Code::E0211, use.span, fmt::format("{} is used twice, and a tape is handed on once", tape),
                        "go on with what `push` and `pop` give, as in `s = push(s, v)`")
                   .label(function.origin(function.op(misuse.before).origin).span, "used here before")
                   .label(use.span, ""));
    } else {
      c.error(Code::E0211, use.span, fmt::format("{} comes from outside of a loop that does not carry it", tape),
              "assign to its name in the loop, as in `s = push(s, v)`");
    }
  }
}

}  // namespace bpc::frontend::lowering
