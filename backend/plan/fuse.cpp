#include <algorithm>
#include <map>

#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

constexpr std::size_t kLargestBody = 256;  // instructions of one kernel
constexpr std::size_t kOpenKernels = 4;    // kernels that a new one may join
constexpr std::int64_t kFewTurns = 1024;   // of a loop that costs more to start than to run

std::int64_t iterations(const Kernel& kernel) {
  std::int64_t count = 1;
  for (const Axis& axis : kernel.axes) count *= axis.size;
  return count;
}

bool same_space(const Kernel& a, const Kernel& b) {
  if (a.axes.size() != b.axes.size()) return false;
  for (std::size_t i = 0; i < a.axes.size(); ++i) {
    if (a.axes[i].size != b.axes[i].size) return false;
    if (!a.reductions.empty() && !b.reductions.empty() && a.axes[i].reduced != b.axes[i].reduced) return false;
  }
  return true;
}

const Store* store_to(const Kernel& kernel, BufferId buffer) {
  for (const Store& store : kernel.stores)
    if (store.to.buffer == buffer) return &store;
  return nullptr;
}

bool reads(const Kernel& kernel, BufferId buffer) {
  bool result = false;
  for_each_buffer(kernel, [&](Role role, BufferId id) { result |= role == Role::read && id == buffer; });
  return result;
}

// The kernels of one list of steps.
class Fusion {
 public:
  explicit Fusion(Plan& plan) : plan_(plan) {}

  void run(Steps& steps) {
    Steps fused;
    for (Step& step : steps) {
      for_each_region(step, [&](Steps& inner) { Fusion(plan_).run(inner); });
      auto* kernel = std::get_if<Kernel>(&step.what);
      const bool may_join = kernel && is_joinable(*kernel);
      if (may_join && std::any_of(open_.rbegin(), open_.rend(), [&](std::size_t at) { return try_join(fused, at, *kernel); })) continue;
      // What the indices that it has checked name is read after it.
      if (std::holds_alternative<CheckIndices>(step.what)) open_.clear();
      place(step, fused.size());
      fused.push_back(std::move(step));
      if (!may_join) continue;
      if (open_.size() == kOpenKernels) open_.erase(open_.begin());
      open_.push_back(fused.size() - 1);
    }
    steps = std::move(fused);
  }

 private:
  // Kernels that may stop the run, that write parts of a buffer, or whose turns have an order stay alone.
  bool is_joinable(const Kernel& kernel) const {
    auto fails = [](const Instruction& instruction) {
      const auto* compute = std::get_if<Compute>(&instruction.what);
      return compute && compute->fails.valid();
    };
    auto is_whole = [&](const Store& store) { return !store.base.valid() && plan_.at(store.to.buffer).count == iterations(kernel); };
    return std::none_of(kernel.body.begin(), kernel.body.end(), fails) &&
           std::all_of(kernel.stores.begin(), kernel.stores.end(), is_whole) &&
           std::none_of(kernel.reductions.begin(), kernel.reductions.end(), [](const Reduction& fold) { return fold.running; });
  }

  // What the step makes is there from this position on.
  void place(const auto& step, std::size_t position) {
    for_each_register(step, [&](Role role, RegisterId id) {
      if (role == Role::write) registers_[id] = position;
    });
    for_each_buffer(step, [&](Role role, BufferId id) {
      if (role == Role::write) buffers_[id] = position;
    });
  }
  // What is not made in this list is there from the beginning.
  bool is_before(RegisterId id, std::size_t position) const {
    auto made = registers_.find(id);
    return made == registers_.end() || made->second < position;
  }
  bool is_before(BufferId id, std::size_t position) const {
    auto made = buffers_.find(id);
    return made == buffers_.end() || made->second < position;
  }

  // Legal when all that `kernel` reads is there before `position`, or is an element that the earlier kernel stores at the same turn; worth
  // it when they share what they read.
  bool try_join(Steps& steps, std::size_t position, Kernel& kernel) {
    Kernel& earlier = std::get<Kernel>(steps[position].what);
    if (!same_space(earlier, kernel) || earlier.body.size() + kernel.body.size() > kLargestBody) return false;
    bool shares = iterations(kernel) <= kFewTurns, is_legal = true;
    std::map<RegisterId, RegisterId> forwarded;
    for (const Instruction& instruction : kernel.body) {
      const auto* load = std::get_if<Load>(&instruction.what);
      const Store* store = load ? store_to(earlier, load->from.buffer) : nullptr;
      if (!load) continue;
      if (!store) {
        is_legal &= is_before(load->from.buffer, position);
        shares |= reads(earlier, load->from.buffer);
      } else {
        is_legal &= store->to.at == load->from.at;
        forwarded[instruction.result] = store->value;
        shares = true;
      }
    }
    for (RegisterId id : kernel_inputs(kernel)) is_legal &= is_before(id, position);
    if (!is_legal || !shares) return false;

    auto rename = [&](RegisterId& id) {
      if (auto found = forwarded.find(id); found != forwarded.end()) id = found->second;
    };
    place(kernel, position);
    operands(kernel, [&]<class Operand>(Role role, Operand& operand) {
      if constexpr (std::is_same_v<Operand, RegisterId>)
        if (role == Role::read) rename(operand);
    });
    for (Instruction& instruction : kernel.body)
      if (!forwarded.contains(instruction.result)) earlier.body.push_back(std::move(instruction));
    std::move(kernel.stores.begin(), kernel.stores.end(), std::back_inserter(earlier.stores));
    if (!kernel.reductions.empty() && earlier.reductions.empty()) earlier.axes = kernel.axes;
    std::move(kernel.reductions.begin(), kernel.reductions.end(), std::back_inserter(earlier.reductions));
    return true;
  }

  Plan& plan_;
  std::map<RegisterId, std::size_t> registers_;  // by what is made in the list: the position of the step
  std::map<BufferId, std::size_t> buffers_;
  std::vector<std::size_t> open_;  // positions of kernels that others may join
};

}  // namespace

void fuse(Plan& plan) {
  Fusion(plan).run(plan.body);
}

}  // namespace bpc::plan
