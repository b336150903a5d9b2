// Sums of products that are large become contractions over groups of axes: batch, m, n, k.
#include "backend/plan/contraction.h"

#include <algorithm>

#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

// Products that are added up in the element type, so that long sums stay accurate.
constexpr std::int64_t kBlock = 256;
constexpr std::int64_t kFewest = 4;  // of m, n and k, that fill a tile

// An axis of a sum of products: its size and the stride of each operand along it.
struct Letter {
  std::int64_t size = 0;
  std::int64_t a = 0, b = 0, c = 0;
};

// Merges letters that each operand walks as one axis.
std::vector<Letter> merged(std::vector<Letter> letters) {
  std::erase_if(letters, [](const Letter& letter) { return letter.size == 1; });
  for (std::size_t i = letters.size(); i-- > 1;) {
    Letter &outer = letters[i - 1], &inner = letters[i];
    if (outer.a != inner.a * inner.size || outer.b != inner.b * inner.size || outer.c != inner.c * inner.size) continue;
    inner.size *= outer.size;
    letters.erase(letters.begin() + static_cast<std::ptrdiff_t>(i - 1));
  }
  return letters;
}

std::vector<std::int64_t> sizes(const std::vector<Letter>& letters) {
  std::vector<std::int64_t> sizes;
  for (const Letter& letter : letters) sizes.push_back(letter.size);
  return sizes;
}

// Worth a register tile: enough of every axis, none of which is empty.
bool is_large(const Contraction& c) {
  const std::int64_t m = count(c.m), n = count(c.n), k = count(c.k);
  return count(c.batch) > 0 && std::min({m, n, k}) >= kFewest &&
         static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= kFewProducts;
}

// The sum over k of a * b that a kernel is, if it is nothing else.
std::optional<Contraction> sum_of_products(const Plan& plan, const Kernel& kernel) {
  if (kernel.reductions.size() != 1 || !kernel.stores.empty() || kernel.body.size() != 3) return std::nullopt;
  const Reduction& fold = kernel.reductions[0];
  const auto* to = std::get_if<Access>(&fold.to);
  const auto *left = std::get_if<Load>(&kernel.body[0].what), *right = std::get_if<Load>(&kernel.body[1].what);
  const auto* product = std::get_if<Compute>(&kernel.body[2].what);
  if (!fold.of_products || !to || !left || !right || !product || product->operands[0] != kernel.body[0].result ||
      product->operands[1] != kernel.body[1].result || !is_real(plan.at(to->buffer).element))
    return std::nullopt;
  std::vector<Letter> batch, m, n, k;
  for (std::size_t i = 0; i < kernel.axes.size(); ++i) {
    const Letter letter{kernel.axes[i].size, left->from.at.strides[i], right->from.at.strides[i], to->at.strides[i]};
    (kernel.axes[i].reduced ? k : letter.b == 0 ? m : letter.a == 0 ? n : batch).push_back(letter);
  }
  // Memory is walked from one element to the next, as far as that can be.
  std::stable_sort(k.begin(), k.end(),
                   [](const Letter& x, const Letter& y) { return std::abs(x.a) + std::abs(x.b) > std::abs(y.a) + std::abs(y.b); });
  Contraction c;
  std::vector<Letter> letters;
  for (auto [group, axes] : {std::pair(&batch, &c.batch), {&m, &c.m}, {&n, &c.n}, {&k, &c.k}}) {
    *group = merged(std::move(*group));
    *axes = sizes(*group);
    letters.insert(letters.end(), group->begin(), group->end());
  }
  auto over = [&](Access access, std::int64_t Letter::* stride) {
    access.at.strides.clear();
    for (const Letter& letter : letters) access.at.strides.push_back(letter.*stride);
    return access;
  };
  c.a = over(left->from, &Letter::a);
  c.b = over(right->from, &Letter::b);
  c.c = over(*to, &Letter::c);
  c.fused = plan.target.fuses;
  c.block = count(c.k) > kBlock ? kBlock : 0;
  return c;
}

}  // namespace

void choose_contractions(Plan& plan) {
  for_each_step(plan.body, [&](Step& step) {
    const auto* kernel = std::get_if<Kernel>(&step.what);
    std::optional<Contraction> sum = kernel ? sum_of_products(plan, *kernel) : std::nullopt;
    if (!sum || !is_large(*sum)) return;
    choose_tile(plan, *sum);
    step.what = std::move(*sum);
  });
}

}  // namespace bpc::plan
