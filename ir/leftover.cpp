#include "ir/leftover.h"

#include <algorithm>

#include "ir/dependence.h"
#include "ir/static_facts.h"

namespace bpc::ir {

namespace {

// What a value can be computed from, by the sides of branches: a set of these. Of several operands, the strongest counts.
enum Origins : std::uint8_t { others = 1, an_earlier_turn = 2, x_itself = 4 };

class Leftover {
 public:
  Leftover(const Function& function, ValueId x, const std::vector<bool>& left, const std::vector<bool>& fixed)
      : function_(function), x_(x), left_(left), fixed_(fixed), origins_(function.value_count(), 0) {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::uint32_t i = 0; i < origins_.size(); ++i) {
        const std::uint8_t found = origins_[i] | of(ValueId{i});
        changed |= found != origins_[i];
        origins_[i] = found;
      }
    }
  }

  bool is_possible(ValueId y) const { return origins_[y.index] & an_earlier_turn; }

 private:
  std::uint8_t of(ValueId v) const {
    if (v == x_) return x_itself;
    if (left_[v.index]) return an_earlier_turn;
    if (fixed_[v.index]) return others;
    std::vector<ValueId> sources;
    for_each_source(function_, v, [&](ValueId source) { sources.push_back(source); });
    if (sources.empty()) return others;
    const Op* made = function_.def(v);
    if (made && made->regions.empty()) return of_all(sources);
    if (made && surely_runs(*made)) sources.erase(sources.begin());  // what the loop started with
    std::uint8_t any = 0;
    for (ValueId source : sources) any |= origins_[source.index];
    return any;
  }

  std::uint8_t of_all(const std::vector<ValueId>& operands) const {
    std::uint8_t all = others;
    for (ValueId operand : operands) {
      const std::uint8_t one = origins_[operand.index];
      if (one == 0) return 0;  // not known yet
      std::uint8_t both = 0;
      for (std::uint8_t a : {others, an_earlier_turn, x_itself})
        for (std::uint8_t b : {others, an_earlier_turn, x_itself})
          if ((all & a) && (one & b)) both |= std::max(a, b);
      all = both;
    }
    return all;
  }

  bool surely_runs(const Op& loop) const {
    if (loop.code != Opcode::for_loop) return false;
    auto bound = [&](std::size_t i) { return constant_value(function_, loop.operands[i]); };
    const auto lo = bound(0), hi = bound(1), by = bound(2);
    return lo && hi && by && (*by > 0 ? *lo < *hi : *lo > *hi);
  }

  const Function& function_;
  ValueId x_;
  const std::vector<bool>& left_;
  const std::vector<bool>& fixed_;
  std::vector<std::uint8_t> origins_;  // by value
};

}  // namespace

bool may_be_left_over(const Function& function, ValueId y, ValueId x, const std::vector<bool>& left, const std::vector<bool>& fixed) {
  return Leftover(function, x, left, fixed).is_possible(y);
}

}  // namespace bpc::ir
