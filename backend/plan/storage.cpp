#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "backend/plan/lifetimes.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

constexpr std::size_t kFewBytes = 256;  // may as well be copied

// Buffers that share a storage, as sets that are joined.
class Sharing {
 public:
  Sharing(const Plan& plan, Lifetimes lifetimes) : members_(plan.buffers.size()), parents_(plan.buffers.size()) {
    std::iota(parents_.begin(), parents_.end(), 0u);
    for (const Move& move : lifetimes.moves) moves_.insert({move.from, move.into, move.at});
    for (std::size_t i = 0; i < parents_.size(); ++i) members_[i].stretches = std::move(lifetimes.stretches[i]);
  }

  struct Set {
    std::vector<Stretch> stretches;  // disjoint but for the ends that moves allow; in order
    StorageId storage;
    bool fixed = false;  // an argument or constant: nothing else may be written there
  };

  std::uint32_t find(BufferId id) {
    std::uint32_t at = id.index;
    while (parents_[at] != at) at = parents_[at] = parents_[parents_[at]];
    return at;
  }
  Set& set(std::uint32_t root) { return members_[root]; }

  void join(BufferId x, BufferId y) {
    std::uint32_t a = find(x), b = find(y);
    if (a == b) return;
    if (members_[a].stretches.size() < members_[b].stretches.size()) std::swap(a, b);
    for (const Stretch& stretch : members_[b].stretches) {
      auto at = std::upper_bound(members_[a].stretches.begin(), members_[a].stretches.end(), stretch,
                                 [](const Stretch& s, const Stretch& t) { return std::pair(s.from, s.to) < std::pair(t.from, t.to); });
      members_[a].stretches.insert(at, stretch);
    }
    if (!members_[a].storage.valid()) members_[a].storage = members_[b].storage;
    members_[b].stretches.clear();
    parents_[b] = a;
  }

  void try_join(BufferId x, BufferId y) {
    const Set &a = members_[find(x)], &b = members_[find(y)];
    if (&a == &b || a.fixed || b.fixed || (a.storage.valid() && b.storage.valid())) return;
    bool a_small = a.stretches.size() < b.stretches.size();
    const std::vector<Stretch>&small = a_small ? a.stretches : b.stretches, &large = a_small ? b.stretches : a.stretches;
    for (const Stretch& s : small) {
      auto t = std::partition_point(large.begin(), large.end(), [&](const Stretch& t) { return t.to < s.from; });
      for (; t != large.end() && t->from <= s.to; ++t)
        if (!may_touch(s, *t) && !may_touch(*t, s)) return;
    }
    join(x, y);
  }

 private:
  bool may_touch(const Stretch& first, const Stretch& second) const {
    return first.to == second.from && moves_.contains({first.buffer, second.buffer, first.to});
  }

  std::vector<Set> members_;
  std::vector<std::uint32_t> parents_;
  std::set<std::tuple<BufferId, BufferId, std::int64_t>> moves_;
};

// One block of the arena while its contents matter.
struct Block {
  std::int64_t from, to;
  StorageId storage;
};

// Offsets for blocks in order of `from`; the smallest free gap that is large enough is taken.
void lay_out(Plan& plan, std::vector<Block> blocks) {
  std::stable_sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.from < b.from; });
  std::map<std::size_t, std::size_t> gaps;  // offset to size
  std::multimap<std::int64_t, StorageId> live;
  auto release = [&](std::size_t offset, std::size_t size) {
    auto next = gaps.lower_bound(offset);
    if (next != gaps.end() && offset + size == next->first) {
      size += next->second;
      next = gaps.erase(next);
    }
    if (next != gaps.begin()) {
      auto previous = std::prev(next);
      if (previous->first + previous->second == offset) {
        previous->second += size;
        return;
      }
    }
    gaps.emplace(offset, size);
  };
  auto padded = [](std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; };
  for (const Block& block : blocks) {
    while (!live.empty() && live.begin()->first < block.from) {
      const Storage& done = plan.storages[live.begin()->second.index];
      release(done.offset, padded(done.bytes));
      live.erase(live.begin());
    }
    Storage& storage = plan.storages[block.storage.index];
    std::size_t size = padded(storage.bytes);
    if (size == 0) continue;
    auto best = gaps.end();
    for (auto gap = gaps.begin(); gap != gaps.end(); ++gap)
      if (gap->second >= size && (best == gaps.end() || gap->second < best->second)) best = gap;
    if (best == gaps.end()) {
      storage.offset = plan.arena_bytes;
      plan.arena_bytes += size;
    } else {
      storage.offset = best->first;
      std::size_t left = best->second - size;
      gaps.erase(best);
      if (left > 0) gaps.emplace(storage.offset + size, left);
    }
    live.emplace(block.to, block.storage);
  }
}

bool writes_tapes(const Step& step) {
  bool writes =
      std::holds_alternative<Push>(step.what) || std::holds_alternative<NewTape>(step.what) || std::holds_alternative<CopyTape>(step.what);
  for_each_region(step, [&](const Steps& inner) { writes |= std::any_of(inner.begin(), inner.end(), writes_tapes); });
  return writes;
}

// What is popped is read where the tape has it, rather than copied, if nothing is written to a tape before the region ends, and entries lie
// as storages do.
void find_entries(const Plan& plan, const Steps& steps, std::vector<BufferId>& entries) {
  bool is_written = false;
  for (std::size_t i = steps.size(); i-- > 0;) {
    for_each_region(steps[i], [&](const Steps& inner) { find_entries(plan, inner, entries); });
    is_written |= writes_tapes(steps[i]);
    const auto* pop = std::get_if<Pop>(&steps[i].what);
    const auto* value = pop ? std::get_if<BufferId>(&pop->value) : nullptr;
    if (!value || is_written) continue;
    if (plan.bytes(*value) >= kFewBytes && plan.bytes(*value) % kAlignment == 0) entries.push_back(*value);
  }
}

}  // namespace

void assign_storage(Plan& plan) {
  Lifetimes lifetimes = find_lifetimes(plan);
  auto moves = lifetimes.moves;
  auto shared = lifetimes.shared;
  Sharing sharing(plan, std::move(lifetimes));
  auto is_donated = [&](std::size_t argument) {
    return std::any_of(plan.signature.outputs.begin(), plan.signature.outputs.end(),
                       [&](const runtime::Port& output) { return output.donor == argument; });
  };
  auto own = [&](BufferId id, Storage storage) {
    Sharing::Set& set = sharing.set(sharing.find(id));
    set.storage = plan.add(storage);
    set.fixed = storage.kind == Storage::Kind::argument && !is_donated(storage.index);
  };
  for (std::uint32_t i = 0; i < plan.buffers.size(); ++i) {
    if (!plan.buffers[i].storage.valid()) continue;
    Sharing::Set& set = sharing.set(i);
    set.storage = plan.buffers[i].storage;
    set.fixed = true;
  }
  for (std::size_t i = 0; i < plan.parameters.size(); ++i)
    if (const auto* id = std::get_if<BufferId>(&plan.parameters[i])) own(*id, {Storage::Kind::argument, i, 0, plan.bytes(*id)});
  for (const auto& [argument, result] : shared) sharing.join(argument, result);
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const BufferId id = plan.outputs[i];
    if (!id.valid()) continue;
    if (const auto donor = plan.signature.outputs[i].donor)
      sharing.join(std::get<BufferId>(plan.parameters[*donor]), id);
    else
      own(id, {Storage::Kind::output, i, 0, plan.bytes(id)});
  }
  std::vector<BufferId> entries;
  if (!plan.frame.valid()) find_entries(plan, plan.body, entries);  // no address of one is handed from part to part
  for (BufferId id : entries) {
    Sharing::Set& set = sharing.set(sharing.find(id));
    if (set.storage.valid()) continue;
    set.storage = plan.add(Storage{Storage::Kind::entry, 0, 0, plan.bytes(id)});
    set.fixed = true;
  }
  // A copy saved is worth more than memory saved.
  for (bool copies : {true, false})
    for (const Move& move : moves)
      if (move.copies == copies) sharing.try_join(move.from, move.into);

  std::vector<Block> blocks;
  for (std::uint32_t i = 0; i < plan.buffers.size(); ++i) {
    Sharing::Set& set = sharing.set(sharing.find({i}));
    const bool is_new = !set.storage.valid();
    if (is_new) set.storage = plan.add(Storage{Storage::Kind::arena, 0, 0, plan.bytes({i})});
    if ((is_new || plan.storages[set.storage.index].kind == Storage::Kind::entry) && !set.stretches.empty()) {
      std::int64_t last = 0;
      for (const Stretch& stretch : set.stretches) last = std::max(last, stretch.to);
      blocks.push_back({set.stretches.front().from, last, set.storage});
    }
    plan.buffers[i].storage = set.storage;
  }
  lay_out(plan, std::move(blocks));
}

}  // namespace bpc::plan
