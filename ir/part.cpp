#include "ir/part.h"

#include <algorithm>

#include "ir/rewrite.h"

namespace bpc::ir {

Function part(const Function& main, const std::function<bool(const Output&)>& wanted) {
  Function chosen = main;
  std::erase_if(chosen.outputs, [&](const Output& output) { return !wanted(output); });
  auto is_output = [&](ValueId id) {
    return std::any_of(chosen.outputs.begin(), chosen.outputs.end(), [&](const Output& output) { return output.value == id; });
  };
  return Rewriter(chosen).finish(
      [&](const Op& op) { return is_of_loss(op) && std::none_of(op.results.begin(), op.results.end(), is_output); });
}

}  // namespace bpc::ir
