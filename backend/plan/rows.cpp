// Kernels that have rows in common run a few rows at a time, so that what one of them reads of another is in a cache.
#include "backend/plan/rows.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"
#include "backend/plan/schedule.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kWorthwhile = 128 << 10;  // bytes that are read again: of fewer, a cache has all
constexpr std::int64_t kMostBytes = 256 << 10;   // of the rows of a tile, which the second cache holds beside other things
constexpr std::int64_t kTileBytes = 16 << 10;    // of rows that are shorter, so many in the first cache
constexpr std::int64_t kMostLanes = 2048;        // accumulators of what is folded along the rows
constexpr std::size_t kMostKernels = 32;         // of one step, whose code is one function

// What a kernel accesses of a buffer.
struct Use {
  BufferId buffer;
  const Affine* at;
  bool is_write = false;
  bool is_late = false;  // written behind the last row
};
std::vector<Use> uses(const Kernel& kernel) {
  std::vector<Use> result;
  for (const Instruction& instruction : kernel.body)
    if (const auto* load = std::get_if<Load>(&instruction.what)) result.push_back({load->from.buffer, &load->from.at});
  for (const Store& store : kernel.stores) result.push_back({store.to.buffer, &store.to.at, true});
  for (const Reduction& fold : kernel.reductions)
    if (const auto* to = std::get_if<Access>(&fold.to)) result.push_back({to->buffer, &to->at, true, kernel.axes[0].reduced});
  return result;
}

class RowFusion {
 public:
  explicit RowFusion(Plan& plan) : plan_(plan) {}

  void run(Steps& steps) {
    for (Step& step : steps) {
      for_each_region(step, [&](Steps& inner) { RowFusion(plan_).run(inner); });
      auto* kernel = std::get_if<Kernel>(&step.what);
      const bool may_join = kernel && is_joinable(*kernel);
      if (may_join && schedule_.joins([&](std::size_t at) { return try_join(at, *kernel); })) continue;
      schedule_.push(std::move(step), may_join);
    }
    steps = std::move(schedule_).finish();
  }

 private:
  // Kernels that may stop the run, that write parts of a buffer, or that fold in order along the rows stay alone.
  static bool is_joinable(const Kernel& kernel) {
    if (kernel.axes.empty() || std::any_of(kernel.axes.begin(), kernel.axes.end(), [](const Axis& axis) { return axis.size == 0; }))
      return false;
    const bool along_rows = kernel.axes[0].reduced;
    return !may_stop(kernel) &&
           std::none_of(kernel.stores.begin(), kernel.stores.end(), [](const Store& store) { return store.base.valid() || store.adds; }) &&
           !(along_rows && std::any_of(kernel.reductions.begin(), kernel.reductions.end(), has_order)) &&
           !(along_rows && kernel.lanes > 0 && kernel.axes.back().size > kMostLanes);
  }

  // What a group of kernels is like, cut into `count` rows.
  struct Group {
    std::int64_t count = 0;
    std::vector<const Kernel*> kernels;
  };

  bool try_join(std::size_t position, Kernel& kernel) {
    Step& step = schedule_.at(position);
    Group group;
    if (const auto* rows = std::get_if<Rows>(&step.what)) {
      group.count = rows->count;
      for (const Kernel& each : rows->kernels) group.kernels.push_back(&each);
    } else {
      group.kernels.push_back(&std::get<Kernel>(step.what));
      group.count = group.kernels[0]->axes[0].size;
    }
    group.count = std::gcd(group.count, kernel.axes[0].size);
    if (group.count < 2 || group.kernels.size() == kMostKernels || !is_legal(group, kernel, position) || !is_worthwhile(group, kernel))
      return false;
    group.kernels.push_back(&kernel);
    if (fewest_rows(group) * bytes_of_row(group) > kMostBytes || !schedule_.provide(kernel_inputs(kernel), position)) return false;
    schedule_.place(kernel, position + 1);
    if (auto* first = std::get_if<Kernel>(&step.what)) {
      Rows rows;
      rows.start = plan_.add(Register{Element::i64, "row"});
      rows.kernels.push_back(std::move(*first));
      step.what = std::move(rows);
    }
    auto& rows = std::get<Rows>(step.what);
    rows.count = group.count;
    rows.kernels.push_back(std::move(kernel));
    return true;
  }

  // Whether what the kernel reads is there before the position, or is of the same row of what the group makes; other parts of that may have
  // been made before.
  bool is_legal(const Group& group, const Kernel& kernel, std::size_t position) const {
    for (const Use& use : uses(kernel)) {
      bool is_made_here = false;
      for (const Kernel* earlier : group.kernels)
        for (const Use& other : uses(*earlier)) {
          if (other.buffer != use.buffer || (!other.is_write && !use.is_write)) continue;
          is_made_here |= other.is_write;
          const std::optional<std::int64_t> size = row_size(kernel, *use.at, group.count);
          if (other.is_late || use.is_late || !size || size != row_size(*earlier, *other.at, group.count)) return false;
        }
      if (!use.is_write && !schedule_.is_there(use.buffer, is_made_here ? position + 1 : position)) return false;
    }
    return true;
  }

  // Whether the kernel reads a row of what the group has read or made, of a buffer that no cache holds anyway.
  bool is_worthwhile(const Group& group, const Kernel& kernel) const {
    for (const Use& use : uses(kernel)) {
      if (use.is_write || static_cast<std::int64_t>(plan_.bytes(use.buffer)) < kWorthwhile) continue;
      const std::optional<std::int64_t> size = row_size(kernel, *use.at, group.count);
      if (!size) continue;
      for (const Kernel* earlier : group.kernels)
        for (const Use& other : uses(*earlier))
          if (other.buffer == use.buffer && size == row_size(*earlier, *other.at, group.count)) return true;
    }
    return false;
  }

  // Of a tile.
  static std::int64_t fewest_rows(const Group& group) {
    std::int64_t fewest = 1;
    for (const Kernel* kernel : group.kernels) {
      const std::int64_t together = turns_together(*kernel);
      fewest = std::lcm(fewest, together / std::gcd(together, turns_of_row(*kernel, group.count)));
    }
    return fewest;
  }

  std::int64_t bytes_of_row(const Group& group) const {
    std::map<BufferId, std::int64_t> bytes;
    for (const Kernel* kernel : group.kernels)
      for (const Use& use : uses(*kernel)) {
        auto size = static_cast<std::int64_t>(element_size(plan_.at(use.buffer).element));
        for (std::size_t axis = 0; axis < kernel->axes.size(); ++axis)
          if (use.at->strides[axis] != 0) size *= axis == 0 ? turns_of_row(*kernel, group.count) : kernel->axes[axis].size;
        bytes[use.buffer] = std::max(bytes[use.buffer], size);
      }
    std::int64_t sum = 0;
    for (const auto& [id, size] : bytes) sum += size;
    return sum;
  }

 public:
  // How many rows are in a tile: as many as the first cache has room for, if possible a divisor of all.
  void choose_tile(Rows& rows) const {
    Group group{rows.count, {}};
    for (Kernel& kernel : rows.kernels) {
      if (kernel.axes[0].reduced && kernel.lanes > 0) kernel.lanes = kernel.axes.back().size;  // all of them, from row to row
      group.kernels.push_back(&kernel);
    }
    const std::int64_t fewest = fewest_rows(group);
    const std::int64_t fitting = std::clamp<std::int64_t>(kTileBytes / bytes_of_row(group), 1, rows.count);
    rows.tile = std::max(fitting / fewest, std::int64_t{1}) * fewest;
    for (std::int64_t tile = rows.tile; 2 * tile > rows.tile; tile -= fewest)
      if (rows.count % tile == 0) {
        rows.tile = tile;
        return;
      }
  }

 private:
  Plan& plan_;
  Schedule schedule_;
};

// How many steps name each buffer.
std::vector<std::size_t> count_users(const Plan& plan) {
  std::vector<std::size_t> users(plan.buffers.size());
  for (BufferId output : plan.outputs)
    if (output.valid()) ++users[output.index];
  for_each_step(plan.body, [&](const Step& step) {
    std::vector<BufferId> named;
    for_each_buffer(step, [&](Role, BufferId id) { named.push_back(id); });
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    for (BufferId id : named) ++users[id.index];
  });
  return users;
}

// What only these rows make and read has room for one tile of them.
void shrink(Plan& plan, Rows& rows, const std::vector<std::size_t>& users) {
  struct Inside {
    std::int64_t size = 0;
    bool is_made = false, is_aligned = true;
  };
  std::map<BufferId, Inside> inside;
  for (const Kernel& kernel : rows.kernels)
    for (const Use& use : uses(kernel)) {
      if (users[use.buffer.index] != 1) continue;
      const std::optional<std::int64_t> size = row_size(kernel, *use.at, rows.count);
      Inside& found = inside[use.buffer];
      found.is_aligned &= size && !use.is_late && (found.size == 0 || found.size == *size);
      found.size = size.value_or(0);
      found.is_made |= use.is_write;
    }
  std::erase_if(inside, [](const auto& each) { return !each.second.is_made || !each.second.is_aligned; });
  for (const auto& [id, found] : inside) {
    plan.buffers[id.index].count = rows.tile * found.size;
    rows.inner.push_back(id);
  }
  for (Kernel& kernel : rows.kernels) {
    const bool is_one_turn = rows.tile * turns_of_row(kernel, rows.count) == 1;
    operands(kernel, [&]<class Operand>(Role, Operand& operand) {
      if constexpr (std::is_same_v<Operand, Access>) {
        const auto found = inside.find(operand.buffer);
        if (found == inside.end()) return;
        if (is_one_turn)
          operand.at.strides[0] = 0;
        else
          operand.at.terms.emplace_back(rows.start, -found->second.size);
      }
    });
  }
}

}  // namespace

std::int64_t turns_of_row(const Kernel& kernel, std::int64_t count) {
  return kernel.axes[0].size / count;
}

std::optional<std::int64_t> row_size(const Kernel& kernel, const Affine& at, std::int64_t count) {
  const std::int64_t turns = turns_of_row(kernel, count), size = at.strides[0] * turns;
  if (!at.terms.empty() || size <= 0) return std::nullopt;
  std::int64_t low = at.offset, high = at.offset + at.strides[0] * (turns - 1);
  for (std::size_t axis = 1; axis < kernel.axes.size(); ++axis)
    (at.strides[axis] < 0 ? low : high) += at.strides[axis] * (kernel.axes[axis].size - 1);
  return low >= 0 && high < size ? std::optional(size) : std::nullopt;
}

std::int64_t turns_together(const Kernel& kernel) {
  if (!kernel.axes[0].reduced) return 1;
  const std::int64_t partials = kernel.tree.axis == 0 ? kernel.tree.partials : 1;
  return kernel.tree.block > 0 && kernel.tree.block_axis == 0 ? std::lcm(partials, kernel.tree.block) : partials;
}

void join_rows(Plan& plan) {
  RowFusion fusion(plan);
  fusion.run(plan.body);
  const std::vector<std::size_t> users = count_users(plan);
  for_each_step(plan.body, [&](Step& step) {
    auto* rows = std::get_if<Rows>(&step.what);
    if (!rows) return;
    fusion.choose_tile(*rows);
    shrink(plan, *rows, users);
  });
}

}  // namespace bpc::plan
