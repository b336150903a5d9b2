// The reverse sweep for one derivative (Griewank & Walther, Evaluating Derivatives, ch. 3 and 6): from y back over the ops that are already
// there, appending the adjoint program at the builder's position.
//
// Control flow is reversed region by region. While the adjoint of a region is written, it speaks of the region's values as if they could be
// seen from there; keep.h then decides which of them the region keeps on tapes and which the adjoint computes again.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/adjoint/varied.h"
#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/static_facts.h"

namespace bpc::ir {

// The sum of a cotangent and one more part of it, which nothing else reads. A part that is zero but for some places, made by the last op,
// is added there: the cost of reading or writing x[i] does not depend on the size of x.
ValueId add_in_place(Builder& builder, ValueId sum, ValueId part);

class ReverseSweep {
 public:
  ReverseSweep(Builder& builder, std::span<const ValueId> xs);
  ReverseSweep(Builder& builder, std::span<const ValueId> xs, StaticFacts facts);

  // `cotangent` has the type of y; an invalid one stands for 1. `name`: what y is called in the names of adjoints, if not by its own.
  void run(ValueId y, ValueId cotangent, std::string name = {});
  // Zeros where y depends on x only through flat operators.
  ValueId gradient(ValueId x);

  // One part of the sum that is the cotangent of a value.
  struct Part {
    OpId by;  // the op that reads the value
    ValueId to;
    ValueId part;
    ValueId before;  // the sum of the parts before; invalid for the first
    bool is_sum;     // the part was added in place: `part` is the sum with it
  };
  // To be called before `run`: it notes the parts there, in the order in which they are added up.
  void note_parts(std::vector<Part>& parts) { parts_ = &parts; }
  // What the parts of a value's cotangent add up to; invalid for zero.
  ValueId cotangent(ValueId value) const { return has_adjoint(value) ? adjoints_[value.index].value : ValueId(); }

 private:
  struct Adjoint {
    ValueId value;  // invalid: zero so far
    bool may_be_zeroed = false;
  };

  // A region whose adjoint is being written. Cotangents of values outside it are local to it until it is left.
  struct Scope {
    BlockId region, reverse;
    bool repeats;  // a loop: what flows to values outside is carried from turn to turn
    bool may_be_zeroed;
    std::vector<ValueId> outside;  // values outside that received a cotangent here, in order of the first
    std::vector<Adjoint> before;   // theirs when they did
  };

  // What a reversed region gives for a value outside.
  struct Flow {
    ValueId primal;
    Adjoint before, after;
  };

  // What a primal op leaves for its adjoint, to be carried through the adjoint's region, and what the region leaves of it: a tape, or a
  // value.
  struct Kept {
    ValueId out, last;
  };

  // ---- reverse.cpp: straight code ----
  OriginId made_by(std::string rule, Origin origin);
  void sweep(const std::vector<OpId>& ops);
  void differentiate(OpId id);
  void straight(const Op& op);
  void push(const Op& op);
  void pop(const Op& op);
  bool has_adjoint(ValueId value) const;
  bool matters(ValueId value) const { return varied_[value] && has_adjoint(value); }
  Adjoint& adjoint(ValueId value);
  // `is_own`: the part was made for this sum, and nothing else reads it.
  void accumulate(ValueId primal, ValueId part, bool may_be_zeroed, bool is_own = false);
  ValueId value_or_zero(const Adjoint& adjoint, const Type& type);
  void name_adjoint(ValueId primal);
  std::string adjoint_name(ValueId primal);
  void name_temporary(ValueId value);
  void number_in_program_order();

  // ---- reverse_regions.cpp: control flow ----
  void enter_scopes(ValueId primal);
  void open_scope(BlockId region, BlockId reverse, bool repeats, bool may_be_zeroed);
  std::vector<Flow> close_scope();
  void region(OpId id);
  void branch(OpId id);
  void loop(OpId id);
  void recomputed(OpId id);
  void custom(OpId id);
  std::vector<bool> asked_of_rule(const Op& op) const;
  bool strong_product(OpId id, std::set<ValueId>& strong, Cloner& cloner);
  Cloner rerun();
  void adopt_copies();
  OpId run_here(OpId id);
  OpId stand_in(OpId id);
  std::vector<bool> active_slots(const Op& op) const;
  bool zeroes_cotangents(BlockId region) const;

  // ---- reverse_tapes.cpp: what a region keeps for its adjoint ----
  std::vector<Kept> provide(OpId primal, BlockId region, BlockId reverse, ValueId index);
  std::optional<std::size_t> slot_from_next_turn(OpId primal, ValueId end, const std::vector<ValueId>& kept) const;
  ValueId begin_tape(OpId primal, BlockId region, const Type& type, const std::string& name, OpId& start);
  ValueId end_tape(OpId primal, BlockId region, ValueId end, OpId start);
  Kept keep(OpId primal, BlockId region, BlockId reverse, ValueId value, ValueId& again);
  Kept lift(OpId primal, BlockId region, BlockId reverse, ValueId tape, ValueId& again);

  Builder& builder_;
  Function& function_;
  StaticFacts facts_;
  Varied varied_;
  ValueId y_;
  std::string y_name_;
  std::vector<Adjoint> adjoints_;                    // by primal value
  std::vector<Scope> scopes_;                        // innermost last
  std::vector<std::pair<ValueId, ValueId>> copies_;  // made of values that run again, not adopted yet
  bool is_outside_block_ = false;                    // the ops at hand stand in a block around the one that the sweep began in
  Cloner outside_copies_;
  std::unordered_map<std::uint32_t, OpId> reruns_;             // by op that stands outside: its copy
  std::unordered_map<std::uint32_t, OpId> tape_starts_;        // by tape that an op leaves: where it begins
  std::unordered_map<std::uint32_t, ValueId> tape_leftovers_;  // by tape that an op leaves: what its adjoint leaves of it
  std::vector<Part>* parts_ = nullptr;
  OpId visited_;  // the op whose operands receive their parts
  std::set<std::string> names_;
  std::vector<ValueId> temporaries_;  // values that got a name here, in the order of their numbers
  std::size_t last_number_ = 0;       // in the name of such a value
  std::size_t first_own_;             // values from here on were made since
};

}  // namespace bpc::ir
