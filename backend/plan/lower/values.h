// The plan while it is lowered from IR, and what stands there for each value.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "backend/plan/affine.h"
#include "backend/plan/lower/uses.h"
#include "backend/plan/plan.h"

namespace bpc::plan {

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
  std::uint32_t loads = 0;         // lazy: tensors with as many elements that an element is computed from
};

class Values {
 public:
  explicit Values(const ir::Function& function);

  const ir::Function& function;
  Plan plan;

  const Type& type(ir::ValueId id) const { return function.type(id); }
  bool is_tensor(ir::ValueId id) const { return !type(id).is_scalar() && !type(id).tape; }
  Sizes sizes(ir::ValueId id) const { return function.type(id).sizes(); }
  const std::string& name(ir::ValueId id) const { return function.value(id).name; }

  // ---- where steps are written ----

  // While one lives, steps are those of a region.
  class Inside {
   public:
    Inside(Values& values, Steps& steps, ir::BlockId block);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Values& values_;
    Steps* steps_;
    ir::BlockId block_;
  };
  // While one lives, what is made is made for this op.
  class Planning {
   public:
    Planning(Values& values, ir::OpId op);
    ~Planning();
    Planning(const Planning&) = delete;
    Planning& operator=(const Planning&) = delete;

   private:
    Values& values_;
    ir::OpId around_;
  };
  void push(Step step);
  RegisterId host(Element element, decltype(Instruction::what) what, std::string name = {});

  // ---- registers, buffers, sites ----

  RegisterId add_register(Element element, std::string name = {});
  // It was made for another op than the one that is being planned.
  void set_place(RegisterId id, const ir::Op& op) { plan.registers[id.index].place = place_of(op); }
  Tape add_tape(const std::string& name);
  BufferId add_buffer(const Type& type, std::string name);
  BufferId add_buffer(ir::ValueId id) { return add_buffer(type(id), name(id)); }
  SiteId add_site(ir::OpId op);
  SiteId add_largest();  // of the op whose result takes the most memory

  // ---- definitions ----

  Definition& definition(ir::ValueId id) { return definitions_[id.index]; }
  const Definition& definition(ir::ValueId id) const { return definitions_[id.index]; }
  RegisterId scalar(ir::ValueId id) const { return definition(id).scalar; }
  void define(ir::ValueId id, RegisterId scalar);
  void define(ir::ValueId id, Tape tape);
  void define(ir::ValueId id, Access view);
  void define_dense(ir::ValueId id, BufferId buffer);
  // Leaves an op to its uses, or stores it now, whichever is cheaper.
  void lazy_or_stored(const ir::Op& op, std::vector<RegisterId> starts = {});

  // ---- values in memory ----

  Access view(ir::ValueId id);
  BufferId whole(ir::ValueId id);  // row by row
  BufferId copy(ir::ValueId id);
  Datum datum(ir::ValueId id);
  // Before x, the whole of `base`, is overwritten: parts of it that are needed later are copied, which is less than a copy of all of x.
  void release(ir::ValueId x, BufferId base);
  bool is_read(ir::ValueId id) const { return uses_[id.index].count > 0; }
  // The one op that reads the value, if that stands in the same block; otherwise nullptr.
  const ir::Op* only_user(ir::ValueId id) const;
  // Leaves an op to its only user, which looks through it.
  void leave(const ir::Op& op);

 private:
  PlaceId place_of(const ir::Op& op);
  // Whether a value may be read by what follows: by an op that is still to come, or through a value that is computed where it is used.
  bool is_needed(ir::ValueId id) const;
  bool comes_later(ir::BlockId block) const;

  std::vector<UseSummary> uses_;
  std::vector<Definition> definitions_;
  std::vector<bool> planned_;                      // by op
  std::vector<std::vector<ir::ValueId>> readers_;  // by buffer: views of it, and lazy values made of its elements
  std::map<ir::OriginId, PlaceId> places_;
  std::vector<ir::OpId> made_for_;  // by buffer: the op that is computed into it; invalid for a parameter
  Steps* steps_;                    // being written
  ir::BlockId block_;               // being planned, and the op there
  ir::OpId op_;
};

}  // namespace bpc::plan
