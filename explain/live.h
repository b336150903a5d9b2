// The numbers of an explanation as a program of the script's params and inputs: what a page computes again when one of them changes.
#pragma once

#include <string>
#include <vector>

#include "explain/local.h"
#include "explain/trace.h"

namespace bpc::explain {

struct Live {
  // The trace, with the steps' own derivatives. Its parameters are the script's, by their paths, and what the run has left as a number
  // alone, whose paths have a `#`. Its outputs are named by the places of the numbers in the JSON form (JSON pointers, RFC 6901):
  // "/values/3/gradient".
  ir::Function function;
  std::vector<runtime::Tensor> arguments;  // of the run, for each parameter
  // What the run went by. Where one of them is another number the run takes another way, of which the trace says nothing.
  struct Guard {
    Span place;              // an `if`, a loop
    std::int64_t value = 0;  // in the run; the output "/guards/K", K the guard's place here
  };
  std::vector<Guard> guards;
  std::string why_not;  // why the numbers cannot be computed again; empty where they can
};

class LiveBuilder {
 public:
  explicit LiveBuilder(const Trace& trace);

  // A value of the trace is what stands at `path`; nothing is said for an invalid one.
  void add(std::string path, ir::ValueId value);
  // What the parts of a cotangent, in which a step has a part, add up to.
  void add_sum(std::string path, const std::vector<const ir::ReverseSweep::Part*>& parts);
  // A part of a step's own derivative: of what arrives (a value of the trace), and for 1 in its place.
  void add_local(const std::string& part_path, const std::string& factor_path, const LocalStep::Code& code, std::size_t part,
                 ir::ValueId arriving);
  Live finish();

 private:
  ir::ValueId local(const LocalStep::Code& code, std::size_t part, ir::ValueId arriving);
  void add_guards();
  void take_draws_as_given();

  const Trace& trace_;
  Live live_;
  ir::Builder builder_;
  std::map<std::pair<const LocalStep::Code*, std::uint32_t>, std::vector<ir::ValueId>> locals_;  // the parts, by what arrives
  std::map<std::string, ir::ValueId> ones_;                                                      // by type
};

}  // namespace bpc::explain
