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

#include "frontend/script/expr.h"
#include "frontend/script/names.h"
#include "frontend/script/uses.h"
#include "frontend/script/variables.h"
#include "ir/function.h"

namespace bpc::frontend::script {

// What the functions of one script share.
struct Script {
  const ir::Module& module;
  Names names;
  std::set<std::string> called;                  // functions that the script has called so far
  std::vector<std::string> lines;                // what comes before the statements: declarations, functions
  std::map<std::string, std::string> functions;  // the names of those written there, by their text from the `(` on
};

struct Assignment {
  std::string name;
  Expr expr;
  Type type;
  std::string comment;
};

class FunctionWriter {
 public:
  // `parameters`: the name of each parameter by its path. `wanted`: names that the script must bind certain values to.
  FunctionWriter(Script& script, const ir::Function& function, const std::map<std::string, std::string>& parameters,
                 const std::map<ir::ValueId, std::string>& wanted, std::size_t depth);

  void write_body();
  // How to read a value of the body after its ops are written.
  Expr read(ir::ValueId value);
  // `name = expr`, with the type where a literal would take another one.
  void assign(const Assignment& assignment);
  // All at once: no expression sees a name that another assignment has changed.
  void assign_all(std::vector<Assignment> assignments);
  std::vector<std::string> take_lines() { return std::move(lines_); }

 private:
  struct Rendered {  // a region
    std::vector<std::string> lines;
    std::vector<Expr> yields;
  };

  // ---- statements (statements.cpp) ----
  void write_block(ir::BlockId block);
  void write_op(ir::OpId id);
  void write_result(ir::ValueId value, Expr expr);
  void write_results(const ir::Op& op, const Expr& expr);
  void write_derivative(const ir::Op& op);
  void write_tape(const ir::Op& op);
  void write_push(const ir::Op& op);
  void write_pop(const ir::Op& op);
  void write_print(const ir::Op& op);
  void write_assert(const ir::Op& op);
  void bind(ir::ValueId value, const Expr& expr);
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
  void line(const std::string& text, const std::string& comment = {});
  // A new name that the expression is bound to; `named`: only if it is no name itself.
  std::string kept(const Expr& expr, const Type& type);
  std::string named(const Expr& expr, const Type& type);

  // ---- loops and branches (control.cpp) ----
  void write_if(const ir::Op& op);
  void write_for(const ir::Op& op);
  void write_while(const ir::Op& op);
  void forget_names(ir::BlockId region);
  Rendered render(ir::BlockId region, std::size_t depth);
  std::vector<std::string> start_loop(const ir::Op& op, std::span<Expr> bounds);
  void end_turn(const ir::Op& op, const std::vector<std::string>& variables);
  void end_loop(const ir::Op& op, const std::vector<std::string>& variables);
  std::vector<std::string> changed_in(const ir::Op& op) const;
  void collect_changed(const ir::Op& op, std::set<std::string>& names) const;
  Assignment moved(const std::string& name, ir::ValueId value, Expr expr) const;
  void move_all(ir::BlockId block, std::span<const ir::ValueId> values, std::span<const std::string> names, std::span<const Expr> exprs);

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
  std::string call_outlined(const ir::Op& op, const Rendered& body, std::span<const Expr> results, const std::vector<std::string>& indices);
  std::string function_named(const std::string& wanted, const std::vector<std::string>& parameters, const Rendered& body,
                             std::span<const Expr> results, const std::vector<std::string>& rule);
  std::string parameter(const std::string& wanted, std::set<std::string>& used);

  // ---- expressions (expressions.cpp, elementwise.cpp) ----
  Expr expression(const ir::Op& op);
  Expr cast(const ir::Op& op);
  Expr constant(const ir::Op& op);
  Expr everywhere(const ir::AttrValue& value, const Type& type);
  Expr reduction(const ir::Op& op);
  Expr library(const ir::Op& op);
  Expr contraction(const ir::Op& op);
  Expr stretched(const ir::Op& op);
  Expr transposition(const ir::Op& op);
  Expr transposed(const Expr& x, const std::vector<std::int64_t>& perm);
  std::string list(const ir::Op& op, std::size_t& next, std::size_t axis) const;
  bool is_stack(const ir::Op& op) const;
  Expr call(const std::string& name, const std::string& arguments);
  // A literal with its type, anything else as it is.
  Expr typed(const Expr& expr, Element element);
  Expr read_typed(ir::ValueId value) { return typed(read(value), function_.type(value).element); }
  Expr elementwise(const ir::Op& op);
  std::vector<Expr> elementwise_operands(const ir::Op& op);
  std::vector<bool> unstretched(const ir::Op& op) const;
  bool is_unstretched(ir::ValueId broadcast) const;
  Expr read_stretching(const ir::Op& op, std::size_t operand, bool is_unstretched);

  // ---- parts (parts.cpp) ----
  void write_change(const ir::Op& op);
  Expr slice(const ir::Op& op);
  Expr gather(const ir::Op& op);
  std::string index(const ir::Op& op, std::size_t first_start);
  std::string tensor_index(const ir::Op& op, std::size_t first_index);
  std::vector<std::int64_t> placement(const ir::Op& op) const;
  bool is_placed(const ir::Op& transpose) const;

  const ir::Op* def(ir::ValueId value, ir::Opcode code) const;

  Script& script_;
  const ir::Function& function_;
  Uses uses_;
  std::map<ir::ValueId, std::string> wanted_;
  Variables variables_;
  std::map<std::uint32_t, std::string> names_;  // decided so far, by variable
  std::vector<Expr> exprs_;                     // how to read each value that has been written
  std::vector<ir::ValueId> waiting_;            // those that will be part of an expression
  std::set<ir::ValueId> blank_tapes_;           // those that have to be told what they hold
  std::set<ir::ValueId> ranges_;                // those that are indices of comprehensions, and written there
  std::vector<std::string> lines_;
  std::size_t depth_;
  bool is_backward_ = false, last_was_backward_ = false;  // whether a derivative rule made the current op, and the last line
};

}  // namespace bpc::frontend::script
