// The statements of one function under construction, and how to read each of its values there.
//
// A value that is used once, and that nobody named, waits to become part of the expression that uses it; every other one is bound to a name
// by a statement, and those that Variables puts together have one name.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend/script/names.h"
#include "frontend/script/tree.h"
#include "frontend/script/uses.h"
#include "frontend/script/variables.h"
#include "ir/function.h"

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

class Draft {
 public:
  // `parameters`: the name of each parameter by its path. `wanted`: names that the script must bind certain values to. At the top level,
  // what derivative rules made stands apart from the rest.
  Draft(Script& script, const ir::Function& function, const std::map<std::string, std::string>& parameters,
        const std::map<ir::ValueId, std::string>& wanted, bool is_top);

  Script& script;
  Tree& tree;
  const ir::Function& function;
  const Uses uses;
  const Variables variables;
  const std::set<ir::ValueId> blank_tapes;  // those that have to be told what they hold
  std::vector<Term> terms;                  // how to read each value that has been written
  std::set<ir::ValueId> skipped;            // written as part of something else: a range that is made of the index of a comprehension

  // ---- values ----
  const ir::Op* def(ir::ValueId value, ir::Opcode code) const;
  // A number without a name is written where it is used, an integer also in a wider type.
  bool is_number(ir::ValueId value) const;
  // Whether the value may become part of the expression that uses it, instead of having a statement.
  bool is_temporary(ir::ValueId value) const;
  // How to read a value after its op is written. It waits no longer.
  Term read(ir::ValueId value);
  Term read_typed(ir::ValueId value) { return typed(read(value), function.type(value).element); }
  // A literal with its type, anything else as it is.
  Term typed(const Term& term, Element element);
  Term call(const std::string& name, const std::vector<Term>& arguments, const std::vector<std::pair<std::string, Term>>& named = {});

  // ---- names ----
  const std::string& name_of(ir::ValueId value);
  // The name of the value, if it has none yet.
  void suggest_name(ir::ValueId value, const std::string& name) { names_.try_emplace(variables.of(value), name); }
  // What the region computes gets other names when it is written again.
  void forget_names(ir::BlockId region);
  // The variables that the op changes: what waits to read them must not wait until after it.
  std::vector<std::string> changed_in(const ir::Op& op) const;

  // ---- statements ----
  class Maker;
  void put(StmtId statement);
  void put(StmtNode node, const std::string& comment = {}) { put(tree.add(std::move(node), comment)); }
  // `name = term`, with the type where a literal would take another one.
  void assign(const Assignment& assignment);
  // All at once: no expression sees a name that another assignment has changed.
  void assign_all(std::vector<Assignment> assignments);
  // What the value is, once computed: waits to become part of an expression, or is bound to its name.
  void write_result(ir::ValueId value, const Term& term);
  // The same of all results of an op that one term gives.
  void write_results(const ir::Op& op, const Term& term);
  void bind(ir::ValueId value, const Term& term);
  // The value is read as the term by the expression that uses it.
  void await(ir::ValueId value, const Term& term);
  // Binds what waits to become part of an expression, where it reads one of the variables or (`failing`) may fail.
  void flush(std::span<const std::string> variables, bool failing);
  // A new name that the expression is bound to; `named`: only if it is no name itself.
  Term kept(const Term& term, const Type& type);
  Term named(const Term& term, const Type& type);
  // Where an op comes from: "mul, line 8" for one that a derivative rule made, "for mul, line 8" for one that keeps a value for it.
  std::string comment(const ir::Op& op) const;
  // What `write` writes, apart from the rest. `is_top`: it is going to stand among the statements of the top level.
  template <typename F>
  std::vector<StmtId> collected(F&& write, bool is_top = false) {
    std::vector<StmtId> outside = std::exchange(statements_, {});
    const bool was_top = std::exchange(is_top_, is_top);
    write();
    is_top_ = was_top;
    return std::exchange(statements_, std::move(outside));
  }
  bool is_top() const { return is_top_; }
  // Statements that were collected.
  void append(const std::vector<StmtId>& statements) { statements_.insert(statements_.end(), statements.begin(), statements.end()); }
  std::vector<StmtId> take_statements() { return std::move(statements_); }
  // Of a statement of the top level: the line of the script's main file that it comes from, 0 for none; and whether a derivative rule made
  // it.
  struct Place {
    std::uint32_t line = 0;
    bool is_backward = false;
    bool operator==(const Place&) const = default;
  };
  Place place_of(StmtId statement) const;

 private:
  void collect_changed(const ir::Op& op, std::set<std::string>& names) const;
  bool starts_variable(ir::ValueId value) const;
  bool is_awaited(const std::string& variable) const;
  std::string comment_of(const ir::Op& op) const;
  Span authors_place(const ir::Op& op) const;
  bool is_backward(const ir::Op& op) const;

  std::map<ir::ValueId, std::string> wanted_;
  std::map<std::uint32_t, std::string> names_;  // decided so far, by variable
  std::vector<ir::ValueId> waiting_;            // those that will be part of an expression
  std::vector<StmtId> statements_;
  bool is_top_;
  Place place_;                            // of the current op
  std::map<std::uint32_t, Place> places_;  // by statement
};

// Until it is destroyed, what is written is made by this op; by none, if there is none.
class Draft::Maker {
 public:
  Maker(Draft& draft, const ir::Op* op) : draft_(draft), outer_(draft.place_) {
    const Span place = op ? draft.authors_place(*op) : Span();
    if (op) draft.place_ = {place.valid() && place.file == 0 ? place.line : 0, draft.is_backward(*op)};
  }
  ~Maker() { draft_.place_ = outer_; }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;

 private:
  Draft& draft_;
  Place outer_;
};

}  // namespace bpc::frontend::script
