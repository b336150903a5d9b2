// The walk from IR to steps, the first pass (passes.h), shared by planner, operations, movement, indexing, tapes, control, kernels and
// contraction .cpp.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <vector>

#include "backend/plan/affine.h"
#include "backend/plan/plan.h"
#include "backend/plan/uses.h"

namespace bpc::plan {

class BodyBuilder;

class Planner {
 public:
  explicit Planner(const ir::Function& function);
  Plan run();

 private:
  friend class BodyBuilder;

  // What stands for an IR value.
  struct Definition {
    enum class Kind : std::uint8_t {
      none,
      scalar,  // a register (rank 0)
      tape,
      view,  // elements of a buffer, strides over the value's axes
      lazy   // its op is computed wherever it is used
    };
    Kind kind = Kind::none;
    RegisterId scalar;
    Tape tape;
    Access view;
    std::vector<RegisterId> starts;  // a lazy slice: the checked dynamic starts; a lazy gather: its indices, if they are scalars
    std::uint32_t cost = 0;          // lazy: roughly, arithmetic operations per element
    std::uint32_t size = 0;          // lazy: ops in the tree, depth bound included
  };
  // The steps being written.
  struct Scope {
    Steps* steps = nullptr;
    ir::BlockId block;
  };

  // ---- planner.cpp: values, blocks ----
  const Type& type(ir::ValueId id) const { return function_.type(id); }
  bool is_tensor(ir::ValueId id) const { return !type(id).is_scalar() && !type(id).tape; }
  Sizes sizes(ir::ValueId id) const { return function_.type(id).sizes(); }
  Definition& definition(ir::ValueId id) { return definitions_[id.index]; }
  RegisterId add_register(Element element, std::string name = {});
  Tape add_tape(const std::string& name);
  BufferId add_buffer(const Type& type, std::string name);
  SiteId largest();
  SiteId add_site(ir::OpId op);
  void push(Step step) { scope_.steps->push_back(std::move(step)); }
  RegisterId host(Element element, decltype(Instruction::what) what, std::string name = {});
  RegisterId scalar(ir::ValueId id) const { return definitions_[id.index].scalar; }
  void define(ir::ValueId id, RegisterId scalar);
  void define(ir::ValueId id, Tape tape);
  void define(ir::ValueId id, Access view);
  void define_dense(ir::ValueId id, BufferId buffer);
  // The whole value in memory, row by row.
  BufferId whole(ir::ValueId id);
  Access view(ir::ValueId id);
  BufferId copy(ir::ValueId id);
  Datum datum(ir::ValueId id);
  // Whether a value may be read by what follows: by an op that is still to come, or through a value that is computed where it is used.
  bool is_needed(ir::ValueId id) const;
  bool comes_later(ir::BlockId block) const;
  // The steps of a region; `finish` adds what belongs to its end, given its yields.
  Steps region(
      ir::BlockId block, const std::function<void(std::span<const ir::ValueId> yields)>& finish,
      const std::function<void()>& start = [] {});
  void op(ir::OpId id);
  void steps_of(ir::OpId id);
  void outputs();

  // ---- operations.cpp: one function per group of ops ----
  void elementwise(ir::OpId id);
  void reduction(ir::OpId id);
  void scan(const ir::Op& op);
  void source(const ir::Op& op);
  void random(const ir::Op& op);
  void library(ir::OpId id);
  void effect(ir::OpId id);
  // Leaves an op to its uses, or stores it now, whichever is cheaper.
  void lazy_or_stored(const ir::Op& op, std::vector<RegisterId> starts = {});
  RegisterId host_value(ir::ValueId id, std::span<const Affine> indices);

  // ---- movement.cpp ----
  void movement(ir::OpId id);
  void concat(const ir::Op& op);
  void reshape(const ir::Op& op);
  void window_add(const ir::Op& op);

  // ---- indexing.cpp ----
  void slice(ir::OpId id);
  void gather(ir::OpId id);
  void update(ir::OpId id);
  void scatter_add(ir::OpId id);
  // Given the indices of an element of a part, those of the same element in x.
  using Locate = std::function<std::vector<Affine>(BodyBuilder& body, std::span<const Affine> part)>;
  void write_part(const ir::Op& op, const Locate& locate, bool adds);
  void release(ir::ValueId x, BufferId base);
  RegisterId checked_index(ir::OpId id, ir::ValueId index, CheckIndex check);
  std::vector<RegisterId> checked_starts(ir::OpId id);
  std::vector<RegisterId> checked_indices(ir::OpId id, std::size_t first);

  // ---- tapes.cpp ----
  void tape(ir::OpId id);
  void copy_tapes(ir::OpId loop);

  // ---- control.cpp ----
  void control(ir::OpId id);
  void if_else(const ir::Op& op);
  void for_loop(ir::OpId id);
  void while_loop(ir::OpId id);
  struct Carried {
    std::vector<CarriedRegister> registers;
    std::vector<CarriedBuffer> buffers;
  };
  std::vector<RegisterId> registers(ir::ValueId id) const;  // of a scalar or tape; none for a tensor
  std::vector<RegisterId> add_registers(const Type& type, const std::string& name);
  void define(ir::ValueId id, std::span<const RegisterId> registers);
  Carried carry(std::span<const ir::ValueId> inits, const ir::Op& op);
  void bind(const Carried& carried, std::span<const ir::ValueId> values, RegisterId CarriedRegister::* which,
            BufferId CarriedBuffer::* which_buffer);
  void bind_arguments(const Carried& carried, std::span<const ir::ValueId> arguments);
  void set_next(Carried& carried, std::span<const ir::ValueId> yields);
  void bind_results(const Carried& carried, const ir::Op& op);

  // ---- kernels.cpp ----
  // Stores the elements that `value` has at `indices` (of a space of the given sizes) to `to`.
  Kernel store_kernel(ir::ValueId value, const Sizes& space, Access to);
  void store(ir::ValueId value, BufferId buffer);

  // ---- contraction.cpp ----
  void einsum(const ir::Op& op);

  const ir::Function& function_;
  std::vector<Use> uses_;
  std::vector<Definition> definitions_;
  std::vector<bool> planned_;                      // by op
  ir::OpId current_;                               // what is being planned
  std::vector<std::vector<ir::ValueId>> readers_;  // by buffer: views of it, and lazy values made of its elements
  std::vector<ir::OpId> made_for_;                 // by buffer: the op that is computed into it; invalid for a parameter
  std::vector<bool> overlapping_;                  // by op: tapes that need a new root each time
  Plan plan_;
  Scope scope_{};
};

// Writes the scalar instructions that compute elements of values, in terms of the indices of an iteration space.
class BodyBuilder {
 public:
  BodyBuilder(Planner& planner, std::size_t axes, std::vector<Instruction>& out) : planner_(planner), axes_(axes), out_(out) {}
  // The element of `value` at `indices`, one form per axis of the value.
  RegisterId element(ir::ValueId value, std::span<const Affine> indices);
  // The element of x that a gather or scatter_add names, given its indices in the gathered part. The tensors of indices begin at operand
  // `first`; `starts` are their checked values if they are scalars.
  std::vector<Affine> gathered(const ir::Op& op, std::size_t first, std::span<const RegisterId> starts, std::span<const Affine> part);
  RegisterId emit(Element element, decltype(Instruction::what) what);

 private:
  RegisterId lazy(ir::ValueId value, std::span<const Affine> indices);
  RegisterId moved(ir::ValueId value, std::span<const Affine> indices);
  RegisterId stretched(ir::ValueId operand, std::span<const Affine> indices, const Type& result);

  struct Known {
    std::vector<Affine> indices;
    RegisterId reg;
  };
  Planner& planner_;
  std::size_t axes_;
  std::vector<Instruction>& out_;
  std::map<ir::ValueId, std::vector<Known>> known_;
};

// The elements of x that a slice or update names: per axis of the part (dropped axes left out if `drop`), its index in x as a form.
std::vector<Affine> slice_indices(const ir::Op& op, std::span<const RegisterId> starts, std::span<const Affine> part);
// The element of x that a window or window_add names, given the indices of an element of the windows.
std::vector<Affine> window_indices(const ir::Op& op, std::span<const Affine> of_windows);

}  // namespace bpc::plan
