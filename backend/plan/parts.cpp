// Which steps are worth several threads, and how they are cut into parts. What a step takes is counted roughly, in cycles; how many threads
// there will be does not matter: parts are as many as any number of threads can share, so that neither results nor code depend on it.
#include "backend/plan/parts.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "backend/plan/contraction.h"
#include "backend/plan/cost.h"
#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"
#include "backend/plan/rows.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kMostParts = 64;
constexpr std::int64_t kEnoughParts = 16;      // of an axis, so that no other is looked for
constexpr std::int64_t kPartsOfShared = 8;     // of the least work that is shared: so that it can be shared evenly
constexpr std::int64_t kSideBySide = 64;       // elements: parts of more turns are of whole vectors and lines
constexpr std::int64_t kMostLanes = 2048;      // accumulators of each part
constexpr double kJoining = 0.1;               // the share of the work that joining parts may take
constexpr double kFunction = 60, kGather = 8;  // instructions
constexpr double kStart = 1000;                // cycles: of a contraction's part, beside what it computes, and to begin with all of them
constexpr double kWorthPacking = 20'000;       // cycles of packing that are shared
constexpr std::int64_t kPackings = 16;         // the parts of it
constexpr double kAtOnce = 4;                  // instructions in a cycle, where most are of vectors, and some wait for memory

std::int64_t parts_of(std::int64_t size, std::int64_t turns) {
  return (size + turns - 1) / turns;
}

std::set<RegisterId> made_in(const Kernel& kernel) {
  std::set<RegisterId> made;
  for (const Instruction& instruction : kernel.body) made.insert(instruction.result);
  return made;
}

double cycles(const Kernel& kernel) {
  const std::set<RegisterId> made = made_in(kernel);
  double instructions = static_cast<double>(kernel.stores.size() + kernel.reductions.size());
  for (const Instruction& instruction : kernel.body) {
    const auto* load = std::get_if<Load>(&instruction.what);
    const auto* compute = std::get_if<Compute>(&instruction.what);
    const bool is_gather = load && std::any_of(load->from.at.terms.begin(), load->from.at.terms.end(),
                                               [&](const auto& term) { return made.contains(term.first); });
    const bool is_function = compute && !ir::op_info(compute->code).has(ir::cheap);
    instructions += is_gather ? kGather : is_function ? kFunction : 1;
  }
  for (const Axis& axis : kernel.axes) instructions *= static_cast<double>(axis.size);
  return instructions / kAtOnce;
}

// Whether turns of the axis with different numbers reach different elements, whatever the others are. The other axes, and registers that
// differ from turn to turn (`made`), are told apart by their strides: some reach less far than one turn of the axis, all others leap, by a
// common multiple, over all that the axis reaches with these.
bool is_apart(const std::vector<std::int64_t>& sizes, const Affine& at, std::size_t axis, const std::set<RegisterId>& made) {
  const std::int64_t stride = std::abs(at.strides[axis]);
  if (stride == 0) return false;
  std::vector<std::pair<std::int64_t, std::int64_t>> others;  // stride and reach
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (i != axis && sizes[i] > 1 && at.strides[i] != 0)
      others.emplace_back(std::abs(at.strides[i]), std::abs(at.strides[i]) * (sizes[i] - 1));
  std::sort(others.begin(), others.end());
  std::int64_t leap = 0, reach = 0;
  for (const auto& [reg, factor] : at.terms)
    if (made.contains(reg)) leap = std::gcd(leap, factor);
  for (const auto& [other, far] : others)
    if (reach + far < stride && other < stride)
      reach += far;
    else
      leap = std::gcd(leap, other);
  return reach < stride && (leap == 0 || stride * (sizes[axis] - 1) + reach < leap);
}

class Cutter {
 public:
  explicit Cutter(Plan& plan) : plan_(plan) {}

  void run(Steps& steps) {
    for_each_step(steps, [&](Step& step) {
      if (auto* kernel = std::get_if<Kernel>(&step.what)) cut(*kernel);
      if (auto* rows = std::get_if<Rows>(&step.what)) cut(*rows);
      if (auto* contraction = std::get_if<Contraction>(&step.what)) cut(*contraction);
    });
  }

 private:
  // How many parts work of so many cycles is worth.
  std::int64_t worthwhile(double cycles) const {
    if (cycles < plan_.target.shared_cycles) return 1;
    return static_cast<std::int64_t>(std::min<double>(kMostParts, cycles / plan_.target.shared_cycles * kPartsOfShared));
  }

  // ---- what may be cut ----

  // Whether no two turns with different numbers of the axis write to one element, and none reads what another writes. `inner` buffers are
  // each part's own.
  bool may_cut(const Kernel& kernel, std::size_t axis, const std::vector<BufferId>& inner) const {
    if (may_stop(kernel)) return false;
    if (std::any_of(kernel.axes.begin(), kernel.axes.end(), [](const Axis& each) { return each.size == 0; })) return false;
    const std::set<RegisterId> made = made_in(kernel);
    std::vector<std::int64_t> sizes;
    for (const Axis& each : kernel.axes) sizes.push_back(each.size);
    auto is_own = [&](const Access& to) {
      if (std::find(inner.begin(), inner.end(), to.buffer) != inner.end()) return true;
      for (const Instruction& instruction : kernel.body)
        if (const auto* load = std::get_if<Load>(&instruction.what); load && load->from.buffer == to.buffer && load->from.at != to.at)
          return false;
      return is_apart(sizes, to.at, axis, made);
    };
    for (const Store& store : kernel.stores)
      if (!is_own(store.to)) return false;
    for (const Reduction& fold : kernel.reductions) {
      const auto* to = std::get_if<Access>(&fold.to);
      if (kernel.axes[axis].reduced ? has_order(fold) : !to || !is_own(*to)) return false;
    }
    return true;
  }

  // What is folded along the outermost axis: all its accumulators are each part's own, and joining them must be little work beside.
  bool may_fold_in_parts(const Kernel& kernel) const { return kernel.lanes == 0 || kernel.axes.back().size <= kMostLanes; }
  static double joining(const Kernel& kernel) {
    const auto lanes = static_cast<double>(kernel.lanes > 0 ? kernel.axes.back().size : 1);
    return lanes * static_cast<double>(kernel.reductions.size());
  }
  void fold_in_parts(Kernel& kernel, std::int64_t parts) {
    if (kernel.lanes > 0) kernel.lanes = kernel.axes.back().size;
    kernel.left = plan_.add(Buffer{Element::i64, parts * left_words(kernel), "left", {}});
  }

  // ---- kernels ----

  // Each part walks the axes outside of the one that is cut: it has as much to do in each of their turns as lies side by side.
  static std::int64_t turns_inside(const Kernel& kernel, std::size_t axis) {
    std::int64_t turns = 1;
    for (std::size_t i = axis + 1; i < kernel.axes.size(); ++i) turns *= kernel.axes[i].size;
    return turns;
  }

  // About so many parts of whole vectors, equal ones if there are such.
  static Cut cut_of(std::size_t axis, std::int64_t size, std::int64_t parts, std::int64_t together) {
    if (size / parts >= kSideBySide && kSideBySide % together == 0) together = kSideBySide;
    const std::int64_t turns = parts_of(parts_of(size, parts), together) * together;
    for (std::int64_t more = turns; more < 2 * turns && more < size; more += together)
      if (size % more == 0) return {axis, size / more, more};
    return {axis, parts_of(size, turns), turns};
  }

  std::optional<Cut> cut_along(const Kernel& kernel, std::size_t axis, std::int64_t parts) const {
    const std::int64_t size = kernel.axes[axis].size;
    const bool is_reduced = kernel.axes[axis].reduced, has_strips = kernel.lanes > 0 && axis + 1 == kernel.axes.size();
    if (size < 2 || !may_cut(kernel, axis, {}) || (is_reduced && !may_fold_in_parts(kernel))) return std::nullopt;
    if (is_reduced) parts = std::min(parts, static_cast<std::int64_t>(kJoining * cycles(kernel) / joining(kernel)));
    if (axis > 0) parts = std::min(parts, size * turns_inside(kernel, axis) / kSideBySide);
    for (; parts > 1; --parts) {
      const Cut cut = cut_of(axis, size, parts, is_reduced ? turns_together(kernel) : has_strips ? kernel.lanes : 1);
      const std::int64_t last = size - (cut.parts - 1) * cut.turns;
      if (cut.parts > 1 && (!has_strips || last >= kernel.lanes)) return cut;
    }
    return std::nullopt;
  }

  void cut(Kernel& kernel) {
    const std::int64_t parts = worthwhile(cycles(kernel));
    for (std::size_t axis = 0; axis < kernel.axes.size() && parts > 1; ++axis) {
      if (kernel.axes[axis].reduced && axis > 0) continue;
      const std::optional<Cut> cut = cut_along(kernel, axis, parts);
      if (cut && cut->parts > kernel.cut.parts && kernel.cut.parts < std::min(parts, kEnoughParts)) kernel.cut = *cut;
    }
    if (kernel.cut.parts > 1 && kernel.axes[kernel.cut.axis].reduced) fold_in_parts(kernel, kernel.cut.parts);
  }

  // ---- rows ----

  void cut(Rows& rows) {
    double work = 0, joined = 0;
    for (const Kernel& kernel : rows.kernels) {
      work += cycles(kernel);
      if (!may_cut(kernel, 0, rows.inner)) return;
      if (!kernel.axes[0].reduced) continue;
      if (!may_fold_in_parts(kernel)) return;
      joined += joining(kernel);
    }
    std::int64_t parts = std::min(worthwhile(work), rows.count / rows.tile);
    if (joined > 0) parts = std::min(parts, static_cast<std::int64_t>(kJoining * work / joined));
    if (parts < 2) return;
    const std::int64_t turns = parts_of(parts_of(rows.count, rows.tile), parts) * rows.tile;
    rows.cut = {0, parts_of(rows.count, turns), turns};
    if (rows.cut.parts < 2) return rows.cut = {}, void();
    give_room(rows);
  }

  // To each part, for what is in no other step.
  void give_room(Rows& rows) {
    rows.part = plan_.add(Register{Element::i64, "part"});
    for (Kernel& kernel : rows.kernels) {
      operands(kernel, [&]<class Operand>(Role, Operand& operand) {
        if constexpr (std::is_same_v<Operand, Access>)
          if (std::find(rows.inner.begin(), rows.inner.end(), operand.buffer) != rows.inner.end())
            operand.at.terms.emplace_back(rows.part, plan_.at(operand.buffer).count);
      });
      if (kernel.axes[0].reduced) fold_in_parts(kernel, rows.cut.parts);
    }
    for (BufferId id : rows.inner) plan_.buffers[id.index].count *= rows.cut.parts;
  }

  // ---- contractions ----

  // The grid that two to sixteen threads together have done with soonest.
  void cut(Contraction& c) {
    const double all = static_cast<double>(count(c.batch)) * cycles(plan_, c, count(c.m), count(c.n)).all();
    const std::int64_t most = worthwhile(all);
    if (most < 2) return;
    Grid best = c.grid;
    double least = 2 * all;
    auto consider = [&](const Grid& grid, const auto& time_of) {
      double sum = 0;
      for (std::int64_t threads : {2, 2, 2, 4, 8, 16}) sum += static_cast<double>(threads) * time_of(threads) / 6;
      if (sum >= least) return;
      least = sum;
      best = grid;
    };
    const std::size_t axis = batch_axis(c);
    if (axis < c.batch.size())
      each_cut(c.batch[axis], most, [&](std::int64_t parts, std::int64_t turns) {
        Grid grid = c.grid;
        grid.batch = {axis, parts, turns};
        const double part = all / static_cast<double>(c.batch[axis]) * static_cast<double>(turns);
        consider(grid, [&](std::int64_t threads) { return static_cast<double>(parts_of(parts, threads)) * (part + kStart); });
      });
    const std::int64_t rows = may_cut(c, Group::m) ? c.grid.m.turns / c.tile.rows : 1;
    const std::int64_t panels = may_cut(c, Group::n) ? c.grid.n.turns / c.tile.panel() : 1;
    each_cut(rows, most, [&](std::int64_t m_parts, std::int64_t m_turns) {
      each_cut(panels, most / m_parts, [&](std::int64_t n_parts, std::int64_t n_turns) {
        Grid grid = c.grid;
        if (m_parts > 1) grid.m = {0, m_parts, m_turns * c.tile.rows};
        if (n_parts > 1) grid.n = {0, n_parts, n_turns * c.tile.panel()};
        if (!ends_with_tiles(c, grid)) return;
        grid.packings = packed_before(c) > kWorthPacking ? kPackings : 1;
        consider(grid, [&](std::int64_t threads) { return time_of_cells(c, grid, threads); });
      });
    });
    if (best.parts() > 1) set_grid(plan_, c, best);
  }
  double time_of_cells(const Contraction& c, const Grid& grid, std::int64_t threads) const {
    const Cycles cell = cycles(plan_, c, std::min(grid.m.turns, count(c.m)), std::min(grid.n.turns, count(c.n)));
    const double own = cell.tiles + (packs_a_at_once(c) ? 0 : cell.packing_a) + (packs_b_at_once(c) ? 0 : cell.packing_b);
    const auto depths = static_cast<double>(parts_of(count(c.k), c.tile.depth));
    const double before =
        packed_before(c) / static_cast<double>(std::min(threads, grid.packings)) + (grid.packings > 1 ? depths * kStart : 0);
    const double turn = before + static_cast<double>(parts_of(grid.cells(), threads)) * (own + kStart) + depths * kStart;
    return static_cast<double>(count(c.batch)) * turn;
  }
  // Cycles for operands that are packed before all cells of the grid.
  double packed_before(const Contraction& c) const {
    const Cycles all = cycles(plan_, c, count(c.m), count(c.n));
    return (packs_a_at_once(c) ? all.packing_a : 0) + (packs_b_at_once(c) ? all.packing_b : 0);
  }
  // visit(parts, turns) for each way to cut so many turns into at most so many parts.
  static void each_cut(std::int64_t size, std::int64_t most, const auto& visit) {
    for (std::int64_t parts = 1, before = 0; parts <= std::min(size, most); ++parts) {
      const std::int64_t turns = parts_of(size, parts);
      if (std::exchange(before, turns) != turns) visit(parts_of(size, turns), turns);
    }
  }

  // Whether elements of the result whose indices along the axis differ are different ones, also in other turns of the batch.
  static bool reaches_its_own(const Contraction& c, std::size_t axis) {
    std::vector<std::int64_t> sizes;
    for (const auto* group : {&c.batch, &c.m, &c.n, &c.k}) sizes.insert(sizes.end(), group->begin(), group->end());
    return sizes[axis] == 1 || is_apart(sizes, c.c.at, axis, {});
  }
  static bool may_cut(const Contraction& c, Group group) {
    const std::size_t first = c.batch.size() + (group == Group::n ? c.m.size() : 0);
    const std::size_t axes = group == Group::n ? c.n.size() : c.m.size();
    bool all = true;
    for (std::size_t i = first; i < first + axes; ++i) all &= reaches_its_own(c, i);
    return all;
  }
  // The longest one that may be cut.
  static std::size_t batch_axis(const Contraction& c) {
    std::size_t longest = c.batch.size();
    for (std::size_t i = 0; i < c.batch.size(); ++i)
      if (reaches_its_own(c, i) && (longest == c.batch.size() || c.batch[i] > c.batch[longest])) longest = i;
    return longest;
  }
  // An operand that is not packed ends with a whole tile, which must lie in the last part.
  static bool ends_with_tiles(const Contraction& c, const Grid& grid) {
    const std::int64_t rows = count(c.m) - (grid.m.parts - 1) * grid.m.turns, columns = count(c.n) - (grid.n.parts - 1) * grid.n.turns;
    return (c.tile.a != Packing::none || rows >= c.tile.rows) && (c.tile.b != Packing::none || columns >= c.tile.panel());
  }

  Plan& plan_;
};

}  // namespace

std::int64_t left_words(const Reduction& fold) {
  return fold.compensated ? 2 : 1;
}

std::int64_t left_words(const Kernel& kernel) {
  constexpr std::int64_t kLine = 8;
  const std::int64_t lanes = std::max<std::int64_t>(kernel.lanes, 1);
  std::int64_t words = 0;
  for (const Reduction& fold : kernel.reductions) words += left_words(fold) * lanes;
  return (words + kLine - 1) / kLine * kLine;
}

void cut_into_parts(Plan& plan) {
  Cutter(plan).run(plan.body);
}

}  // namespace bpc::plan
