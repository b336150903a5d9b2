// Tapes, whose type is known only once something is pushed, and which are used linearly.
#pragma once

#include <map>
#include <vector>

#include "ir/function.h"
#include "support/diagnostics.h"

namespace bpc::frontend::lowering {

struct Context;
struct Item;

// The values that are tapes of which nobody knows yet what they hold. Those that are the same tape at different places (what a loop
// carries, what an `if` joins) get their type together.
class OpenTapes {
 public:
  bool contains(const ir::Function& function, ir::ValueId tape) const { return classes_.contains({&function, tape}); }
  void add(const ir::Function& function, ir::ValueId tape) { put({&function, tape}, next_++); }
  // A new value is the same tape as `tape`.
  void follow(const ir::Function& function, ir::ValueId value, ir::ValueId tape);
  // Two values are the same tape: what one is known to hold, both do. Of other values nothing is noted.
  void join(ir::Function& function, ir::ValueId a, ir::ValueId b);
  // Tells what a tape holds.
  void settle(ir::Function& function, ir::ValueId tape, const Type& entry);

 private:
  using Key = std::pair<const ir::Function*, ir::ValueId>;
  void put(Key key, int its_class) {
    classes_[key] = its_class;
    members_[its_class].push_back(key);
  }

  std::map<Key, int> classes_;
  std::map<int, std::vector<Key>> members_;  // of each class
  int next_ = 0;
};

// Whether the item is no tape; E0203 otherwise, `what` says what takes none ("`print`").
bool reject_tape(Context& c, const Item& item, const std::string& what);

// Reports every tape that is used twice on a way through the function, or in a loop that does not carry it (E0211).
void check_tapes(Context& c, const ir::Function& function);

}  // namespace bpc::frontend::lowering
