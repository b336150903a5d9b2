// Where each value of a function is used: what decides which values a script writes inside an expression and which get a statement.
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::frontend::script {

// How the only use of a value reads it.
enum class Role : std::uint8_t {
  operand,
  initial,
  updated,
  yield
};  // `initial`: a loop's carried operand; `updated`: what an update changes

struct Use {
  std::size_t count = 0;  // reads; an output of the function counts as a yield of its body
  bool local = true;      // all of them in the block of the value, not in regions inside it
  Role role = Role::operand;
  ir::OpId user;         // of the last read, when it is local and no yield
  std::size_t last = 0;  // position in the value's block of the last op that reads it, itself or inside its regions; SIZE_MAX for a yield
  bool last_is_nested = false;
};

class Uses {
 public:
  explicit Uses(const ir::Function& function);
  const Use& of(ir::ValueId value) const { return uses_[value.index]; }
  // Of an op in its block.
  std::size_t position(ir::OpId op) const { return positions_[op.index]; }

 private:
  void enter(ir::BlockId block);
  void read(ir::ValueId value, ir::OpId user, Role role);
  void yielded(ir::ValueId value, ir::BlockId by);
  void note(ir::ValueId value, std::size_t position, bool nested);

  const ir::Function& function_;
  std::vector<Use> uses_;
  std::vector<std::size_t> positions_;
};

}  // namespace bpc::frontend::script
