// Where each value of a function is used: what decides which values a script writes inside an expression, which get a statement, and which
// may share a variable.
#pragma once

#include <unordered_map>
#include <vector>

#include "ir/uses.h"

namespace bpc::frontend::script {

// How the only use of a value reads it.
enum class Role : std::uint8_t {
  operand,
  initial,  // a loop's carried operand
  updated,  // what an update, a push or a pop changes
  yield
};

struct Use {
  std::size_t count = 0;  // reads; an output of the function counts as a yield of its body
  bool local = true;      // all of them in the block of the value, not in regions inside it
  Role role = Role::operand;
  ir::OpId user;             // of the last read, when it is local and no yield
  bool is_variable = false;  // whether a derivative is taken by it, so that it needs a name
};

// A place in a block: 0 is its start, i + 1 is op i, kEnd are its yields.
inline constexpr std::size_t kEnd = SIZE_MAX;

class Uses {
 public:
  explicit Uses(const ir::Function& function);
  const Use& of(ir::ValueId value) const { return uses_[value.index]; }
  std::size_t place(ir::OpId op) const { return places_[op.index]; }
  // Whether something in the block behind the place reads the value, itself or inside its regions.
  bool is_read_behind(ir::ValueId value, ir::BlockId block, std::size_t place) const;

 private:
  void read(ir::ValueId value, const ir::Use& by);
  void note(ir::ValueId value, ir::BlockId block, std::size_t place);

  const ir::Function& function_;
  std::vector<Use> uses_;
  std::vector<std::size_t> places_;
  std::unordered_map<std::uint64_t, std::size_t> last_;  // of a value and a block: the last place there that reads it
};

// The operand that the op's first result is a changed version of (an update's, a push's); invalid if it makes something new.
ir::ValueId changed_operand(const ir::Op& op);

}  // namespace bpc::frontend::script
