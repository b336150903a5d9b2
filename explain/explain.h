// From a trace to what there is to say of it.
#pragma once

#include <functional>
#include <set>

#include "explain/explanation.h"
#include "explain/live.h"
#include "explain/trace.h"
#include "support/source.h"

namespace bpc::explain {

struct ExplainOptions {
  const SourceMap* sources = nullptr;
  Element real = Element::f32;
  std::string loss;             // what y is called as the loss; or empty
  std::set<std::string> taken;  // names of the script, which no other value may get
  bool unfold_all = false;
  std::set<std::string> unfolded;         // functions
  std::optional<std::int64_t> iteration;  // of loops: the turn to show
  std::size_t lines = 34;                 // functions are unfolded while it takes no more to show all
  std::size_t most_lines = SIZE_MAX;      // where it takes more all the same, the steps of one line are one
  std::string element_of;                 // the x whose element is followed, or empty
  std::vector<std::int64_t> element;      // its index
};

// `live`: where it is given, gets the program of the explanation's numbers.
Explanation explain(const Trace& trace, const ExplainOptions& options, Live* live = nullptr);

}  // namespace bpc::explain
