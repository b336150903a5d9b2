// The order in which reductions fold their terms.
#include <catch2/catch.hpp>

#include "backend/plan/operands.h"
#include "backend/plan/passes.h"
#include "backend/plan/verify.h"

namespace bpc::plan {

namespace {

// The tree of a kernel that sums up a buffer; the last axis has lanes if it is kept.
Plan summed(const std::vector<Axis>& axes, Element element = Element::f64) {
  Plan plan;
  plan.add(Buffer{element, 1 << 24, "from", {}});
  plan.add(Buffer{element, 1 << 24, "to", {}});
  const RegisterId value = plan.add(Register{element, "value"});
  Kernel kernel;
  kernel.axes = axes;
  if (!axes.back().reduced && axes.size() > 1) kernel.lanes = std::min<std::int64_t>(axes.back().size, 128);
  std::vector<std::int64_t> strides(axes.size(), 1), none(axes.size(), 0);
  for (std::size_t i = axes.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * axes[i + 1].size;
  kernel.body.push_back({value, Load{{BufferId{0}, {0, strides, {}}}}});
  kernel.reductions.push_back({Reduction::Kind::sum, value, Access{BufferId{1}, {0, none, {}}}});
  plan.body.push_back({std::move(kernel)});
  return plan;
}

const Kernel& kernel_of(const Plan& plan) {
  return std::get<Kernel>(plan.body[0].what);
}

Tree tree_of(Plan plan) {
  choose_trees(plan);
  CHECK(verify(plan) == std::vector<std::string>{});
  return kernel_of(plan).tree;
}

}  // namespace

TEST_CASE("a long axis is dealt out to partials, a short one is not") {
  CHECK(tree_of(summed({{7, true}})) == Tree{0, 1, 0, 0});
  CHECK(tree_of(summed({{8, true}})) == Tree{0, 8, 0, 0});
  CHECK(tree_of(summed({{15, true}})) == Tree{0, 8, 0, 0});
  CHECK(tree_of(summed({{8, true}}, Element::f32)) == Tree{0, 1, 0, 0});
  CHECK(tree_of(summed({{9, true}}, Element::f32)) == Tree{0, 8, 0, 0});
  CHECK(tree_of(summed({{16, true}})) == Tree{0, 16, 0, 0});
  CHECK(tree_of(summed({{100, true}})) == Tree{0, 32, 0, 0});
}

TEST_CASE("long terms are dealt out from a few on, since they are not written out for rows side by side") {
  const auto exponentials = [](std::int64_t turns, Element element) {
    Plan plan = summed({{turns, true}}, element);
    Kernel& kernel = std::get<Kernel>(plan.body[0].what);
    const RegisterId power = plan.add(Register{element, "power"});
    kernel.body.push_back({power, Compute{scalar::Operator::exp, {kernel.body[0].result}}});
    kernel.reductions[0].value = power;
    return tree_of(plan);
  };
  CHECK(exponentials(3, Element::f64) == Tree{0, 1, 0, 0});
  CHECK(exponentials(4, Element::f64) == Tree{0, 4, 0, 0});
  CHECK(exponentials(5, Element::f32) == Tree{0, 1, 0, 0});
  CHECK(exponentials(6, Element::f32) == Tree{0, 4, 0, 0});
  CHECK(exponentials(8, Element::f32) == Tree{0, 8, 0, 0});
}

TEST_CASE("extremes of a few terms are not dealt out, unless there is a sum beside them") {
  Plan plan = summed({{10, true}});
  Kernel& kernel = std::get<Kernel>(plan.body[0].what);
  kernel.reductions[0].kind = Reduction::Kind::min;
  CHECK(tree_of(plan) == Tree{});
  kernel.reductions.push_back({Reduction::Kind::sum, kernel.reductions[0].value, plan.add(Register{Element::f64, "sum"})});
  CHECK(tree_of(plan) == Tree{0, 8, 0, 0});
}

TEST_CASE("where the innermost axis is short, the one around it is dealt out") {
  CHECK(tree_of(summed({{1000, true}, {3, true}}, Element::f32)) == Tree{0, 32, 0, 0});
  CHECK(tree_of(summed({{1000, true}, {10, true}}, Element::f32)) == Tree{1, 16, 0, 0});
  CHECK(tree_of(summed({{12, true}, {8, true}, {9, true}}, Element::f32)) == Tree{2, 16, 0, 0});
  CHECK(tree_of(summed({{5, true}, {3, true}, {3, true}}, Element::f32)) == Tree{});
  CHECK(tree_of(summed({{20, true}, {3, true}}, Element::f32)) == Tree{0, 16, 0, 0});
  CHECK(tree_of(summed({{1000, true}, {12, true}, {12, true}}, Element::f32)) == Tree{2, 16, 0, 0});
}

TEST_CASE("sums of doubles go to a total in blocks of whole rounds") {
  CHECK(tree_of(summed({{10000, true}})) == Tree{0, 32, 0, 512});
  CHECK(tree_of(summed({{10000, true}, {3, true}})) == Tree{0, 32, 0, 160});
  CHECK(tree_of(summed({{1000, true}, {100, true}})) == Tree{1, 32, 0, 5});
  CHECK(tree_of(summed({{10000, true}}, Element::f32)) == Tree{0, 32, 0, 0});
  Plan sum = summed({{10000, true}});
  choose_trees(sum);
  CHECK(kernel_of(sum).reductions[0].compensated);
}

TEST_CASE("lanes need few partials, or none") {
  CHECK(tree_of(summed({{100, true}, {2, false}})) == Tree{0, 32, 0, 0});
  CHECK(tree_of(summed({{100, true}, {5, false}})) == Tree{0, 4, 0, 64});
  CHECK(tree_of(summed({{1000, true}, {200, false}})).partials == 1);
}

TEST_CASE("dot products of f32 have partials of f32, unless these are long") {
  auto is_narrow = [](const std::vector<Axis>& axes, Element element, bool of_products) {
    Plan plan = summed(axes, element);
    std::get<Kernel>(plan.body[0].what).reductions[0].of_products = of_products;
    tree_of(plan);
    choose_trees(plan);
    return kernel_of(plan).reductions[0].narrow;
  };
  CHECK(is_narrow({{512, true}}, Element::f32, true));
  CHECK(is_narrow({{2048, true}}, Element::f32, true));
  CHECK(is_narrow({{60, true}, {10, true}}, Element::f32, true));
  CHECK_FALSE(is_narrow({{70, true}, {10, true}}, Element::f32, true));  // ten of 16 partials get all
  CHECK_FALSE(is_narrow({{2049, true}}, Element::f32, true));
  CHECK_FALSE(is_narrow({{15, true}}, Element::f32, true));
  CHECK_FALSE(is_narrow({{512, true}}, Element::f32, false));
  CHECK_FALSE(is_narrow({{512, true}}, Element::f64, true));
}

TEST_CASE("running sums keep their order, the first of the best is found by partials") {
  Plan running = summed({{1000, true}});
  std::get<Kernel>(running.body[0].what).reductions[0].running = true;
  CHECK(tree_of(running) == Tree{});
  Plan first = summed({{1000, true}});
  std::get<Kernel>(first.body[0].what).reductions[0].kind = Reduction::Kind::argmax;
  CHECK(tree_of(first) == Tree{0, 32, 0, 0});
}

TEST_CASE("a tree that is none is found") {
  auto problems = [](const Tree& tree, bool compensated = false) {
    Plan plan = summed({{8, false}, {1000, true}});
    Kernel& kernel = std::get<Kernel>(plan.body[0].what);
    kernel.tree = tree;
    kernel.reductions[0].compensated = compensated;
    return verify(plan);
  };
  CHECK(problems({1, 16, 1, 64}, true).empty());
  CHECK_FALSE(problems({0, 16, 0, 0}).empty());
  CHECK_FALSE(problems({1, 12, 0, 0}).empty());
  CHECK_FALSE(problems({1, 16, 1, 72}).empty());
  CHECK_FALSE(problems({1, 1, 0, 64}).empty());
  CHECK_FALSE(problems({1, 16, 0, 0}, true).empty());
}

}  // namespace bpc::plan
