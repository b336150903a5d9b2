// A trace being written: what stands in it for each value of the program, and where each op of it ran.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "explain/needed.h"
#include "explain/trace.h"

namespace bpc::explain {

// What is known of a value of the program.
struct Known {
  runtime::Tensor value;
  ir::ValueId flat;                               // what stands for it in the trace `where`
  std::size_t where = 0;                          // 0: in none
  std::shared_ptr<std::vector<Known>> tape = {};  // what a tape holds; one that is used linearly needs no copies
  bool is_left = false;                           // by turns that are not kept
};

// Values and ops without a prefix are those of the program; `flat` ones are those of the trace.
class Recorder {
 public:
  Recorder(const ir::Function& source, const Needed& needed) : source_(source), needed_(needed), known_(source.value_count()) {}

  Trace main;
  // The trace at hand: `main`, or one that nobody keeps.
  Trace& trace() { return *trace_; }
  bool is_main() const { return trace_ == &main; }

  // ---- values ----
  Known& known(ir::ValueId id) { return known_[id.index]; }
  const runtime::Tensor& value(ir::ValueId id) const { return known_[id.index].value; }
  void know(ir::ValueId id, runtime::Tensor value) { known_[id.index] = {std::move(value), {}, 0}; }
  // What stands for a value in the trace at hand: a value from outside becomes a parameter of it.
  ir::ValueId flat(ir::ValueId id);
  // With what stands for it, so that copies of it are one value.
  Known taken(ir::ValueId id);
  void bind(ir::ValueId id, ir::ValueId flat) { known_[id.index] = {trace_->value(flat), flat, trace_id_}; }
  // What a value is called outside the region that made it.
  void name(ir::ValueId id);
  void note(ir::ValueId flat, const std::string& name, runtime::Tensor value);

  // ---- ops ----
  ir::OriginId origin(const ir::Op& op) { return trace_->function.add_origin(source_.origin(op.origin)); }
  // Appends an op of one result, which `at` has become; E0412 past what a trace keeps.
  ir::ValueId append(ir::Op op, const Type& type, const ir::Op& at);
  void require_room(const ir::Op& at) const;
  // A derivative is about to be swept over all that the trace has; E0412 past what all sweeps together may visit.
  void count_sweep(const ir::Op& at);

  // ---- scopes ----
  // The one around which the loops at hand run, and those of the calls that the origin is in.
  std::size_t scope(const ir::Origin& origin);
  std::size_t inner_scope(std::size_t parent, Scope::Kind kind, const Span& span, std::int64_t turn);
  // What `body` runs is within the scope; `calls`: that lead there.
  template <class Body>
  auto within(std::size_t scope, std::size_t calls, Body body) {
    control_.push_back({scope, calls});
    auto result = body();
    control_.pop_back();
    return result;
  }

  // What `body` runs leaves nothing but its numbers.
  template <class Body>
  auto in_scratch(Body body) {
    Trace scratch;
    const auto outside = std::pair(trace_, trace_id_);
    trace_ = &scratch, trace_id_ = ++traces_;
    auto result = body();
    leave_scratch();
    std::tie(trace_, trace_id_) = outside;
    return result;
  }

 private:
  void leave_scratch();

  struct Shadowed {
    ir::ValueId value, flat;
    std::size_t where, by;
  };
  struct Control {
    std::size_t scope;
    std::size_t calls;
  };

  const ir::Function& source_;
  const Needed& needed_;
  std::vector<Known> known_;  // by value
  Trace* trace_ = &main;
  std::size_t trace_id_ = 1, traces_ = 1;
  std::vector<Control> control_;
  std::size_t swept_ = 0;  // values that sweeps have visited
  std::vector<Shadowed> shadowed_;
  std::map<std::tuple<std::size_t, std::size_t, Scope::Kind, Span, std::int64_t>, std::size_t> scope_ids_;
};

}  // namespace bpc::explain
