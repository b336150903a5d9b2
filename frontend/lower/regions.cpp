#include "frontend/lower/regions.h"

#include <fmt/format.h>

#include "frontend/lower/types.h"
#include "ir/verify.h"

namespace bpc::frontend::lowering {

using ir::BlockId;
using ir::Opcode;
using ir::ValueId;

Scope in_block(Context& c, BlockId block, Scope scope, const std::function<void()>& lower) {
  // A region counts for three levels (the statement or expression around it is one), so that the nesting limit keeps regions within
  // ir::kDeepestRegion.
  static_assert(kDeepestNesting / 3 < ir::kDeepestRegion);
  Temporarily<int> nested(c.depth, c.depth + 2);
  BlockId outside = c.builder->block();
  c.builder->set_block(block);
  c.frame->scopes.push_back(std::move(scope));
  lower();
  Scope inner = std::move(c.frame->scopes.back());
  c.frame->scopes.pop_back();
  c.builder->set_block(outside);
  return inner;
}

std::vector<ValueId> region_op(Context& c, Span span, Opcode code, const std::vector<ValueId>& operands, const std::vector<Type>& types,
                               const std::vector<BlockId>& regions) {
  c.set_origin(span);
  ir::OpId op = c.builder->emit_op(code, operands, {}, types);
  for (BlockId region : regions) {
    c.function().block(region).parent = op;
    c.function().op(op).regions.push_back(region);
  }
  const ir::Block& given = c.function().block(code == Opcode::custom ? regions.front() : regions.back());
  const std::vector<ValueId> results = c.function().op(op).results;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (types[i].tape) {  // which may have learned what it holds since `types` were gathered
      c.function().value(results[i]).type = c.type(given.yields[i]);
      c.open_tapes.follow(c.function(), results[i], given.yields[i]);
    }
  return results;
}

std::optional<Item> map_op(Context& c, Span span, BlockId block, const std::vector<Dim>& sizes, const Item& element) {
  const Type part = c.type(element);
  if (part.tape) {
    c.error(Code::E0203, element.span,
            fmt::format("the elements of a tensor are numbers or bools, and `{}` is a tape", c.text_of(element.span)));
    return std::nullopt;
  }
  Type whole(part.element, sizes);
  whole.dims.insert(whole.dims.end(), part.dims.begin(), part.dims.end());
  if (!check_shape(c, span, whole.dims)) return std::nullopt;
  c.function().block(block).yields = {*element.as<ValueId>()};
  return Item{region_op(c, span, Opcode::map, {}, {whole}, {block})[0], span};
}

}  // namespace bpc::frontend::lowering
