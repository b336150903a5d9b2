#include "backend/plan/schedule.h"

#include <algorithm>

namespace bpc::plan {

namespace {

constexpr std::size_t kMostMoved = 16;  // scalars that are computed earlier, so that one step joins another

// Whether the step makes the scalar, which may be computed as soon as there is what it is made of.
bool is_movable(const Step& step, RegisterId scalar) {
  const auto* instruction = std::get_if<Instruction>(&step.what);
  const auto* compute = instruction ? std::get_if<Compute>(&instruction->what) : nullptr;
  return instruction && instruction->result == scalar && !(compute && compute->fails.valid());
}

}  // namespace

void Schedule::push(Step step) {
  place(step, places_.size() + 1);
  places_.push_back({std::move(step), {}, false});
}

// Once the scalars at `moved` stand before the position.
bool Schedule::can_be_there(RegisterId id, std::size_t position, std::set<std::size_t>& moved) const {
  if (is_there(id, position)) return true;
  const std::size_t from = registers_.at(id) - 1;
  const Place& place = places_[from];
  if (moved.contains(from)) return true;
  if (place.has_moved || !is_movable(place.step, id) || moved.size() == kMostMoved) return false;
  moved.insert(from);
  bool result = true;
  for_each_register(place.step, [&](Role role, RegisterId operand) {
    result = result && (role == Role::write || can_be_there(operand, position, moved));
  });
  for_each_buffer(place.step, [&](Role, BufferId buffer) { result &= is_there(buffer, position); });
  return result;
}

bool Schedule::provide(const std::vector<RegisterId>& needed, std::size_t position) {
  std::set<std::size_t> moved;
  if (!std::all_of(needed.begin(), needed.end(), [&](RegisterId id) { return can_be_there(id, position, moved); })) return false;
  for (std::size_t from : moved) {
    place(places_[from].step, position);
    places_[position].ahead.push_back(std::move(places_[from].step));
    places_[from].has_moved = true;
  }
  return true;
}

Steps Schedule::finish() && {
  Steps steps;
  for (Place& place : places_) {
    std::move(place.ahead.begin(), place.ahead.end(), std::back_inserter(steps));
    if (!place.has_moved) steps.push_back(std::move(place.step));
  }
  return steps;
}

}  // namespace bpc::plan
