// Compiled sums, bit for bit what the plan's tree says, at every level of optimisation.
#include <random>

#include "backend/plan/plan.h"
#include "tests/unit/llvm/harness.h"

namespace bpc::test {

namespace {

// Folds as a tree says, in plain loops.
class Folded {
 public:
  Folded(const plan::Kernel& kernel, const Tensor& x) : kernel_(kernel), x_(x), compensated_(kernel.reductions[0].compensated) {
    const auto& load = std::get<plan::Load>(kernel.body[0].what);
    from_ = load.from.at;
    if (const auto* to = std::get_if<plan::Access>(&kernel.reductions[0].to)) to_ = to->at;
    if (to_.strides.empty()) to_.strides.assign(kernel.axes.size(), 0);
  }

  std::vector<double> run(std::size_t count) {
    results_.resize(count);
    kept(0, from_.offset, to_.offset);
    return results_;
  }

 private:
  void kept(std::size_t axis, std::int64_t from, std::int64_t to) {
    if (axis == kernel_.axes.size()) {
      sum_ = total_ = lost_ = 0;
      partials_.assign(static_cast<std::size_t>(kernel_.tree.partials), 0);
      reduced(0, from, 0);
      if (kernel_.tree.block == 0) join();
      results_[static_cast<std::size_t>(to)] = compensated_ ? total_ + lost_ : sum_;
      return;
    }
    const std::int64_t size = kernel_.axes[axis].reduced ? 1 : kernel_.axes[axis].size;
    for (std::int64_t i = 0; i < size; ++i) kept(axis + 1, from + i * from_.strides[axis], to + i * to_.strides[axis]);
  }

  void reduced(std::size_t axis, std::int64_t from, std::size_t partial) {
    if (axis == kernel_.axes.size()) {
      (kernel_.tree.partials > 1 ? partials_[partial] : sum_) += x_.real_at(from);
      return;
    }
    if (!kernel_.axes[axis].reduced) return reduced(axis + 1, from, partial);
    const plan::Tree& tree = kernel_.tree;
    for (std::int64_t i = 0; i < kernel_.axes[axis].size; ++i) {
      if (tree.block > 0 && axis == tree.block_axis && i > 0 && i % tree.block == 0) end_block();
      const bool dealt = tree.partials > 1 && axis == tree.axis;
      reduced(axis + 1, from + i * from_.strides[axis], dealt ? static_cast<std::size_t>(i % tree.partials) : partial);
    }
    if (tree.block > 0 && axis == tree.block_axis) end_block();
  }

  void join() {
    if (kernel_.tree.partials == 1) return;
    for (std::size_t half = partials_.size() / 2; half > 0; half /= 2)
      for (std::size_t j = 0; j < half; ++j) partials_[j] += partials_[j + half];
    sum_ += partials_[0];
    std::fill(partials_.begin(), partials_.end(), 0);
  }
  void end_block() {
    join();
    if (!compensated_) return;
    const double before = total_;
    total_ += sum_;
    const double added = total_ - before;
    lost_ += (before - (total_ - added)) + (sum_ - added);
    sum_ = 0;
  }

  const plan::Kernel& kernel_;
  const Tensor& x_;
  const bool compensated_;
  plan::Affine from_, to_;
  double sum_ = 0, total_ = 0, lost_ = 0;
  std::vector<double> partials_, results_;
};

Tensor random_tensor(const Type& type, std::mt19937& random) {
  Tensor tensor(type);
  std::uniform_real_distribution<double> uniform(-1, 2);
  for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.set_real(i, uniform(random));
  return tensor;
}

Function sum_of(const Type& type, const std::vector<std::int64_t>& axes) {
  Function function;
  Builder builder(function);
  output(function, builder.reduce(Opcode::reduce_sum, parameter(function, type), axes, false));
  return function;
}

}  // namespace

TEST_CASE("a sum is what its tree says, to the bit, at every level") {
  const struct {
    std::vector<std::int64_t> sizes, axes;
  } cases[] = {{{1}, {0}},
               {{7}, {0}},
               {{15}, {0}},
               {{16}, {0}},
               {{31}, {0}},
               {{33}, {0}},
               {{255}, {0}},
               {{256}, {0}},
               {{257}, {0}},
               {{300}, {0}},
               {{1000}, {0}},
               {{4099}, {0}},
               {{0}, {0}},
               {{40, 0}, {1}},
               {{0, 40}, {1}},
               {{90, 3}, {0}},
               {{777, 2}, {0}},
               {{300, 5}, {0}},
               {{300, 7}, {0}},
               {{130, 4}, {0}},
               {{1000, 11}, {0}},
               {{50, 130}, {0}},
               {{300, 300}, {0}},
               {{30, 300}, {1}},
               {{9, 17}, {1}},
               {{9, 40}, {1}},
               {{5, 6, 30}, {0, 2}},
               {{30, 4, 9}, {0, 2}},
               {{40, 3, 50}, {0, 2}},
               {{3, 50, 7}, {1}},
               {{12, 3, 8, 2, 8}, {0, 2, 4}},
               {{300, 3, 2}, {0, 2}},
               {{2, 700, 3}, {1}},
               {{12, 2, 4, 2, 4}, {0, 2, 4}}};
  std::mt19937 random(3);
  for (Element element : {Element::f32, Element::f64})
    for (const auto& each : cases) {
      const Function function = sum_of(shaped(element, each.sizes), each.axes);
      const Tensor x = random_tensor(shaped(element, each.sizes), random);
      const plan::Plan plan = plan::make_plan(function, {});
      const auto* kernel = std::get_if<plan::Kernel>(&plan.body[0].what);
      REQUIRE(kernel);
      const auto count = static_cast<std::size_t>(function.type(function.outputs[0].value).count());
      const std::vector<double> expected = Folded(*kernel, x).run(count);
      for (int level : {0, 1, 2, 3}) {
        const Tensor sums = backend::compile(function, {.optimization = level})->run(std::vector{x}, {}).outputs.at(0);
        INFO(plan::print(plan) << "-O" << level);
        for (std::size_t i = 0; i < count; ++i) {
          const double wanted = element == Element::f32 ? static_cast<double>(static_cast<float>(expected[i])) : expected[i];
          REQUIRE(sums.real_at(static_cast<std::int64_t>(i)) == wanted);
        }
      }
    }
}

TEST_CASE("no tree knows of the target") {
  for (const std::vector<std::int64_t>& axes : {std::vector<std::int64_t>{0}, {1}, {0, 1}}) {
    const Function function = sum_of(shaped(Element::f64, {700, 90}), axes);
    const std::string text = plan::print(plan::make_plan(function, {}));
    for (std::size_t bytes : {16, 32, 64}) CHECK(plan::print(plan::make_plan(function, {.vector_bytes = bytes})) == text);
  }
}

TEST_CASE("the largest, the smallest, any and all are found by partials too, and NaN among them") {
  std::mt19937 random(5);
  for (std::int64_t size : {3, 16, 40, 67, 500})
    for (std::int64_t bad : {-1, 0, 37}) {
      if (bad >= size) continue;
      Tensor x = random_tensor(shaped(Element::f32, {size}), random);
      if (bad >= 0) x.set_real(bad, std::nan(""));
      Function function;
      Builder builder(function);
      const ValueId in = parameter(function, x.type());
      const ValueId low = builder.emit(Opcode::lt, {in, builder.reduce(Opcode::reduce_max, in, {0}, true)});
      for (Opcode code : {Opcode::reduce_max, Opcode::reduce_min}) output(function, builder.reduce(code, in, {0}, false));
      for (Opcode code : {Opcode::reduce_any, Opcode::reduce_all}) output(function, builder.reduce(code, low, {0}, false));
      const Tensor arguments[] = {x};
      const auto expected = backend::interpret(function)->run(arguments, {}).outputs;
      for (int level : {0, 2, 3}) {
        const auto found = backend::compile(function, {.optimization = level})->run(arguments, {}).outputs;
        for (std::size_t i = 0; i < expected.size(); ++i) {
          INFO(size << " " << bad << " -O" << level << " " << i);
          CHECK((found[i].real_at(0) == expected[i].real_at(0) || (std::isnan(found[i].real_at(0)) && std::isnan(expected[i].real_at(0)))));
        }
      }
    }
}

TEST_CASE("the first of the best is found by partials too, whichever way they walk") {
  std::mt19937 random(6);
  for (std::int64_t rows : {1, 3, 70})
    for (std::int64_t columns : {5, 16, 40, 67, 500})
      for (Element element : {Element::f32, Element::f64, Element::i32}) {
        CAPTURE(rows, columns, element_name(element));
        Tensor x(shaped(element, {rows, columns}));  // of few numbers, so that many are the best
        for (std::int64_t i = 0; i < x.count(); ++i) x.set_real(i, static_cast<double>(random() % 3));
        if (is_real(element) && columns > 16)
          for (std::int64_t at : {columns - 1, columns / 2, 5 * columns / 7}) x.set_real(at, std::nan(""));
        Function function;
        Builder builder(function);
        const ValueId in = parameter(function, x.type());
        for (Opcode code : {Opcode::argmax, Opcode::argmin})
          for (const std::vector<std::int64_t>& axes : {std::vector<std::int64_t>{0}, {1}, {0, 1}})
            output(function, builder.reduce(code, in, axes, false));
        agree(function, std::vector<Tensor>{x});
      }
}

TEST_CASE("long sums of doubles stay accurate, whichever way they walk") {
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{1000000}, {500000, 2}, {100000, 10}, {20000, 50}}) {
    const Function function = sum_of(shaped(Element::f64, sizes), {0});
    Tensor x(shaped(Element::f64, sizes));
    for (std::int64_t i = 0; i < x.count(); ++i) x.set_real(i, 0.1);
    const double exact = 0.1 * static_cast<double>(sizes[0]);
    const Tensor sums = backend::compile(function, {})->run(std::vector{x}, {}).outputs.at(0);
    for (std::int64_t i = 0; i < sums.count(); ++i) CHECK(std::abs(sums.real_at(i) / exact - 1) < 3e-14);
  }
}

}  // namespace bpc::test
