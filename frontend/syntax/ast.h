// The syntax tree of one .bp file: expressions and statements are ids into vectors. It says what was written, nothing more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "support/source.h"

namespace bpc::frontend {

struct ExprId {
  std::uint32_t index = UINT32_MAX;
  bool valid() const { return index != UINT32_MAX; }
  bool operator==(const ExprId&) const = default;
};
struct StmtId {
  std::uint32_t index = UINT32_MAX;
  bool valid() const { return index != UINT32_MAX; }
};

struct Name {
  std::string text;
  Span span;
};

// ---- types ----

// `real`, `f64`, `[N, H]` (of reals), `i32[N]`. Element "real" or empty is the program's default float.
struct TypeExpr {
  std::string element;
  std::vector<ExprId> sizes;
  bool scalar = true;  // no brackets
  Span span;
};

// ---- functions ----

struct Block {
  std::vector<StmtId> statements;
  Span span;  // with the braces
};

struct FnParameter {
  Name name;
  std::optional<TypeExpr> type;
  ExprId value;  // default, or invalid
};
struct FnStmt {
  Name name;  // the word itself where the function has none
  std::vector<FnParameter> parameters;
  std::vector<TypeExpr> results;  // after ->; empty when absent
  ExprId expression;              // `= e` form, or invalid
  Block body;                     // `{ … }` form
};
// ---- expressions ----

// `3`, `1e-3`, `1_000`. `integer` holds the value when the text is a whole number without point or exponent that fits in 64 bits.
struct NumberExpr {
  std::string text;
  double value = 0;
  std::optional<std::int64_t> integer;
};
struct BoolExpr {
  bool value;
};
struct StringExpr {
  std::string value;  // unescaped
};
struct NameExpr {
  std::string name;
};
// `-x`, `not x`: spelled as in ir/ops.def.
struct UnaryExpr {
  std::string spelling;
  ExprId operand;
};
struct BinaryExpr {
  std::string spelling;
  Span spelling_span;
  ExprId left, right;
};
struct ConditionalExpr {  // then if condition else otherwise
  ExprId then, condition, otherwise;
};
// `lo..hi by step`: a for range, or inside an index with optional bounds.
struct RangeExpr {
  ExprId lo, hi, step;  // each may be invalid (absent)
};
struct ListExpr {  // [a, b]
  std::vector<ExprId> items;
};
struct Argument {
  std::optional<Name> name;  // axis=0
  ExprId value;
};
// f(a, axis=0), also `sum(e for i in a..b)` whose argument is a ComprehensionExpr without brackets.
struct CallExpr {
  Name callee;
  std::vector<Argument> arguments;
};
struct IndexExpr {  // x[i, 0..3, :]; an item is an expression or a RangeExpr (`:` is a RangeExpr with all parts absent)
  ExprId base;
  std::vector<ExprId> items;
};
struct TransposeExpr {  // x.T
  ExprId operand;
};
struct Generator {
  Name variable;
  ExprId range;  // a RangeExpr
};
struct ComprehensionExpr {
  ExprId body;
  std::vector<Generator> generators;
  bool bracketed;  // [e for …] or bare inside a call
};

struct FunctionExpr {  // fn(x) = x^2
  FnStmt fn;
};

using ExprNode = std::variant<NumberExpr, BoolExpr, StringExpr, NameExpr, UnaryExpr, BinaryExpr, ConditionalExpr, RangeExpr, ListExpr,
                              CallExpr, IndexExpr, TransposeExpr, ComprehensionExpr, FunctionExpr>;
struct Expr {
  Span span;
  ExprNode node;
  bool parenthesized = false;  // written inside ( ); `span` includes them
};

// ---- statements ----

struct ImportStmt {
  std::string path;
  Span path_span;
};
struct DimStmt {
  Name name;
  ExprId value;  // invalid: free
};
struct ConstStmt {
  Name name;
  std::optional<TypeExpr> type;
  ExprId value;
};
struct FromClause {
  std::string path;
  Span path_span;
  ExprId selector;  // the expression inside [ ], no name of which is a name of the script; invalid when absent
};
struct InputStmt {
  Name name;
  std::optional<TypeExpr> type;
  ExprId value;  // default, or invalid
  std::optional<FromClause> from;
  ExprId of{};  // how many categories it has; invalid where it has none
};
struct ParamStmt {
  Name name;
  std::optional<TypeExpr> type;
  ExprId value;  // initialiser, or invalid
  std::optional<FromClause> from;
};
struct LossStmt {
  Name name;  // "loss" itself for `loss = e`
  ExprId value;
};
struct SeedStmt {
  ExprId value;
};
struct RealStmt {  // real f64
  Name element;
};
struct TrainStmt {
  struct Setting {
    Name name;
    ExprId value;
  };
  std::vector<Setting> settings;
};
struct AdjointStmt {  // adjoint ste(x) -> y { dx = dy }
  Name function;
  std::vector<Name> inputs, outputs;
  Block body;
};

struct Target {
  Name name;
  std::optional<std::vector<ExprId>> index;  // x[i] = v
  std::optional<TypeExpr> type;              // k : i32 = 0
  Span span;
};
struct AssignStmt {
  std::vector<Target> targets;
  std::string spelling;  // "=", "+=", "-=", "*=", "/="
  Span spelling_span;
  std::vector<ExprId> values;  // one, or as many as targets
};
struct ExprStmt {  // a bare expression: an error that says so
  ExprId value;
};
struct IfStmt {
  ExprId condition;
  Block then;
  std::optional<Block> otherwise;  // `else if` is a block with one IfStmt
};
struct ForStmt {
  Name variable;
  ExprId range;
  Block body;
};
struct WhileStmt {
  ExprId condition;
  Block body;
};
struct BreakStmt {};
struct ContinueStmt {};
struct ReturnStmt {
  std::vector<ExprId> values;
};
struct PrintStmt {
  std::vector<ExprId> items;
};
struct AssertStmt {
  ExprId condition;
  std::optional<std::string> message;
};

// What could not be read, in a tree of a file with mistakes (parse_partial).
struct ErrorStmt {
  std::vector<Name> assigned;   // the names that it seems to bind
  std::vector<Name> mentioned;  // and those that it may have been about
  bool imports = false;         // what it would have brought is unknown
};

using StmtNode =
    std::variant<ImportStmt, DimStmt, ConstStmt, InputStmt, ParamStmt, LossStmt, FnStmt, SeedStmt, RealStmt, TrainStmt, AdjointStmt,
                 AssignStmt, ExprStmt, IfStmt, ForStmt, WhileStmt, BreakStmt, ContinueStmt, ReturnStmt, PrintStmt, AssertStmt, ErrorStmt>;
struct Stmt {
  Span span;
  StmtNode node;
  bool continues = false;  // a further name of the declaration before it, as b in `param a = 1, b = 2`
};

struct Comment {
  Span span;
  std::string text;  // with the '#', without the newline
};

struct Ast {
  FileId file = kNoFile;
  std::vector<Expr> exprs;
  std::vector<Stmt> stmts;
  std::vector<StmtId> top;
  std::vector<Comment> comments;  // in order

  const Expr& expr(ExprId id) const { return exprs[id.index]; }
  const Stmt& stmt(StmtId id) const { return stmts[id.index]; }
};

}  // namespace bpc::frontend
