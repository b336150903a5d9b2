// Private to name resolution: what a file binds and calls, seen before its statements are walked.
#pragma once

#include <map>
#include <set>
#include <string>

#include "frontend/syntax/ast.h"

namespace bpc::frontend {

struct Outline {
  std::map<std::string, Span> bound;                   // by the top-level statements, first binding
  std::map<std::string, std::set<std::string>> calls;  // per function of the file: the names that its body, or its adjoint rule, calls

  explicit Outline(const Ast& ast);
  // Whether calling `from` may call `to`.
  bool reaches(const std::string& from, const std::string& to) const;
};

}  // namespace bpc::frontend
