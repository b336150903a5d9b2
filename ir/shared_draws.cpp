#include "ir/shared_draws.h"

#include <algorithm>

#include "ir/rewrite.h"

namespace bpc::ir {

Function with_shared_draws(const Function& share, const std::vector<SharedDraw>& draws, const std::string& first) {
  if (draws.empty()) return share;
  Function from = share;
  const ValueId start = from.add_parameter(Parameter::Kind::input, first, Type(Element::i64));
  Rewriter rewriter(from);
  return rewriter.finish([&](const Op& op) {
    const auto draw = std::ranges::find_if(draws, [&](const SharedDraw& each) { return from.op(each.op).results == op.results; });
    if (draw == draws.end()) return false;
    Builder& builder = rewriter.builder();
    const ValueId whole = builder.emit(op.code, rewriter.map(op.operands), op.attrs, &draw->whole);
    const std::vector<std::int64_t> none(draw->whole.rank(), 0), ones(draw->whole.rank(), 1);
    rewriter.set(op.results[0], builder.emit(Opcode::slice, {whole, rewriter.map(start)},
                                             {{Attr::starts, none},
                                              {Attr::sizes, from.type(op.results[0]).sizes()},
                                              {Attr::steps, ones},
                                              {Attr::dynamic, std::vector<std::int64_t>{static_cast<std::int64_t>(draw->axis)}},
                                              {Attr::drop, std::vector<std::int64_t>{}},
                                              {Attr::checked, true}}));
    return true;
  });
}

}  // namespace bpc::ir
