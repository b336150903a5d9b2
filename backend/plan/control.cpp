// Regions: if, for, while. Scalars are carried in registers, tensors in one buffer each.
#include "backend/plan/planner.h"
#include "support/internal_error.h"

namespace bpc::plan {

void Planner::control(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (op.code == ir::Opcode::if_else) return if_else(op);
  if (op.code == ir::Opcode::for_loop) return for_loop(id);
  if (op.code == ir::Opcode::while_loop) return while_loop(id);
  throw InternalError("plan", "a " + std::string(ir::op_info(op.code).name) + " is left", function_.origin(op.origin).span);
}

std::vector<RegisterId> Planner::registers(ir::ValueId id) const {
  const Definition& held = definitions_[id.index];
  if (type(id).is_scalar()) return {held.scalar};
  if (type(id).tape) return {held.tape.chunk, held.tape.top};
  return {};
}

std::vector<RegisterId> Planner::add_registers(const Type& type, const std::string& name) {
  if (type.is_scalar()) return {add_register(type.element, name)};
  const Tape tape = add_tape(name);
  return {tape.chunk, tape.top};
}

void Planner::define(ir::ValueId id, std::span<const RegisterId> registers) {
  if (type(id).is_scalar()) return define(id, registers[0]);
  define(id, Tape{registers[0], registers[1]});
}

void Planner::if_else(const ir::Op& op) {
  If step{scalar(op.operands[0]), {}, {}, {}, {}};
  std::vector<RegisterId> registers[2];
  std::vector<BufferId> buffers[2];
  for (std::size_t side = 0; side < 2; ++side) {
    Steps steps = region(op.regions[side], [&](std::span<const ir::ValueId> yields) {
      for (ir::ValueId yield : yields) {
        if (is_tensor(yield)) buffers[side].push_back(whole(yield));
        for (RegisterId id : this->registers(yield)) registers[side].push_back(id);
      }
    });
    (side == 0 ? step.then : step.otherwise) = std::move(steps);
  }
  for (ir::ValueId result : op.results) {
    const std::string& name = function_.value(result).name;
    if (is_tensor(result)) {
      BufferId id = add_buffer(type(result), name);
      std::size_t slot = step.buffers.size();
      step.buffers.push_back({buffers[0][slot], buffers[1][slot], id});
      define_dense(result, id);
      continue;
    }
    std::vector<RegisterId> joined = add_registers(type(result), name);
    for (RegisterId id : joined) {
      std::size_t slot = step.registers.size();
      step.registers.push_back({registers[0][slot], registers[1][slot], id});
    }
    define(result, joined);
  }
  push({std::move(step)});
}

Planner::Carried Planner::carry(std::span<const ir::ValueId> inits, const ir::Op& op) {
  Carried carried;
  for (std::size_t i = 0; i < inits.size(); ++i) {
    const Type& type = this->type(inits[i]);
    const std::string& name = function_.value(op.results[i]).name;
    if (is_tensor(inits[i])) {
      BufferId init = whole(inits[i]);
      BufferId argument = add_buffer(type, name);
      carried.buffers.push_back({init, argument, {}, add_buffer(type, name)});
      continue;
    }
    std::vector<RegisterId> init = registers(inits[i]), argument = add_registers(type, name), result = add_registers(type, name);
    for (std::size_t k = 0; k < init.size(); ++k) carried.registers.push_back({init[k], argument[k], {}, result[k]});
  }
  return carried;
}

// Defines values, in step with what is carried, as the arguments or the results.
void Planner::bind(const Carried& carried, std::span<const ir::ValueId> values, RegisterId CarriedRegister::* which,
                   BufferId CarriedBuffer::* which_buffer) {
  std::size_t next_register = 0, next_buffer = 0;
  for (ir::ValueId value : values) {
    if (is_tensor(value)) {
      define_dense(value, carried.buffers[next_buffer++].*which_buffer);
      continue;
    }
    std::vector<RegisterId> own;
    for (std::size_t k = type(value).tape ? 2 : 1; k > 0; --k) own.push_back(carried.registers[next_register++].*which);
    define(value, own);
  }
}

void Planner::bind_arguments(const Carried& carried, std::span<const ir::ValueId> arguments) {
  bind(carried, arguments, &CarriedRegister::argument, &CarriedBuffer::argument);
}

void Planner::bind_results(const Carried& carried, const ir::Op& op) {
  bind(carried, op.results, &CarriedRegister::result, &CarriedBuffer::result);
}

void Planner::set_next(Carried& carried, std::span<const ir::ValueId> yields) {
  std::size_t next_register = 0, next_buffer = 0;
  for (ir::ValueId yield : yields) {
    for (RegisterId id : registers(yield)) carried.registers[next_register++].next = id;
    if (!is_tensor(yield)) continue;
    CarriedBuffer& slot = carried.buffers[next_buffer++];
    slot.next = whole(yield);
    // Another slot's argument is overwritten at the same moment: what it holds is moved out of the way first.
    for (const CarriedBuffer& other : carried.buffers)
      if (other.argument == slot.next && other.argument != slot.argument) {
        slot.next = copy(yield);
        break;
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
  bind_arguments(carried, arguments.subspan(1));
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
  bind_arguments(carried, function_.block(op.regions[0]).arguments);
  step.condition =
      region(op.regions[0], [&](std::span<const ir::ValueId> yields) { step.holds = scalar(yields[0]); }, [&] { copy_tapes(id); });
  bind_arguments(carried, function_.block(op.regions[1]).arguments);
  step.body = region(op.regions[1], [&](std::span<const ir::ValueId> yields) { set_next(carried, yields); });
  step.registers = carried.registers;
  step.buffers = carried.buffers;
  push({std::move(step)});
  bind_results(carried, op);
}

}  // namespace bpc::plan
