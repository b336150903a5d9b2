// A list of steps in which a later one may join an earlier one: what is there at each position.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "backend/plan/operands.h"
#include "backend/plan/plan.h"

namespace bpc::plan {

class Schedule {
 public:
  Step& at(std::size_t position) { return places_[position].step; }
  // At the end of the list. An open step is one that later ones may join: the last few that were pushed are.
  void push(Step step, bool is_open);
  // Whether a step joins one of those that are open, the last first: try_join(position) says so, and has then moved it there.
  template <class TryJoin>
  bool joins(const TryJoin& try_join) const {
    return std::any_of(open_.rbegin(), open_.rend(), try_join);
  }
  // What the step makes is there for those at this position and after it: a buffer that several steps write, once the last of them has.
  void place(const auto& step, std::size_t position) {
    for_each_register(step, [&](Role role, RegisterId id) {
      if (role == Role::write) registers_[id] = position;
    });
    for_each_buffer(step, [&](Role role, BufferId id) {
      if (role == Role::write) buffers_[id] = std::max(buffers_[id], position);
    });
  }
  // What is not made in this list is there from the beginning.
  bool is_there(BufferId id, std::size_t position) const {
    auto made = buffers_.find(id);
    return made == buffers_.end() || made->second <= position;
  }
  // Computes ahead of the position those scalars among `needed` that are not there yet; false, with nothing done, if they cannot be.
  bool provide(const std::vector<RegisterId>& needed, std::size_t position);
  Steps finish() &&;

 private:
  bool is_there(RegisterId id, std::size_t position) const {
    auto made = registers_.find(id);
    return made == registers_.end() || made->second <= position;
  }
  bool can_be_there(RegisterId id, std::size_t position, std::set<std::size_t>& moved) const;

  struct Place {
    Step step;
    Steps ahead;  // scalars that are computed before it
    bool has_moved = false;
  };
  std::vector<Place> places_;
  std::vector<std::size_t> open_;                // positions
  std::map<RegisterId, std::size_t> registers_;  // by what is made in the list: the first position where it is there
  std::map<BufferId, std::size_t> buffers_;
};

}  // namespace bpc::plan
