// How steps are put in words: the author's expressions with the names of this explanation, and what decided a derivative.
#pragma once

#include "explain/explanation.h"
#include "explain/naming.h"

namespace bpc::explain {

class Wording {
 public:
  Wording(const Trace& trace, const Graph& graph, const SourceMap& sources, const Namer& namer, const Naming& names)
      : trace_(trace), graph_(graph), sources_(sources), namer_(namer), names_(names) {}

  // As the author wrote it, where each part that is a step of its own has that step's name. Where the author's names are not those of the
  // values, and for what the compiler made, as `formula` says.
  std::string expression(const Cluster& cluster, const std::optional<Formula>& formula) const;
  // A call as the author wrote it, with the names of the values that are handed to it. `scope`: around it.
  std::string call(const Span& place, const std::vector<ir::ValueId>& inputs, std::size_t scope) const;
  // The function that the step is, or empty for arithmetic.
  std::string function_of(const Cluster& cluster) const;
  // How a textbook writes the local derivative of a function: "relu'(z1)"; empty for arithmetic.
  std::string notation(const Cluster& cluster, ir::ValueId input, std::size_t uses) const;
  // What decides where a derivative is a step: "2 > 0", "5 of 8 are > 0".
  std::string why(const Formula& factor, const Explanation& explanation) const;
  // Whether a select stands for an `if` of which each element of a comprehension takes its own side.
  bool is_if_of_each(const ir::Op& op) const;
  // Its condition, before it is stretched.
  ir::ValueId condition_of(const ir::Op& select) const;
  Decision decision(const Branch& branch, std::optional<std::int64_t> turn) const;

 private:
  struct Replacement {
    Span place;
    std::string name;
  };
  std::vector<ir::ValueId> inputs_of(const Cluster& cluster) const;
  std::optional<std::string> with_names(const Span& place, const std::vector<ir::ValueId>& inputs) const;
  bool is_at_top(std::size_t scope) const;
  std::optional<std::string> renamed(const std::string& text, const std::vector<ir::ValueId>& inputs, bool is_at_top) const;

  const Trace& trace_;
  const Graph& graph_;
  const SourceMap& sources_;
  const Namer& namer_;
  const Naming& names_;
};

}  // namespace bpc::explain
