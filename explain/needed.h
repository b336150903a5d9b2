// What of a program is run to explain a derivative of it.
#pragma once

#include <vector>

#include "explain/trace.h"

namespace bpc::explain {

class Needed {
 public:
  Needed(const ir::Function& source, const TraceOptions& options);

  // Whether some derivative outside a loop goes through it: all its turns are kept then. Of others, one turn is.
  bool is_differentiated(ir::OpId loop) const { return is_differentiated_[loop.index]; }
  // Whether the derivative that was asked for stands in the op's regions.
  bool is_around(ir::OpId op) const { return options_.derivative.valid() && holds(op, options_.derivative); }
  // By op of the body: what the derivative is computed from, and the library's checks of that.
  std::vector<bool> at_top() const;
  bool is_in_library(const Span& span) const;
  bool is_authors_assert(const ir::Op& op) const;

 private:
  bool holds(ir::OpId op, ir::OpId inner) const;

  const ir::Function& source_;
  const TraceOptions& options_;
  std::vector<bool> is_differentiated_;  // by op
};

}  // namespace bpc::explain
