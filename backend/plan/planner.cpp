#include "backend/plan/planner.h"

#include "backend/plan/operands.h"
#include "backend/plan/overlapping_tapes.h"
#include "backend/plan/passes.h"
#include "backend/plan/unwrap.h"
#include "support/internal_error.h"

namespace bpc::plan {

Planner::Planner(const ir::Function& function)
    : function_(function),
      uses_(summarize_uses(function)),
      definitions_(function.value_count()),
      planned_(function.op_count()),
      overlapping_(overlapping_tapes(function)) {}

Plan Planner::run() {
  plan_.signature = backend::signature_of(function_);
  for (const ir::Parameter& parameter : function_.parameters) {
    const Type& type = this->type(parameter.value);
    if (type.is_scalar()) {
      RegisterId id = add_register(type.element, parameter.path);
      define(parameter.value, id);
      plan_.parameters.emplace_back(id);
    } else {
      BufferId id = add_buffer(type, parameter.path);
      define_dense(parameter.value, id);
      plan_.parameters.emplace_back(id);
    }
  }
  scope_ = {&plan_.body, function_.body()};
  for (ir::OpId id : function_.block(function_.body()).ops) op(id);
  outputs();
  plan_.largest = largest();
  return std::move(plan_);
}

// Every tensor output needs a buffer of its own, which cannot be an argument or constant. What is donated is overwritten once all outputs
// are made.
void Planner::outputs() {
  std::vector<BufferId> taken;
  for (const Datum& parameter : plan_.parameters)
    if (const auto* tensor = std::get_if<BufferId>(&parameter)) taken.push_back(*tensor);
  auto is_parameter = [&](RegisterId id) {
    return std::find(plan_.parameters.begin(), plan_.parameters.end(), Datum(id)) != plan_.parameters.end();
  };
  std::vector<Step> last;
  for (std::size_t i = 0; i < function_.outputs.size(); ++i) {
    const ir::ValueId value = function_.outputs[i].value;
    const std::optional<std::size_t> donor = plan_.signature.outputs[i].donor;
    plan_.outputs.emplace_back();
    if (type(value).is_scalar()) {
      RegisterId id = scalar(value);
      if (is_parameter(id)) id = host(type(value).element, Compute{scalar::Operator::cast, {id}});
      last.push_back({SetOutput{i, id}});
      continue;
    }
    BufferId buffer = whole(value);
    bool constant = plan_.at(buffer).storage.valid();
    if (constant || std::find(taken.begin(), taken.end(), buffer) != taken.end()) buffer = copy(value);
    taken.push_back(buffer);
    plan_.outputs.back() = buffer;
    if (!donor) continue;
    plan_.outputs.back() = add_buffer(type(value), plan_.at(std::get<BufferId>(plan_.parameters[*donor])).name);
    last.push_back({Donate{buffer, plan_.outputs.back()}});
  }
  for (Step& step : last) push(std::move(step));
}

RegisterId Planner::add_register(Element element, std::string name) {
  return plan_.add(Register{element, std::move(name)});
}

Tape Planner::add_tape(const std::string& name) {
  Tape tape{add_register(Element::i64, name), add_register(Element::i64, name)};
  for (RegisterId id : {tape.chunk, tape.top}) plan_.registers[id.index].is_address = true;
  return tape;
}

BufferId Planner::add_buffer(const Type& type, std::string name) {
  made_for_.push_back(current_);
  readers_.emplace_back();
  return plan_.add(Buffer{type.element, type.count(), std::move(name), {}});
}

SiteId Planner::add_site(ir::OpId op) {
  return plan_.add(backend::site_of(function_, function_.op(op)));
}

SiteId Planner::largest() {
  ir::OpId op;
  std::size_t most = 0;
  for (std::size_t i = 0; i < plan_.buffers.size(); ++i)
    if (std::size_t bytes = plan_.bytes({static_cast<std::uint32_t>(i)}); made_for_[i].valid() && bytes > most) {
      most = bytes;
      op = made_for_[i];
    }
  return op.valid() ? add_site(op) : SiteId{};
}

RegisterId Planner::host(Element element, decltype(Instruction::what) what, std::string name) {
  RegisterId id = add_register(element, std::move(name));
  push({Instruction{id, std::move(what)}});
  return id;
}

void Planner::define(ir::ValueId id, RegisterId scalar) {
  Definition& definition = definitions_[id.index];
  definition.kind = Definition::Kind::scalar;
  definition.scalar = scalar;
  std::string& name = plan_.registers[scalar.index].name;
  if (name.empty()) name = function_.value(id).name;
}

void Planner::define(ir::ValueId id, Tape tape) {
  definitions_[id.index].kind = Definition::Kind::tape;
  definitions_[id.index].tape = tape;
}

void Planner::define(ir::ValueId id, Access view) {
  readers_[view.buffer.index].push_back(id);
  definitions_[id.index].kind = Definition::Kind::view;
  definitions_[id.index].view = std::move(view);
}

void Planner::define_dense(ir::ValueId id, BufferId buffer) {
  define(id, Access{buffer, dense(sizes(id))});
}

BufferId Planner::copy(ir::ValueId id) {
  BufferId buffer = add_buffer(type(id), function_.value(id).name);
  made_for_[buffer.index] = function_.value(id).op;
  store(id, buffer);
  return buffer;
}

Access Planner::view(ir::ValueId id) {
  Definition& held = definitions_[id.index];
  if (held.kind == Definition::Kind::view) return held.view;
  bool here = function_.value(id).block == scope_.block;
  BufferId buffer = copy(id);
  // What costs nothing to compute stays lazy for its other uses; a copy made in a region is not seen outside of it.
  if (here && definitions_[id.index].cost > 0) define_dense(id, buffer);
  return {buffer, dense(sizes(id))};
}

BufferId Planner::whole(ir::ValueId id) {
  Access access = view(id);
  bool is_whole = is_dense(access.at, sizes(id)) && plan_.at(access.buffer).count == type(id).count();
  return is_whole ? access.buffer : copy(id);
}

Datum Planner::datum(ir::ValueId id) {
  return type(id).is_scalar() ? Datum(scalar(id)) : Datum(whole(id));
}

// Whether what stands in the block may run after what is being planned: not if it is on the other side of an `if`.
bool Planner::comes_later(ir::BlockId block) const {
  ir::OpId around;
  while (!ir::is_enclosed(function_, scope_.block, block)) {
    around = function_.block(block).parent;
    block = function_.op(around).block;
  }
  return !around.valid() || !planned_[around.index];
}

bool Planner::is_needed(ir::ValueId id) const {
  const Use& use = uses_[id.index];
  auto is_lazy = [&](ir::ValueId result) { return definitions_[result.index].kind == Definition::Kind::lazy && is_needed(result); };
  return std::any_of(use.yields.begin(), use.yields.end(), [&](ir::BlockId block) { return comes_later(block); }) ||
         std::any_of(use.users.begin(), use.users.end(), [&](ir::OpId user) {
           const ir::Op& op = function_.op(user);
           return planned_[user.index] ? std::any_of(op.results.begin(), op.results.end(), is_lazy) : comes_later(op.block);
         });
}

Steps Planner::region(ir::BlockId block, const std::function<void(std::span<const ir::ValueId> yields)>& finish,
                      const std::function<void()>& start) {
  Steps steps;
  const Scope outer = std::exchange(scope_, Scope{&steps, block});
  start();
  for (ir::OpId id : function_.block(block).ops) op(id);
  finish(function_.block(block).yields);
  scope_ = outer;
  return steps;
}

void Planner::op(ir::OpId id) {
  planned_[id.index] = true;
  const ir::OpId around = std::exchange(current_, id);
  steps_of(id);
  current_ = around;
}

void Planner::steps_of(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  switch (ir::op_info(op.code).group) {
    case ir::Group::elementwise:
      return elementwise(id);
    case ir::Group::reduction:
      return reduction(id);
    case ir::Group::contraction:
      return einsum(op);
    case ir::Group::movement:
      return movement(id);
    case ir::Group::library:
      return library(id);
    case ir::Group::source:
      return source(op);
    case ir::Group::random:
      return random(op);
    case ir::Group::control:
      return control(id);
    case ir::Group::effect:
      return effect(id);
    case ir::Group::tape:
      return tape(id);
    case ir::Group::derivative:
      throw InternalError("plan", "a derivative is left", function_.origin(op.origin).span);
  }
}

Plan lower(const ir::Function& function) {
  if (std::optional<ir::Function> unwrapped = unwrap(function)) return Planner(*unwrapped).run();
  return Planner(function).run();
}

}  // namespace bpc::plan
