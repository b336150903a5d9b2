#include "ir/limits.h"

namespace bpc::ir {

void limit_reached(Code code, const Origin& origin, std::string message) {
  const Span& span = origin.calls.empty() ? origin.span : origin.calls.back();
  throw LimitReached{Diagnostic{Severity::error, code, span, std::move(message), {}, {}, {}}};
}

}  // namespace bpc::ir
