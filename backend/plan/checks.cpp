// Indices are checked as soon as there are any, so that the kernels around a check can join.
#include <algorithm>
#include <set>

#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

constexpr std::size_t kMostWaiting = 256;  // steps that one check is looked for among

bool is_pure(const Step& step) {
  if (const auto* kernel = std::get_if<Kernel>(&step.what)) return !may_stop(*kernel);
  if (const auto* instruction = std::get_if<Instruction>(&step.what)) return !may_stop(*instruction);
  return std::holds_alternative<Contraction>(step.what);
}

class ChecksFirst {
 public:
  void run(Steps& steps) {
    for (Step& step : steps) {
      for_each_region(step, [](Steps& inner) { ChecksFirst().run(inner); });
      const bool waits = is_pure(step);
      if (std::holds_alternative<CheckIndices>(step.what))
        release_for(step);
      else if (!waits || waiting_.size() == kMostWaiting)
        release_all();
      (waits ? waiting_ : out_).push_back(std::move(step));
    }
    release_all();
    steps = std::move(out_);
  }

 private:
  void release_all() {
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(out_));
    waiting_.clear();
  }

  // Those of the steps that wait which the check needs, and which these need.
  void release_for(const Step& check) {
    std::set<BufferId> buffers;
    std::set<RegisterId> registers;
    auto need = [&](const Step& step) {
      for_each_buffer(step, [&](Role role, BufferId id) {
        if (role == Role::read) buffers.insert(id);
      });
      for_each_register(step, [&](Role role, RegisterId id) {
        if (role == Role::read) registers.insert(id);
      });
    };
    need(check);
    Steps needed, others;
    for (std::size_t i = waiting_.size(); i-- > 0;) {
      bool is_needed = false;
      for_each_buffer(waiting_[i], [&](Role role, BufferId id) { is_needed |= role == Role::write && buffers.contains(id); });
      for_each_register(waiting_[i], [&](Role role, RegisterId id) { is_needed |= role == Role::write && registers.contains(id); });
      if (is_needed) need(waiting_[i]);
      (is_needed ? needed : others).push_back(std::move(waiting_[i]));
    }
    std::move(needed.rbegin(), needed.rend(), std::back_inserter(out_));
    waiting_.assign(std::make_move_iterator(others.rbegin()), std::make_move_iterator(others.rend()));
  }

  Steps out_, waiting_;
};

}  // namespace

void check_first(Plan& plan) {
  ChecksFirst().run(plan.body);
}

}  // namespace bpc::plan
