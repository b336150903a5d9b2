#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backend/plan/plan.h"

namespace bpc::plan {

namespace {

std::string_view kind_name(Reduction::Kind kind) {
  switch (kind) {
    case Reduction::Kind::sum:
      return "sum";
    case Reduction::Kind::max:
      return "max";
    case Reduction::Kind::min:
      return "min";
    case Reduction::Kind::any:
      return "any";
    case Reduction::Kind::all:
      return "all";
    case Reduction::Kind::argmax:
      return "argmax";
    case Reduction::Kind::argmin:
      return "argmin";
  }
  return "";
}

class Printer {
 public:
  explicit Printer(const Plan& plan) : plan_(plan) {}

  std::string run() {
    for (std::uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      const Buffer& buffer = plan_.buffers[i];
      line("buffer {} : {}[{}] in {}", name(BufferId{i}), element_name(buffer.element), buffer.count,
           place(plan_.storages[buffer.storage.index]));
    }
    line("arena {} bytes", plan_.arena_bytes);
    for (std::size_t i = 0; i < plan_.parameters.size(); ++i) line("parameter {} = {}", i, show(plan_.parameters[i]));
    steps(plan_.body);
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i)
      if (plan_.outputs[i].valid()) line("output {} = {}", i, name(plan_.outputs[i]));
    return std::move(text_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_.append(2 * depth_, ' ');
    text_ += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }

  static std::string place(const Storage& storage) {
    switch (storage.kind) {
      case Storage::Kind::argument:
        return fmt::format("argument {}", storage.index);
      case Storage::Kind::output:
        return fmt::format("output {}", storage.index);
      case Storage::Kind::constant:
        return fmt::format("constant {}", storage.index);
      case Storage::Kind::arena:
        return fmt::format("arena {}", storage.offset);
      case Storage::Kind::entry:
        return "its tape";
    }
    return {};
  }

  // Names are not unique, numbers are.
  std::string name(BufferId id) const { return fmt::format("{}@{}", plan_.at(id).name, id.index); }
  std::string name(RegisterId id) const {
    return fmt::format("%{}{}{}", plan_.at(id).name, plan_.at(id).name.empty() ? "" : ".", id.index);
  }
  std::string name(const Tape& tape) const { return name(tape.top); }
  std::string form(const Affine& at) const {
    std::string text;
    auto add = [&](std::int64_t factor, const std::string& what) {
      if (factor == 0) return;
      text += text.empty() ? "" : " + ";
      text += factor == 1 ? what : fmt::format("{}*{}", factor, what);
    };
    for (std::size_t i = 0; i < at.strides.size(); ++i) add(at.strides[i], fmt::format("i{}", i));
    for (const auto& [reg, factor] : at.terms) add(factor, name(reg));
    if (at.offset != 0 || text.empty()) text += (text.empty() ? "" : " + ") + std::to_string(at.offset);
    return text;
  }
  std::string show(const Access& access) const { return name(access.buffer) + "[" + form(access.at) + "]"; }
  template <class... Whats>
  std::string show(const std::variant<Whats...>& what) const {
    return std::visit([&](const auto& each) { return show(each); }, what);
  }
  std::string show(BufferId id) const { return name(id); }
  std::string show(RegisterId id) const { return name(id); }

  void steps(const Steps& steps) {
    ++depth_;
    for (const Step& step : steps) std::visit([&](const auto& what) { visit(what); }, step.what);
    --depth_;
  }

  void visit(const Instruction& instruction) {
    std::string result = name(instruction.result) + " : " + std::string(element_name(plan_.at(instruction.result).element));
    if (const auto* constant = std::get_if<Constant>(&instruction.what)) {
      bool real = is_real(plan_.at(instruction.result).element);
      line("{} = {}", result, real ? fmt::format("{}", constant->real) : std::to_string(constant->integer));
    } else if (const auto* position = std::get_if<Position>(&instruction.what)) {
      line("{} = {}", result, form(position->at));
    } else if (const auto* load = std::get_if<Load>(&instruction.what)) {
      line("{} = {}", result, show(load->from));
    } else if (const auto* compute = std::get_if<Compute>(&instruction.what)) {
      std::string operands;
      for (RegisterId operand : compute->operands) operands.append(" ").append(name(operand));
      line("{} = {}{}", result, scalar::operator_name(compute->code), operands);
    } else if (const auto* index = std::get_if<Index>(&instruction.what)) {
      line("{} = {} of {}", result, name(index->from), index->size);
    }
  }
  static std::string show(const Cut& cut, const std::string& what) {
    return cut.parts > 1 ? fmt::format(", {} parts of {} {}", cut.parts, cut.turns, what) : "";
  }
  void visit(const Kernel& kernel) {
    std::string axes;
    for (const Axis& axis : kernel.axes) axes += fmt::format(" {}{}", axis.size, axis.reduced ? "r" : "");
    const Tree& tree = kernel.tree;
    line("kernel{}{}{}{}{}", axes, kernel.lanes > 0 ? fmt::format(", {} lanes", kernel.lanes) : "",
         tree.partials > 1 ? fmt::format(", {} partials of axis {}", tree.partials, tree.axis) : "",
         tree.block > 0 ? fmt::format(", blocks of {} along axis {}", tree.block, tree.block_axis) : "",
         show(kernel.cut, fmt::format("turns of axis {}", kernel.cut.axis)));
    ++depth_;
    for (const Instruction& instruction : kernel.body) visit(instruction);
    for (const Store& store : kernel.stores)
      line("{} {} {}{}", show(store.to), store.adds ? "+=" : ":=", name(store.value),
           store.base.valid() ? " over " + name(store.base) : "");
    for (const Reduction& fold : kernel.reductions)
      line("{} := {}{} {}", show(fold.to),
           fold.running       ? "running "
           : fold.narrow      ? "narrow "
           : fold.compensated ? "compensated "
                              : "",
           kind_name(fold.kind), name(fold.value));
    --depth_;
  }
  static std::string show(const Grid& grid) {
    if (grid.parts() == 1) return "";
    std::vector<std::string> sides;
    for (const auto& [name, side] : {std::pair("batch", &grid.batch), {"m", &grid.m}, {"n", &grid.n}})
      if (side->parts > 1) sides.push_back(fmt::format("{} of {}", side->turns, name));
    return fmt::format(", {} parts of {}", grid.parts(), fmt::join(sides, ", "));
  }
  void visit(const Rows& rows) {
    line("rows {}, {} at a time, from {}{}", rows.count, rows.tile, name(rows.start), show(rows.cut, "rows"));
    ++depth_;
    for (const Kernel& kernel : rows.kernels) visit(kernel);
    --depth_;
  }
  void visit(const Contraction& c) {
    auto group = [](const char* name, const std::vector<std::int64_t>& sizes) {
      return sizes.empty() ? "" : fmt::format(" {} {}", name, fmt::join(sizes, " "));
    };
    line("contraction{}{}{}{}{}{}", group("batch", c.batch), group("m", c.m), group("n", c.n), group("k", c.k),
         c.block > 0 ? fmt::format(", blocks of {}", c.block) : "", show(c.grid));
    ++depth_;
    line("{} {} {} * {}{}", show(c.c), c.base.valid() ? "+=" : ":=", show(c.a), show(c.b), c.base.valid() ? " over " + name(c.base) : "");
    --depth_;
  }
  void visit(const If& branch) {
    line("if {}", name(branch.condition));
    steps(branch.then);
    line("else");
    steps(branch.otherwise);
    for (const JoinedRegister& joined : branch.registers)
      line("  {} = {} else {}", name(joined.result), name(joined.then), name(joined.otherwise));
    for (const JoinedBuffer& joined : branch.buffers)
      line("  {} = {} else {}", name(joined.result), name(joined.then), name(joined.otherwise));
  }
  void carried(const auto& loop) {
    auto show = [&](const auto& slot) {
      line("  carried {} = {}, then {}; at the end {}", name(slot.argument), name(slot.init), name(slot.next), name(slot.result));
    };
    for (const CarriedRegister& slot : loop.registers) show(slot);
    for (const CarriedBuffer& slot : loop.buffers) show(slot);
  }
  void visit(const For& loop) {
    line("for {} = {}..{} by {}", name(loop.index), name(loop.lo), name(loop.hi), name(loop.by));
    carried(loop);
    steps(loop.body);
  }
  void visit(const While& loop) {
    line("while");
    carried(loop);
    steps(loop.condition);
    line("holds {}", name(loop.holds));
    steps(loop.body);
  }
  std::string list(const std::vector<Datum>& items) const {
    std::string text;
    for (const Datum& item : items) text.append(" ").append(show(item));
    return text;
  }
  void visit(const Print& print) { line("print{}", list(print.items)); }
  void visit(const Assert& check) { line("assert {}{}", name(check.condition), list(check.shown)); }
  void visit(const CheckIndex& check) {
    line("{} = index {} of {}, span {}", name(check.result), name(check.index), check.size, check.span);
  }
  void visit(const CheckIndices& check) { line("indices {} of {}", name(check.indices), check.size); }
  void visit(const NewTape& made) { line("{} = {}", name(made.to), made.root ? fmt::format("tape {}", *made.root) : "a new tape"); }
  void visit(const CopyTape& copy) { line("{} = tape {}, a copy of {}", name(copy.to), copy.root, name(copy.from)); }
  void visit(const Push& push) { line("{} = {} push {}", name(push.to), name(push.from), show(push.value)); }
  void visit(const Pop& pop) { line("{}, {} = pop {}", name(pop.to), show(pop.value), name(pop.from)); }
  void visit(const SetOutput& output) { line("output {} = {}", output.index, name(output.value)); }
  void visit(const Donate& donate) { line("{} := {}", name(donate.to), name(donate.from)); }
  void visit(const Library& call) {
    std::string inputs;
    for (BufferId input : call.inputs) inputs.append(" ").append(name(input));
    line("{} := {}{}, sizes {}", name(call.output), call.function, inputs, fmt::join(call.sizes, " "));
  }
  void visit(const Random& random) {
    line("{} := {} stream {}{}", name(random.to), random.normal ? "normal" : "uniform", random.stream,
         random.turns ? " turn " + show(*random.turns) : "");
  }

  const Plan& plan_;
  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string print(const Plan& plan) {
  return Printer(plan).run();
}

}  // namespace bpc::plan
