#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/regions.h"

namespace bpc::frontend::lowering {

// `checkpoint(e)`: e, lowered in a region of its own.
std::optional<Item> builtins::checkpoint(Context& c, const CallExpr& e, Span span) {
  if (e.arguments.size() != 1 || e.arguments[0].name) {
    c.error(Code::E0105, span, "`checkpoint` takes one expression", "write `checkpoint(f(x))`");
    return std::nullopt;
  }
  ir::BlockId block = c.function().add_block({});
  std::vector<ir::ValueId> yields;
  std::vector<Type> types;
  bool ok = false;
  in_block(c, block, {}, [&] {
    auto item = expression(c, e.arguments[0].value);
    if (!item) return;
    const Tuple* several = item->as<Tuple>();
    ok = true;
    for (const Item& one : several ? several->items : std::vector<Item>{*item}) {
      auto result = to_value(c, one);
      ok &= result.has_value();
      if (!result) continue;
      yields.push_back(*result->as<ir::ValueId>());
      types.push_back(c.type(yields.back()));
    }
  });
  if (!ok) return std::nullopt;
  c.function().block(block).yields = yields;
  Tuple results;
  for (ir::ValueId id : region_op(c, span, ir::Opcode::checkpoint, {}, types, {block})) results.items.push_back({id, span});
  return results.items.size() == 1 ? results.items[0] : Item{std::move(results), span};
}

}  // namespace bpc::frontend::lowering
