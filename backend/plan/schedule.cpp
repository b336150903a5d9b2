#include "backend/plan/schedule.h"

#include <algorithm>

#include "backend/plan/dataflow.h"

namespace bpc::plan {

namespace {

constexpr std::size_t kOpen = 4;        // steps that a new one may join
constexpr std::size_t kMostMoved = 16;  // scalars that are computed earlier, so that one step joins another

// Whether the step makes the scalar, which may be computed as soon as there is what it is made of.
bool is_movable(const Step& step, RegisterId scalar) {
  const auto* instruction = std::get_if<Instruction>(&step.what);
  return instruction && instruction->result == scalar && !may_stop(*instruction);
}

}  // namespace

void Schedule::push(Step step, bool is_open) {
  // What the indices that it has checked name is read after it.
  if (std::holds_alternative<CheckIndices>(step.what)) open_.clear();
  if (is_open && open_.size() == kOpen) open_.erase(open_.begin());
  if (is_open) open_.push_back(places_.size());
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
