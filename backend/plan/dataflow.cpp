#include "backend/plan/dataflow.h"

#include <set>

namespace bpc::plan {

namespace {

class Collector {
 public:
  explicit Collector(Registers& to) : to_(to) {}

  void visit(const Instruction& instruction) {
    if (const auto* load = std::get_if<Load>(&instruction.what)) read(load->from.at);
    if (const auto* position = std::get_if<Position>(&instruction.what)) read(position->at);
    if (const auto* compute = std::get_if<Compute>(&instruction.what))
      for (RegisterId operand : compute->operands) read(operand);
    if (const auto* index = std::get_if<Index>(&instruction.what)) read(index->from);
    write(instruction.result);
  }
  void visit(const Kernel& kernel) {
    for (RegisterId id : kernel_inputs(kernel)) read(id);
    for (const Reduction& fold : kernel.reductions) write(fold.result);
  }
  void visit(const Contraction& contraction) {
    for (const Access* access : {&contraction.a, &contraction.b, &contraction.c}) read(access->at);
  }
  void visit(const If& branch) {
    read(branch.condition);
    inner(branch.then);
    inner(branch.otherwise);
    for (const JoinedRegister& joined : branch.registers) {
      read(joined.then);
      read(joined.otherwise);
      write(joined.result);
    }
  }
  void carried(std::span<const CarriedRegister> slots) {
    for (const CarriedRegister& slot : slots) {
      read(slot.init);
      read(slot.next);
      write(slot.result);
    }
  }
  void visit(const For& loop) {
    for (RegisterId id : {loop.lo, loop.hi, loop.by}) read(id);
    inner(loop.body);
    carried(loop.registers);
  }
  void visit(const While& loop) {
    inner(loop.condition);
    read(loop.holds);
    inner(loop.body);
    carried(loop.registers);
  }
  void visit(const Print& print) { read(print.items); }
  void visit(const Assert& check) {
    read(check.condition);
    read(check.shown);
  }
  void visit(const CheckIndex& check) {
    read(check.index);
    write(check.result);
  }
  void visit(const CheckIndices&) {}
  void visit(const Library&) {}
  void visit(const Random& random) { read(random.turns.scalar); }
  void visit(const SetOutput& output) { read(output.value); }
  void visit(const Donate&) {}
  void visit(const NewTape& made) { write(made.to); }
  void visit(const CopyTape& copy) {
    read(copy.from);
    write(copy.to);
  }
  void visit(const Push& push) {
    read(push.from);
    read(push.value.scalar);
    write(push.to);
  }
  void visit(const Pop& pop) {
    read(pop.from);
    write(pop.value.scalar);
    write(pop.to);
  }

 private:
  void read(const Tape& tape) {
    read(tape.chunk);
    read(tape.top);
  }
  void write(const Tape& tape) {
    write(tape.chunk);
    write(tape.top);
  }
  void read(RegisterId id) {
    if (id.valid()) to_.read.push_back(id);
  }
  void read(const Affine& at) {
    for (const auto& [reg, factor] : at.terms) read(reg);
  }
  void read(std::span<const Datum> items) {
    for (const Datum& item : items) read(item.scalar);
  }
  void write(RegisterId id) {
    if (id.valid()) to_.written.push_back(id);
  }
  void inner(const Steps& steps) {
    std::size_t seen = to_.written.size();
    for (const Step& step : steps) add_registers(step, to_);
    to_.written.resize(seen);
  }

  Registers& to_;
};

}  // namespace

void add_registers(const Step& step, Registers& to) {
  Collector collector(to);
  std::visit([&](const auto& what) { collector.visit(what); }, step.what);
}

std::vector<RegisterId> kernel_inputs(const Kernel& kernel) {
  std::vector<RegisterId> result;
  std::set<RegisterId> own;
  auto use = [&](RegisterId id) {
    if (!own.contains(id)) result.push_back(id);
  };
  auto use_form = [&](const Affine& at) {
    for (const auto& [reg, factor] : at.terms) use(reg);
  };
  for (const Instruction& instruction : kernel.body) {
    if (const auto* load = std::get_if<Load>(&instruction.what)) use_form(load->from.at);
    if (const auto* position = std::get_if<Position>(&instruction.what)) use_form(position->at);
    if (const auto* compute = std::get_if<Compute>(&instruction.what))
      for (RegisterId operand : compute->operands) use(operand);
    if (const auto* index = std::get_if<Index>(&instruction.what)) use(index->from);
    own.insert(instruction.result);
  }
  for (const Store& store : kernel.stores) {
    use(store.value);
    use_form(store.to.at);
  }
  for (const Reduction& fold : kernel.reductions) use(fold.value);
  return result;
}

}  // namespace bpc::plan
