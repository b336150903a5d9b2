// What each name of a file means: found once, by name resolution, and asked for by every later stage.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/builtins/builtins.h"
#include "frontend/syntax/ast.h"

namespace bpc::frontend {

// One meaning; that of a name that is assigned several times is one. It is known by its address.
struct Definition {
  enum class Kind : std::uint8_t {
    dim,
    constant,
    input,
    param,
    loss,
    function,   // of a file
    parameter,  // of a function, or a value that an adjoint rule is given
    index,      // of a loop or a comprehension
    value,      // bound by assignment
    size,       // in a signature: whatever size the call has there
    builtin,    // a function made of operators, or a form that looks like a call
    library,    // a function of the prelude
    number,     // `pi`
    none,       // `none`
    unknown,    // what would have bound it was not understood, which has been reported
  };
  Kind kind;
  std::string name;
  Span span;                                       // of the name where it is first bound; nowhere for what is built in
  const FnStmt* fn = nullptr;                      // of a function of a file
  std::vector<const Definition*> sizes = {};       // of its signature
  std::vector<const Definition*> parameters = {};  // in its order
  const PreludeFunction* prelude = nullptr;        // of a function of the prelude
  const BuiltinInfo* builtin = nullptr;            // of a builtin; null for an operator that is spelled so
};

// Whether a file gives it to those that import the file.
bool is_exported(Definition::Kind kind);

// "a dim", "the loss", … as a message says it.
std::string_view kind_name(Definition::Kind kind);

// Whether a name is the path of a function's param.
inline bool is_path(std::string_view name) {
  return name.find('.') != std::string_view::npos;
}

// By name.
using Symbols = std::map<std::string, const Definition*>;

class Meanings {
 public:
  explicit Meanings(const Ast& ast) : meanings_(ast.exprs.size()) {}

  // ---- what later stages ask; null for what has been reported ----

  // Of a NameExpr, or of the callee of a CallExpr.
  const Definition* of(ExprId id) const { return meanings_[id.index]; }
  // Of a name that is bound: by a declaration, an assignment, a parameter, a generator, a loop or the head of an adjoint; and of one that
  // says which parameter an argument is for.
  const Definition* of(const Name& name) const;
  // Of the target of `x += 1` or `x[i] = v`, before it: inside a function that may be another `x`, outside.
  const Definition* before(const Name& target) const;
  // In an adjoint: of `dNAME`, by the input or output NAME in its head.
  const Definition* cotangent(const Name& name) const;
  // The derivative of a function of the file, by the author, or null.
  const AdjointStmt* rule(const Definition& function) const;
  // The name that is bound around a place.
  struct Bound {
    const Definition* meaning;
    Span place;
  };
  std::optional<Bound> bound_at(FileId file, std::uint32_t line, std::uint32_t column) const;
  // Of a parameter: whether the function calls it.
  bool is_called(const Definition& parameter) const { return called_.contains(&parameter); }
  // Of a path such as `h.dense.W` that the file mentions, or null.
  const Definition* path(const std::string& name) const;
  // Whether the statement stands where it cannot, so that it says nothing.
  bool is_refused(StmtId id) const { return refused_.contains(id.index); }

  // ---- what resolution enters ----

  Definition& make(Definition::Kind kind, const Name& name);
  // The one of that name that is built in, or null.
  const Definition* built_in(const std::string& name, bool for_library);
  void use(ExprId id, const Definition* meaning) { meanings_[id.index] = meaning; }
  void bind(const Name& name, const Definition* meaning);
  void set_before(const Name& target, const Definition* meaning);
  void set_cotangent(const Name& name, const Definition* meaning);
  void set_rule(const Definition& function, const AdjointStmt& rule) { rules_.emplace(&function, &rule); }
  void refuse(StmtId id) { refused_.insert(id.index); }
  void set_path(const Definition& meaning) { paths_.emplace(meaning.name, &meaning); }
  void set_called(const Definition& parameter) { called_.insert(&parameter); }

 private:
  std::deque<Definition> own_;
  std::vector<const Definition*> meanings_;                                           // by expression
  std::unordered_map<std::uint64_t, const Definition*> bound_, before_, cotangents_;  // by place
  std::map<std::string, const Definition*> built_in_;
  std::map<const Definition*, const AdjointStmt*> rules_;
  std::set<std::uint32_t> refused_;
  std::set<const Definition*> called_;
  Symbols paths_;
};

}  // namespace bpc::frontend
