// The walk from IR to steps, the first pass (passes.h): ops in their order, region by region.
#include <algorithm>
#include <functional>

#include "backend/plan/lower/groups.h"
#include "backend/plan/lower/overlapping_tapes.h"
#include "backend/plan/lower/unwrap.h"
#include "backend/plan/passes.h"
#include "support/internal_error.h"

namespace bpc::plan {

namespace {

// Of a scalar or tape; none for a tensor.
std::vector<RegisterId> registers_of(const Values& values, ir::ValueId id) {
  const Definition& held = values.definition(id);
  if (values.type(id).is_scalar()) return {held.scalar};
  if (values.type(id).tape) return {held.tape.chunk, held.tape.top};
  return {};
}

std::vector<RegisterId> add_registers(Values& values, const Type& type, const std::string& name) {
  if (type.is_scalar()) return {values.add_register(type.element, name)};
  const Tape tape = values.add_tape(name);
  return {tape.chunk, tape.top};
}

void define_registers(Values& values, ir::ValueId id, std::span<const RegisterId> registers) {
  if (values.type(id).is_scalar()) return values.define(id, registers[0]);
  values.define(id, Tape{registers[0], registers[1]});
}

// What a loop carries: scalars and tapes in registers, tensors in one buffer each.
class Carried {
 public:
  Carried(Values& values, std::span<const ir::ValueId> inits, const ir::Op& op) : values_(values) {
    for (std::size_t i = 0; i < inits.size(); ++i) {
      const Type& type = values.type(inits[i]);
      const std::string& name = values.name(op.results[i]);
      if (values.is_tensor(inits[i])) {
        BufferId init = values.whole(inits[i]);
        BufferId argument = values.add_buffer(type, name);
        buffers_.push_back({init, argument, {}, values.add_buffer(type, name)});
        continue;
      }
      std::vector<RegisterId> init = registers_of(values, inits[i]), argument = add_registers(values, type, name),
                              result = add_registers(values, type, name);
      for (std::size_t k = 0; k < init.size(); ++k) registers_.push_back({init[k], argument[k], {}, result[k]});
    }
  }

  void define_arguments(std::span<const ir::ValueId> arguments) const {
    define(arguments, &CarriedRegister::argument, &CarriedBuffer::argument);
  }
  void define_results(std::span<const ir::ValueId> results) const { define(results, &CarriedRegister::result, &CarriedBuffer::result); }

  void set_next(std::span<const ir::ValueId> yields) {
    std::size_t next_register = 0, next_buffer = 0;
    for (ir::ValueId yield : yields) {
      for (RegisterId id : registers_of(values_, yield)) registers_[next_register++].next = id;
      if (!values_.is_tensor(yield)) continue;
      CarriedBuffer& slot = buffers_[next_buffer++];
      slot.next = values_.whole(yield);
      // Another slot's argument is overwritten at the same moment: what it holds is moved out of the way first.
      for (const CarriedBuffer& other : buffers_)
        if (other.argument == slot.next && other.argument != slot.argument) {
          slot.next = values_.copy(yield);
          break;
        }
    }
  }

  void finish(auto& loop) && {
    loop.registers = std::move(registers_);
    loop.buffers = std::move(buffers_);
  }

 private:
  // Defines values, in step with what is carried, as the arguments or the results.
  void define(std::span<const ir::ValueId> values, RegisterId CarriedRegister::* which, BufferId CarriedBuffer::* which_buffer) const {
    std::size_t next_register = 0, next_buffer = 0;
    for (ir::ValueId value : values) {
      if (values_.is_tensor(value)) {
        values_.define_dense(value, buffers_[next_buffer++].*which_buffer);
        continue;
      }
      std::vector<RegisterId> own;
      for (std::size_t k = values_.type(value).tape ? 2 : 1; k > 0; --k) own.push_back(registers_[next_register++].*which);
      define_registers(values_, value, own);
    }
  }

  Values& values_;
  std::vector<CarriedRegister> registers_;
  std::vector<CarriedBuffer> buffers_;
};

class Lowering {
 public:
  explicit Lowering(const ir::Function& function) : function_(function), values_(function), overlapping_(overlapping_tapes(function)) {}

  Plan run() {
    values_.plan.signature = backend::signature_of(function_);
    parameters();
    for (ir::OpId id : function_.block(function_.body()).ops) op(id);
    outputs();
    values_.plan.largest = values_.add_largest();
    return std::move(values_.plan);
  }

 private:
  void parameters() {
    for (const ir::Parameter& parameter : function_.parameters) {
      const Type& type = values_.type(parameter.value);
      if (type.is_scalar()) {
        RegisterId id = values_.add_register(type.element, parameter.path);
        values_.define(parameter.value, id);
        values_.plan.parameters.emplace_back(id);
      } else {
        BufferId id = values_.add_buffer(type, parameter.path);
        values_.define_dense(parameter.value, id);
        values_.plan.parameters.emplace_back(id);
      }
    }
  }

  // Every tensor output needs a buffer of its own, which cannot be an argument or constant. What is donated is overwritten once all outputs
  // are made.
  void outputs() {
    Plan& plan = values_.plan;
    std::vector<BufferId> taken;
    for (const Datum& parameter : plan.parameters)
      if (const auto* tensor = std::get_if<BufferId>(&parameter)) taken.push_back(*tensor);
    auto is_parameter = [&](RegisterId id) {
      return std::find(plan.parameters.begin(), plan.parameters.end(), Datum(id)) != plan.parameters.end();
    };
    std::vector<Step> last;
    for (std::size_t i = 0; i < function_.outputs.size(); ++i) {
      const ir::ValueId value = function_.outputs[i].value;
      const std::optional<std::size_t> donor = plan.signature.outputs[i].donor;
      plan.outputs.emplace_back();
      if (values_.type(value).is_scalar()) {
        RegisterId id = values_.scalar(value);
        if (is_parameter(id)) id = values_.host(values_.type(value).element, Compute{scalar::Operator::cast, {id}});
        last.push_back({SetOutput{i, id}});
        continue;
      }
      BufferId buffer = values_.whole(value);
      bool constant = plan.at(buffer).storage.valid();
      if (constant || std::find(taken.begin(), taken.end(), buffer) != taken.end()) buffer = values_.copy(value);
      taken.push_back(buffer);
      plan.outputs.back() = buffer;
      if (!donor) continue;
      plan.outputs.back() = values_.add_buffer(values_.type(value), plan.at(std::get<BufferId>(plan.parameters[*donor])).name);
      last.push_back({Donate{buffer, plan.outputs.back()}});
    }
    for (Step& step : last) values_.push(std::move(step));
  }

  // The steps of a region; `finish` adds what belongs to its end, given its yields.
  Steps region(
      ir::BlockId block, const std::function<void(std::span<const ir::ValueId> yields)>& finish,
      const std::function<void()>& start = [] {}) {
    Steps steps;
    const Values::Inside inside(values_, steps, block);
    start();
    for (ir::OpId id : function_.block(block).ops) op(id);
    finish(function_.block(block).yields);
    return steps;
  }

  void op(ir::OpId id) {
    const Values::Planning planning(values_, id);
    const ir::Op& op = function_.op(id);
    switch (ir::op_info(op.code).group) {
      case ir::Group::elementwise:
        return lower_elementwise(values_, id);
      case ir::Group::reduction:
        return lower_reduction(values_, id);
      case ir::Group::contraction:
        return lower_contraction(values_, id);
      case ir::Group::movement:
        return lower_movement(values_, id);
      case ir::Group::library:
        return lower_library(values_, id);
      case ir::Group::source:
        return lower_source(values_, id);
      case ir::Group::random:
        return lower_random(values_, id);
      case ir::Group::control:
        return control(id);
      case ir::Group::effect:
        return lower_effect(values_, id);
      case ir::Group::tape:
        return lower_tape(values_, id, overlapping_[id.index]);
      case ir::Group::derivative:
        throw InternalError("plan", "a derivative is left", function_.origin(op.origin).span);
    }
  }

  void control(ir::OpId id) {
    const ir::Op& op = function_.op(id);
    if (op.code == ir::Opcode::if_else) return if_else(op);
    if (op.code == ir::Opcode::for_loop) return for_loop(id);
    if (op.code == ir::Opcode::while_loop) return while_loop(id);
    throw InternalError("plan", "a " + std::string(ir::op_info(op.code).name) + " is left", function_.origin(op.origin).span);
  }

  void if_else(const ir::Op& op) {
    If step{values_.scalar(op.operands[0]), {}, {}, {}, {}};
    std::vector<RegisterId> registers[2];
    std::vector<BufferId> buffers[2];
    for (std::size_t side = 0; side < 2; ++side) {
      Steps steps = region(op.regions[side], [&](std::span<const ir::ValueId> yields) {
        for (ir::ValueId yield : yields) {
          if (values_.is_tensor(yield)) buffers[side].push_back(values_.whole(yield));
          for (RegisterId id : registers_of(values_, yield)) registers[side].push_back(id);
        }
      });
      (side == 0 ? step.then : step.otherwise) = std::move(steps);
    }
    for (ir::ValueId result : op.results) {
      const std::string& name = values_.name(result);
      if (values_.is_tensor(result)) {
        BufferId id = values_.add_buffer(values_.type(result), name);
        std::size_t slot = step.buffers.size();
        step.buffers.push_back({buffers[0][slot], buffers[1][slot], id});
        values_.define_dense(result, id);
        continue;
      }
      std::vector<RegisterId> joined = add_registers(values_, values_.type(result), name);
      for (RegisterId id : joined) {
        std::size_t slot = step.registers.size();
        step.registers.push_back({registers[0][slot], registers[1][slot], id});
      }
      define_registers(values_, result, joined);
    }
    values_.push({std::move(step)});
  }

  void for_loop(ir::OpId id) {
    const ir::Op& op = function_.op(id);
    For step{values_.scalar(op.operands[0]),
             values_.scalar(op.operands[1]),
             values_.scalar(op.operands[2]),
             {},
             {},
             {},
             {},
             values_.add_site(id)};
    Carried carried(values_, std::span(op.operands).subspan(3), op);
    std::span<const ir::ValueId> arguments = function_.block(op.regions[0]).arguments;
    step.index = values_.add_register(values_.type(arguments[0]).element);
    values_.define(arguments[0], step.index);
    carried.define_arguments(arguments.subspan(1));
    step.body = region(op.regions[0], [&](std::span<const ir::ValueId> yields) { carried.set_next(yields); });
    carried.define_results(op.results);
    std::move(carried).finish(step);
    values_.push({std::move(step)});
  }

  void while_loop(ir::OpId id) {
    const ir::Op& op = function_.op(id);
    While step;
    step.site = values_.add_site(id);
    Carried carried(values_, op.operands, op);
    carried.define_arguments(function_.block(op.regions[0]).arguments);
    step.condition = region(
        op.regions[0], [&](std::span<const ir::ValueId> yields) { step.holds = values_.scalar(yields[0]); },
        [&] { copy_tapes(values_, id); });
    carried.define_arguments(function_.block(op.regions[1]).arguments);
    step.body = region(op.regions[1], [&](std::span<const ir::ValueId> yields) { carried.set_next(yields); });
    carried.define_results(op.results);
    std::move(carried).finish(step);
    values_.push({std::move(step)});
  }

  const ir::Function& function_;
  Values values_;
  const std::vector<bool> overlapping_;  // by op: tapes that need a new root each time
};

}  // namespace

Plan lower(const ir::Function& function) {
  if (std::optional<ir::Function> unwrapped = unwrap(function)) return Lowering(*unwrapped).run();
  return Lowering(function).run();
}

}  // namespace bpc::plan
