#include "backend/failure/failure.h"

#include <fmt/format.h>

#include "runtime/number_text.h"
#include "support/internal_error.h"

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

// " at [0, 3] of t": where element i of a tensor of that type stands; nothing of a scalar.
std::string place_of(const Type& type, std::int64_t i, const std::string& name) {
  if (type.is_scalar()) return {};
  std::vector<std::int64_t> index;
  for (std::size_t axis = type.rank(); axis-- > 0; i /= type.size(axis)) index.insert(index.begin(), i % type.size(axis));
  return fmt::format(" at [{}]{}", fmt::join(index, ", "), name.empty() ? std::string() : " of " + name);
}

// The first element outside lo..hi-1.
std::int64_t first_outside(const runtime::Tensor& tensor, std::int64_t lo, std::int64_t hi) {
  std::int64_t i = 0;
  while (i < tensor.count() && tensor.int_at(i) >= lo && tensor.int_at(i) < hi) ++i;
  if (i == tensor.count()) throw InternalError("run", "every index is inside");
  return i;
}

// `what` is outside lo..hi-1, the places of `whole` (if it has a name).
Failure outside(const Function& function, const Op& op, const std::string& what, std::int64_t lo, std::int64_t hi,
                const std::string& whole) {
  const std::string places = lo < hi ? fmt::format("{}..{}{}", lo, hi - 1, whole.empty() ? whole : " for " + whole) : whole;
  return failure(function, &op, Code::E0401, fmt::format("{} is outside {}", what, places.empty() ? "an empty range" : places));
}

std::string axis_text(const Function& function, const Op& op, std::int64_t axis) {
  const std::string& name = function.value(op.operands[0]).name;
  return fmt::format("axis {} of {}, size {}", axis, name.empty() ? "the value" : name,
                     function.type(op.operands[0]).size(static_cast<std::size_t>(axis)));
}

}  // namespace

Failure interrupted() {
  return {true, {Severity::error, Code::E0405, {}, {}, {}, {}, {}}};
}

Failure index_failure(const Function& function, const Op& op, std::size_t position, std::int64_t start) {
  const bool is_part = op.code == ir::Opcode::slice || op.code == ir::Opcode::update;  // else an index names single elements
  const auto axis = static_cast<std::size_t>(op.attrs.ints(is_part ? Attr::dynamic : Attr::axes)[position]);
  const std::int64_t size = is_part ? op.attrs.ints(Attr::sizes)[axis] : 1, step = is_part ? op.attrs.ints(Attr::steps)[axis] : 1;
  const std::int64_t n = function.type(op.operands[0]).size(axis);
  const std::string whole = axis_text(function, op, static_cast<std::int64_t>(axis));
  if (size == 1 && n > 0) return outside(function, op, fmt::format("index {}", start), -n, n, whole);
  const std::string stride = step == 1 ? "" : fmt::format(" by {}", step);
  return failure(function, &op, Code::E0401, fmt::format("a part of {} from {}{} is outside {}", size, start, stride, whole));
}

ir::ValueId index_operand(const Op& op, std::size_t position) {
  return op.operands[op.operands.size() - op.attrs.ints(Attr::axes).size() + position];
}

Failure index_failure(const Function& function, const Op& op, std::size_t position, const runtime::Tensor& indices) {
  const std::int64_t axis = op.attrs.ints(Attr::axes)[position];
  const std::int64_t n = function.type(op.operands[0]).size(static_cast<std::size_t>(axis));
  const std::int64_t at = first_outside(indices, -n, n);
  const std::string place = place_of(indices.type(), at, function.value(index_operand(op, position)).name);
  return outside(function, op, fmt::format("index {}{}", indices.int_at(at), place), -n, n, axis_text(function, op, axis));
}

Failure assert_failure(const Function& function, const Op& op, std::span<const runtime::Tensor> shown, bool full) {
  if (op.attrs.find(Attr::size)) {
    const std::int64_t n = op.attrs.integer(Attr::size), at = first_outside(shown[0], 0, n);
    const std::string& labels = op.attrs.strings(Attr::names)[0];
    const bool are_rows = shown[0].type().rank() == 1;
    const std::string place = are_rows ? fmt::format(" in row {} of {}", at, labels) : place_of(shown[0].type(), at, labels);
    return outside(function, op, fmt::format("label {}{}", shown[0].int_at(at), place), 0, n, "");
  }
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
