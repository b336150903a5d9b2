// One run of a script as straight code: what its calls, branches and loops came to, with the number of every value.
//
// A derivative is swept over this code by the adjoint's own rules: back, where they note each part of each cotangent, or forward, where
// each value gets its tangent. Second derivatives need nothing more: the code of an inner derivative is code like any other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/adjoint/reverse.h"
#include "ir/function.h"
#include "runtime/executable.h"

namespace bpc::explain {

// Where an op ran: a call of a function, a turn of a loop, a derivative.
struct Scope {
  enum class Kind : std::uint8_t { top, call, library, loop, turn, derivative };
  Kind kind = Kind::top;
  std::size_t parent = 0;
  Span span;              // the call, or the loop's range
  std::int64_t turn = 0;  // of a turn, from 0
  std::size_t turns = 0;  // of a loop: how many it took
};

// An `if` or the end of a `while`, as it was decided.
struct Branch {
  std::size_t scope;
  std::size_t before;  // the number of ops that had run
  Span place;          // the condition
  ir::ValueId condition;
  bool taken;
};

// A derivative that was swept.
struct Sweep {
  ir::OpId source;  // in the script's function
  Span span;
  std::size_t calls;  // that it stands in
  ir::ValueId y;
  std::vector<ir::ValueId> xs, results;
  std::vector<std::string> names;             // of the results, or of the params; empty where nobody named them
  ir::ValueId along;                          // forward mode: the direction in which x moves; invalid: reverse mode
  std::vector<ir::ReverseSweep::Part> parts;  // reverse mode: in the order in which they were added up
  std::vector<ir::ValueId> derivatives;       // by value: its cotangent, or in forward mode its tangent; invalid: zero
};

struct Trace {
  ir::Function function;                // without regions but those of functions with an author's adjoint
  std::vector<runtime::Tensor> values;  // by value
  std::vector<std::string> names;       // by value: the author's; empty for what nobody named
  std::vector<std::size_t> scope_of;    // by op
  std::vector<Scope> scopes{Scope{}};
  std::vector<Branch> branches;
  // A number that decided how many turns a loop takes.
  struct Count {
    Span place;  // the loop's range
    ir::ValueId value;
  };
  std::vector<Count> counts;
  std::vector<ir::ValueId> unkept;  // parameters of `function` that hold what turns which are not kept have come to
  std::optional<Sweep> sweep;       // the derivative that was asked for
  // Of derivatives that the one asked for goes through: what a value is the cotangent of, dy/dx. `calls`: that the derivative stands in.
  struct Cotangent {
    ir::ValueId y, x;
    std::size_t calls;
  };
  std::map<std::uint32_t, Cotangent> cotangent_of;

  const runtime::Tensor& value(ir::ValueId id) const { return values[id.index]; }
};

struct TraceOptions {
  ir::OpId derivative;                    // the one to follow, in the source; invalid: none
  std::optional<std::int64_t> iteration;  // of loops that it stands in
  std::vector<bool> in_library;           // by FileId: whether the file is part of the library
  Span loss;                              // its declaration
  std::uint64_t max_iterations = 0;       // of each loop; 0: no limit
  std::size_t max_memory = 0;             // bytes; 0: no limit
};

// Runs the part of `source`, a function with its derivative ops (ir::prepare_derivatives), that the derivative needs, or all of it. Nothing
// is printed, and of asserts only those of the library are checked.
std::variant<Trace, runtime::Failure> trace(const ir::Function& source, std::span<const runtime::Tensor> arguments,
                                            const TraceOptions& options);

// What a derivative in a loop is of and by, and what it gives, at one time: norms, and of scalars the numbers themselves.
struct Taken {
  double y;
  std::vector<double> xs, results;
};
inline constexpr std::size_t kMostTimes = 500;
// Each time that the program takes the derivative, the first kMostTimes at most; fewer where the run fails, or a loop takes very many
// turns.
std::vector<Taken> each_time(const ir::Function& source, std::span<const runtime::Tensor> arguments, const TraceOptions& options);

}  // namespace bpc::explain
