#include "backend/plan/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "backend/plan/contraction.h"
#include "backend/plan/dataflow.h"
#include "backend/plan/operands.h"
#include "backend/plan/parts.h"

namespace bpc::plan {

namespace {

class Verifier {
 public:
  explicit Verifier(const Plan& plan)
      : plan_(plan), is_visible_(plan.registers.size()), is_written_(plan.registers.size()), is_read_(plan.buffers.size()) {}

  std::vector<std::string> run() {
    for (const Datum& parameter : plan_.parameters) {
      if (const auto* scalar = std::get_if<RegisterId>(&parameter)) define(*scalar);
      if (const auto* tensor = std::get_if<BufferId>(&parameter)) check(*tensor);
    }
    steps(plan_.body);
    for (BufferId output : plan_.outputs)
      if (output.valid()) check(output);
    if (problems_.empty() && !plan_.storages.empty() && is_stored()) storages();
    return std::move(problems_);
  }

 private:
  void require(bool holds, const std::string& problem) {
    if (!holds) problems_.push_back(where_ + problem);
  }
  static std::string name(RegisterId id) { return fmt::format("%{}", id.index); }
  static std::string name(BufferId id) { return fmt::format("@{}", id.index); }

  // ---- operands ----

  void define(RegisterId id) {
    if (id.index >= is_visible_.size()) return require(false, name(id) + " is no register");
    require(!is_written_[id.index], name(id) + " is written twice");
    is_written_[id.index] = is_visible_[id.index] = true;
    defined_.push_back(id);
  }
  void check(RegisterId id) {
    require(id.index < is_visible_.size() && is_visible_[id.index], name(id) + " is read where it is not known");
  }
  void check(BufferId id) { require(id.index < plan_.buffers.size(), name(id) + " is no buffer"); }
  void read(BufferId id) {
    if (id.index < is_read_.size()) is_read_[id.index] = true;
  }
  void write(BufferId id) { require(id.index >= is_read_.size() || !is_read_[id.index], name(id) + " is written after it is read"); }
  void check(SiteId id) { require(id.index < plan_.sites.size(), fmt::format("{} is no site", id.index)); }
  void check(const Affine& at, std::span<const std::int64_t> sizes) {
    require(at.strides.size() == sizes.size(), fmt::format("a form of {} axes, where there are {}", at.strides.size(), sizes.size()));
    for (const auto& [reg, factor] : at.terms) {
      check(reg);
      require(plan_.at(reg).element == Element::i64, name(reg) + " is in a form, and no i64");
    }
  }
  void check(const Access& access, std::span<const std::int64_t> sizes) {
    check(access.buffer);
    check(access.at, sizes);
    if (!problems_.empty() || !access.at.terms.empty() || std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return;
    std::int64_t low = access.at.offset, high = access.at.offset;
    for (std::size_t i = 0; i < sizes.size(); ++i) (access.at.strides[i] < 0 ? low : high) += access.at.strides[i] * (sizes[i] - 1);
    require(low >= 0 && high < plan_.at(access.buffer).count,
            fmt::format("elements {}..{} of {}, which has {}", low, high, name(access.buffer), plan_.at(access.buffer).count));
  }

  // What the step reads is known; what it writes is known from here on.
  void operands(const auto& step, std::span<const std::int64_t> sizes) {
    plan::operands(step, [&]<class Operand>(Role role, const Operand& operand) {
      if constexpr (std::is_same_v<Operand, RegisterId>)
        role == Role::read ? check(operand) : define(operand);
      else if constexpr (std::is_same_v<Operand, BufferId>)
        check(operand);
      else
        check(operand, sizes);
    });
    for_each_buffer(step, [&](Role role, BufferId id) {
      if (role == Role::write) write(id);
    });
    for_each_buffer(step, [&](Role role, BufferId id) {
      if (role == Role::read) read(id);
    });
  }

  // ---- steps ----

  void steps(const Steps& steps) {
    for (const Step& step : steps) {
      where_ = fmt::format("step {}: ", ++number_);
      std::visit([&](const auto& what) { visit(what); }, step.what);
    }
  }

  // What `body` defines is not seen after it.
  void scope(const auto& body) {
    const std::size_t outer = defined_.size();
    body();
    for (std::size_t i = outer; i < defined_.size(); ++i) is_visible_[defined_[i].index] = false;
    defined_.resize(outer);
  }

  void visit(const auto& what) {
    operands(what, {});
    if constexpr (requires { what.site; })
      if (what.site.valid()) check(what.site);
  }
  void visit(const Instruction& instruction) {
    operands(instruction, {});
    if (const auto* compute = std::get_if<Compute>(&instruction.what); compute && compute->fails.valid()) check(compute->fails);
  }
  void visit(const Kernel& kernel) {
    std::vector<std::int64_t> sizes;
    for (const Axis& axis : kernel.axes) sizes.push_back(axis.size);
    scope([&] {
      operands(kernel, sizes);
      for (const Store& store : kernel.stores)
        if (problems_.empty())  // they are registers and buffers of the plan
          require(plan_.at(store.value).element == plan_.at(store.to.buffer).element, name(store.value) + " is stored as another element");
      for (const Reduction& fold : kernel.reductions) {
        const auto* to = std::get_if<Access>(&fold.to);
        if (!to || fold.running) continue;
        for (std::size_t i = 0; i < kernel.axes.size() && i < to->at.strides.size(); ++i)
          require(!kernel.axes[i].reduced || to->at.strides[i] == 0, fmt::format("a reduction moves along axis {}, which it reduces", i));
      }
    });
    see(kernel_results(kernel));
    tree(kernel);
    cut(kernel);
  }
  void cut(const Kernel& kernel) {
    const Cut& cut = kernel.cut;
    if (cut.parts == 1) return;
    if (cut.axis >= kernel.axes.size()) return require(false, "a cut along no axis");
    const Axis& axis = kernel.axes[cut.axis];
    parts(cut, axis.size);
    require(!may_stop(kernel), "parts of what may stop the run");
    if (axis.reduced) return folded_in_parts(kernel, cut.parts, cut.turns);
    const bool is_of_lanes = kernel.lanes > 0 && cut.axis + 1 == kernel.axes.size();
    require(!is_of_lanes || (cut.turns % kernel.lanes == 0 && (axis.size % cut.turns == 0 || axis.size % cut.turns >= kernel.lanes)),
            "parts that cut a strip of lanes");
  }
  void parts(const Cut& cut, std::int64_t size) {
    require(cut.turns > 0 && (cut.parts - 1) * cut.turns < size && cut.parts * cut.turns >= size, "parts that are not all");
  }
  // Each of so many turns of the outermost axis.
  void folded_in_parts(const Kernel& kernel, std::int64_t parts, std::int64_t turns) {
    const Tree& tree = kernel.tree;
    require(kernel.axes[0].reduced, "parts of a reduced axis that is not the outermost");
    require(kernel.left.valid() && plan_.at(kernel.left).count >= parts * left_words(kernel), "no room for what parts have folded");
    require(tree.partials == 1 || tree.axis != 0 || turns % tree.partials == 0, "a part that ends within a round of partials");
    require(tree.block == 0 || tree.block_axis != 0 || turns % tree.block == 0, "a part that ends within a block");
    require(kernel.lanes == 0 || kernel.lanes == kernel.axes.back().size, "some of the lanes, folded in parts");
    for (const Reduction& fold : kernel.reductions) require(!has_order(fold), "parts of what is folded in order");
  }
  void visit(const Rows& rows) {
    require(rows.count > 0 && rows.tile > 0, "rows without rows");
    require(rows.part.valid() == (rows.cut.parts > 1) && rows.cut.turns % rows.tile == 0, "parts that cut a tile");
    if (rows.cut.parts > 1) parts(rows.cut, rows.count);
    scope([&] {
      define(rows.start);
      if (rows.part.valid()) define(rows.part);
      for (const Kernel& kernel : rows.kernels) {
        visit(kernel);
        require(!kernel.axes.empty() && kernel.axes[0].size % rows.count == 0, "a kernel without those rows");
        if (kernel.axes.empty() || !kernel.axes[0].reduced) continue;
        const std::int64_t turns = rows.tile * (kernel.axes[0].size / rows.count);
        require(kernel.tree.axis != 0 || turns % kernel.tree.partials == 0, "a tile that ends within a round of partials");
        require(kernel.tree.block_axis != 0 || kernel.tree.block == 0 || turns % kernel.tree.block == 0, "a tile that ends within a block");
        require(kernel.lanes == 0 || kernel.lanes == kernel.axes.back().size, "some of the lanes, folded from row to row");
        if (rows.cut.parts > 1) folded_in_parts(kernel, rows.cut.parts, rows.cut.turns * (kernel.axes[0].size / rows.count));
      }
    });
    see(kernel_results(rows));
  }
  void tree(const Kernel& kernel) {
    const Tree& tree = kernel.tree;
    auto is_reduced = [&](std::size_t axis) { return axis < kernel.axes.size() && kernel.axes[axis].reduced; };
    require(kernel.lanes == 0 || (!kernel.axes.empty() && !kernel.axes.back().reduced), "lanes of an axis that is reduced");
    require(tree.partials > 0 && std::has_single_bit(static_cast<std::uint64_t>(tree.partials)), "partials that halves do not join");
    require(tree.partials == 1 || is_reduced(tree.axis), "partials of an axis that is not reduced");
    require(tree.block == 0 || (is_reduced(tree.block_axis) && (tree.partials == 1 || tree.block_axis <= tree.axis)),
            "blocks of an axis inside of the one dealt out");
    require(tree.block_axis != tree.axis || tree.block % tree.partials == 0, "a block that ends within a round of partials");
    for (const Reduction& fold : kernel.reductions) {
      require(tree.partials == 1 || !fold.running, "partials of a running sum");
      require(!fold.narrow || (fold.of_products && tree.partials > 1), "a narrow sum without partials");
      require(!fold.compensated || (tree.block > 0 && fold.kind == Reduction::Kind::sum && !fold.running), "a total without blocks");
    }
  }
  void visit(const Contraction& c) {
    std::vector<std::int64_t> sizes;
    for (const auto* group : {&c.batch, &c.m, &c.n, &c.k}) sizes.insert(sizes.end(), group->begin(), group->end());
    operands(c, sizes);
    const Tile& tile = c.tile;
    require(tile.rows > 0 && tile.vectors > 0 && tile.lanes > 0, "a contraction without a register tile");
    require(tile.rows > 0 && tile.height % tile.rows == 0 && tile.panel() > 0 && tile.width % tile.panel() == 0,
            "a block that cuts a tile");
    require(tile.depth == count(c.k) || (c.block > 0 && tile.depth % c.block == 0), "a depth that cuts a block");
    // The last tile of what is not packed begins earlier, and would add to totals twice.
    const bool ends_in_place = (tile.a == Packing::none && tile.rows > 0 && count(c.m) % tile.rows != 0) ||
                               (tile.b == Packing::none && tile.panel() > 0 && count(c.n) % tile.panel() != 0);
    require(!ends_in_place || (!keeps_totals(c) && !c.base.valid()), "a tile in place that is added twice");
    const Grid& grid = c.grid;
    if (tile.rows <= 0 || tile.panel() <= 0) return;
    require(grid.m.turns % tile.rows == 0 && grid.n.turns % tile.panel() == 0, "parts that cut a tile");
    parts(grid.m, count(c.m));
    parts(grid.n, count(c.n));
    require(grid.batch.parts == 1 || grid.cells() == 1, "parts of the batch and of its turns");
    const bool has_axis = grid.batch.axis < c.batch.size();
    require(grid.batch.parts == 1 || has_axis, "parts of a batch without such an axis");
    if (grid.batch.parts > 1 && has_axis) parts(grid.batch, c.batch[grid.batch.axis]);
    auto fits = [&](BufferId id, std::int64_t elements, const char* what) {
      require(elements == 0 || (id.valid() && plan_.at(id).count >= elements), fmt::format("{} that do not fit into their scratch", what));
    };
    fits(c.packed_a, packed_a_count(c), "rows");
    fits(c.packed_b, packed_b_count(c), "panels");
    fits(c.totals, totals_count(c), "totals");
    fits(c.offsets, offsets_count(c), "offsets");
  }
  void visit(const If& branch) {
    check(branch.condition);
    require(plan_.at(branch.condition).element == Element::boolean, "a condition that is no bool");
    std::vector<RegisterId> results;
    scope([&] {
      steps(branch.then);
      for (const JoinedRegister& joined : branch.registers) check(joined.then);
    });
    scope([&] {
      steps(branch.otherwise);
      for (const JoinedRegister& joined : branch.registers) check(joined.otherwise);
    });
    for (const JoinedRegister& joined : branch.registers) {
      require(same(joined.then, joined.result) && same(joined.otherwise, joined.result),
              name(joined.result) + " joins registers of two types");
      define(joined.result);
    }
    for (const JoinedBuffer& joined : branch.buffers) {
      for (BufferId id : {joined.then, joined.otherwise, joined.result}) check(id);
      for (BufferId side : {joined.then, joined.otherwise}) read(side);
      write(joined.result);
    }
  }
  void carried(const auto& loop, const auto& body) {
    check(loop.site);
    for (const CarriedRegister& slot : loop.registers) check(slot.init);
    for (const CarriedBuffer& slot : loop.buffers) read(slot.init);
    scope([&] {
      for (const CarriedRegister& slot : loop.registers) define(slot.argument);
      body();
      for (const CarriedRegister& slot : loop.registers) {
        check(slot.next);
        require(same(slot.init, slot.argument) && same(slot.next, slot.argument) && same(slot.result, slot.argument),
                name(slot.argument) + " is carried by registers of two types");
      }
    });
    for (const CarriedRegister& slot : loop.registers) define(slot.result);
    for (const CarriedBuffer& slot : loop.buffers) {
      for (BufferId id : {slot.init, slot.argument, slot.next, slot.result}) check(id);
      read(slot.next);
      write(slot.result);
    }
  }
  void visit(const For& loop) {
    for (RegisterId id : {loop.lo, loop.hi, loop.by}) check(id);
    carried(loop, [&] {
      define(loop.index);
      steps(loop.body);
    });
  }
  void visit(const While& loop) {
    carried(loop, [&] {
      steps(loop.condition);
      check(loop.holds);
      require(plan_.at(loop.holds).element == Element::boolean, "a condition that is no bool");
      steps(loop.body);
    });
  }
  void visit(const NewTape& made) {
    operands(made, {});
    require(!made.root || *made.root < plan_.roots, "a tape without a root");
  }

  bool same(RegisterId a, RegisterId b) const {
    return plan_.at(a).element == plan_.at(b).element && plan_.at(a).is_address == plan_.at(b).is_address;
  }
  void see(const std::vector<RegisterId>& registers) {
    for (RegisterId id : registers) {
      is_visible_[id.index] = true;
      defined_.push_back(id);
    }
  }

  // ---- storage ----

  bool is_stored() const {
    return std::all_of(plan_.buffers.begin(), plan_.buffers.end(), [](const Buffer& buffer) { return buffer.storage.valid(); });
  }

  void storages() {
    where_.clear();
    for (std::uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      const BufferId id{i};
      if (plan_.at(id).storage.index >= plan_.storages.size()) return require(false, name(id) + " has no storage");
      require(plan_.bytes(id) <= plan_.storage(id).bytes, name(id) + " does not fit into its storage");
    }
    for (const Storage& storage : plan_.storages)
      if ((storage.kind == Storage::Kind::arena || storage.kind == Storage::Kind::entry) && storage.bytes > 0)
        require(storage.offset % kAlignment == 0 && storage.offset + storage.bytes <= plan_.arena_bytes, "a storage outside the arena");
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i) {
      if (!plan_.outputs[i].valid()) continue;
      const Storage& storage = plan_.storage(plan_.outputs[i]);
      const std::optional<std::size_t> donor = plan_.signature.outputs[i].donor;
      const bool is_there = donor ? storage.kind == Storage::Kind::argument && storage.index == *donor
                                  : storage.kind == Storage::Kind::output && storage.index == i;
      require(is_there, fmt::format("output {} is not where it should be", i));
    }
    written(plan_.body);
  }

  bool is_writable(BufferId id) const {
    const Storage& storage = plan_.storage(id);
    if (storage.kind != Storage::Kind::argument) return storage.kind != Storage::Kind::constant;
    return std::any_of(plan_.signature.outputs.begin(), plan_.signature.outputs.end(),
                       [&](const runtime::Port& output) { return output.donor == storage.index; });
  }
  void written(const Steps& steps) {
    for (const Step& step : steps) {
      for_each_buffer(step, [&](Role role, BufferId id) {
        if (role != Role::write) return;
        require(is_writable(id), name(id) + " is written, and is the caller's or a constant");
        const bool is_entry = plan_.storage(id).kind == Storage::Kind::entry;
        require(!is_entry || std::holds_alternative<Pop>(step.what), name(id) + " is written where its tape has it");
      });
      for_each_region(step, [&](const Steps& inner) { written(inner); });
    }
  }

  const Plan& plan_;
  std::vector<bool> is_visible_, is_written_;  // by register
  std::vector<bool> is_read_;                  // by buffer
  std::vector<RegisterId> defined_;            // those that are visible, inner scopes last
  std::vector<std::string> problems_;
  std::string where_;
  std::size_t number_ = 0;  // of steps seen
};

}  // namespace

std::vector<std::string> verify(const Plan& plan) {
  return Verifier(plan).run();
}

}  // namespace bpc::plan
