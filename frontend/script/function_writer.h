// One function of the IR as statements of a script.
//
// Ops are written in order. A value that is used once, and that nobody named, becomes part of the expression that uses it; every other one
// is bound to a name by a statement, and those that Variables puts together have one name.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "frontend/script/names.h"
#include "frontend/script/tree.h"
#include "frontend/script/uses.h"
#include "frontend/script/variables.h"
#include "ir/function.h"
#include "support/internal_error.h"

namespace bpc::frontend::script {

// What the functions of one script share.
struct Script {
  const ir::Module& module;
  Names names;
  Tree tree{module.real};
  std::set<std::string> called = {};                  // functions that the script has called so far
  std::vector<StmtId> before = {};                    // what comes before the statements: declarations, functions
  std::map<std::string, std::string> functions = {};  // the names of those written there, by their text under no name
};

struct Assignment {
  std::string name;
  Term term;
  Type type;
  std::string comment;
};

class FunctionWriter {
 public:
  // `parameters`: the name of each parameter by its path. `wanted`: names that the script must bind certain values to. At the top level,
  // what derivative rules made stands apart from the rest.
  FunctionWriter(Script& script, const ir::Function& function, const std::map<std::string, std::string>& parameters,
                 const std::map<ir::ValueId, std::string>& wanted, bool is_top);

  void write_body();
  // How to read a value of the body after its ops are written.
  Term read(ir::ValueId value);
  // `name = term`, with the type where a literal would take another one.
  void assign(const Assignment& assignment);
  // All at once: no expression sees a name that another assignment has changed.
  void assign_all(std::vector<Assignment> assignments);
  std::vector<StmtId> take_statements() { return std::move(statements_); }

 private:
  struct Rendered {  // a region
    std::vector<StmtId> statements;
    std::vector<Term> yields;
  };

  // ---- statements (statements.cpp) ----
  void write_block(ir::BlockId block);
  void write_op(ir::OpId id);
  void write_result(ir::ValueId value, Term term);
  void write_results(const ir::Op& op, const Term& term);
  void write_derivative(const ir::Op& op);
  void write_tape(const ir::Op& op);
  void write_push(const ir::Op& op);
  void write_pop(const ir::Op& op);
  void write_print(const ir::Op& op);
  void write_assert(const ir::Op& op);
  void bind(ir::ValueId value, const Term& term);
  // Whether the value may become part of the expression that uses it, instead of having a statement.
  bool is_temporary(ir::ValueId value) const;
  bool is_number(ir::ValueId value) const;
  bool starts_variable(ir::ValueId value) const;
  // Binds what waits to become part of an expression, where it reads one of the variables or (`failing`) may fail.
  void flush(std::span<const std::string> variables, bool failing);
  bool is_awaited(const std::string& variable) const;
  const std::string& name_of(ir::ValueId value);
  std::string comment(const ir::Op& op) const;
  std::string comment_of(const ir::Op& op) const;
  bool is_backward(const ir::Op& op) const;
  void put(StmtId statement);
  void put(StmtNode node, const std::string& comment = {}) { put(tree_.add(std::move(node), comment)); }
  // A new name that the expression is bound to; `named`: only if it is no name itself.
  Term kept(const Term& term, const Type& type);
  Term named(const Term& term, const Type& type);

  // ---- loops and branches (control.cpp) ----
  void write_if(const ir::Op& op);
  void write_for(const ir::Op& op);
  void write_while(const ir::Op& op);
  void forget_names(ir::BlockId region);
  // `is_top`: it is going to stand among the statements of the top level.
  Rendered render(ir::BlockId region, bool is_top = false);
  // What `write` writes, apart from the rest.
  template <typename F>
  std::vector<StmtId> collected(F&& write, bool is_top = false);
  std::vector<std::string> start_loop(const ir::Op& op, std::span<Term> bounds);
  void end_turn(const ir::Op& op, const std::vector<std::string>& variables);
  void end_loop(const ir::Op& op, const std::vector<std::string>& variables);
  std::vector<std::string> changed_in(const ir::Op& op) const;
  void collect_changed(const ir::Op& op, std::set<std::string>& names) const;
  Assignment moved(const std::string& name, ir::ValueId value, const Term& term) const;
  void move_all(ir::BlockId block, std::span<const ir::ValueId> values, std::span<const std::string> names, std::span<const Term> terms);

  // ---- regions that become functions (regions.cpp) ----
  struct IndexRange {
    ir::ValueId value;
    std::int64_t lo = 0, step = 1;
    std::vector<ir::ValueId> skipped = {};  // made of the index, and written as its range
  };
  IndexRange index_range(ir::ValueId index) const;
  void write_map(const ir::Op& op);
  void write_checkpoint(const ir::Op& op);
  void write_custom(const ir::Op& op);
  std::vector<ir::ValueId> captured(const ir::Op& op) const;
  Term call_outlined(const ir::Op& op, const Rendered& body, const std::vector<Term>& results, const std::vector<std::string>& indices);
  std::string function_named(const std::string& wanted, const std::vector<std::string>& parameters, const Rendered& body,
                             const std::vector<Term>& results, std::optional<AdjointStmt> rule);
  std::string parameter(const std::string& wanted, std::set<std::string>& used);

  // ---- expressions (expressions.cpp, elementwise.cpp) ----
  Term expression(const ir::Op& op);
  Term cast(const ir::Op& op);
  Term constant(const ir::Op& op);
  Term everywhere(const ir::AttrValue& value, const Type& type);
  InternalError no_expression(const ir::Op& op) const;
  Term reduction(const ir::Op& op);
  Term function(const ir::Op& op, const std::vector<Term>& operands);
  std::optional<Term> argument(const ir::Op& op, ir::Attr attr);
  Term movement(const ir::Op& op);
  Term reshaped(const ir::Op& op);
  Term joined(const ir::Op& op);
  Term contraction(const ir::Op& op);
  Term stretched(const ir::Op& op);
  Term transposition(const ir::Op& op);
  Term transposed(const Term& x, const std::vector<std::int64_t>& perm);
  Term list(const ir::Op& op, std::size_t& next, std::size_t axis);
  bool is_stack(const ir::Op& op) const;
  Term call(const std::string& name, const std::vector<Term>& arguments, const std::vector<std::pair<std::string, Term>>& named = {});
  // A literal with its type, anything else as it is.
  Term typed(const Term& term, Element element);
  Term read_typed(ir::ValueId value) { return typed(read(value), function_.type(value).element); }
  std::vector<Term> read_all(const ir::Op& op);  // its operands
  Term elementwise(const ir::Op& op);
  std::vector<Term> elementwise_operands(const ir::Op& op);
  std::vector<bool> unstretched(const ir::Op& op) const;
  bool is_unstretched(ir::ValueId broadcast) const;
  Term read_stretching(const ir::Op& op, std::size_t operand, bool is_unstretched);

  // ---- parts (parts.cpp) ----
  void write_change(const ir::Op& op);
  Term slice(const ir::Op& op);
  Term gather(const ir::Op& op);
  std::vector<Term> index(const ir::Op& op, std::size_t first_start);
  std::vector<Term> tensor_index(const ir::Op& op, std::size_t first_index);
  std::vector<std::int64_t> placement(const ir::Op& op) const;
  bool is_placed(const ir::Op& transpose) const;

  const ir::Op* def(ir::ValueId value, ir::Opcode code) const;

  Script& script_;
  Tree& tree_;
  const ir::Function& function_;
  Uses uses_;
  std::map<ir::ValueId, std::string> wanted_;
  Variables variables_;
  std::map<std::uint32_t, std::string> names_;  // decided so far, by variable
  std::vector<Term> terms_;                     // how to read each value that has been written
  std::vector<ir::ValueId> waiting_;            // those that will be part of an expression
  std::set<ir::ValueId> blank_tapes_;           // those that have to be told what they hold
  std::set<ir::ValueId> ranges_;                // those that are indices of comprehensions, and written there
  std::vector<StmtId> statements_;
  bool is_top_;
  bool is_backward_ = false, last_was_backward_ = false;  // whether a derivative rule made the current op, and the last statement
};

}  // namespace bpc::frontend::script
