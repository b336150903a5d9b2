#include "backend/failure/failure.h"

#include <fmt/format.h>

#include "runtime/number_text.h"

namespace bpc::backend {

namespace {

using ir::Attr;
using ir::Function;
using ir::Op;
using runtime::Failure;

Failure failure(const Function& function, const Op* op, Code code, std::string message) {
  static const ir::Origin nowhere;
  const ir::Origin& origin = op ? function.origin(op->origin) : nowhere;
  Diagnostic diagnostic{Severity::error, code, origin.span, std::move(message), {}, {}, {}};
  for (const Span& call : origin.calls) diagnostic.label(call, "in this call");
  return {false, std::move(diagnostic)};
}

}  // namespace

Failure interrupted() {
  return {true, {Severity::error, Code::E0405, {}, {}, {}, {}, {}}};
}

Failure index_failure(const Function& function, const Op& op, std::size_t position, std::int64_t start) {
  const bool is_part = op.code == ir::Opcode::slice || op.code == ir::Opcode::update;  // else a tensor of indices names single elements
  const auto axis = static_cast<std::size_t>(op.attrs.ints(is_part ? Attr::dynamic : Attr::axes)[position]);
  const std::int64_t size = is_part ? op.attrs.ints(Attr::sizes)[axis] : 1, step = is_part ? op.attrs.ints(Attr::steps)[axis] : 1;
  const std::int64_t n = function.type(op.operands[0]).size(axis);
  const std::string& name = function.value(op.operands[0]).name;
  const std::string whole = fmt::format("axis {} of {}, size {}", axis, name.empty() ? "the value" : name, n);
  if (size == 1 && n > 0)
    return failure(function, &op, Code::E0401, fmt::format("index {} is outside {}..{} for {}", start, -n, n - 1, whole));
  const std::string stride = step == 1 ? "" : fmt::format(" by {}", step);
  return failure(function, &op, Code::E0401, fmt::format("a part of {} from {}{} is outside {}", size, start, stride, whole));
}

Failure assert_failure(const Function& function, const Op& op, std::span<const runtime::Tensor> shown, bool full) {
  const std::string& message = op.attrs.string(Attr::message);
  Failure result =
      failure(function, &op, Code::E0402, message.empty() ? "the assertion does not hold" : "the assertion does not hold: " + message);
  const auto& names = op.attrs.strings(Attr::names);
  for (std::size_t i = 0; i < shown.size() && i < names.size(); ++i)
    result.diagnostic.note(names[i] + " = " + runtime::tensor_text(shown[i], full));
  return result;
}

Failure division_failure(const Function& function, const Op& op) {
  const std::string& name = function.value(op.operands[1]).name;
  return failure(function, &op, Code::E0403,
                 fmt::format("integer division by zero: the divisor{} of `{}` {}", name.empty() ? "" : " " + name,
                             ir::op_info(op.code).spelling, function.type(op.operands[1]).is_scalar() ? "is 0" : "holds a 0"));
}

Failure matrix_failure(const Function& function, const Op& op, std::int64_t place) {
  const Type& type = function.type(op.operands[0]);
  const std::int64_t n = type.dims.back().size, column = place % n;
  std::vector<std::int64_t> index;  // of the matrix among the batches
  std::int64_t batch = place / n;
  for (std::size_t axis = type.rank() - 2; axis-- > 0; batch /= type.size(axis)) index.insert(index.begin(), batch % type.size(axis));
  const std::string& name = function.value(op.operands[0]).name;
  std::string matrix = name.empty() ? index.empty() ? "the matrix " : "" : name + " ";
  matrix += fmt::format("[{}]", fmt::join(type.sizes(), ", "));
  if (!index.empty()) matrix = fmt::format("matrix [{}] of {}", fmt::join(index, ", "), matrix);
  const bool factors = op.code == ir::Opcode::cholesky;
  std::string what = factors                        ? "is not positive definite: pivot {} of its factorization is not positive"
                     : op.code == ir::Opcode::solve ? "is singular: pivot {} of its factorization is 0"
                                                    : "is singular: element {} of its diagonal is 0";
  Failure result = failure(function, &op, factors ? Code::E0409 : Code::E0408, matrix + " " + fmt::format(fmt::runtime(what), column));
  result.diagnostic.with_help(fmt::format("a small multiple of `eye({})`, added to it, makes it {}", n, factors ? "so" : "invertible"));
  return result;
}

Failure iteration_failure(const Function& function, const Op& op, std::uint64_t limit) {
  Failure result = failure(function, &op, Code::E0405, fmt::format("this loop would run more than {} times", limit));
  result.diagnostic.with_help("`--max-iterations` sets the limit");
  return result;
}

Failure memory_failure(const Function& function, const Op* op, std::size_t needed, std::size_t limit) {
  if (limit == 0) return failure(function, op, Code::E0406, fmt::format("the run needs {} bytes, more than there are", needed));
  Failure result = failure(function, op, Code::E0406, fmt::format("the run needs {} bytes, and {} are allowed", needed, limit));
  result.diagnostic.with_help("`--max-memory` sets the limit");
  return result;
}

Failure step_failure(const Function& function, const Op& op) {
  return failure(function, &op, Code::E0407, "the step of this loop is 0");
}

}  // namespace bpc::backend
