// Private to name resolution: the walk over one file. Expressions are in resolver.cpp, statements in statements.cpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "frontend/builtins/settings.h"
#include "frontend/names/habits.h"
#include "frontend/names/meanings.h"
#include "frontend/names/outline.h"
#include "frontend/names/resolve.h"
#include "frontend/names/scopes.h"
#include "frontend/names/unknown.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

class Resolver {
 public:
  Resolver(const SourceMap& sources, const Ast& ast, Meanings& names, Diagnostics& diagnostics)
      : sources_(sources),
        diagnostics_(diagnostics),
        ast_(ast),
        names_(names),
        outline_(ast),
        unknown_(outline_, scopes_, diagnostics),
        habits_(sources, ast, scopes_, diagnostics) {}

  // All of a file; returns the names of its top level.
  const Symbols& file(Imported imported);
  // An expression alone, where these names are visible.
  void alone(ExprId id, Symbols visible);
  // The settings of `train` that a file gives, where these names are visible.
  void settings_alone(Symbols visible);

 private:
  using Kind = Definition::Kind;

  Diagnostic& error(Code code, Span at, std::string message) { return diagnostics_.error(code, at, std::move(message)); }

  // ---- definitions ----

  // Here, whatever the name means outside.
  Definition& define(const Name& name, Kind kind);
  // Once in a scope.
  Definition& declare(const Name& name, Kind kind);
  void assign(const Name& name);
  // What it would have meant has been spoken of.
  void leave_unknown(const Name& name);

  // ---- expressions ----

  void expr(ExprId id);
  void exprs(const std::vector<ExprId>& ids);
  // What stands leftmost in a chain of operators: `next` is the one after it, or null.
  void operand(ExprId id, const BinaryExpr* next);
  // `exponent` where it is the base of a power. Returns null when that has been reported.
  const Definition* use(const std::string& name, Span at, ExprId exponent = {});
  // Of a function's param.
  Definition& path(const std::string& name);
  void comprehend(const ComprehensionExpr& comprehension);
  void call(ExprId id, const CallExpr& call, Span at);
  // What is called, or null, with which arguments are right.
  const Definition* callee(const CallExpr& call, Span at);
  const Definition* unknown_callee(const CallExpr& call);
  // E0105; the names of those that do get their meanings.
  bool arguments_fit(const CallExpr& call, Span at, const Definition& function);
  bool reaches(const std::string& from, const std::string& to) const { return outline_.reaches(from, to); }
  // A value, or a function by its name, or one that is written where it is passed.
  void passed(ExprId id);
  void function(const FunctionExpr& function);
  void type(const std::optional<TypeExpr>& type);
  // In a signature, a size that is just a name, and no dim or const, stands for whatever size comes.
  void generic_sizes(const TypeExpr& type, std::vector<const Definition*>& sizes);

  // ---- statements ----

  std::string misplaced_help(const StmtNode& node) const;
  // The word of a declaration that cannot stand where we are, or null. Functions may hold params and consts.
  const char* misplaced(const StmtNode& node) const;
  void refuse(StmtId id, const char* word);
  void statement(StmtId id);
  void statements(const Block& block);
  void block(const Block& block);
  // In a scope that is open, which it closes.
  void loop_body(const Block& body);
  void leave_loop(StmtId id, const char* word);

  // Of a `train` block, once all names of the file are known. (settings.cpp)
  void settings(const TrainStmt& train);
  void setting_value(const SettingInfo& setting, ExprId id);
  void named_function(const SettingInfo& setting, ExprId id);
  void metric(const SettingInfo& setting, ExprId id);
  void wrong_form(const SettingInfo& setting, Span at);

  // `const`, `input` or `param`.
  void declaration(const auto& statement, Kind kind);

  void visit(const ImportStmt& import, StmtId id);
  void visit(const DimStmt& dim, StmtId id);
  void visit(const ConstStmt& constant, StmtId id);
  void visit(const InputStmt& input, StmtId id);
  void visit(const ParamStmt& param, StmtId id);
  void visit(const LossStmt& loss, StmtId id);
  void visit(const FnStmt& fn, StmtId id);
  void visit(const SeedStmt& seed, StmtId id);
  void visit(const RealStmt& real, StmtId id);
  void visit(const TrainStmt& train, StmtId id);
  void visit(const AdjointStmt& rule, StmtId id);
  void visit(const AssignStmt& assignment, StmtId id);
  void visit(const ExprStmt& statement, StmtId id);
  void visit(const IfStmt& branch, StmtId id);
  void visit(const ForStmt& loop, StmtId id);
  void visit(const WhileStmt& loop, StmtId id);
  void visit(const BreakStmt& statement, StmtId id);
  void visit(const ContinueStmt& statement, StmtId id);
  void visit(const ReturnStmt& statement, StmtId id);
  void visit(const PrintStmt& print, StmtId id);
  void visit(const AssertStmt& check, StmtId id);
  void visit(const ErrorStmt& broken, StmtId id);

  const SourceMap& sources_;
  Diagnostics& diagnostics_;
  const Ast& ast_;
  Meanings& names_;
  Outline outline_;
  Scopes scopes_;
  UnknownNames unknown_;
  const Habits habits_;
  Imported imported_;
  std::vector<const Symbols*> twins_;  // inside the second side of an `if`: what the first one binds, which are the same names
  std::string function_;               // the current one; empty at the top level
  bool in_block_ = false;
  int loops_ = 0;                      // around the statement at hand
  bool in_rule_ = false;               // of an adjoint
  std::map<std::string, Span> rules_;  // functions that have an adjoint
  const TrainStmt* train_ = nullptr;
  Span real_;                  // where the script says what it is
  std::string fallback_help_;  // for an unknown name here of which nothing else is to be said
};

}  // namespace bpc::frontend
