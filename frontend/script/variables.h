// Which values of a function share one variable of its script: an update and what it updates, a tape from its start to its end, what a loop
// carries, what the sides of a branch yield and what comes out of it. Values share one only if none of them is needed after another one
// has been made, and if the author calls them alike.
#pragma once

#include <string>
#include <vector>

#include "frontend/script/uses.h"
#include "ir/function.h"

namespace bpc::frontend::script {

class Variables {
 public:
  // `names`: what each value is called; empty for a temporary.
  Variables(const ir::Function& function, const Uses& uses, std::vector<std::string> names);

  // Equal for values that share a variable.
  std::uint32_t of(ir::ValueId value) const;
  bool same(ir::ValueId a, ir::ValueId b) const { return of(a) == of(b); }
  // What the values that share a variable with this one are called.
  const std::string& name(ir::ValueId value) const { return names_[of(value)]; }

 private:
  struct Site {  // where a value is made; results and arguments of one op or block have the same
    ir::BlockId block;
    std::size_t place = 0;
    std::size_t order = 0;  // in the text
    bool operator==(const Site& other) const { return block == other.block && place == other.place; }
  };

  void visit(ir::BlockId block);
  void make(ir::ValueId value, ir::BlockId block, std::size_t place);
  void join_loops(bool with_starts);
  void join_branches();
  void join(ir::ValueId a, ir::ValueId b);
  bool can_share(std::uint32_t a, std::uint32_t b) const;
  bool dominates(ir::ValueId a, ir::ValueId b) const;
  bool is_needed_after(ir::ValueId a, ir::ValueId b) const;
  bool comes_out(ir::ValueId a, ir::ValueId b, std::uint32_t first, std::uint32_t second) const;
  bool is_fixed(ir::ValueId value) const;

  const ir::Function& function_;
  const Uses& uses_;
  std::vector<ir::OpId> ops_;  // of all blocks, in the order of the text
  std::vector<Site> sites_;
  std::size_t made_ = 0;
  std::vector<std::uint32_t> class_;               // by value
  std::vector<std::vector<ir::ValueId>> members_;  // by class, in the order of the text
  std::vector<std::string> names_;                 // by class
};

}  // namespace bpc::frontend::script
