// The host's steps: control flow, checks, prints, tapes, calls of the runtime; kernels and contractions where they stand.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "backend/llvm/code.h"

namespace bpc::backend {

class HostEmitter {
 public:
  explicit HostEmitter(Code& code);
  // Defines the function kEntryName (context.h) and all that it calls. Gives those that are the host's: the entry and its parts.
  std::vector<llvm::Function*> run();

 private:
  // ---- host.cpp ----
  void steps(const plan::Steps& steps);
  void run_of_steps(std::span<const plan::Step> steps);
  void part(std::span<const plan::Step> steps);  // in a function of their own
  void timed(const plan::Step& step);
  void visit(const plan::Instruction& instruction);
  void visit(const plan::Kernel& kernel);
  void visit(const plan::Rows& rows);
  void visit(const plan::Contraction& contraction);
  void visit(const plan::SetOutput& output);
  void visit(const plan::Donate& donate);

  // ---- control.cpp ----
  void visit(const plan::If& branch);
  void visit(const plan::For& loop);
  void visit(const plan::While& loop);
  std::vector<llvm::Value*> values(std::span<const plan::CarriedRegister> registers, plan::RegisterId plan::CarriedRegister::* which);
  std::vector<llvm::PHINode*> carried_phis(std::span<const plan::CarriedRegister> registers, std::span<llvm::Value* const> inits,
                                           llvm::BasicBlock* from);
  // Copies what is carried; gives the registers' next values.
  std::vector<llvm::Value*> next_turn(std::span<const plan::CarriedRegister> registers, std::span<const plan::CarriedBuffer> buffers,
                                      std::span<llvm::PHINode* const> phis);
  void poll();
  llvm::Value* iteration_limit();

  // ---- checks.cpp ----
  void visit(const plan::Print& print);
  void visit(const plan::Assert& check);
  void visit(const plan::CheckIndex& check);
  void visit(const plan::CheckIndices& check);
  void visit(const plan::Library& call);
  void visit(const plan::Random& random);

  // ---- tapes.cpp ----
  void visit(const plan::NewTape& made);
  void visit(const plan::CopyTape& copy);
  void visit(const plan::Push& push);
  void visit(const plan::Pop& pop);
  llvm::Value* root(std::uint32_t index);
  llvm::Value* chunk_field(llvm::Value* chunk, std::size_t offset, const char* name);
  llvm::Value* chunk_begin(llvm::Value* chunk);
  llvm::Value* chunk_from(const char* hook, llvm::ArrayRef<llvm::Value*> arguments);
  llvm::BasicBlock* branch_rarely(llvm::Value* condition, llvm::BasicBlock* otherwise, const char* name);

  Code& code_;
  llvm::IRBuilder<>& builder_;
  const plan::Plan& plan_;
  std::unordered_map<const plan::Step*, std::int64_t> timed_;  // the number of each step that is timed
  std::vector<std::uint32_t> reads_;                           // by RegisterId: how many times the host reads it
  std::vector<llvm::Function*> functions_;
};

}  // namespace bpc::backend
