// The syntax tree of a script under construction.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/syntax/precedence.h"
#include "ir/op.h"
#include "support/type.h"

namespace bpc::frontend::script {

// An expression on its way into a statement. Its nodes may stand in several places of the tree.
struct Term {
  ExprId id;
  bool is_literal = false;  // a number without a type of its own: it takes that of what it meets
  bool may_fail = false;    // evaluating it may stop the run, so that it does not move across effects
};

class Tree {
 public:
  // `real` is the script's default float.
  explicit Tree(Element real) : real_(real) {}

  // ---- expressions: operands get the parentheses that their places ask for ----
  Term name(const std::string& name);
  Term integer(std::int64_t value);
  Term truth(bool value);
  Term text(std::string value);
  // A number of the element type; NaN and infinities are divisions by zero.
  Term number(const ir::AttrValue& value, Element element);
  Term negated(const Term& x, const char* spelling = "-");  // or "not"
  Term binary(std::string_view spelling, const Term& a, const Term& b);
  Term conditional(const Term& then, const Term& condition, const Term& otherwise);
  Term call(const std::string& function, const std::vector<Term>& arguments, const std::vector<std::pair<std::string, Term>>& named = {});
  Term list(const std::vector<Term>& items);
  Term integers(const std::vector<std::int64_t>& items);
  Term sizes(const Type& type);  // `[N, 3]`
  Term index(const Term& base, const std::vector<Term>& items);
  Term transposed(const Term& x);  // x.T
  // `lo..hi by step`; a bound that is `Term{}` is absent, and so is a step of 1. Without bounds: `:`.
  Term range(const Term& lo, const Term& hi, const Term& step = {});
  Generator generator(const std::string& variable, const Term& range);
  Term comprehension(const Term& body, std::vector<Generator> generators);

  // "real" for the default float, else "f32", "i32", …: also the name of the cast.
  std::string element_spec(Element element) const;
  // The sizes of these dims are written by their names from here on.
  void name_dims(std::map<std::string, std::int64_t> dims) { dims_ = std::move(dims); }
  // The type as declarations write it: `real`, `[N, 784]`, `i32[3]`.
  TypeExpr type(const Type& type);

  // ---- statements ----
  static Target target(const std::string& name);
  StmtId add(StmtNode node, const std::string& comment = {});
  // `name = value`, or `name += change` where the value is one; with the type where it is given.
  StmtId assign(const std::string& name, const Term& value, const std::optional<TypeExpr>& type, const std::string& comment);
  // At the top level, a blank line stands before it.
  void set_apart(StmtId statement) { apart_.insert(statement.index); }
  // At the top level, a comment stands above it.
  void head(StmtId statement, const std::string& text) { heads_[statement.index] = "# " + text; }

  // ---- what has been written ----
  const Expr& expr(const Term& term) const { return ast_.expr(term.id); }
  Level level(const Term& term) const { return level_of(expr(term)); }
  bool is_name(const Term& term, std::string_view name) const;
  bool is_word(const Term& term) const;  // a name, true or false
  bool is_integer(const Term& term, std::int64_t value) const;
  bool mentions(const Term& term, std::string_view name) const;
  // The names that stand in the statements and terms, each once, in order.
  std::vector<std::string> names_in(const std::vector<StmtId>& statements, const std::vector<Term>& terms) const;
  std::size_t width(const Term& term) const;  // characters on one line
  // The statements as text, formatted in lines of at most `limit` columns.
  std::string text_of(const std::vector<StmtId>& statements, std::size_t limit);
  // The tree itself, which is not written any further.
  Ast take() { return std::move(ast_); }

 private:
  Term put(ExprNode node, bool is_literal = false);
  // In parentheses when it binds less tightly than `at_least`.
  ExprId within(const Term& term, Level at_least);
  std::vector<ExprId> ids(const std::vector<Term>& terms);
  void place(StmtId id);

  Term size(const Dim& dim);

  Element real_;
  std::map<std::string, std::int64_t> dims_;
  Ast ast_;
  std::map<std::uint32_t, std::string> comments_;  // by statement
  std::map<std::uint32_t, std::string> heads_;
  std::set<std::uint32_t> apart_;
  std::uint32_t line_ = 0;  // of the text, while statements get their places
};

}  // namespace bpc::frontend::script
