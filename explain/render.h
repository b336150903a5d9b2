// An explanation in its forms.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "explain/explanation.h"
#include "support/source.h"

namespace bpc::explain {

struct TextOptions {
  bool color = false;
  std::size_t width = 0;  // of the terminal; 0: no limit
  std::string only;       // the one value whose chain rule is shown, or empty
};
std::string to_text(const Explanation& explanation, const TextOptions& options);
// Every number and formula, for programs: docs/explain.md says what stands where.
nlohmann::ordered_json to_json(const Explanation& explanation, const SourceMap& sources);
// Tables, with formulas between dollars.
std::string to_markdown(const Explanation& explanation, const std::string& title, const std::string& only);
// A graph in the language of Graphviz, from left to right: on each edge the value above the line, and the derivative by it below. Calls and
// loops are clusters; params, inputs and what the derivative is of have shapes of their own.
std::string to_dot(const Explanation& explanation);
// A document of its own.
std::string to_latex(const Explanation& explanation, const std::string& title, const std::string& only);

}  // namespace bpc::explain
