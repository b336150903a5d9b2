#include "backend/plan/lower/values.h"

#include <algorithm>

#include "backend/plan/cost.h"
#include "backend/plan/lower/elements.h"

namespace bpc::plan {

namespace {

// An expression larger than this is stored, so that fused bodies, and the recursion that writes them, stay bounded.
constexpr std::uint32_t kMostFused = 64;
// Recomputing up to this many arithmetic operations is cheaper than a trip through memory.
constexpr std::uint32_t kCheapEnough = 3;

}  // namespace

Values::Values(const ir::Function& of)
    : function(of),
      uses_(summarize_uses(of)),
      definitions_(of.value_count()),
      planned_(of.op_count()),
      steps_(&plan.body),
      block_(of.body()) {}

Values::Inside::Inside(Values& values, Steps& steps, ir::BlockId block)
    : values_(values), steps_(std::exchange(values.steps_, &steps)), block_(std::exchange(values.block_, block)) {}

Values::Inside::~Inside() {
  values_.steps_ = steps_;
  values_.block_ = block_;
}

Values::Planning::Planning(Values& values, ir::OpId op) : values_(values), around_(std::exchange(values.op_, op)) {
  values.planned_[op.index] = true;
}

Values::Planning::~Planning() {
  values_.op_ = around_;
}

RegisterId Values::add_register(Element element, std::string name) {
  const RegisterId id = plan.add(Register{element, std::move(name)});
  if (op_.valid()) set_place(id, function.op(op_));
  return id;
}

void Values::push(Step step) {
  if (op_.valid()) step.place = place_of(function.op(op_));
  steps_->push_back(std::move(step));
}

PlaceId Values::place_of(const ir::Op& op) {
  const auto [found, is_new] = places_.try_emplace(op.origin, PlaceId{static_cast<std::uint32_t>(plan.places.size())});
  if (is_new) {
    const ir::Origin& origin = function.origin(op.origin);
    std::vector<Span>& place = plan.places.emplace_back(1, origin.span);
    place.insert(place.end(), origin.calls.begin(), origin.calls.end());
  }
  return found->second;
}

Tape Values::add_tape(const std::string& name) {
  Tape tape{add_register(Element::i64, name), add_register(Element::i64, name)};
  for (RegisterId id : {tape.chunk, tape.top}) plan.registers[id.index].is_address = true;
  return tape;
}

BufferId Values::add_buffer(const Type& type, std::string name) {
  made_for_.push_back(op_);
  readers_.emplace_back();
  return plan.add(Buffer{type.element, type.count(), std::move(name), {}});
}

SiteId Values::add_site(ir::OpId op) {
  return plan.add(backend::site_of(function, function.op(op)));
}

SiteId Values::add_largest() {
  ir::OpId op;
  std::size_t most = 0;
  for (std::size_t i = 0; i < plan.buffers.size(); ++i)
    if (std::size_t bytes = plan.bytes({static_cast<std::uint32_t>(i)}); made_for_[i].valid() && bytes > most) {
      most = bytes;
      op = made_for_[i];
    }
  return op.valid() ? add_site(op) : SiteId{};
}

RegisterId Values::host(Element element, decltype(Instruction::what) what, std::string name) {
  RegisterId id = add_register(element, std::move(name));
  push({Instruction{id, std::move(what)}});
  return id;
}

void Values::define(ir::ValueId id, RegisterId scalar) {
  Definition& definition = definitions_[id.index];
  definition.kind = Definition::Kind::scalar;
  definition.scalar = scalar;
  std::string& own = plan.registers[scalar.index].name;
  if (own.empty()) own = name(id);
}

void Values::define(ir::ValueId id, Tape tape) {
  definitions_[id.index].kind = Definition::Kind::tape;
  definitions_[id.index].tape = tape;
}

void Values::define(ir::ValueId id, Access view) {
  readers_[view.buffer.index].push_back(id);
  definitions_[id.index].kind = Definition::Kind::view;
  definitions_[id.index].view = std::move(view);
}

void Values::define_dense(ir::ValueId id, BufferId buffer) {
  define(id, Access{buffer, dense(sizes(id))});
}

BufferId Values::copy(ir::ValueId id) {
  BufferId buffer = add_buffer(type(id), name(id));
  made_for_[buffer.index] = function.value(id).op;
  push({store_kernel(*this, id, sizes(id), {buffer, dense(sizes(id))})});
  return buffer;
}

Access Values::view(ir::ValueId id) {
  Definition& held = definitions_[id.index];
  if (held.kind == Definition::Kind::view) return held.view;
  bool here = function.value(id).block == block_;
  BufferId buffer = copy(id);
  // What costs nothing to compute stays lazy for its other uses; a copy made in a region is not seen outside of it.
  if (here && definitions_[id.index].cost > 0) define_dense(id, buffer);
  return {buffer, dense(sizes(id))};
}

BufferId Values::whole(ir::ValueId id) {
  Access access = view(id);
  bool is_whole = is_dense(access.at, sizes(id)) && plan.at(access.buffer).count == type(id).count();
  return is_whole ? access.buffer : copy(id);
}

Datum Values::datum(ir::ValueId id) {
  return type(id).is_scalar() ? Datum(scalar(id)) : Datum(whole(id));
}

// Whether what stands in the block may run after what is being planned: not if it is on the other side of an `if`.
bool Values::comes_later(ir::BlockId block) const {
  ir::OpId around;
  while (!ir::is_enclosed(function, block_, block)) {
    around = function.block(block).parent;
    block = function.op(around).block;
  }
  return !around.valid() || !planned_[around.index];
}

bool Values::is_needed(ir::ValueId id) const {
  const UseSummary& use = uses_[id.index];
  auto is_lazy = [&](ir::ValueId result) { return definitions_[result.index].kind == Definition::Kind::lazy && is_needed(result); };
  return std::any_of(use.yields.begin(), use.yields.end(), [&](ir::BlockId block) { return comes_later(block); }) ||
         std::any_of(use.users.begin(), use.users.end(), [&](ir::OpId user) {
           const ir::Op& op = function.op(user);
           return planned_[user.index] ? std::any_of(op.results.begin(), op.results.end(), is_lazy) : comes_later(op.block);
         });
}

const ir::Op* Values::only_user(ir::ValueId id) const {
  const UseSummary& use = uses_[id.index];
  return use.count == 1 && use.users.size() == 1 && !use.inner ? &function.op(use.users[0]) : nullptr;
}

void Values::leave(const ir::Op& op) {
  ir::ValueId id = op.results[0];
  definition(id).kind = Definition::Kind::lazy;
  for (ir::ValueId operand : op.operands)
    if (definition(operand).kind == Definition::Kind::view) readers_[definition(operand).view.buffer.index].push_back(id);
}

void Values::lazy_or_stored(const ir::Op& op, std::vector<RegisterId> starts) {
  ir::ValueId id = op.results[0];
  Definition& held = definition(id);
  held.kind = Definition::Kind::lazy;
  held.starts = std::move(starts);
  held.cost = element_cost(op);
  held.size = 1;
  for (ir::ValueId operand : op.operands) {
    held.cost = std::min(held.cost + definition(operand).cost, 1u << 20);
    held.size += definition(operand).size;
    if (type(operand).count() == type(id).count())
      held.loads += definition(operand).kind == Definition::Kind::lazy ? definition(operand).loads : 1;
    if (definition(operand).kind == Definition::Kind::view) readers_[definition(operand).view.buffer.index].push_back(id);
  }
  const UseSummary& use = uses_[id.index];
  bool used_once = use.count <= 1 && !use.stretched;
  bool fails = ir::may_fail(function, op) && ir::op_info(op.code).group == ir::Group::elementwise;
  bool free = held.cost == 0;
  // Elements that are found all over memory are better found once than in each operand.
  bool scattered = use.gathered > type(id).count() && held.loads > 1;
  bool cheap = held.cost <= kCheapEnough && !scattered;
  bool stored = fails || held.size > kMostFused || (!free && (use.whole || use.inner || !(used_once || cheap)));
  if (stored) define_dense(id, copy(id));
  if (stored) held.cost = held.size = held.loads = 0;
}

// Parts of x that are needed after x is written are copied, which is less than a copy of all of x.
void Values::release(ir::ValueId x, BufferId base) {
  if (is_needed(x)) return;
  std::vector<ir::ValueId> parts;
  std::int64_t count = 0;
  for (ir::ValueId reader : readers_[base.index]) {
    if (reader == x || !is_needed(reader)) continue;
    const Definition& held = definition(reader);
    if (held.kind == Definition::Kind::view && held.view.buffer != base) continue;  // copied before
    if (function.value(reader).block != block_) return;                             // a copy made here would not be seen there
    count += type(reader).count();
    parts.push_back(reader);
  }
  if (count >= type(x).count()) return;
  for (ir::ValueId part : parts) define_dense(part, copy(part));
}

}  // namespace bpc::plan
