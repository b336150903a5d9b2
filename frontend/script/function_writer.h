// One function of the IR as statements of a script.
//
// Ops are written in order. A value that is used once, and that nobody named, becomes part of the expression that uses it; every other one
// is bound to a name by a statement. A loop's carried value is one variable: its start, its arguments, what it yields and its result.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "frontend/script/expr.h"
#include "frontend/script/names.h"
#include "frontend/script/uses.h"
#include "ir/function.h"

namespace bpc::frontend::script {

// What the functions of one script share.
struct Script {
  const ir::Module& module;
  Names names;
  std::set<std::string> called;  // functions that the script has called so far
};

struct Assignment {
  std::string name;
  Expr expr;
  Type type;
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
  void assign(const std::string& name, const Expr& expr, const Type& type, const std::string& comment = {});
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
  void write_result(ir::OpId id, Expr expr);
  void write_update(ir::OpId id);
  void write_print(const ir::Op& op);
  void write_assert(const ir::Op& op);
  void write_if(ir::OpId id);
  void write_for(ir::OpId id);
  void write_while(ir::OpId id);
  Rendered render(ir::BlockId region, std::size_t depth);
  std::vector<std::string> start_loop(const ir::Op& op, std::size_t uncarried);
  void end_loop(const ir::Block& body, const std::vector<std::string>& variables);
  void take_over(const ir::Block& body, std::size_t k, const std::string& variable, ir::ValueId argument);
  std::optional<ir::ValueId> continuation(ir::ValueId value) const;
  void bind(ir::ValueId value, const Expr& expr);
  // Whether the value may become part of the expression that uses it, instead of having a statement.
  bool is_temporary(ir::ValueId value) const;
  // Binds what waits to become part of an expression, where it reads one of the variables or (`failing`) may fail.
  void flush(std::span<const std::string> variables, bool failing);
  std::string name_of(ir::ValueId value);
  std::string comment(const ir::Op& op) const;
  void line(const std::string& text, const std::string& comment = {});

  // ---- expressions (expressions.cpp) ----
  Expr expression(const ir::Op& op);
  Expr constant(const ir::Op& op);
  Expr elementwise(const ir::Op& op);
  Expr reduction(const ir::Op& op);
  Expr contraction(const ir::Op& op);
  Expr slice(const ir::Op& op);
  std::string index(const ir::Op& op, std::size_t first_start);
  std::string list(const ir::Op& op, std::size_t& next, std::size_t axis) const;
  std::vector<Expr> elementwise_operands(const ir::Op& op);
  bool is_stack(const ir::Op& op) const;
  std::vector<bool> unstretched(const ir::Op& op) const;
  bool is_unstretched(ir::ValueId broadcast) const;
  Expr call(const std::string& name, const std::string& arguments);
  // A literal with its type, anything else as it is.
  Expr typed(const Expr& expr, Element element);
  Expr read_typed(ir::ValueId value) { return typed(read(value), function_.type(value).element); }

  const ir::Op* def(ir::ValueId value, ir::Opcode code) const;

  Script& script_;
  const ir::Function& function_;
  Uses uses_;
  std::map<ir::ValueId, std::string> variables_;  // names decided so far
  std::map<ir::ValueId, ir::ValueId> continued_;  // a value in a variable to the result that goes on in that variable
  std::map<ir::ValueId, ir::ValueId> continues_;  // the other way around
  std::map<ir::ValueId, std::string> wanted_;
  std::vector<Expr> exprs_;           // how to read each value that has been written
  std::vector<ir::ValueId> waiting_;  // those that will be part of an expression
  std::vector<std::string> lines_;
  std::size_t depth_;
  bool is_backward_ = false, last_was_backward_ = false;  // whether a derivative rule made the current op, and the last line
};

}  // namespace bpc::frontend::script
