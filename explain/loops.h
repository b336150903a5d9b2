// What becomes of a loop's values, and of the derivatives by them, turn by turn.
#pragma once

#include <functional>

#include "explain/explanation.h"
#include "explain/naming.h"

namespace bpc::explain {

class LoopReader {
 public:
  LoopReader(const Trace& trace, const Graph& graph, const Namer& namer, std::function<runtime::Tensor(ir::ValueId)> derivative);

  // Of the loop that is this scope, made of these clusters: the values that a turn hands on, by their authors' names.
  // `histories` gets the values that stand behind those of the summary, by turn.
  using History = std::vector<ir::ValueId>;
  LoopSummary summary(std::size_t loop, const std::vector<std::size_t>& clusters, std::vector<History>& histories) const;

 private:
  std::int64_t turn_of(std::size_t scope, std::size_t loop) const;
  bool leaves_turn(ir::ValueId value, std::size_t loop, std::int64_t turn) const;

  const Trace& trace_;
  const Graph& graph_;
  const Namer& namer_;
  std::function<runtime::Tensor(ir::ValueId)> derivative_;
  std::vector<std::vector<std::size_t>> readers_;  // by value: the scopes of what reads it
};

}  // namespace bpc::explain
