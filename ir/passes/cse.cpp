#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "ir/passes/passes.h"
#include "ir/rewrite.h"

namespace bpc::ir {

namespace {

// Bytes that are equal for equal values: a NaN is one NaN, -0 is not 0.
struct KeyWriter {
  std::string bytes;

  void operator()(std::int64_t value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void operator()(bool value) { (*this)(std::int64_t{value}); }
  void operator()(double value) { (*this)(std::isnan(value) ? INT64_MAX : std::bit_cast<std::int64_t>(value)); }
  void operator()(const std::string& value) {
    (*this)(static_cast<std::int64_t>(value.size()));
    bytes += value;
  }
  template <class T>
  void operator()(const std::vector<T>& values) {
    (*this)(static_cast<std::int64_t>(values.size()));
    for (const T& value : values) (*this)(value);
  }
};

// What an op computes, as text to compare; `operands` are those of the new function.
std::string key_of(const Function& function, const Op& op, std::vector<ValueId> operands) {
  if (op_info(op.code).has(commutative)) std::sort(operands.begin(), operands.end());
  KeyWriter key;
  key(static_cast<std::int64_t>(op.code));
  for (ValueId operand : operands) key(std::int64_t{operand.index});
  for (const auto& [attr, value] : op.attrs.items()) {
    key(static_cast<std::int64_t>(attr));
    key(static_cast<std::int64_t>(value.index()));
    std::visit(key, value);
  }
  for (ValueId result : op.results) {
    key(static_cast<std::int64_t>(function.type(result).element));
    key(function.type(result).sizes());
  }
  return std::move(key.bytes);
}

}  // namespace

Function merge_common(const Function& function, Diagnostics&) {
  if (holds_grad(function)) return function;
  std::unordered_map<std::string, OpId> known;  // the latest of each kind; one that cannot be seen from here is replaced
  std::unordered_map<std::uint32_t, std::vector<Span>> merged;
  Rewriter rewriter(function);
  Function result = rewriter.finish([&](const Op& op) {
    Group group = op_info(op.code).group;
    if (group == Group::control || group == Group::effect || group == Group::tape) return false;  // each tape is one, used linearly
    auto [entry, is_new] = known.try_emplace(key_of(function, op, rewriter.map(op.operands)));
    Builder& builder = rewriter.builder();
    if (!is_new && is_enclosed(rewriter.to(), builder.block(), rewriter.to().op(entry->second).block)) {
      const Op& earlier = rewriter.to().op(entry->second);
      for (std::size_t i = 0; i < op.results.size(); ++i) rewriter.set(op.results[i], earlier.results[i]);
      const Origin& origin = function.origin(op.origin);
      if (op.code != Opcode::constant && origin.span.valid() && earlier.origin != builder.origin())
        merged[entry->second.index].push_back(origin.span);
      for (const Span& span : origin.joined) merged[entry->second.index].push_back(span);
      return true;
    }
    rewriter.copy(op);
    entry->second = rewriter.to().value(rewriter.map(op.results[0])).op;
    return true;
  });
  for (auto& [index, spans] : merged) {
    Op& op = result.op(OpId{index});
    Origin origin = result.origin(op.origin);
    spans.insert(spans.begin(), origin.joined.begin(), origin.joined.end());
    std::sort(spans.begin(), spans.end());
    spans.erase(std::unique(spans.begin(), spans.end()), spans.end());
    std::erase(spans, origin.span);
    origin.joined = std::move(spans);
    op.origin = result.add_origin(std::move(origin));
  }
  return result;
}

}  // namespace bpc::ir
