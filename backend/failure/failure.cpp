#include "backend/failure/failure.h"

#include <fmt/format.h>

#include "runtime/number_text.h"
#include "support/internal_error.h"

namespace bpc::backend {

namespace {

using runtime::Failure;

Failure failure(const Site& site, Code code, std::string message) {
  Diagnostic diagnostic{Severity::error, code, site.span, std::move(message), {}, {}, {}};
  for (const Span& call : site.calls) diagnostic.label(call, "in this call");
  return {false, std::move(diagnostic)};
}

template <class What>
const What& what(const Site& site) {
  if (const auto* found = std::get_if<What>(&site.what)) return *found;
  throw InternalError("run", "another failure than this place can have", site.span);
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
Failure outside(const Site& site, const std::string& what, std::int64_t lo, std::int64_t hi, const std::string& whole) {
  const std::string places = lo < hi ? fmt::format("{}..{}{}", lo, hi - 1, whole.empty() ? whole : " for " + whole) : whole;
  return failure(site, Code::E0401, fmt::format("{} is outside {}", what, places.empty() ? "an empty range" : places));
}

}  // namespace

Failure interrupted() {
  return {true, {Severity::error, Code::E0405, {}, {}, {}, {}, {}}};
}

Failure index_failure(const Site& site, std::size_t position, std::int64_t start) {
  const IndexedAxis& axis = what<Indexing>(site).axes[position];
  if (axis.size == 1 && axis.n > 0) return outside(site, fmt::format("index {}", start), -axis.n, axis.n, axis.whole);
  const std::string stride = axis.step == 1 ? "" : fmt::format(" by {}", axis.step);
  return failure(site, Code::E0401, fmt::format("a part of {} from {}{} is outside {}", axis.size, start, stride, axis.whole));
}

Failure index_failure(const Site& site, std::size_t position, const runtime::Tensor& indices) {
  const IndexedAxis& axis = what<Indexing>(site).axes[position];
  const std::int64_t at = first_outside(indices, -axis.n, axis.n);
  const std::string place = place_of(indices.type(), at, axis.index);
  return outside(site, fmt::format("index {}{}", indices.int_at(at), place), -axis.n, axis.n, axis.whole);
}

Failure assert_failure(const Site& site, std::span<const runtime::Tensor> shown, bool full) {
  const auto& assertion = what<Assertion>(site);
  if (assertion.labels) {
    const std::int64_t n = *assertion.labels, at = first_outside(shown[0], 0, n);
    const std::string& labels = assertion.names[0];
    const bool are_rows = shown[0].type().rank() == 1;
    const std::string place = are_rows ? fmt::format(" in row {} of {}", at, labels) : place_of(shown[0].type(), at, labels);
    return outside(site, fmt::format("label {}{}", shown[0].int_at(at), place), 0, n, "");
  }
  std::string message = "the assertion does not hold";
  if (!assertion.message.empty()) message += ": " + assertion.message;
  Failure result = failure(site, Code::E0402, std::move(message));
  for (std::size_t i = 0; i < shown.size() && i < assertion.names.size(); ++i)
    result.diagnostic.note(assertion.names[i] + " = " + runtime::tensor_text(shown[i], full));
  return result;
}

Failure division_failure(const Site& site) {
  const auto& division = what<Division>(site);
  return failure(site, Code::E0403,
                 fmt::format("integer division by zero: the divisor{} of `{}` {}", division.divisor.empty() ? "" : " " + division.divisor,
                             division.sign, division.by_scalar ? "is 0" : "holds a 0"));
}

Failure matrix_failure(const Site& site, std::int64_t place) {
  const auto& [stops, name, type] = what<Factorization>(site);
  const std::int64_t n = type.dims.back().size, column = place % n;
  std::vector<std::int64_t> index;  // of the matrix among the batches
  std::int64_t batch = place / n;
  for (std::size_t axis = type.rank() - 2; axis-- > 0; batch /= type.size(axis)) index.insert(index.begin(), batch % type.size(axis));
  std::string matrix = name.empty() ? index.empty() ? "the matrix " : "" : name + " ";
  matrix += fmt::format("[{}]", fmt::join(type.sizes(), ", "));
  if (!index.empty()) matrix = fmt::format("matrix [{}] of {}", fmt::join(index, ", "), matrix);
  const bool factors = stops == Factorization::Stops::not_positive_definite;
  std::string why;
  switch (stops) {
    case Factorization::Stops::not_positive_definite:
      why = fmt::format("is not positive definite: pivot {} of its factorization is not positive", column);
      break;
    case Factorization::Stops::singular_pivot:
      why = fmt::format("is singular: pivot {} of its factorization is 0", column);
      break;
    case Factorization::Stops::singular_diagonal:
      why = fmt::format("is singular: element {} of its diagonal is 0", column);
      break;
  }
  Failure result = failure(site, factors ? Code::E0409 : Code::E0408, matrix + " " + why);
  result.diagnostic.with_help(fmt::format("a small multiple of `eye({})`, added to it, makes it {}", n, factors ? "so" : "invertible"));
  return result;
}

Failure iteration_failure(const Site& site, std::uint64_t limit) {
  Failure result = failure(site, Code::E0405, fmt::format("this loop would make more than {} turn{}", limit, limit == 1 ? "" : "s"));
  result.diagnostic.with_help("`--max-iterations` sets the limit");
  return result;
}

Failure memory_failure(const Site* site, std::size_t needed, std::size_t limit) {
  static const Site nowhere;
  const Site& at = site ? *site : nowhere;
  if (limit == 0) return failure(at, Code::E0406, fmt::format("the run needs {} bytes, more than there are", needed));
  Failure result = failure(at, Code::E0406, fmt::format("the run needs {} bytes, and {} are allowed", needed, limit));
  result.diagnostic.with_help("`--max-memory` sets the limit");
  return result;
}

Failure step_failure(const Site& site) {
  return failure(site, Code::E0407, "the step of this loop is 0");
}

std::string printed_line(const Site& site, std::span<const runtime::Tensor> items, bool full) {
  const std::vector<std::string>& texts = what<PrintedLine>(site).texts;
  std::string line = texts.empty() ? std::string() : texts[0];
  for (std::size_t i = 0; i < items.size(); ++i) {
    line += runtime::tensor_text(items[i], full);
    if (i + 1 < texts.size()) line += texts[i + 1];
  }
  return line;
}

}  // namespace bpc::backend
