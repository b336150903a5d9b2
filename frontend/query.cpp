#include "frontend/query.h"

#include <algorithm>

namespace bpc::frontend {

namespace {

struct Place {
  std::uint32_t line, column;

  bool is_in(const Span& span) const {
    return span.valid() && std::pair(span.line, span.column) <= std::pair(line, column) &&
           std::pair(line, column) < std::pair(span.end_line, span.end_column);
  }
};

// The name that is used there: a NameExpr, or the callee of a call.
std::optional<Meanings::Bound> use_at(const Ast& ast, const Meanings& names, const Place& place) {
  for (ExprId id{0}; id.index < ast.exprs.size(); ++id.index) {
    const Expr& e = ast.expr(id);
    const auto* call = std::get_if<CallExpr>(&e.node);
    const Span& name = call ? call->callee.span : e.span;
    if (const Definition* meaning = names.of(id); meaning && place.is_in(name)) return Meanings::Bound{meaning, name};
  }
  return std::nullopt;
}

std::string type_at(const TypeTable& types, const Span& place) {
  auto found = types.find(place);
  return found == types.end() ? std::string() : found->second;
}

}  // namespace

std::optional<NameAt> name_at(const Program& program, const TypeTable& types, FileId file, std::uint32_t line, std::uint32_t column) {
  const auto ast = std::ranges::find(program.asts, file, [](const auto& each) { return each->file; });
  if (ast == program.asts.end()) return std::nullopt;
  const Meanings& names = *program.names[static_cast<std::size_t>(ast - program.asts.begin())];
  auto found = names.bound_at(file, line, column);
  if (!found) found = use_at(**ast, names, {line, column});
  return found ? std::optional(NameAt{found->meaning, found->place, type_at(types, found->place)}) : std::nullopt;
}

}  // namespace bpc::frontend
