#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "backend/plan/lifetimes.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

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
  // A copy saved is worth more than memory saved.
  for (bool copies : {true, false})
    for (const Move& move : moves)
      if (move.copies == copies) sharing.try_join(move.from, move.into);

  std::vector<Block> blocks;
  for (std::uint32_t i = 0; i < plan.buffers.size(); ++i) {
    Sharing::Set& set = sharing.set(sharing.find({i}));
    if (!set.storage.valid()) {
      set.storage = plan.add(Storage{Storage::Kind::arena, 0, 0, plan.bytes({i})});
      if (!set.stretches.empty()) {
        std::int64_t last = 0;
        for (const Stretch& stretch : set.stretches) last = std::max(last, stretch.to);
        blocks.push_back({set.stretches.front().from, last, set.storage});
      }
    }
    plan.buffers[i].storage = set.storage;
  }
  lay_out(plan, std::move(blocks));
}

}  // namespace bpc::plan
