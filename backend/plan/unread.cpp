// What kernels store and nothing reads, and the instructions that make it.
#include <algorithm>

#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

class Unread {
 public:
  explicit Unread(Plan& plan) : plan_(plan), is_read_(plan.buffers.size()), is_used_(plan.registers.size()) {}

  // Whether something was dropped, so that what it read may be unread as well.
  bool drop() {
    std::fill(is_read_.begin(), is_read_.end(), false);
    std::fill(is_used_.begin(), is_used_.end(), false);
    for (BufferId output : plan_.outputs)
      if (output.valid()) is_read_[output.index] = true;
    for_each_step(plan_.body, [&](const Step& step) {
      for_each_buffer(step, [&](Role role, BufferId id) {
        if (role == Role::read) is_read_[id.index] = true;
      });
    });
    bool any = false;
    for_each_kernel(plan_.body, [&](Kernel& kernel) { any |= drop_stores(kernel); });
    return any;
  }

 private:
  bool drop_stores(Kernel& kernel) {
    const std::size_t before = kernel.stores.size();
    std::erase_if(kernel.stores, [&](const Store& store) {
      const bool is_unread = !is_read_[store.to.buffer.index];
      if (is_unread) plan_.buffers[store.to.buffer.index].count = 0;  // needs no memory
      return is_unread;
    });
    if (kernel.stores.size() == before) return false;
    auto use = [&](const auto& what) {
      for_each_register(what, [&](Role role, RegisterId id) {
        if (role == Role::read) is_used_[id.index] = true;
      });
    };
    std::vector<Instruction> body = std::exchange(kernel.body, {}), used;
    use(kernel);
    for (std::size_t i = body.size(); i-- > 0;) {
      if (!is_used_[body[i].result.index] && !may_stop(body[i])) continue;
      use(body[i]);
      used.push_back(std::move(body[i]));
    }
    kernel.body.assign(std::make_move_iterator(used.rbegin()), std::make_move_iterator(used.rend()));
    return true;
  }

  Plan& plan_;
  std::vector<bool> is_read_;  // by buffer
  std::vector<bool> is_used_;  // by register; those of a kernel's body are its own
};

bool does_nothing(const Step& step) {
  const auto* kernel = std::get_if<Kernel>(&step.what);
  return kernel && kernel->stores.empty() && kernel->reductions.empty() && !may_stop(*kernel);
}

void drop_empty(Steps& steps) {
  std::erase_if(steps, does_nothing);
  for (Step& step : steps) for_each_region(step, drop_empty);
}

}  // namespace

void drop_unread(Plan& plan) {
  Unread unread(plan);
  while (unread.drop());
  drop_empty(plan.body);
}

}  // namespace bpc::plan
