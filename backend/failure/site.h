// What of a function lasts as long as what runs: its signature, and the places where a run may stop, or prints, with all that their texts
// say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/function.h"
#include "runtime/executable.h"
#include "support/source.h"
#include "support/type.h"

namespace bpc::backend {

// An axis that a run-time index names.
struct IndexedAxis {
  std::string whole;      // "axis 1 of x, size 3"
  std::int64_t n = 0;     // its size
  std::int64_t size = 1;  // elements of the part from the index on, `step` apart
  std::int64_t step = 1;
  std::string index;  // the operand that holds the index or indices: its name, or empty, and its type
  Type index_type;
};
struct Indexing {
  std::vector<IndexedAxis> axes;  // in the order of the operands that index them
};

struct Assertion {
  std::string message;  // the author's, or empty
  std::vector<std::string> names;
  std::vector<Type> types;             // of the values that are shown under these names
  std::optional<std::int64_t> labels;  // the one value shown holds labels, which must be in 0..labels-1
};

// Of integers.
struct Division {
  std::string sign;     // how a script writes it: "//", "%"
  std::string divisor;  // its name, or empty
  bool by_scalar = true;
};

struct Factorization {
  enum class Stops : std::uint8_t { not_positive_definite, singular_pivot, singular_diagonal };
  Stops stops;
  std::string name;  // of the matrix, or of the batch of them; or empty
  Type type;
};

struct PrintedLine {
  std::vector<std::string> texts;  // texts[0] item0 texts[1] item1 …, spaces included; empty for no texts at all
  std::vector<Type> types;         // of the items
};

// A loop, or anything that takes memory: there is no more to say than where it stands.
struct Elsewhere {};

struct Site {
  Span span;
  std::vector<Span> calls;  // call sites that it was inlined through, innermost first
  std::variant<Elsewhere, Indexing, Assertion, Division, Factorization, PrintedLine> what;
};

Site site_of(const ir::Function& function, const ir::Op& op);
runtime::Signature signature_of(const ir::Function& function);

}  // namespace bpc::backend
