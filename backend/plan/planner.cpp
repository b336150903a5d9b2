#include "backend/plan/planner.h"

#include "backend/plan/loop_order.h"
#include "backend/plan/storage.h"
#include "support/internal_error.h"

namespace bpc::plan {

Planner::Planner(const ir::Function& function)
    : function_(function), uses_(summarize_uses(function)), definitions_(function.value_count()) {}

Plan Planner::run() {
  for (const ir::Parameter& parameter : function_.parameters) {
    const Type& type = this->type(parameter.value);
    if (type.is_scalar()) {
      RegisterId id = add_register(type.element, parameter.path);
      define(parameter.value, id);
      plan_.parameters.push_back({id, {}});
    } else {
      BufferId id = add_buffer(type, parameter.path);
      define_dense(parameter.value, id);
      plan_.parameters.push_back({{}, id});
    }
  }
  scope_ = {&plan_.body, ++scopes_, function_.body(), {}};
  for (ir::OpId id : function_.block(function_.body()).ops) op(id);
  outputs();
  assign_storage(plan_);
  order_loops(plan_);
  return std::move(plan_);
}

// Every tensor output needs a buffer of its own, which cannot be an argument or constant.
void Planner::outputs() {
  std::vector<BufferId> taken;
  for (const Parameter& parameter : plan_.parameters)
    if (parameter.tensor.valid()) taken.push_back(parameter.tensor);
  for (const ir::Output& output : function_.outputs) {
    if (type(output.value).is_scalar()) {
      plan_.outputs.push_back({scalar(output.value), {}});
      continue;
    }
    BufferId buffer = whole(output.value);
    bool constant = plan_.at(buffer).storage != UINT32_MAX;
    if (constant || std::find(taken.begin(), taken.end(), buffer) != taken.end()) buffer = copy(output.value);
    taken.push_back(buffer);
    plan_.outputs.push_back({{}, buffer});
  }
}

RegisterId Planner::add_register(Element element, std::string name) {
  plan_.registers.push_back({element, std::move(name)});
  register_places_.push_back({});
  return {static_cast<std::uint32_t>(plan_.registers.size() - 1)};
}

BufferId Planner::add_buffer(const Type& type, std::string name) {
  plan_.buffers.push_back({type.element, type.count(), std::move(name), UINT32_MAX});
  buffer_places_.push_back({});
  return {static_cast<std::uint32_t>(plan_.buffers.size() - 1)};
}

SiteId Planner::add_site(ir::OpId op) {
  plan_.sites.push_back(op);
  return static_cast<SiteId>(plan_.sites.size() - 1);
}

std::size_t Planner::push(Step step) {
  scope_.steps->push_back(std::move(step));
  return scope_.steps->size() - 1;
}

void Planner::place(RegisterId id) {
  register_places_[id.index] = {scope_.id, static_cast<std::int64_t>(scope_.steps->size()) - 1};
}
void Planner::place(BufferId id) {
  buffer_places_[id.index] = {scope_.id, static_cast<std::int64_t>(scope_.steps->size()) - 1};
}

std::int64_t Planner::ready(RegisterId id) const {
  const Place& place = register_places_[id.index];
  return place.scope == scope_.id ? place.position : -1;
}
std::int64_t Planner::ready(BufferId id) const {
  const Place& place = buffer_places_[id.index];
  return place.scope == scope_.id ? place.position : -1;
}

RegisterId Planner::host(Element element, decltype(Instruction::what) what, std::string name) {
  RegisterId id = add_register(element, std::move(name));
  push({Instruction{id, std::move(what)}});
  place(id);
  return id;
}

void Planner::define(ir::ValueId id, RegisterId scalar) {
  Definition& definition = definitions_[id.index];
  definition.kind = Definition::Kind::scalar;
  definition.scalar = scalar;
  std::string& name = plan_.registers[scalar.index].name;
  if (name.empty()) name = function_.value(id).name;
}

void Planner::define(ir::ValueId id, Access view) {
  definitions_[id.index].kind = Definition::Kind::view;
  definitions_[id.index].view = std::move(view);
}

void Planner::define_dense(ir::ValueId id, BufferId buffer) {
  define(id, Access{buffer, dense(sizes(id))});
}

BufferId Planner::copy(ir::ValueId id) {
  BufferId buffer = add_buffer(type(id), function_.value(id).name);
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

Shown Planner::shown(ir::ValueId id) {
  return type(id).is_scalar() ? Shown{scalar(id), {}} : Shown{{}, whole(id)};
}

Steps Planner::region(ir::BlockId block, const std::function<void(std::span<const ir::ValueId> yields)>& finish) {
  Steps steps;
  Scope outer = std::exchange(scope_, Scope{&steps, ++scopes_, block, {}});
  for (ir::OpId id : function_.block(block).ops) op(id);
  finish(function_.block(block).yields);
  scope_ = std::move(outer);
  return steps;
}

void Planner::op(ir::OpId id) {
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
    case ir::Group::source:
      return source(op);
    case ir::Group::random:
      return random(op);
    case ir::Group::control:
      return control(id);
    case ir::Group::effect:
      return effect(id);
    case ir::Group::derivative:
      throw InternalError("plan", "a grad op is left", function_.origin(op.origin).span);
  }
}

Plan make_plan(const ir::Function& function) {
  return Planner(function).run();
}

}  // namespace bpc::plan
