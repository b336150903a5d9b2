// The functions that LLVM is given, while they are written: where the plan's registers and buffers are in each, and the few forms that all
// code is made of. What the steps of a plan become is said by the emitters: host.h, kernel.h, contraction.h, scalar.h.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "backend/plan/operands.h"
#include "backend/plan/plan.h"

namespace bpc::backend {

using Indices = std::span<llvm::Value* const>;

// Values by number. A constant is seen everywhere from then on; any other value in the function that it was set in, until that one's end.
class ValueTable {
 public:
  explicit ValueTable(std::size_t size) : entries_(size) {}
  // nullptr where none of these functions sees one.
  llvm::Value* find(std::uint32_t index, std::span<const llvm::Function* const> functions) const {
    const Entry& entry = entries_[index];
    const bool is_seen = std::find(functions.begin(), functions.end(), entry.function) != functions.end();
    return is_seen || llvm::isa_and_nonnull<llvm::Constant>(entry.value) ? entry.value : nullptr;
  }
  void set(std::uint32_t index, llvm::Value* value, const llvm::Function* function) {
    const Entry before = std::exchange(entries_[index], {value, function});
    if (!llvm::isa<llvm::Constant>(value)) changes_.emplace_back(index, before);
  }
  std::size_t mark() const { return changes_.size(); }
  void restore(std::size_t mark);

 private:
  struct Entry {
    llvm::Value* value = nullptr;
    const llvm::Function* function = nullptr;
  };
  std::vector<Entry> entries_;
  std::vector<std::pair<std::uint32_t, Entry>> changes_;  // and what was there before
};

class Code {
 public:
  Code(const plan::Plan& plan, llvm::Module& module);

  const plan::Plan& plan;
  llvm::Module& module;
  llvm::IRBuilder<> builder;

  // ---- functions ----

  // While one lives, code is written to a function of its own; then it goes on where it was. A function that is given the buffers and the
  // context (context.h) has them as its first two parameters.
  class Inside {
   public:
    enum class Sees : std::uint8_t { context, nothing, outer };  // outer: what the function sees that was being written
    Inside(Code& code, llvm::Function& function, Sees sees);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Code& code_;
    llvm::IRBuilderBase::InsertPoint place_;
    llvm::Value *buffers_, *context_;
    std::size_t registers_, bases_;
    std::unordered_map<std::int64_t, llvm::Value*> offsets_;
    std::vector<const llvm::Function*> seen_;
  };
  llvm::Function* add_function(const char* name, llvm::GlobalValue::LinkageTypes linkage, llvm::Type* result,
                               llvm::ArrayRef<llvm::Type*> parameters);
  llvm::Function* function() { return builder.GetInsertBlock()->getParent(); }  // the one being written
  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(module.getContext(), name, function()); }
  // What a function of its own is given.
  struct Given {
    std::vector<plan::BufferId> buffers;      // where they start; no two storages overlap, which LLVM is told
    std::vector<std::int64_t> offsets;        // of accesses; all but these and 0 are constants of the function
    std::vector<plan::RegisterId> registers;  // not those that are constants
  };
  // Moves what `body` emits to a function; registers in `results` come back. Small ones are inlined again. Everything is given in the order
  // of its first mention, so that bodies which differ in no more than what they are given become the same function, which is compiled once.
  void outline(const char* name, bool small, Given given, const std::vector<plan::RegisterId>& results, const std::function<void()>& body);

  // Runs `body` for each part from 0 to count - 1, which at most so many threads share: `thread` is a number below that. It may name what
  // the function around it sees.
  void parts(llvm::Value* count, std::int64_t most, const std::function<void(llvm::Value* part, llvm::Value* thread)>& body);
  void parts(std::int64_t count, const std::function<void(llvm::Value* part)>& body) {
    parts(integer(count), count, [&](llvm::Value* part, llvm::Value*) { body(part); });
  }

  // ---- registers ----

  llvm::Type* type(Element element);  // of a register: bool is i1
  llvm::Type* type(plan::RegisterId id) { return plan.at(id).is_address ? builder.getPtrTy() : type(element(id)); }
  Element element(plan::RegisterId id) const { return plan.at(id).element; }
  void set(plan::RegisterId id, llvm::Value* value) { registers_.set(id.index, value, function()); }
  llvm::Value* get(plan::RegisterId id);  // loads it where the builder is, if it is in the frame
  llvm::Value* find(plan::RegisterId id) { return registers_.find(id.index, seen_); }  // nullptr: in the frame, or not made yet
  void put_in_frame(plan::RegisterId id);
  // The register holds what the caller has bound there, which is read where it is used.
  void set_argument(plan::RegisterId id, std::size_t index) { arguments_[id.index] = index; }
  llvm::Value* convert(llvm::Value* value, Element from, Element to);
  llvm::Value* form(const plan::Affine& at, Indices indices) { return form(at, indices, integer(at.offset)); }  // as i64

  // ---- memory ----

  llvm::Type* memory_type(Element element);  // bool is i8
  llvm::Value* bound(std::size_t index);     // what the caller has bound there (context.h)
  llvm::Value* base(plan::BufferId id);      // where the buffer starts
  llvm::Value* in_arena(const plan::Storage& storage);
  void set_base(plan::BufferId id, llvm::Value* address) { bases_.set(plan.at(id).storage.index, address, function()); }
  llvm::Value* address(const plan::Access& access, Indices indices);
  llvm::Value* load(Element element, llvm::Value* address);
  void store(llvm::Value* value, Element element, llvm::Value* address);
  void copy(plan::BufferId from, plan::BufferId to);  // nothing where they share a storage
  llvm::AllocaInst* local(llvm::Type* type, std::uint64_t count = 1, const char* name = "");
  // From now on, what the arena would hold of a few elements each is local to the function at hand, and may stay in registers.
  void keep_small_buffers();

  // ---- forms of code ----

  llvm::ConstantInt* integer(std::int64_t value) { return builder.getInt64(static_cast<std::uint64_t>(value)); }
  llvm::ConstantInt* site(plan::SiteId id) { return builder.getInt32(id.index); }
  // Properties of a loop: of those few turns, or whose body is large enough as it is.
  enum class Shape : std::uint8_t { ordinary, compact, rolled };
  // for (i = from; i < to; i += by) body(i); nothing is emitted for constant bounds without a turn.
  void loop(llvm::Value* from, llvm::Value* to, std::int64_t by, Shape shape, const std::function<void(llvm::Value* index)>& body);
  void set_shape(llvm::BranchInst* back, Shape shape);
  void when(llvm::Value* holds, const std::function<void()>& body) {
    either(holds, body, [] {});
  }
  void either(llvm::Value* holds, const std::function<void()>& then, const std::function<void()>& otherwise);
  // A loop of so many turns, which LLVM is to make one turn of vectors of `width`, if it can be.
  void loop_at_once(std::int64_t turns, std::int64_t width, const std::function<void(llvm::Value* index)>& body);
  // A function of the host or the runtime that compiled code calls.
  llvm::FunctionCallee callee(const std::string& name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> parameters);
  // Says that what it gives depends on its arguments alone, and that it does nothing else.
  static void set_pure(llvm::Function& function);
  llvm::Value* context_field(std::size_t offset);  // its address
  // Returns the status from the current function unless it is zero.
  void leave_unless_zero(llvm::Value* status);
  // Goes on where `holds`, otherwise stops the run at the site; an invalid one: for an interrupt.
  void check(llvm::Value* holds, plan::SiteId site, std::uint32_t which = 0, llvm::Value* start = nullptr,
             const std::vector<plan::Datum>& shown = {});
  // An array of pointers to the items' elements; scalars are spilled.
  llvm::Value* pointers(const std::vector<plan::Datum>& items);
  llvm::Value* context() { return context_; }
  llvm::Value* buffers() { return buffers_; }

 private:
  llvm::BranchInst* loop_back(llvm::Value* from, llvm::Value* to, std::int64_t by, const std::function<void(llvm::Value* index)>& body);
  void set_properties(llvm::BranchInst* back, std::initializer_list<std::pair<const char*, llvm::Constant*>> properties);
  llvm::Value* form(const plan::Affine& at, Indices indices, llvm::Value* offset);
  llvm::Value* frame_slot(plan::RegisterId id);  // its place in the frame

  ValueTable registers_;                                      // by RegisterId
  ValueTable bases_;                                          // by storage
  std::unordered_map<std::int64_t, llvm::Value*> offsets_;    // that the function being written is given
  std::unordered_map<std::uint32_t, std::size_t> arguments_;  // registers that are parameters of the plan: which ones
  llvm::Value* buffers_ = nullptr;                            // of the function being written
  llvm::Value* context_ = nullptr;
  std::vector<const llvm::Function*> seen_;  // the function being written, and those around it whose values it may name
};

// What a step is given: all that it accesses, and these registers.
Code::Given given_to(const auto& step, std::vector<plan::RegisterId> registers) {
  Code::Given given{{}, {}, std::move(registers)};
  plan::for_each_buffer(step, [&](plan::Role, plan::BufferId id) { given.buffers.push_back(id); });
  plan::for_each_access(step, [&](const plan::Access& access) { given.offsets.push_back(access.at.offset); });
  return given;
}

}  // namespace bpc::backend
