#include <algorithm>
#include <bit>
#include <map>

#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"
#include "backend/plan/schedule.h"

namespace bpc::plan {

namespace {

constexpr std::size_t kLargestBody = 256;  // instructions of one kernel
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

// Whether two instructions of one kernel give the same.
bool is_same(const Plan& plan, const Instruction& a, const Instruction& b) {
  if (a.what.index() != b.what.index() || plan.at(a.result).element != plan.at(b.result).element) return false;
  if (const auto* constant = std::get_if<Constant>(&a.what)) {
    const auto& other = std::get<Constant>(b.what);
    return std::bit_cast<std::uint64_t>(constant->real) == std::bit_cast<std::uint64_t>(other.real) && constant->integer == other.integer;
  }
  if (const auto* position = std::get_if<Position>(&a.what)) return position->at == std::get<Position>(b.what).at;
  if (const auto* load = std::get_if<Load>(&a.what)) return load->from == std::get<Load>(b.what).from;
  if (const auto* index = std::get_if<Index>(&a.what))
    return index->from == std::get<Index>(b.what).from && index->size == std::get<Index>(b.what).size;
  const auto &compute = std::get<Compute>(a.what), &other = std::get<Compute>(b.what);
  return compute.code == other.code && compute.operands == other.operands && compute.order == other.order && !compute.fails.valid() &&
         !other.fails.valid();
}

bool is_constant(const Step& step) {
  const auto* instruction = std::get_if<Instruction>(&step.what);
  return instruction && std::holds_alternative<Constant>(instruction->what);
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
    for (Step& step : steps) {
      for_each_region(step, [&](Steps& inner) { Fusion(plan_).run(inner); });
      if (is_constant(step)) {
        constants_.push_back(std::move(step));
        continue;
      }
      auto* kernel = std::get_if<Kernel>(&step.what);
      const bool may_join = kernel && is_joinable(*kernel);
      if (may_join && schedule_.joins([&](std::size_t at) { return try_join(at, *kernel); })) continue;
      schedule_.push(std::move(step), may_join);
    }
    steps = std::move(constants_);
    Steps rest = std::move(schedule_).finish();
    std::move(rest.begin(), rest.end(), std::back_inserter(steps));
  }

 private:
  // Kernels that may stop the run, that write parts of a buffer, or whose turns have an order stay alone.
  bool is_joinable(const Kernel& kernel) const {
    auto is_whole = [&](const Store& store) { return !store.base.valid() && plan_.at(store.to.buffer).count == iterations(kernel); };
    return !may_stop(kernel) && std::all_of(kernel.stores.begin(), kernel.stores.end(), is_whole) &&
           std::none_of(kernel.reductions.begin(), kernel.reductions.end(), [](const Reduction& fold) { return fold.running; });
  }

  // Legal when all that `kernel` reads is there before `position`, or can be, or is an element that the earlier kernel stores at the same
  // turn; worth it when they share what they read.
  bool try_join(std::size_t position, Kernel& kernel) {
    auto& earlier = std::get<Kernel>(schedule_.at(position).what);
    if (!same_space(earlier, kernel) || earlier.body.size() + kernel.body.size() > kLargestBody) return false;
    bool shares = iterations(kernel) <= kFewTurns, is_legal = true;
    std::map<RegisterId, RegisterId> renamed;
    for (const Instruction& instruction : kernel.body) {
      const auto* load = std::get_if<Load>(&instruction.what);
      const Store* store = load ? store_to(earlier, load->from.buffer) : nullptr;
      if (!load) continue;
      if (!store) {
        is_legal &= schedule_.is_there(load->from.buffer, position);
        shares |= reads(earlier, load->from.buffer);
      } else {
        is_legal &= store->to.at == load->from.at;
        renamed[instruction.result] = store->value;
        shares = true;
      }
    }
    if (!is_legal || !shares) return false;
    if (!schedule_.provide(kernel_inputs(kernel), position)) return false;
    schedule_.place(kernel, position + 1);
    join(earlier, std::move(kernel), std::move(renamed));
    return true;
  }

  // The registers that are renamed stand in the earlier kernel already.
  void join(Kernel& earlier, Kernel kernel, std::map<RegisterId, RegisterId> renamed) const {
    auto rename = [&]<class Operand>(Role role, Operand& operand) {
      if constexpr (std::is_same_v<Operand, RegisterId>) {
        if (auto found = renamed.find(operand); role == Role::read && found != renamed.end()) operand = found->second;
      } else if constexpr (OneOf<Operand, Affine, Access>) {
        for (auto& [reg, factor] : form_of(operand).terms)
          if (auto found = renamed.find(reg); found != renamed.end()) reg = found->second;
      }
    };
    for (Instruction& instruction : kernel.body) {
      if (renamed.contains(instruction.result)) continue;
      operands(instruction, rename);
      auto same = std::find_if(earlier.body.begin(), earlier.body.end(),
                               [&](const Instruction& each) { return is_same(plan_, each, instruction); });
      if (same != earlier.body.end())
        renamed[instruction.result] = same->result;
      else
        earlier.body.push_back(std::move(instruction));
    }
    kernel.body.clear();
    operands(kernel, rename);
    std::move(kernel.stores.begin(), kernel.stores.end(), std::back_inserter(earlier.stores));
    if (!kernel.reductions.empty() && earlier.reductions.empty()) earlier.axes = kernel.axes;
    std::move(kernel.reductions.begin(), kernel.reductions.end(), std::back_inserter(earlier.reductions));
  }

  static Affine& form_of(Affine& at) { return at; }
  static Affine& form_of(Access& access) { return access.at; }

  Plan& plan_;
  Steps constants_;
  Schedule schedule_;
};

}  // namespace

void fuse(Plan& plan) {
  Fusion(plan).run(plan.body);
}

}  // namespace bpc::plan
