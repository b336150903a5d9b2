#include "explain/absent.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bpc::explain {

using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

// The first op that makes something of a value through which no derivative comes back; invalid where nothing reads it.
OpId cut_behind(const ir::Function& function, ValueId value) {
  std::set<ValueId> reached{value};
  for (OpId id : function.block(function.body()).ops) {
    const Op& op = function.op(id);
    if (op.results.empty() || std::none_of(op.operands.begin(), op.operands.end(), [&](ValueId v) { return reached.contains(v); }))
      continue;
    if (op.code == Opcode::stop_grad || !is_real(function.type(op.results[0]).element)) return id;
    reached.insert(op.results.begin(), op.results.end());
  }
  return {};
}

}  // namespace

std::vector<std::string> absent_gradients(const Trace& trace, const Namer& namer, const std::string& y) {
  const ir::Function& function = trace.function;
  const std::vector<ValueId>& xs = trace.sweep->xs;
  std::vector<std::string> notes;
  for (const ir::Parameter& parameter : function.parameters) {
    const bool has_gradient = std::find(xs.begin(), xs.end(), parameter.value) != xs.end();
    if (parameter.kind != ir::Parameter::Kind::param || has_gradient || parameter.path.find('#') != std::string::npos) continue;
    const OpId cut = cut_behind(function, parameter.value);
    std::string why = "nothing on the way to " + y + " reads it";
    if (cut.valid()) {
      const ValueId result = function.op(cut).results[0];
      const Span place = namer.place_of(result);
      const std::string text = namer.text_of(place), line = place.valid() ? fmt::format(" (line {})", place.line) : "";
      const Element element = function.type(result).element;
      const char* gives = element == Element::boolean ? "gives true or false, and no derivative"
                          : is_integer(element)       ? "gives integers, and no derivative"
                                                      : "lets no derivative through";
      why = fmt::format("{}{} {}", text.empty() ? "what reads it" : "`" + text + "`", line, gives);
    }
    notes.push_back(fmt::format("{} has no gradient: {}.", parameter.path, why));
  }
  return notes;
}

}  // namespace bpc::explain
