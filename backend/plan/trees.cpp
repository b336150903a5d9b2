#include <algorithm>
#include <bit>

#include "backend/plan/cost.h"
#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kFewest = 16;  // partials that are worth their joining
// The same in sums, which wait for each other; rows of less terms go side by side, one in each place of a vector.
constexpr std::int64_t kFewestOfDoubles = 8, kFewestInSums = 9;
// The same, of terms that are too long to be written out for rows side by side.
constexpr std::int64_t kFewestOfLongDoubles = 4, kFewestOfLongTerms = 6;
constexpr std::int64_t kVector = 4;  // the same, where there are many terms, and no axis is longer
constexpr double kManyTerms = 64;
constexpr std::int64_t kMostPartials = 32;  // what a core adds up at once, and what its registers hold
constexpr std::int64_t kMostOfExtremes = 64,
                       kManyTurns = 256;  // the same of extremes, which wait longer for each other, where there are many
constexpr std::int64_t kMostInside = 32;  // turns of the axes inside of the one that is dealt out, which are unrolled
constexpr std::int64_t kChain = 16;       // terms in f64 that are added up before their sum goes to a total
constexpr std::int64_t kLongChain = 128;  // the same, where nothing lies side by side
constexpr double kNarrowChain = 64;       // products in f32 that are added up in f32

// The axes that are reduced, as a range; with lanes, there is an axis inside of them.
struct Reduced {
  std::size_t first = 0, last = 0;
};
Reduced reduced_axes(const Kernel& kernel) {
  Reduced axes;
  while (axes.first < kernel.axes.size() && !kernel.axes[axes.first].reduced) ++axes.first;
  axes.last = axes.first;
  while (axes.last < kernel.axes.size() && kernel.axes[axes.last].reduced) ++axes.last;
  return axes;
}

// Partials of an axis of so many turns. Where they come again and again, no two of them fall to one partial, if that can be.
std::int64_t most_partials(const Kernel& kernel, std::int64_t turns, bool is_repeated) {
  if (kernel.lanes >= 2 * kVector) return 1;  // they lie side by side already
  if (kernel.lanes >= kVector) return kVector;
  const auto count = static_cast<std::uint64_t>(turns);
  const bool are_extremes = std::all_of(kernel.reductions.begin(), kernel.reductions.end(), [](const Reduction& fold) {
    return fold.kind == Reduction::Kind::max || fold.kind == Reduction::Kind::min;
  });
  const std::int64_t most = are_extremes && turns >= kManyTurns ? kMostOfExtremes : kMostPartials;
  return std::min(most, static_cast<std::int64_t>(is_repeated ? std::bit_ceil(count) : std::bit_floor(count)));
}

bool has_formulas(const Kernel& kernel) {
  return std::any_of(kernel.body.begin(), kernel.body.end(), [](const Instruction& instruction) {
    const auto* compute = std::get_if<Compute>(&instruction.what);
    return compute && scalar::has_formula(compute->code);
  });
}

std::int64_t fewest_partials(const Plan& plan, const Kernel& kernel) {
  const bool are_long = has_formulas(kernel);
  std::int64_t fewest = kFewest;
  for (const Reduction& fold : kernel.reductions) {
    const Element element = plan.at(fold.value).element;
    if (are_long) fewest = std::min(fewest, element == Element::f64 ? kFewestOfLongDoubles : kFewestOfLongTerms);
    if (fold.kind != Reduction::Kind::sum || !is_real(element)) continue;
    fewest = std::min(fewest, element == Element::f64 ? kFewestOfDoubles : kFewestInSums);
  }
  return fewest;
}

// Deals out the innermost axis that gives each partial a term, if what is inside of it is small.
void deal_out(const Plan& plan, Kernel& kernel, const Reduced& axes) {
  // Where each term is the work of a function, nothing waits for its sum.
  auto is_running = [](const Reduction& fold) { return fold.running; };
  if (calls_functions(kernel) || std::any_of(kernel.reductions.begin(), kernel.reductions.end(), is_running)) return;
  double terms = 1;
  for (std::size_t axis = axes.first; axis < axes.last; ++axis) terms *= static_cast<double>(kernel.axes[axis].size);
  const std::int64_t fewest = terms >= kManyTerms ? kVector : fewest_partials(plan, kernel);
  std::int64_t inside = std::max<std::int64_t>(kernel.lanes, 1);
  for (std::size_t axis = axes.last; axis-- > axes.first && inside <= kMostInside; inside *= kernel.axes[axis].size) {
    const std::int64_t turns = kernel.axes[axis].size;
    if (turns < fewest) continue;
    kernel.tree.partials = most_partials(kernel, turns, terms > static_cast<double>(turns * inside));
    kernel.tree.axis = axis;
    return;
  }
}

// Makes blocks of the innermost axis that, with those inside of it, has more terms than one: of whole rounds of partials.
void cut_blocks(Kernel& kernel, const Reduced& axes) {
  Tree& tree = kernel.tree;
  const bool is_dealt = tree.partials > 1;
  const std::int64_t most = is_dealt ? kChain * tree.partials : kLongChain;
  std::int64_t inside = 1;
  for (std::size_t axis = axes.last; axis-- > axes.first && inside > 0; inside *= kernel.axes[axis].size) {
    if (is_dealt && axis > tree.axis) continue;
    std::int64_t turns = std::max<std::int64_t>(most / inside, 1);
    if (is_dealt && axis == tree.axis) turns = std::max<std::int64_t>(turns / tree.partials, 1) * tree.partials;
    if (kernel.axes[axis].size <= turns) continue;
    tree.block_axis = axis;
    tree.block = turns;
    return;
  }
}

// A dot product of f32 is more exact in short partials of f32 than a contraction, whose blocks are longer.
void narrow(const Plan& plan, Kernel& kernel, const Reduced& axes) {
  double terms = 1;
  for (std::size_t axis = axes.first; axis < axes.last; ++axis) terms *= static_cast<double>(kernel.axes[axis].size);
  if (kernel.tree.partials == 1 || terms < static_cast<double>(kFewest)) return;
  const auto chains = static_cast<double>(std::min(kernel.tree.partials, kernel.axes[kernel.tree.axis].size));
  for (Reduction& fold : kernel.reductions)
    fold.narrow = fold.of_products && plan.at(fold.value).element == Element::f32 && terms <= kNarrowChain * chains;
}

}  // namespace

void choose_trees(Plan& plan) {
  for_each_kernel(plan.body, [&](Kernel& kernel) {
    if (kernel.reductions.empty()) return;
    auto sums_doubles = [&](const Reduction& fold) {
      return fold.kind == Reduction::Kind::sum && !fold.running && plan.at(fold.value).element == Element::f64;
    };
    const Reduced axes = reduced_axes(kernel);
    deal_out(plan, kernel, axes);
    narrow(plan, kernel, axes);
    if (std::none_of(kernel.reductions.begin(), kernel.reductions.end(), sums_doubles)) return;
    cut_blocks(kernel, axes);
    for (Reduction& fold : kernel.reductions) fold.compensated = kernel.tree.block > 0 && sums_doubles(fold);
  });
}

}  // namespace bpc::plan
