#include "frontend/lower/range_length.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "frontend/lower/context.h"
#include "ir/ranges.h"

namespace bpc::frontend::lowering {

namespace {

// An index expression as a sum of integer multiples of sub-expressions, so that `(i+1)*B - i*B` is seen to be B. A sub-expression is told
// by its text, where the same text means the same value.
struct Linear {
  std::map<std::string, std::int64_t> terms;
  std::int64_t constant = 0;

  bool is_constant() const { return terms.empty(); }
};

constexpr int kDeepestLinear = 64;

Linear scaled(Linear x, std::int64_t factor) {
  x.constant *= factor;
  for (auto& [text, times] : x.terms) times *= factor;
  std::erase_if(x.terms, [](const auto& term) { return term.second == 0; });
  return x;
}

Linear sum(Linear x, const Linear& y) {
  x.constant += y.constant;
  for (const auto& [text, times] : y.terms)
    if ((x.terms[text] += times) == 0) x.terms.erase(text);
  return x;
}

// Sizes and indices are small; a factor past this is no index, and the product above could overflow.
bool is_modest(const Linear& x) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 20;
  bool modest = std::abs(x.constant) < (kLimit << 20);
  for (const auto& [text, times] : x.terms) modest &= std::abs(times) < kLimit;
  return modest;
}

// Whether the expression has the same value wherever it stands: draws have not, and of what functions do nothing is known here.
bool is_repeatable(Context& c, ExprId id) {
  auto all = [&](const auto& ids) { return std::all_of(ids.begin(), ids.end(), [&](ExprId one) { return is_repeatable(c, one); }); };
  if (!id.valid()) return true;  // a part of a range that is left out
  const auto& node = c.expr(id).node;
  if (std::holds_alternative<NumberExpr>(node) || std::holds_alternative<NameExpr>(node)) return true;
  if (const auto* unary = std::get_if<UnaryExpr>(&node)) return is_repeatable(c, unary->operand);
  if (const auto* binary = std::get_if<BinaryExpr>(&node)) return is_repeatable(c, binary->left) && is_repeatable(c, binary->right);
  if (const auto* index = std::get_if<IndexExpr>(&node)) return is_repeatable(c, index->base) && all(index->items);
  if (const auto* range = std::get_if<RangeExpr>(&node)) return all(std::array{range->lo, range->hi, range->step});
  const auto* call = std::get_if<CallExpr>(&node);
  const Definition* callee = call ? c.meaning(id) : nullptr;
  return callee && callee->kind == Definition::Kind::builtin && !is_kind(callee->builtin, BuiltinKind::random) &&
         std::all_of(call->arguments.begin(), call->arguments.end(), [&](const Argument& one) { return is_repeatable(c, one.value); });
}

Linear atom(Context& c, ExprId id) {
  if (!is_repeatable(c, id)) return {{{fmt::format("expression {}", id.index), 1}}, 0};  // equal to itself alone
  std::string text = c.sources.text(c.expr(id).span);
  std::erase_if(text, [](char ch) { return ch == ' ' || ch == '\t' || ch == '\n'; });
  return {{{text, 1}}, 0};
}

Linear linear(Context& c, ExprId id, int depth = 0) {
  const Expr& e = c.expr(id);
  if (depth > kDeepestLinear) return atom(c, id);
  if (const auto* number = std::get_if<NumberExpr>(&e.node); number && number->integer && std::abs(*number->integer) < (1ll << 40))
    return {{}, *number->integer};
  if (const auto* name = std::get_if<NameExpr>(&e.node)) {
    const Binding* binding = c.find(c.meaning(id));
    const Number* known = binding ? binding->item.as<Number>() : nullptr;
    if (known && known->is_integer() && std::abs(known->integer()) < (1ll << 40)) return {{}, known->integer()};
    return {{{name->name, 1}}, 0};
  }
  if (const auto* minus = std::get_if<UnaryExpr>(&e.node); minus && minus->spelling == "-")
    return scaled(linear(c, minus->operand, depth + 1), -1);
  if (const auto* op = std::get_if<BinaryExpr>(&e.node)) {
    bool plus = op->spelling == "+", minus = op->spelling == "-", times = op->spelling == "*";
    if (!plus && !minus && !times) return atom(c, id);
    Linear a = linear(c, op->left, depth + 1), b = linear(c, op->right, depth + 1);
    if (!is_modest(a) || !is_modest(b)) return atom(c, id);
    if (plus || minus) return sum(std::move(a), scaled(std::move(b), plus ? 1 : -1));
    if (a.is_constant() && a.constant != 0 && std::abs(a.constant) < (1 << 20)) return scaled(std::move(b), a.constant);
    if (b.is_constant() && b.constant != 0 && std::abs(b.constant) < (1 << 20)) return scaled(std::move(a), b.constant);
  }
  return atom(c, id);
}

}  // namespace

std::optional<std::int64_t> known_distance(Context& c, ExprId lo, ExprId hi) {
  Linear distance = sum(linear(c, hi), scaled(linear(c, lo), -1));
  return distance.is_constant() ? std::optional(distance.constant) : std::nullopt;
}

std::int64_t range_length(std::int64_t lo, std::int64_t hi, std::int64_t step) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(ir::turn_count(lo, hi, step), INT64_MAX));
}

}  // namespace bpc::frontend::lowering
