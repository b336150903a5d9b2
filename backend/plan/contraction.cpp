// Sums of products that are large become contractions over outer…, m, n, k.
#include <algorithm>

#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

// Vectors side by side in the register tile. Its rows, with a row of b and an element of a, fill the vector registers.
constexpr std::int64_t kVectors = 2;
// Products that are added up in f32, so that long sums stay accurate.
constexpr std::int64_t kBlock = 256;

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

std::int64_t last_size(const std::vector<Letter>& letters) {
  return letters.empty() ? 1 : letters.back().size;
}

// Worth a packed panel and a register tile: enough of every axis.
bool is_large(std::int64_t m, std::int64_t n, std::int64_t k) {
  return m >= 4 && n >= 4 && k >= 4 && static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= kFewProducts;
}

// The sum over k of a * b that a kernel is, if it is nothing else.
struct SumOfProducts {
  Access a, b, c;
  std::vector<Letter> outer, m, n, k;
};

std::optional<SumOfProducts> sum_of_products(const Kernel& kernel) {
  if (kernel.reductions.size() != 1 || !kernel.stores.empty() || kernel.body.size() != 3) return std::nullopt;
  const Reduction& fold = kernel.reductions[0];
  const auto* to = std::get_if<Access>(&fold.to);
  const auto *left = std::get_if<Load>(&kernel.body[0].what), *right = std::get_if<Load>(&kernel.body[1].what);
  const auto* product = std::get_if<Compute>(&kernel.body[2].what);
  if (!fold.of_products || !to || !left || !right || !product || product->operands[0] != kernel.body[0].result ||
      product->operands[1] != kernel.body[1].result)
    return std::nullopt;
  SumOfProducts sum{left->from, right->from, *to, {}, {}, {}, {}};
  for (std::size_t i = 0; i < kernel.axes.size(); ++i) {
    const Letter letter{kernel.axes[i].size, sum.a.at.strides[i], sum.b.at.strides[i], sum.c.at.strides[i]};
    (kernel.axes[i].reduced ? sum.k : letter.b == 0 ? sum.m : letter.a == 0 ? sum.n : sum.outer).push_back(letter);
  }
  sum.m = merged(sum.m);
  sum.n = merged(sum.n);
  sum.k = merged(sum.k);
  // The register tile lies along the axis that the result is contiguous in.
  if (!sum.m.empty() && sum.m.back().c == 1) {
    std::swap(sum.m, sum.n);
    std::swap(sum.a, sum.b);
    for (auto* group : {&sum.outer, &sum.m, &sum.n, &sum.k})
      for (Letter& letter : *group) std::swap(letter.a, letter.b);
  }
  return sum;
}

Contraction contraction_of(Plan& plan, SumOfProducts sum) {
  Contraction step;
  step.m = last_size(sum.m);
  step.n = last_size(sum.n);
  step.k = last_size(sum.k);
  std::vector<Letter> order = std::move(sum.outer);
  order.insert(order.end(), sum.m.begin(), sum.m.end() - 1);
  order.insert(order.end(), sum.n.begin(), sum.n.end() - 1);
  order = merged(std::move(order));
  for (const Letter& letter : order) step.outer.push_back(letter.size);
  order.insert(order.end(), {sum.m.back(), sum.n.back(), sum.k.back()});
  auto over = [&](Access access, std::int64_t Letter::* stride) {
    access.at.strides.clear();
    for (const Letter& letter : order) access.at.strides.push_back(letter.*stride);
    return access;
  };
  step.a = over(std::move(sum.a), &Letter::a);
  step.b = over(std::move(sum.b), &Letter::b);
  step.c = over(std::move(sum.c), &Letter::c);
  const Element element = plan.at(step.c.buffer).element;
  step.rows = (plan.target.vector_registers - kVectors - 1) / kVectors;
  step.lanes = static_cast<std::int64_t>(plan.target.vector_bytes / element_size(element));
  step.panel = kVectors * step.lanes;
  step.fused = plan.target.fuses;
  step.block = element == Element::f32 && step.k > kBlock ? kBlock : 0;
  step.scratch = plan.add(Buffer{element, step.k * step.panel, "panel", {}});
  return step;
}

}  // namespace

void choose_contractions(Plan& plan) {
  for_each_step(plan.body, [&](Step& step) {
    const auto* kernel = std::get_if<Kernel>(&step.what);
    std::optional<SumOfProducts> sum = kernel ? sum_of_products(*kernel) : std::nullopt;
    if (sum && is_real(plan.at(sum->c.buffer).element) && sum->k.size() == 1 &&
        is_large(last_size(sum->m), last_size(sum->n), last_size(sum->k)))
      step.what = contraction_of(plan, std::move(*sum));
  });
}

}  // namespace bpc::plan
