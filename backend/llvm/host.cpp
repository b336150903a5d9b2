// The entry point, and lists of steps, of which long ones are cut into functions.
#include "backend/llvm/host.h"

#include <algorithm>
#include <unordered_map>

#include "backend/llvm/context.h"
#include "backend/llvm/contraction.h"
#include "backend/llvm/kernel.h"
#include "backend/llvm/scalar.h"
#include "backend/plan/dataflow.h"
#include "backend/plan/step_costs.h"

namespace bpc::backend {

using plan::RegisterId;

HostEmitter::HostEmitter(Code& code) : code_(code), builder_(code.builder), plan_(code.plan), reads_(code.plan.registers.size(), 0) {
  if (!plan_.is_timed) return;
  plan::for_each_step(plan_.body, [&](const plan::Step& step) {
    if (plan::takes_time(step)) timed_.emplace(&step, std::ssize(timed_));
  });
}

std::vector<llvm::Function*> HostEmitter::run() {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Function* entry = code_.add_function(kEntryName, llvm::Function::ExternalLinkage, builder_.getInt64Ty(), {pointer, pointer});
  functions_.push_back(entry);
  const Code::Inside inside(code_, *entry, Code::Inside::Sees::context);
  plan::Registers all;
  if (!plan_.frame.valid()) code_.keep_small_buffers();  // its functions do not see each other's locals
  for (const plan::Step& step : plan_.body) plan::add_registers(step, all);
  for (RegisterId id : all.read) ++reads_[id.index];
  for (std::size_t i = 0; i < plan_.parameters.size(); ++i) {
    const auto* id = std::get_if<RegisterId>(&plan_.parameters[i]);
    if (!id) continue;
    code_.set_argument(*id, i);
    if (plan_.frame.valid()) continue;  // thousands of them would live across every part: each is read where it is used
    llvm::Value* value = code_.load(code_.element(*id), code_.bound(i));
    value->setName(plan_.at(*id).name);
    code_.set(*id, value);
  }
  steps(plan_.body);
  builder_.CreateRet(builder_.getInt64(0));
  return std::move(functions_);
}

void HostEmitter::steps(const plan::Steps& steps) {
  std::span<const plan::Step> all(steps);
  if (all.size() <= plan::kMostSteps) return run_of_steps(all);
  for (; !all.empty(); all = all.subspan(std::min(all.size(), plan::kPartSteps))) part(all.first(std::min(all.size(), plan::kPartSteps)));
}

void HostEmitter::run_of_steps(std::span<const plan::Step> steps) {
  for (const plan::Step& step : steps)
    if (timed_.contains(&step))
      timed(step);
    else
      std::visit([&](const auto& what) { visit(what); }, step.what);
}

void HostEmitter::timed(const plan::Step& step) {
  llvm::FunctionCallee now = code_.callee("bpc_rt_nanoseconds", builder_.getInt64Ty(), {});
  llvm::Value* before = builder_.CreateCall(now);
  std::visit([&](const auto& what) { visit(what); }, step.what);
  llvm::Value* taken = builder_.CreateNSWSub(builder_.CreateCall(now), before);
  llvm::Value* times = builder_.CreateLoad(builder_.getPtrTy(), code_.context_field(offsetof(RuntimeContext, times)), "times");
  auto add = [&](std::size_t offset, llvm::Value* more) {
    const std::int64_t place = timed_.at(&step) * static_cast<std::int64_t>(sizeof(StepTime)) + static_cast<std::int64_t>(offset);
    llvm::Value* field = builder_.CreateInBoundsGEP(builder_.getInt8Ty(), times, code_.integer(place));
    code_.store(builder_.CreateAdd(code_.load(Element::i64, field), more), Element::i64, field);
  };
  add(offsetof(StepTime, runs), code_.integer(1));
  add(offsetof(StepTime, nanoseconds), taken);
}

// Registers come in and go out through the frame, parameters stay where the caller put them. As parameters and results, thousands would
// live across every call, and LLVM would take quadratic time again.
void HostEmitter::part(std::span<const plan::Step> steps) {
  plan::Registers registers;
  for (const plan::Step& step : steps) plan::add_registers(step, registers);
  std::unordered_map<std::uint32_t, std::uint32_t> reads;
  for (RegisterId id : registers.read)
    if (++reads[id.index] == 1)
      if (llvm::Value* value = code_.find(id); value && !llvm::isa<llvm::Constant>(value)) code_.put_in_frame(id);

  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Function* function = code_.add_function("part", llvm::Function::InternalLinkage, builder_.getInt64Ty(), {pointer, pointer});
  functions_.push_back(function);
  {
    const Code::Inside inside(code_, *function, Code::Inside::Sees::context);
    run_of_steps(steps);
    for (RegisterId id : registers.written) {
      const llvm::Value* value = code_.find(id);
      const bool is_made = value && !llvm::isa<llvm::Constant>(value);
      if (is_made && reads[id.index] < reads_[id.index]) code_.put_in_frame(id);  // read again after this part
    }
    builder_.CreateRet(code_.integer(0));
  }
  code_.leave_unless_zero(builder_.CreateCall(function, {code_.buffers(), code_.context()}));
}

void HostEmitter::visit(const plan::Instruction& instruction) {
  emit(code_, instruction, {});
}
void HostEmitter::visit(const plan::Kernel& kernel) {
  emit(code_, kernel);
}
void HostEmitter::visit(const plan::Rows& rows) {
  emit(code_, rows);
}
void HostEmitter::visit(const plan::Contraction& contraction) {
  emit(code_, contraction);
}
void HostEmitter::visit(const plan::SetOutput& output) {
  code_.store(code_.get(output.value), code_.element(output.value), code_.bound(plan_.parameters.size() + output.index));
}
void HostEmitter::visit(const plan::Donate& donate) {
  code_.copy(donate.from, donate.to);
}

}  // namespace bpc::backend
