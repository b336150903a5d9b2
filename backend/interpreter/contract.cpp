#include <algorithm>
#include <memory>

#include "backend/interpreter/evaluate.h"
#include "backend/interpreter/long_sum.h"
#include "ir/shape_rules.h"
#include "support/element.h"

namespace bpc::interpreter {

namespace {

using runtime::Tensor;

bool within(char letter, const std::string& text) {
  return text.find(letter) != std::string::npos;
}

// The letters of `text` for which `keep` holds, in order.
template <class F>
std::string letters_of(const std::string& text, F keep) {
  std::string result;
  for (char letter : text)
    if (keep(letter)) result += letter;
  return result;
}

std::int64_t size_of(const std::string& letters, const std::string& text, const Type& type) {
  std::int64_t size = 1;
  for (char letter : letters) size *= type.size(text.find(letter));
  return size;
}

// x, whose axes are the letters `from`, with its axes in the order `to`.
Tensor permuted(const Tensor& x, const std::string& from, const std::string& to) {
  if (from == to) return x;
  std::vector<std::int64_t> perm;
  Type type(x.type().element);
  for (char letter : to) {
    perm.push_back(static_cast<std::int64_t>(from.find(letter)));
    type.dims.push_back(x.type().dims[from.find(letter)]);
  }
  return transpose(x, perm, type);
}

}  // namespace

// Every einsum is a batch of matrix products, once the axes of each operand are brought into the order batch, rows, inner (or batch, inner,
// columns).
Tensor einsum(const ir::Op& op, const Tensor& a, const Tensor& b, const Type& type) {
  const ir::EinsumSpec spec = *ir::parse_einsum(op.attrs.string(ir::Attr::spec));
  const std::string batch = letters_of(spec.a, [&](char c) { return within(c, spec.b) && within(c, spec.out); });
  const std::string rows = letters_of(spec.a, [&](char c) { return !within(c, spec.b); });
  const std::string inner = letters_of(spec.a, [&](char c) { return !within(c, spec.out); });
  const std::string columns = letters_of(spec.b, [&](char c) { return !within(c, spec.a); });
  const std::int64_t batches = size_of(batch, spec.a, a.type()), m = size_of(rows, spec.a, a.type());
  const std::int64_t depth = size_of(inner, spec.a, a.type()), n = size_of(columns, spec.b, b.type());
  const Tensor left = permuted(a, spec.a, batch + rows + inner), right = permuted(b, spec.b, batch + inner + columns);

  const std::string order = batch + rows + columns;
  Type ordered(type.element);
  for (char letter : order) ordered.dims.push_back(type.dims[spec.out.find(letter)]);
  Tensor product(ordered);
  with_element(type.element, [&]<class T>(T) {
    constexpr std::int64_t kBlock = 512;  // products that are added up before they go to the total
    const T *x = left.data<T>(), *y = right.data<T>();
    T* out = product.data<T>();
    if (product.count() == 0) return;
    const auto sums = std::make_unique<Term<T>[]>(static_cast<std::size_t>(n));
    const auto totals = std::make_unique<Sum<T>[]>(static_cast<std::size_t>(n));
    for (std::int64_t row = 0; row < batches * m; ++row, out += n) {
      std::fill_n(totals.get(), n, Sum<T>{});
      const T* from = y + row / m * depth * n;
      for (std::int64_t start = 0; start < depth; start += kBlock) {
        std::fill_n(sums.get(), n, Term<T>{0});
        for (std::int64_t k = start; k < std::min(depth, start + kBlock); ++k, from += n) {
          const auto factor = static_cast<Term<T>>(x[row * depth + k]);
          for (std::int64_t j = 0; j < n; ++j) sums[j] += factor * static_cast<Term<T>>(from[j]);
        }
        for (std::int64_t j = 0; j < n; ++j) totals[j] += sums[j];
      }
      for (std::int64_t j = 0; j < n; ++j) out[j] = static_cast<T>(totals[j]);
    }
  });
  Tensor result = permuted(product, order, spec.out);
  result.set_type(type);
  return result;
}

}  // namespace bpc::interpreter
