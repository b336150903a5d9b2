// Sums of products that are large become contractions over groups of axes: batch, m, n, k.
#include "backend/plan/contraction.h"

#include <algorithm>

#include "backend/plan/operands.h"
#include "backend/plan/passes.h"

namespace bpc::plan {

namespace {

// Products that are added up in the element type, so that long sums stay accurate.
constexpr std::int64_t kBlock = 512;
constexpr std::int64_t kFewest = 2;         // products in a sum
constexpr std::int64_t kManyInBlock = 256;  // rows or columns
constexpr std::int64_t kFewReadings = 8;    // of an element: it is not worth a look beforehand

// An axis of a sum of products: its size and the stride of each operand along it.
struct Letter {
  std::int64_t size = 0;
  std::int64_t a = 0, b = 0, c = 0;
  bool summed = false;
  bool in_turn = false;  // what is added up along it goes to elements that overlap: one after the other
};

// The sum of a * b that a kernel is, if it is nothing else.
struct SumOfProducts {
  Access a, b, c;  // without their strides, which are those of the letters
  BufferId base;   // if valid: the sums are added to what is there, which begins as base
  std::vector<Letter> letters;
  bool strong = false;  // a zero of a makes a product zero, whatever b holds
};

std::optional<SumOfProducts> sum_of_products(const Plan& plan, const Kernel& kernel) {
  if (kernel.reductions.size() != 1 || !kernel.stores.empty() || kernel.body.size() != 3) return std::nullopt;
  const Reduction& fold = kernel.reductions[0];
  const auto* to = std::get_if<Access>(&fold.to);
  const auto *left = std::get_if<Load>(&kernel.body[0].what), *right = std::get_if<Load>(&kernel.body[1].what);
  const auto* product = std::get_if<Compute>(&kernel.body[2].what);
  const bool strong = product && product->code == scalar::Operator::strong_mul && fold.kind == Reduction::Kind::sum && !fold.running;
  if (!(fold.of_products || strong) || !to || !left || !right || !product || !is_real(plan.at(to->buffer).element)) return std::nullopt;
  const RegisterId first = kernel.body[0].result, second = kernel.body[1].result;
  if (product->operands == std::vector{second, first})
    std::swap(left, right);
  else if (product->operands != std::vector{first, second})
    return std::nullopt;
  SumOfProducts sum{left->from, right->from, *to, {}, {}, strong};
  for (std::size_t i = 0; i < kernel.axes.size(); ++i)
    sum.letters.push_back(
        {kernel.axes[i].size, sum.a.at.strides[i], sum.b.at.strides[i], sum.c.at.strides[i], kernel.axes[i].reduced, false});
  return sum;
}

// ---- sums that are added to a tensor ----

// How far the first element is from the last, along axes with smaller strides than `stride`.
std::int64_t reach(const Kernel& kernel, const Affine& at, const std::vector<bool>& of, std::int64_t stride) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < kernel.axes.size(); ++i)
    if (of[i] && std::abs(at.strides[i]) <= std::abs(stride)) sum += std::abs(at.strides[i]) * (kernel.axes[i].size - 1);
  return sum;
}

// Whether no two elements along these axes are one.
bool are_apart(const Kernel& kernel, const Affine& at, const std::vector<bool>& axes) {
  for (std::size_t i = 0; i < kernel.axes.size(); ++i) {
    if (!axes[i] || kernel.axes[i].size == 1) continue;
    std::vector<bool> others = axes;
    others[i] = false;
    if (std::abs(at.strides[i]) <= reach(kernel, at, others, at.strides[i])) return false;
  }
  return true;
}

// Along which axes of the kernel what is added goes to elements that overlap, so that its order is theirs. None if it is that of other axes
// as well.
std::optional<std::vector<bool>> turns_of(const Kernel& kernel) {
  const Affine& at = kernel.stores[0].to.at;
  const std::size_t axes = kernel.axes.size();
  std::vector<bool> apart(axes, false), all(axes, true);
  bool any_inside = false;
  for (std::size_t i = axes; i-- > 0;) {
    apart[i] = true;
    apart[i] = are_apart(kernel, at, apart);
    if (kernel.axes[i].size == 1) continue;
    std::vector<bool> others = all;
    others[i] = false;
    if (apart[i] && any_inside && std::abs(at.strides[i]) <= reach(kernel, at, others, at.strides[i])) return std::nullopt;
    any_inside |= !apart[i];
  }
  apart.flip();
  return apart;
}

// What a kernel does that adds the elements of a buffer to a tensor, and nothing else: where it reads them, and what it adds them to.
struct Addition {
  const Load* load = nullptr;
  BufferId base;
};
std::optional<Addition> addition(const Plan& plan, const Kernel& kernel, BufferId sums) {
  if (!kernel.reductions.empty() || kernel.stores.size() != 1) return std::nullopt;
  const Store& store = kernel.stores[0];
  std::vector<const Load*> loads;
  for (const Instruction& instruction : kernel.body)
    if (const auto* load = std::get_if<Load>(&instruction.what)) loads.push_back(load);
  if (kernel.body.size() == 1 && loads.size() == 1 && loads[0]->from.buffer == sums && store.adds && store.base.valid())
    return Addition{loads[0], store.base};
  // One sum and another make a new tensor, element by element.
  if (kernel.body.size() != 3 || loads.size() != 2 || store.base.valid()) return std::nullopt;
  const auto* sum = std::get_if<Compute>(&kernel.body[2].what);
  if (loads[0]->from.buffer != sums) std::swap(loads[0], loads[1]);
  const Access& other = loads[1]->from;
  if (!sum || sum->code != scalar::Operator::add || sum->operands[0] == sum->operands[1] || loads[0]->from.buffer != sums ||
      store.value != kernel.body[2].result || other.at != store.to.at || plan.at(other.buffer).count != plan.at(store.to.buffer).count)
    return std::nullopt;
  return Addition{loads[0], other.buffer};
}

// The sums where the kernel puts them, if it adds every one of them to a tensor, and does nothing else.
std::optional<SumOfProducts> added(const Plan& plan, SumOfProducts sum, const Kernel& kernel) {
  const std::optional<Addition> addition = plan::addition(plan, kernel, sum.c.buffer);
  if (!addition) return std::nullopt;
  const Store& store = kernel.stores[0];
  const Load* load = addition->load;
  const std::int64_t elements = plan.at(sum.c.buffer).count;
  std::int64_t sums = 1, turns = 1;
  for (const Axis& axis : kernel.axes) turns *= axis.size;
  for (const Letter& letter : sum.letters) sums *= letter.summed ? 1 : letter.size;
  const std::optional<std::vector<bool>> in_turn = turns_of(kernel);
  if (sums != elements || turns != elements || load->from.at.offset != 0 || !load->from.at.terms.empty() || !in_turn) return std::nullopt;
  // Each letter is all of an axis of the kernel, or a part of one.
  for (Letter& letter : sum.letters) {
    if (letter.summed || letter.size == 1) continue;
    std::size_t axis = 0;
    auto holds = [&](std::size_t i) {
      const std::int64_t from = load->from.at.strides[i];
      return kernel.axes[i].size > 1 && from > 0 && letter.c % from == 0 && letter.c * letter.size <= from * kernel.axes[i].size;
    };
    while (axis < kernel.axes.size() && !holds(axis)) ++axis;
    if (axis == kernel.axes.size()) return std::nullopt;
    letter.c = store.to.at.strides[axis] * (letter.c / load->from.at.strides[axis]);
    letter.in_turn = (*in_turn)[axis];
  }
  sum.c = store.to;
  sum.base = addition->base;
  return sum;
}

// ---- groups ----

std::int64_t count(const std::vector<Letter>& letters) {
  std::int64_t product = 1;
  for (const Letter& letter : letters) product *= letter.size;
  return product;
}

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

struct Groups {
  std::vector<Letter> batch, m, n, k;
};

Groups groups_of(const std::vector<Letter>& letters) {
  Groups groups;
  std::vector<Letter> in_turn;
  for (const Letter& letter : letters)
    (letter.summed    ? groups.k
     : letter.in_turn ? in_turn
     : letter.b == 0  ? groups.m
     : letter.a == 0  ? groups.n
                      : groups.batch)
        .push_back(letter);
  // Memory is walked from one element to the next, as far as that can be.
  std::stable_sort(groups.k.begin(), groups.k.end(),
                   [](const Letter& x, const Letter& y) { return std::abs(x.a) + std::abs(x.b) > std::abs(y.a) + std::abs(y.b); });
  for (auto* group : {&groups.batch, &groups.m, &groups.n, &groups.k}) *group = merged(std::move(*group));
  in_turn = merged(std::move(in_turn));
  // A part of an operand that all turns read is packed once, if it is one block.
  for (auto* group : {&groups.m, &groups.n})
    while (!in_turn.empty() && group->size() > 1 && count(*group) / group->front().size >= kManyInBlock) {
      groups.batch.push_back(group->front());
      group->erase(group->begin());
    }
  groups.batch.insert(groups.batch.end(), in_turn.begin(), in_turn.end());
  return groups;
}

// Worth a register tile: enough products in each turn of the batch, of long enough sums; none of the axes is empty.
bool is_large(const Groups& groups) {
  const std::int64_t m = count(groups.m), n = count(groups.n), k = count(groups.k);
  return count(groups.batch) > 0 && k >= kFewest &&
         static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= kFewProducts;
}

Contraction contraction_of(const Plan& plan, const SumOfProducts& sum, const Groups& groups) {
  Contraction c;
  std::vector<Letter> letters;
  for (auto [group, axes] : {std::pair(&groups.batch, &c.batch), {&groups.m, &c.m}, {&groups.n, &c.n}, {&groups.k, &c.k}}) {
    for (const Letter& letter : *group) axes->push_back(letter.size);
    letters.insert(letters.end(), group->begin(), group->end());
  }
  auto over = [&](Access access, std::int64_t Letter::* stride) {
    access.at.strides.clear();
    for (const Letter& letter : letters) access.at.strides.push_back(letter.*stride);
    return access;
  };
  c.a = over(sum.a, &Letter::a);
  c.b = over(sum.b, &Letter::b);
  c.c = over(sum.c, &Letter::c);
  c.base = sum.base;
  c.fused = plan.target.fuses;
  c.block = count(groups.k) > kBlock ? kBlock : 0;
  return c;
}

// ---- the pass ----

class Choice {
 public:
  explicit Choice(Plan& plan) : plan_(plan), reads_(plan.buffers.size()) {
    for_each_step(plan.body, [&](const Step& step) {
      for_each_buffer(step, [&](Role role, BufferId id) { reads_[id.index] += role == Role::read; });
    });
    for (BufferId output : plan.outputs)
      if (output.valid()) ++reads_[output.index];
    for (const Datum& parameter : plan.parameters)
      if (const auto* tensor = std::get_if<BufferId>(&parameter)) ++reads_[tensor->index];
    for (std::size_t i = 0; i < reads_.size(); ++i) reads_[i] += plan.buffers[i].storage.valid();  // constants
  }

  void run(Steps& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      for_each_region(steps[i], [&](Steps& inner) { run(inner); });
      const auto* kernel = std::get_if<Kernel>(&steps[i].what);
      const std::optional<SumOfProducts> sum = kernel ? sum_of_products(plan_, *kernel) : std::nullopt;
      if (!sum) continue;
      if (sum->strong) {
        i += place_behind_a_look(steps, i, *sum);
        continue;
      }
      if (add_at_once(steps, i, *sum)) {
        steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i--));
        continue;
      }
      place(steps[i], *sum);
    }
  }

 private:
  // The sums become a contraction, if they are worth it.
  bool place(Step& step, const SumOfProducts& sum) {
    const Groups groups = groups_of(sum.letters);
    if (!is_large(groups)) return false;
    Contraction contraction = contraction_of(plan_, sum, groups);
    if (!choose_tile(plan_, contraction)) return false;
    step.what = std::move(contraction);
    return true;
  }

  // Zeros need not be strong where all that they meet is finite: a look at that decides, when the plan runs, between the contraction and
  // the kernel. How many steps were added.
  std::size_t place_behind_a_look(Steps& steps, std::size_t position, const SumOfProducts& sum) {
    std::int64_t readings = 1, sums = 1;
    for (const Letter& letter : sum.letters) {
      readings *= letter.b == 0 ? letter.size : 1;
      sums *= letter.summed ? 1 : letter.size;
    }
    Step contraction{{}, steps[position].place}, otherwise = steps[position];
    const bool is_whole = sums == plan_.at(sum.c.buffer).count;  // a branch makes whole buffers
    if (readings < kFewReadings || !is_whole || !place(contraction, sum)) return 0;
    auto beside = [&] { return plan_.add(Buffer(plan_.at(sum.c.buffer))); };
    const BufferId result = sum.c.buffer, one = beside(), other = beside();
    std::get<Contraction>(contraction.what).c.buffer = one;
    std::get<Access>(std::get<Kernel>(otherwise.what).reductions[0].to).buffer = other;
    const RegisterId finite = plan_.add(Register{Element::boolean, "", false, steps[position].place});
    Step look{all_finite(sum, finite), steps[position].place};
    If branch{finite, {}, {}, {}, {{one, other, result}}};
    branch.then.push_back(std::move(contraction));
    branch.otherwise.push_back(std::move(otherwise));
    steps[position].what = std::move(branch);
    steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(position), std::move(look));
    return 1;
  }

  // Whether x - x is a number for each x of b.
  Kernel all_finite(const SumOfProducts& sum, RegisterId result) {
    Kernel kernel;
    Access b = sum.b;
    b.at.strides.clear();
    std::vector<Letter> letters = sum.letters;
    std::erase_if(letters, [](const Letter& letter) { return letter.b == 0; });
    // As what makes b walks it, so that the two may join.
    std::stable_sort(letters.begin(), letters.end(), [](const Letter& x, const Letter& y) { return std::abs(x.b) > std::abs(y.b); });
    for (const Letter& letter : letters) {
      kernel.axes.push_back({letter.size, true});
      b.at.strides.push_back(letter.b);
    }
    const Element element = plan_.at(b.buffer).element;
    auto add = [&](Element of, auto what) {
      kernel.body.push_back({plan_.add(Register{of, "", false, {}}), std::move(what)});
      return kernel.body.back().result;
    };
    const RegisterId x = add(element, Load{b}), none = add(element, Compute{scalar::Operator::sub, {x, x}});
    const RegisterId holds = add(Element::boolean, Compute{scalar::Operator::eq, {none, none}});
    kernel.reductions.push_back({Reduction::Kind::all, holds, result});
    return kernel;
  }

  // Where the one reader of the sums adds them to a tensor, that is what the contraction does: the sums are never stored.
  bool add_at_once(Steps& steps, std::size_t position, const SumOfProducts& sum) {
    const BufferId sums = sum.c.buffer;
    if (reads_[sums.index] != 1) return false;
    for (std::size_t i = position + 1; i < steps.size(); ++i) {
      const auto* kernel = std::get_if<Kernel>(&steps[i].what);
      const std::optional<SumOfProducts> goes_on = kernel ? added(plan_, sum, *kernel) : std::nullopt;
      if (!goes_on) continue;
      // What is read elsewhere would be copied first.
      if (reads_[goes_on->base.index] != 1) return false;
      if (!place(steps[i], *goes_on)) return false;
      steps[i].place = steps[position].place;
      plan_.buffers[sums.index].count = 0;
      return true;
    }
    return false;
  }

  Plan& plan_;
  std::vector<std::size_t> reads_;  // by buffer: by how many steps, outputs, the caller, and the next run
};

}  // namespace

void choose_contractions(Plan& plan) {
  Choice(plan).run(plan.body);
}

}  // namespace bpc::plan
