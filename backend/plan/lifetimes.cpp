#include "backend/plan/lifetimes.h"

#include <algorithm>

#include "backend/plan/operands.h"
#include "backend/plan/rows.h"

namespace bpc::plan {

namespace {

bool writes(const Kernel& kernel, BufferId buffer) {
  bool result = false;
  for_each_buffer(kernel, [&](Role role, BufferId id) { result |= role == Role::write && id == buffer; });
  return result;
}

// Numbers the steps in program order. What is made before a loop and read in it lives to the loop's end, because the next turn reads it
// again.
class Walk {
 public:
  explicit Walk(const Plan& plan) : plan_(plan), made_in_(plan.buffers.size(), kOutside) { result_.stretches.resize(plan.buffers.size()); }

  Lifetimes run() {
    loops_.push_back({});
    for (const Datum& parameter : plan_.parameters)
      if (const auto* tensor = std::get_if<BufferId>(&parameter)) make(*tensor);
    for (std::uint32_t i = 0; i < plan_.buffers.size(); ++i)
      if (plan_.buffers[i].storage.valid()) make({i});  // constants
    if (plan_.frame.valid()) make(plan_.frame);
    walk(plan_.body);
    ++now_;
    if (plan_.frame.valid()) read(plan_.frame);
    for (BufferId output : plan_.outputs)
      if (output.valid()) read(output);
    return std::move(result_);
  }

 private:
  static constexpr std::size_t kOutside = 0;

  void make(BufferId id) {
    auto& stretches = result_.stretches[id.index];
    if (stretches.empty()) made_in_[id.index] = loops_.size() - 1;
    stretches.push_back({now_, now_, id});
  }
  // Another step that writes to a buffer (a concatenation) continues its life.
  void write(BufferId id) {
    if (result_.stretches[id.index].empty())
      make(id);
    else
      read(id);
  }
  void read(BufferId id) {
    auto& stretches = result_.stretches[id.index];
    // What is read behind an `if` lives through both of its sides.
    while (stretches.back().goes_on && !is_open(stretches.back().from)) {
      std::int64_t last = stretches.back().to;
      stretches.pop_back();
      stretches.back().to = std::max(stretches.back().to, last);
    }
    for (const SecondSide& side : sides_) {
      if (stretches.back().to >= side.start) continue;
      stretches.back().to = std::max(stretches.back().to, side.branch);
      stretches.push_back({side.start, side.start, id, true});
    }
    stretches.back().to = std::max(stretches.back().to, now_);
    if (made_in_[id.index] < loops_.size() - 1) loops_.back().push_back(id);
  }
  bool is_open(std::int64_t start) const {
    return std::any_of(sides_.begin(), sides_.end(), [&](const SecondSide& side) { return side.start == start; });
  }
  void walk(const Steps& steps) {
    for (const Step& step : steps) {
      ++now_;
      std::visit([&](const auto& what) { visit(what); }, step.what);
    }
  }

  // A step without regions.
  template <class What>
  void visit(const What& what) {
    for_each_buffer(what, [&](Role role, BufferId id) { role == Role::read ? read(id) : write(id); });
    if constexpr (std::is_same_v<What, Kernel>) in_place(what);
    if constexpr (std::is_same_v<What, Contraction>)
      if (what.base.valid() && what.base != what.a.buffer && what.base != what.b.buffer)
        result_.moves.push_back({what.base, what.c.buffer, now_, true});
    if constexpr (std::is_same_v<What, Donate>) result_.moves.push_back({what.from, what.to, now_, true});
  }

  // All at one time: what one kernel makes is there while the others run.
  void visit(const Rows& rows) {
    for (const Kernel& kernel : rows.kernels)
      for_each_buffer(kernel, [&](Role role, BufferId id) { role == Role::read ? read(id) : write(id); });
    for (std::size_t i = 0; i < rows.kernels.size(); ++i) in_place(rows.kernels[i], rows, i);
  }

  void visit(const If& branch) {
    std::int64_t start = now_;
    walk(branch.then);
    join(branch.buffers, &JoinedBuffer::then);
    sides_.push_back({start, ++now_});
    walk(branch.otherwise);
    join(branch.buffers, &JoinedBuffer::otherwise);
    sides_.pop_back();
  }
  void join(std::span<const JoinedBuffer> buffers, BufferId JoinedBuffer::* side) {
    ++now_;
    for (const JoinedBuffer& joined : buffers) read(joined.*side);
    for (const JoinedBuffer& joined : buffers) {
      make(joined.result);
      result_.moves.push_back({joined.*side, joined.result, now_, true});
    }
  }

  void enter(std::span<const CarriedBuffer> carried) {
    for (const CarriedBuffer& slot : carried) read(slot.init);
    loops_.push_back({});
    for (const CarriedBuffer& slot : carried) {
      make(slot.argument);
      result_.moves.push_back({slot.init, slot.argument, now_, true});
    }
  }
  void leave(std::span<const CarriedBuffer> carried) {
    ++now_;
    for (const CarriedBuffer& slot : carried) read(slot.next);
    for (const CarriedBuffer& slot : carried) {
      make(slot.argument);
      result_.moves.push_back({slot.next, slot.argument, now_, true});
    }
    std::vector<BufferId> outer = std::move(loops_.back());
    loops_.pop_back();
    for (BufferId id : outer) read(id);
    for (const CarriedBuffer& slot : carried) {
      make(slot.result);
      result_.moves.push_back({slot.next, slot.result, now_, true});  // as to the argument
      result_.shared.emplace_back(slot.argument, slot.result);
    }
  }
  void visit(const For& loop) {
    enter(loop.buffers);
    walk(loop.body);
    leave(loop.buffers);
  }
  void visit(const While& loop) {
    enter(loop.buffers);
    walk(loop.condition);
    ++now_;
    for (const CarriedBuffer& slot : loop.buffers) read(slot.argument);  // where the condition fails, they are the results
    walk(loop.body);
    leave(loop.buffers);
  }

  // Where every load of a buffer reads the very element that a store of the same turn replaces, or the buffer is the base of an update.
  void in_place(const Kernel& kernel) { in_place(kernel, {0, 1, {}, {}}, 0); }
  // The kernel is number `which` of the rows, or alone. None after it may read what it writes over, none before it write there; those
  // before it may read the same row.
  void in_place(const Kernel& kernel, const Rows& rows, std::size_t which) {
    auto others_allow = [&](BufferId from, const Store& store) {
      // What has room for some rows is written again and again: what it may write over is made again as well.
      const auto is_start = [&](const auto& term) { return term.first == rows.start; };
      const Affine& to = store.to.at;
      const bool is_reused = !rows.kernels.empty() && (to.strides[0] == 0 || std::any_of(to.terms.begin(), to.terms.end(), is_start));
      if (is_reused && std::none_of(rows.kernels.begin(), rows.kernels.end(), [&](const Kernel& each) { return writes(each, from); }))
        return false;
      for (std::size_t i = 0; i < rows.kernels.size(); ++i) {
        bool allows = true;
        operands(rows.kernels[i], [&]<class Operand>(Role role, const Operand& operand) {
          if constexpr (std::is_same_v<Operand, Access>) {
            if (i == which || (operand.buffer != from && operand.buffer != store.to.buffer)) return;
            const auto size = row_size(rows.kernels[i], operand.at, rows.count);
            const bool is_row = size && size == row_size(kernel, store.to.at, rows.count);
            allows &= operand.buffer == from ? i < which && is_row : i > which && role == Role::read;
          }
        });
        if (!allows) return false;
      }
      return true;
    };
    auto loads_match = [&](BufferId buffer, const Affine& at, bool needed) {
      bool any = false;
      for (const Instruction& instruction : kernel.body)
        if (const auto* load = std::get_if<Load>(&instruction.what); load && load->from.buffer == buffer) {
          if (load->from.at != at) return false;
          any = true;
        }
      return any || !needed;
    };
    for (const Store& store : kernel.stores) {
      if (store.base.valid()) {
        if (loads_match(store.base, store.to.at, false)) result_.moves.push_back({store.base, store.to.buffer, now_, true});
        continue;
      }
      for (const Instruction& instruction : kernel.body) {
        const auto* load = std::get_if<Load>(&instruction.what);
        if (!load) continue;
        const Buffer &from = plan_.at(load->from.buffer), &into = plan_.at(store.to.buffer);
        if (from.element == into.element && from.count == into.count && loads_match(load->from.buffer, store.to.at, true) &&
            others_allow(load->from.buffer, store))
          result_.moves.push_back({load->from.buffer, store.to.buffer, now_, false});
      }
    }
  }

  const Plan& plan_;
  Lifetimes result_;
  std::int64_t now_ = 0;
  std::vector<std::size_t> made_in_;          // how many loops are around the step that makes a buffer
  std::vector<std::vector<BufferId>> loops_;  // per open loop: what was made outside and is read inside
  struct SecondSide {
    std::int64_t branch, start;
  };
  std::vector<SecondSide> sides_;  // of the open `if`s, outermost first
};

}  // namespace

Lifetimes find_lifetimes(const Plan& plan) {
  return Walk(plan).run();
}

}  // namespace bpc::plan
