// Regions: if, for, while. Scalars are carried in registers, tensors in one buffer each.
#include "backend/plan/planner.h"
#include "support/internal_error.h"

namespace bpc::plan {

void Planner::control(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (op.code == ir::Opcode::if_else) return if_else(op);
  if (op.code == ir::Opcode::for_loop) return for_loop(id);
  while_loop(id);
}

void Planner::if_else(const ir::Op& op) {
  If step{scalar(op.operands[0]), {}, {}, {}, {}};
  std::vector<Shown> sides[2];
  for (std::size_t side = 0; side < 2; ++side) {
    Steps steps = region(op.regions[side], [&](std::span<const ir::ValueId> yields) {
      for (ir::ValueId yield : yields) sides[side].push_back(shown(yield));
    });
    (side == 0 ? step.then : step.otherwise) = std::move(steps);
  }
  std::vector<RegisterId> registers;
  std::vector<BufferId> buffers;
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    ir::ValueId result = op.results[i];
    const std::string& name = function_.value(result).name;
    if (type(result).is_scalar()) {
      RegisterId id = add_register(type(result).element, name);
      step.registers.push_back({sides[0][i].scalar, sides[1][i].scalar, id});
      registers.push_back(id);
      define(result, id);
    } else {
      BufferId id = add_buffer(type(result), name);
      step.buffers.push_back({sides[0][i].tensor, sides[1][i].tensor, id});
      buffers.push_back(id);
      define_dense(result, id);
    }
  }
  push({std::move(step)});
  for (RegisterId id : registers) place(id);
  for (BufferId id : buffers) place(id);
}

Planner::Carried Planner::carry(std::span<const ir::ValueId> inits, const ir::Op& op) {
  Carried carried;
  for (std::size_t i = 0; i < inits.size(); ++i) {
    const Type& type = this->type(inits[i]);
    const std::string& name = function_.value(op.results[i]).name;
    if (type.is_scalar()) {
      RegisterId argument = add_register(type.element, name);
      carried.registers.push_back({scalar(inits[i]), argument, {}, add_register(type.element, name)});
    } else {
      BufferId init = whole(inits[i]);
      BufferId argument = add_buffer(type, name);
      carried.buffers.push_back({init, argument, {}, add_buffer(type, name)});
    }
  }
  return carried;
}

void Planner::bind(const Carried& carried, std::span<const ir::ValueId> arguments) {
  std::size_t scalars = 0, tensors = 0;
  for (ir::ValueId argument : arguments) {
    if (type(argument).is_scalar())
      define(argument, carried.registers[scalars++].argument);
    else
      define_dense(argument, carried.buffers[tensors++].argument);
  }
}

void Planner::set_next(Carried& carried, std::span<const ir::ValueId> yields) {
  std::size_t scalars = 0, tensors = 0;
  for (ir::ValueId yield : yields) {
    if (type(yield).is_scalar()) {
      carried.registers[scalars++].next = scalar(yield);
      continue;
    }
    CarriedBuffer& slot = carried.buffers[tensors++];
    slot.next = whole(yield);
    // Another slot's argument is overwritten at the same moment: what it holds is moved out of the way first.
    for (const CarriedBuffer& other : carried.buffers)
      if (other.argument == slot.next && other.argument != slot.argument) {
        slot.next = copy(yield);
        break;
      }
  }
}

void Planner::bind_results(const Carried& carried, const ir::Op& op) {
  std::size_t scalars = 0, tensors = 0;
  for (ir::ValueId result : op.results) {
    if (type(result).is_scalar()) {
      define(result, carried.registers[scalars].result);
      place(carried.registers[scalars++].result);
    } else {
      define_dense(result, carried.buffers[tensors].result);
      place(carried.buffers[tensors++].result);
    }
  }
}

void Planner::for_loop(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  For step{scalar(op.operands[0]), scalar(op.operands[1]), scalar(op.operands[2]), {}, {}, {}, {}, add_site(id)};
  Carried carried = carry(std::span(op.operands).subspan(3), op);
  std::span<const ir::ValueId> arguments = function_.block(op.regions[0]).arguments;
  step.index = add_register(type(arguments[0]).element);
  define(arguments[0], step.index);
  bind(carried, arguments.subspan(1));
  step.body = region(op.regions[0], [&](std::span<const ir::ValueId> yields) { set_next(carried, yields); });
  step.registers = carried.registers;
  step.buffers = carried.buffers;
  push({std::move(step)});
  bind_results(carried, op);
}

void Planner::while_loop(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  While step;
  step.site = add_site(id);
  Carried carried = carry(op.operands, op);
  bind(carried, function_.block(op.regions[0]).arguments);
  step.condition = region(op.regions[0], [&](std::span<const ir::ValueId> yields) { step.holds = scalar(yields[0]); });
  bind(carried, function_.block(op.regions[1]).arguments);
  step.body = region(op.regions[1], [&](std::span<const ir::ValueId> yields) { set_next(carried, yields); });
  step.registers = carried.registers;
  step.buffers = carried.buffers;
  push({std::move(step)});
  bind_results(carried, op);
}

}  // namespace bpc::plan
