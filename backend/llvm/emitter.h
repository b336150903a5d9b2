// From the plan to LLVM IR: one walk, shared by the files of this room (entry, functions, scalar, kernel, contraction, control, checks,
// tapes).
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "backend/plan/plan.h"

namespace bpc::backend {

class Emitter {
 public:
  Emitter(const plan::Plan& plan, llvm::Module& module);
  // Defines the function kEntryName (context.h) and the kernels that it calls.
  void run();

 private:
  using Indices = std::span<llvm::Value* const>;

  // ---- entry.cpp ----
  llvm::Type* type(Element element);  // of a register: bool is i1
  llvm::Type* type(plan::RegisterId id) { return plan_.at(id).is_address ? builder_.getPtrTy() : type(element(id)); }
  llvm::Type* memory_type(Element element);  // bool is i8
  void set(plan::RegisterId id, llvm::Value* value) { registers_[id.index] = value; }
  Element element(plan::RegisterId id) const { return plan_.at(id).element; }
  llvm::ConstantInt* site(plan::SiteId id) { return builder_.getInt32(id.index); }
  llvm::ConstantInt* integer(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  llvm::Value* form(const plan::Affine& at, Indices indices);  // as i64
  void enter(llvm::Function& function);                        // one that is given the buffers and the context
  llvm::Value* bound(std::size_t index);                       // what the caller has bound there (context.h)
  void emit(const plan::SetOutput& output);
  void emit(const plan::Donate& donate) { copy(donate.from, donate.to); }
  llvm::Value* base(plan::BufferId id);  // where the buffer starts
  llvm::Value* address(const plan::Access& access, Indices indices);
  llvm::Value* load(Element element, llvm::Value* address);
  void store(llvm::Value* value, Element element, llvm::Value* address);
  void copy(plan::BufferId from, plan::BufferId to);  // nothing where they share a storage
  llvm::AllocaInst* local(llvm::Type* type, std::uint64_t count = 1, const char* name = "");
  // for (i = from; i < to; i += by) body(i); nothing is emitted for constant bounds without a turn.
  void loop(llvm::Value* from, llvm::Value* to, std::int64_t by, const std::function<void(llvm::Value* index)>& body);
  // Properties of the loop that a branch goes back in: of those few turns, or whose body is large enough as it is.
  enum class Shape : std::uint8_t { ordinary, compact, rolled };
  void set_shape(llvm::BranchInst* back, Shape shape);

  // ---- functions.cpp ----
  void steps(const plan::Steps& steps);
  void run_of_steps(std::span<const plan::Step> steps);
  void part(std::span<const plan::Step> steps);  // in a function of their own
  void leave_unless_zero(llvm::Value* status);   // returns it from the current function
  llvm::Value* frame_slot(plan::RegisterId id);  // its place in the frame
  void put_in_frame(plan::RegisterId id);
  llvm::Value* get(plan::RegisterId id);  // loads it where the builder is, if it is in the frame

  // Moves what `body` emits to a function of its own, which is given where the buffers start (no two storages overlap, which LLVM is told)
  // and the host registers it uses; registers in `results` come back. The call stands where the builder was. Small ones are inlined again.
  void outline(const char* name, bool small, const std::vector<plan::BufferId>& buffers, std::vector<plan::RegisterId> uses,
               const std::vector<plan::RegisterId>& results, const std::function<void()>& body);

  // ---- scalar.cpp ----
  void emit(const plan::Instruction& instruction, Indices indices);
  llvm::Value* compute(const plan::Compute& compute, Element result, Element element);  // `element` of the first operand
  llvm::Value* convert(llvm::Value* value, Element from, Element to);
  llvm::Value* library(const std::string& name, llvm::Type* result, std::initializer_list<llvm::Value*> arguments);
  llvm::Value* floor_division(scalar::Operator code, llvm::Value* a, llvm::Value* b);
  llvm::Value* power(llvm::Value* a, llvm::Value* b, Element element);

  // ---- kernel.cpp ----
  void emit(const plan::Kernel& kernel);
  void nest(const plan::Kernel& kernel, std::size_t level, std::vector<llvm::Value*>& indices);
  void reduced_nest(const plan::Kernel& kernel, std::size_t level, std::vector<llvm::Value*>& indices, llvm::Value* lane);
  void lanes(const plan::Kernel& kernel, std::vector<llvm::Value*>& indices);
  void turn(const plan::Kernel& kernel, Indices indices, llvm::Value* lane);
  struct Accumulator {
    llvm::AllocaInst* value = nullptr;
    llvm::AllocaInst* position = nullptr;                // argmax, argmin
    llvm::AllocaInst *total = nullptr, *lost = nullptr;  // of a long sum: `value` is that of a block
    Element element = Element::f32;
  };
  Accumulator make_accumulator(const plan::Kernel& kernel, const plan::Reduction& fold, std::uint64_t count);
  void add_block(const Accumulator& accumulator);
  llvm::Value* slot(llvm::AllocaInst* array, llvm::Type* type, llvm::Value* lane);
  void reset(const plan::Reduction& fold, const Accumulator& accumulator, llvm::Value* lane);
  void fold_in(const plan::Reduction& fold, const Accumulator& accumulator, llvm::Value* lane, Indices indices);
  void finish(const plan::Reduction& fold, const Accumulator& accumulator, llvm::Value* lane, Indices indices);

  // ---- contraction.cpp ----
  friend class TileEmitter;
  void emit(const plan::Contraction& contraction);

  // ---- control.cpp ----
  void emit(const plan::If& branch);
  void emit(const plan::For& loop);
  void emit(const plan::While& loop);
  std::vector<llvm::Value*> values(std::span<const plan::CarriedRegister> registers, plan::RegisterId plan::CarriedRegister::* which);
  std::vector<llvm::PHINode*> carried_phis(std::span<const plan::CarriedRegister> registers, std::span<llvm::Value* const> inits,
                                           llvm::BasicBlock* from);
  // Copies what is carried; gives the registers' next values.
  std::vector<llvm::Value*> next_turn(std::span<const plan::CarriedRegister> registers, std::span<const plan::CarriedBuffer> buffers,
                                      std::span<llvm::PHINode* const> phis);
  void poll();
  llvm::Value* iteration_limit();

  // ---- checks.cpp ----
  void emit(const plan::Print& print);
  void emit(const plan::Assert& check);
  void emit(const plan::CheckIndex& check);
  void emit(const plan::CheckIndices& check);
  void emit(const plan::Library& call);
  void emit(const plan::Random& random);
  // Goes on where `holds`, otherwise stops the run at the site.
  void check(llvm::Value* holds, plan::SiteId site, std::uint32_t which = 0, llvm::Value* start = nullptr,
             const std::vector<plan::Datum>& shown = {});
  llvm::Value* pointers(const std::vector<plan::Datum>& items);
  llvm::FunctionCallee hook(const char* name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> parameters);

  // ---- tapes.cpp ----
  void emit(const plan::NewTape& made);
  void emit(const plan::CopyTape& copy);
  void emit(const plan::Push& push);
  void emit(const plan::Pop& pop);
  llvm::Value* root(std::uint32_t index);
  llvm::Value* chunk_field(llvm::Value* chunk, std::size_t offset, const char* name);
  llvm::Value* chunk_begin(llvm::Value* chunk);
  llvm::Value* chunk_from(const char* hook, llvm::ArrayRef<llvm::Value*> arguments);
  llvm::BasicBlock* branch_rarely(llvm::Value* condition, llvm::BasicBlock* otherwise, const char* name);

  void emit(const plan::Instruction& instruction) { emit(instruction, {}); }

  const plan::Plan& plan_;
  llvm::Module& module_;
  llvm::IRBuilder<> builder_;
  std::vector<llvm::Value*> registers_;  // by RegisterId, as seen where the builder is; null: in memory, or not made yet
  std::unordered_map<std::uint32_t, std::size_t> arguments_;  // registers that are parameters of the plan: which ones
  std::vector<std::uint32_t> reads_;                          // by RegisterId: how many times the host reads it
  std::vector<llvm::Value*> bases_;                           // by storage, as seen where the builder is; null before the first use
  std::vector<Accumulator> accumulators_;                     // of the kernel being emitted
  Shape shape_ = Shape::ordinary;                             // of the loops being emitted
  llvm::Value* buffers_ = nullptr;                            // of the current function
  llvm::Value* context_ = nullptr;
};

}  // namespace bpc::backend
