// The `# expect` comments of a script.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/tensor.h"
#include "support/diagnostics.h"

namespace bpc::tool {

// `# expect: J = 2`, `# expect: J = 2 within 1e-6`, `# expect-grad: w1 = 6`: the value is a number, true, false, "nan", "inf", "-inf" or a
// JSON array. `# expect-error: E0201`.
struct Expectation {
  enum class Kind : std::uint8_t { value, gradient, error };
  Kind kind;
  Span span;         // the comment
  std::string name;  // of the value, the param's path, or the code
  nlohmann::json value;
  std::optional<double> within;
};

// Read off the text, not the syntax tree: a script may expect that it does not parse. A comment that starts with "# expect" and does not
// read as one is E0101, and so is one with a misspelled word, `# expext: J = 2`.
std::vector<Expectation> read_expectations(const SourceMap& sources, FileId file, Diagnostics& diagnostics);

// Why `actual` is not what was expected, or empty. `tolerance` is relative to 1 + |expected|.
std::string mismatch(const Expectation& expectation, const runtime::Tensor& actual, double tolerance);

}  // namespace bpc::tool
