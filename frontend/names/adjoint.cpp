#include "frontend/names/adjoint.h"

#include <fmt/format.h>

namespace bpc::frontend {

bool check_adjoint(const AdjointStmt& rule, const Definition* symbol, FileId file, Diagnostics& diagnostics) {
  const Name& name = rule.function;
  if (!symbol) {
    diagnostics.error(Code::E0109, name.span, fmt::format("`{}` is built in, and has its derivative", name.text))
        .with_help("write a function of your own that calls it, and an adjoint for that");
  } else if (symbol->kind != Definition::Kind::function) {
    diagnostics.error(Code::E0209, name.span, fmt::format("`{}` is {}, not a function", name.text, kind_name(symbol->kind)));
  } else if (symbol->span.file != file) {
    diagnostics.error(Code::E0109, name.span, "an adjoint stands in the file of its function");
  } else if (symbol->fn && symbol->fn->parameters.size() != rule.inputs.size()) {
    std::size_t count = symbol->fn->parameters.size();
    diagnostics
        .error(
            Code::E0105, name.span,
            fmt::format("`{}` has {} parameter{}, and its adjoint names {}", name.text, count, count == 1 ? "" : "s", rule.inputs.size()))
        .label(symbol->span, "")
        .label(name.span, "");
  } else {
    return true;
  }
  return false;
}

}  // namespace bpc::frontend
