// All that a step names, in one place: whoever asks what steps read and write asks here.
#pragma once

#include <concepts>
#include <type_traits>

#include "backend/plan/plan.h"

namespace bpc::plan {

// What an operand is to its step.
enum class Role : std::uint8_t { read, write };

template <class T, class... Whats>
concept OneOf = (std::same_as<std::remove_const_t<T>, Whats> || ...);

// Calls visit(role, operand) on each operand of a step (const or not): a RegisterId, a BufferId of which every element matters, an Access,
// or an Affine form by itself. What is read comes before what is written, in each kernel. Of a step with regions: what enters it and leaves
// it, not what stands inside or what the regions are given (see for_each_region). Of a kernel: its own registers as well.
template <OneOf<Instruction> T>
void operands(T& instruction, const auto& visit) {
  if (auto* load = std::get_if<Load>(&instruction.what)) visit(Role::read, load->from);
  if (auto* position = std::get_if<Position>(&instruction.what)) visit(Role::read, position->at);
  if (auto* index = std::get_if<Index>(&instruction.what)) visit(Role::read, index->from);
  if (auto* compute = std::get_if<Compute>(&instruction.what))
    for (auto& operand : compute->operands) visit(Role::read, operand);
  visit(Role::write, instruction.result);
}

template <OneOf<Kernel> T>
void operands(T& kernel, const auto& visit) {
  for (auto& instruction : kernel.body) operands(instruction, visit);
  for (auto& store : kernel.stores) visit(Role::read, store.value);
  for (auto& store : kernel.stores)
    if (store.base.valid()) visit(Role::read, store.base);
  for (auto& fold : kernel.reductions) visit(Role::read, fold.value);
  for (auto& fold : kernel.reductions)
    if (!fold.position.strides.empty()) visit(Role::read, fold.position);
  for (auto& store : kernel.stores) visit(Role::write, store.to);
  if (kernel.left.valid()) visit(Role::write, kernel.left);
  for (auto& fold : kernel.reductions) std::visit([&](auto& to) { visit(Role::write, to); }, fold.to);
}

template <OneOf<Rows> T>
void operands(T& rows, const auto& visit) {
  visit(Role::write, rows.start);
  if (rows.part.valid()) visit(Role::write, rows.part);
  for (auto& kernel : rows.kernels) operands(kernel, visit);
}

template <OneOf<Contraction> T>
void operands(T& contraction, const auto& visit) {
  visit(Role::read, contraction.a);
  visit(Role::read, contraction.b);
  if (contraction.base.valid()) visit(Role::read, contraction.base);
  for (auto* scratch : {&contraction.packed_a, &contraction.packed_b, &contraction.totals, &contraction.offsets})
    if (scratch->valid()) visit(Role::write, *scratch);
  visit(Role::write, contraction.c);
}

template <OneOf<If> T>
void operands(T& branch, const auto& visit) {
  visit(Role::read, branch.condition);
  auto joins = [&](auto& joined) {
    for (auto& each : joined) visit(Role::read, each.then);
    for (auto& each : joined) visit(Role::read, each.otherwise);
    for (auto& each : joined) visit(Role::write, each.result);
  };
  joins(branch.registers);
  joins(branch.buffers);
}

void carried_operands(auto& slots, const auto& visit) {
  for (auto& slot : slots) visit(Role::read, slot.init);
  for (auto& slot : slots) visit(Role::read, slot.next);
  for (auto& slot : slots) visit(Role::write, slot.result);
}

template <OneOf<For> T>
void operands(T& loop, const auto& visit) {
  for (auto* bound : {&loop.lo, &loop.hi, &loop.by}) visit(Role::read, *bound);
  carried_operands(loop.registers, visit);
  carried_operands(loop.buffers, visit);
}

template <OneOf<While> T>
void operands(T& loop, const auto& visit) {
  visit(Role::read, loop.holds);
  carried_operands(loop.registers, visit);
  carried_operands(loop.buffers, visit);
}

void operand(Role role, OneOf<Datum> auto& datum, const auto& visit) {
  std::visit([&](auto& id) { visit(role, id); }, datum);
}
void operand(Role role, OneOf<Tape> auto& tape, const auto& visit) {
  visit(role, tape.chunk);
  visit(role, tape.top);
}

template <OneOf<Print> T>
void operands(T& print, const auto& visit) {
  for (auto& item : print.items) operand(Role::read, item, visit);
}
template <OneOf<Assert> T>
void operands(T& check, const auto& visit) {
  visit(Role::read, check.condition);
  for (auto& item : check.shown) operand(Role::read, item, visit);
}
template <OneOf<CheckIndex> T>
void operands(T& check, const auto& visit) {
  visit(Role::read, check.index);
  visit(Role::write, check.result);
}
template <OneOf<CheckIndices> T>
void operands(T& check, const auto& visit) {
  visit(Role::read, check.indices);
}
template <OneOf<Library> T>
void operands(T& call, const auto& visit) {
  for (auto& input : call.inputs) visit(Role::read, input);
  visit(Role::write, call.work);
  visit(Role::write, call.output);
}
template <OneOf<Random> T>
void operands(T& random, const auto& visit) {
  if (random.turns) operand(Role::read, *random.turns, visit);
  visit(Role::write, random.to);
}
template <OneOf<SetOutput> T>
void operands(T& output, const auto& visit) {
  visit(Role::read, output.value);
}
template <OneOf<Donate> T>
void operands(T& donate, const auto& visit) {
  visit(Role::read, donate.from);
  visit(Role::write, donate.to);
}
template <OneOf<NewTape> T>
void operands(T& made, const auto& visit) {
  operand(Role::write, made.to, visit);
}
template <OneOf<CopyTape> T>
void operands(T& copy, const auto& visit) {
  operand(Role::read, copy.from, visit);
  operand(Role::write, copy.to, visit);
}
template <OneOf<Push> T>
void operands(T& push, const auto& visit) {
  operand(Role::read, push.from, visit);
  operand(Role::read, push.value, visit);
  operand(Role::write, push.to, visit);
}
template <OneOf<Pop> T>
void operands(T& pop, const auto& visit) {
  operand(Role::read, pop.from, visit);
  operand(Role::write, pop.value, visit);
  operand(Role::write, pop.to, visit);
}

template <OneOf<Step> T>
void operands(T& step, const auto& visit) {
  std::visit([&](auto& what) { operands(what, visit); }, step.what);
}

// ---- the same, seen as one kind of operand ----

// f(role, register), those that forms name included.
void for_each_register(const auto& step, const auto& f) {
  auto form = [&](const Affine& at) {
    for (const auto& [reg, factor] : at.terms) f(Role::read, reg);
  };
  operands(step, [&]<class Operand>(Role role, const Operand& operand) {
    if constexpr (std::is_same_v<Operand, RegisterId>) f(role, operand);
    if constexpr (std::is_same_v<Operand, Affine>) form(operand);
    if constexpr (std::is_same_v<Operand, Access>) form(operand.at);
  });
}

// f(role, buffer).
void for_each_buffer(const auto& step, const auto& f) {
  operands(step, [&]<class Operand>(Role role, const Operand& operand) {
    if constexpr (std::is_same_v<Operand, BufferId>) f(role, operand);
    if constexpr (std::is_same_v<Operand, Access>) f(role, operand.buffer);
  });
}

// f(access).
void for_each_access(const auto& step, const auto& f) {
  operands(step, [&]<class Operand>(Role, const Operand& operand) {
    if constexpr (std::is_same_v<Operand, Access>) f(operand);
  });
}

// f(form).
void for_each_form(auto& step, const auto& f) {
  operands(step, [&]<class Operand>(Role, Operand& operand) {
    if constexpr (OneOf<Operand, Affine>) f(operand);
    if constexpr (OneOf<Operand, Access>) f(operand.at);
  });
}

// f(steps) of each region of a step.
void for_each_region(OneOf<Step> auto& step, const auto& f) {
  if (auto* branch = std::get_if<If>(&step.what)) {
    f(branch->then);
    f(branch->otherwise);
  } else if (auto* loop = std::get_if<For>(&step.what)) {
    f(loop->body);
  } else if (auto* loop = std::get_if<While>(&step.what)) {
    f(loop->condition);
    f(loop->body);
  }
}

// f(step) on every step, those of regions included.
void for_each_step(auto& steps, const auto& f) {
  for (auto& step : steps) {
    f(step);
    for_each_region(step, [&](auto& inner) { for_each_step(inner, f); });
  }
}

// f(kernel) on every kernel that is a step, the same.
void for_each_kernel(auto& steps, const auto& f) {
  for_each_step(steps, [&](auto& step) {
    if (auto* kernel = std::get_if<Kernel>(&step.what)) f(*kernel);
  });
}

}  // namespace bpc::plan
