// A call of a function whose derivative the author has written: the op `custom`.
#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "frontend/lower/calls.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/regions.h"
#include "frontend/lower/statements.h"

namespace bpc::frontend::lowering {

namespace {

using ir::BlockId;
using ir::ValueId;

// An argument that is a tensor, and so an operand of the op. Numbers, sizes and functions are known at compile time on both sides.
struct Operand {
  std::size_t parameter;
  ValueId value;
};

bool holds_value(const Item& item) {
  const List* list = item.as<List>();
  return item.holds<ValueId>() || (list && std::any_of(list->items.begin(), list->items.end(), holds_value));
}

std::optional<std::vector<Operand>> operands_of(Context& c, const Callable& callee) {
  std::vector<Operand> operands;
  for (std::size_t i = 0; i < callee.fn->parameters.size(); ++i) {
    const Item item = c.find(c.meaning(callee.fn->parameters[i].name))->item;
    if (!holds_value(item)) continue;
    auto value = reject_tape(c, item, "a function with an adjoint rule") ? to_value(c, item) : std::nullopt;
    if (!value) return std::nullopt;
    operands.push_back({i, *value->as<ValueId>()});
  }
  return operands;
}

class Rule {
 public:
  Rule(Context& c, const Callable& callee, Span span, std::vector<Operand> operands)
      : c_(c), callee_(callee), rule_(*callee.rule), span_(span), operands_(std::move(operands)) {}

  std::optional<std::vector<Item>> apply(const std::function<std::optional<std::vector<Item>>()>& body) {
    if (!lower_primal(body) || !lower_rule()) return std::nullopt;
    std::vector<ValueId> values;
    for (const Operand& operand : operands_) values.push_back(operand.value);
    std::vector<Item> items;
    for (ValueId id : region_op(c_, span_, ir::Opcode::custom, values, types_, {primal_, adjoint_})) items.push_back({id, span_});
    return items;
  }

 private:
  const std::string& name() const { return callee_.fn->name.text; }

  void bind_argument(Scope& scope, BlockId block, const Definition* name, const Type& type) {
    scope.bind(name, {{c_.function().add_argument(block, type, name->name), name->span}, name->span, std::nullopt});
  }

  bool lower_primal(const std::function<std::optional<std::vector<Item>>()>& body) {
    Temporarily<std::string> ruled(c_.frame->ruled, name());
    primal_ = c_.function().add_block({});
    Scope scope;
    for (const Operand& operand : operands_)
      bind_argument(scope, primal_, c_.meaning(callee_.fn->parameters[operand.parameter].name), c_.type(operand.value));
    bool ok = false;
    in_block(c_, primal_, std::move(scope), [&] {
      auto items = body();
      ok = items.has_value();
      for (const Item& item : items.value_or(std::vector<Item>{})) {
        auto value = reject_tape(c_, item, "an adjoint rule") ? to_value(c_, item) : std::nullopt;
        ok &= value.has_value();
        if (!value) continue;
        c_.function().block(primal_).yields.push_back(*value->as<ValueId>());
        types_.push_back(c_.type(*value->as<ValueId>()));
      }
    });
    if (ok && types_.size() != rule_.outputs.size()) {
      c_.error(Code::E0305, rule_.function.span,
               fmt::format("`{}` gives {} value{}, and its adjoint rule names {}", name(), types_.size(), types_.size() == 1 ? "" : "s",
                           rule_.outputs.size()));
      ok = false;
    }
    return ok;
  }

  bool lower_rule() {
    Frame frame;
    frame.ast = callee_.ast;
    frame.names = callee_.names;
    frame.globals = callee_.globals;
    frame.calls = c_.frame->calls;
    frame.path = c_.frame->path;
    frame.function = name();
    frame.in_init = c_.is_in_init();
    for (const Definition* size : callee_.meaning->sizes)
      if (const Binding* bound = c_.find_own(size)) frame.scopes.back().bind(size, *bound);
    for (std::size_t i = 0; i < rule_.inputs.size(); ++i)  // those that are no operands
      frame.scopes.back().bind(c_.meaning(rule_.inputs[i]), *c_.find(c_.meaning(callee_.fn->parameters[i].name)));
    Temporarily<Frame*> enter(c_.frame, &frame);
    adjoint_ = c_.function().add_block({});
    Scope scope;
    for (const Operand& operand : operands_)
      bind_argument(scope, adjoint_, c_.meaning(rule_.inputs[operand.parameter]), c_.type(operand.value));
    for (std::size_t i = 0; i < types_.size(); ++i) bind_argument(scope, adjoint_, c_.meaning(rule_.outputs[i]), types_[i]);
    for (std::size_t i = 0; i < types_.size(); ++i) bind_argument(scope, adjoint_, callee_.names->cotangent(rule_.outputs[i]), types_[i]);
    bool ok = true;
    in_block(c_, adjoint_, std::move(scope), [&] {
      bind_known();
      run(c_, rule_.body);
      for (const Operand& operand : operands_) {
        auto value = cotangent(rule_.inputs[operand.parameter], c_.type(operand.value));
        ok &= value.has_value();
        if (value) c_.function().block(adjoint_).yields.push_back(*value->as<ValueId>());
      }
    });
    return ok;
  }

  // What is known at compile time is a value to a rule that takes derivatives by it.
  void bind_known() {
    const Differentiation& taken = differentiation(c_, callee_, rule_.body.span);
    for (const Name& input : rule_.inputs) {
      const Item item = c_.find(c_.meaning(input))->item;
      if (!taken.by.contains(c_.meaning(input)) || item.holds<ValueId>()) continue;
      if (auto value = to_value(c_, item)) c_.bind(input, *value, input.span);
    }
  }

  // What the rule has assigned to dNAME; of integers and bools there is none.
  std::optional<Item> cotangent(const Name& input, Type type) {
    if (!is_real(type.element)) return constant(c_, rule_.function.span, typed(0, type.element), type);
    const Scope& scope = c_.frame->scopes.back();
    auto found = scope.names.find(callee_.names->cotangent(input));
    if (found == scope.names.end()) {
      if (c_.frame->returns_unknown) return std::nullopt;  // a broken statement may have meant to
      c_.error(Code::E0305, rule_.function.span, fmt::format("the adjoint rule of `{}` does not assign `d{}`", name(), input.text),
               fmt::format("`d{0} = 0` says that `{0}` has no derivative", input.text));
      return std::nullopt;
    }
    const Binding& binding = found->second;
    if (binding.item.failed()) return std::nullopt;
    Item item = binding.item;
    item.span = binding.span;
    const std::string what = fmt::format("`d{}` of the adjoint rule of `{}`", input.text, name());
    if (is_stretched(item, type)) {
      c_.error(Code::E0201, item.span,
               fmt::format("{} must be {}, and `{}` is {}", what, type_text(type), c_.text_of(item.span), type_text(c_.type(item))),
               fmt::format("where `{}` is stretched, its derivative is the sum over what it is stretched along, as in `sum(…, axis=0)`; "
                           "`broadcast_to` before the call makes the shapes equal",
                           input.text));
      return std::nullopt;
    }
    return to_fit(c_, item, type, what);
  }

  // Whether an operand of the type would be stretched to the shape of the item, which is larger.
  bool is_stretched(const Item& item, const Type& type) const {
    if (!item.holds<ValueId>() || c_.type(item).tape || same_shape(c_.type(item), type)) return false;
    const Type both[] = {type, c_.type(item)};
    auto met = ir::broadcast_dims(both, false);
    return met && same_shape(Type(type.element, *met), c_.type(item));
  }

  Context& c_;
  const Callable& callee_;
  const AdjointStmt& rule_;
  Span span_;
  std::vector<Operand> operands_;
  BlockId primal_, adjoint_;
  std::vector<Type> types_;  // of the results
};

}  // namespace

std::optional<std::vector<Item>> with_rule(Context& c, const Callable& callee, Span span,
                                           const std::function<std::optional<std::vector<Item>>()>& body) {
  auto operands = operands_of(c, callee);
  if (!operands) return std::nullopt;
  bool varies = std::any_of(operands->begin(), operands->end(), [&](const Operand& one) { return is_real(c.type(one.value).element); });
  return varies ? Rule(c, callee, span, std::move(*operands)).apply(body) : body();
}

}  // namespace bpc::frontend::lowering
