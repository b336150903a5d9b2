// The arguments of a call against the parameters of what it calls.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/ast.h"

namespace bpc::frontend {

struct Parameters {
  std::string_view function;
  std::vector<std::string> names;
  std::vector<bool> needed;    // those without a default
  std::size_t positional = 0;  // those from here on can only be given by name
};

// Of a function of a file or of the prelude.
Parameters parameters_of(const FnStmt& fn);

struct GivenArgument {
  const Name* name;  // null: by its place
  Span span;         // of the value
};

struct ArgumentMatch {
  std::vector<std::optional<std::size_t>> arguments;  // the one for each parameter

  // What is wrong (E0105): any number of what a single argument says, or else those that the call lacks.
  struct Fault {
    Span span;
    std::string message, help;
    bool is_excess = false;  // more values than there is room for
  };
  std::vector<Fault> faults;
};

// `call` is the place of the call.
ArgumentMatch match_arguments(const Parameters& parameters, const std::vector<GivenArgument>& given, Span call);

}  // namespace bpc::frontend
