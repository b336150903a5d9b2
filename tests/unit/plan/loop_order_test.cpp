// The order of loops: the same turns, in an order that walks memory well.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "backend/plan/passes.h"
#include "backend/plan/verify.h"

namespace bpc::plan {

namespace {

// A kernel that copies buffer 0 to buffer 1, or sums it up there, with these strides along each axis.
Plan plan_of(const std::vector<Axis>& axes, const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to) {
  Plan plan;
  plan.add(Buffer{Element::f64, 1 << 20, "from", {}});
  plan.add(Buffer{Element::f64, 1 << 20, "to", {}});
  const RegisterId value = plan.add(Register{Element::f64, "value"});
  Kernel kernel;
  kernel.axes = axes;
  kernel.body.push_back({value, Load{{BufferId{0}, {3, from, {}}}}});
  const bool folds = std::any_of(axes.begin(), axes.end(), [](const Axis& axis) { return axis.reduced; });
  if (folds)
    kernel.reductions.push_back({Reduction::Kind::sum, value, Access{BufferId{1}, {0, to, {}}}});
  else
    kernel.stores.push_back({value, {BufferId{1}, {0, to, {}}}, {}});
  plan.body.push_back({std::move(kernel)});
  return plan;
}

const Kernel& kernel_of(const Plan& plan) {
  return std::get<Kernel>(plan.body[0].what);
}
const Affine& from_of(const Kernel& kernel) {
  return std::get<Load>(kernel.body[0].what).from.at;
}
const Affine& to_of(const Kernel& kernel) {
  return kernel.reductions.empty() ? kernel.stores[0].to.at : std::get<Access>(kernel.reductions[0].to).at;
}

// The element that is read and the element that is written, of each turn, sorted.
std::vector<std::pair<std::int64_t, std::int64_t>> turns(const Kernel& kernel) {
  std::vector<std::pair<std::int64_t, std::int64_t>> result{{from_of(kernel).offset, to_of(kernel).offset}};
  for (std::size_t axis = 0; axis < kernel.axes.size(); ++axis) {
    std::vector<std::pair<std::int64_t, std::int64_t>> more;
    for (const auto& [read, written] : result)
      for (std::int64_t i = 0; i < kernel.axes[axis].size; ++i)
        more.emplace_back(read + i * from_of(kernel).strides[axis], written + i * to_of(kernel).strides[axis]);
    result = std::move(more);
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::int64_t> sizes(const Kernel& kernel) {
  std::vector<std::int64_t> result;
  for (const Axis& axis : kernel.axes) result.push_back(axis.size);
  return result;
}

Kernel ordered(Plan plan) {
  order_loops(plan);
  return kernel_of(plan);
}

}  // namespace

TEST_CASE("axes that all walk as one become one") {
  const Kernel copy = ordered(plan_of({{4, false}, {1, false}, {5, false}}, {5, 0, 1}, {5, 0, 1}));
  CHECK(sizes(copy) == std::vector<std::int64_t>{20});
  const Kernel transposed = ordered(plan_of({{4, false}, {5, false}}, {1, 4}, {5, 1}));
  CHECK(transposed.axes.size() == 2);
}

TEST_CASE("reduced axes are inside, or have lanes inside them where memory is walked better so") {
  const Kernel rows = ordered(plan_of({{40, false}, {50, true}}, {50, 1}, {1, 0}));
  CHECK_FALSE(rows.lanes);
  CHECK(rows.axes.back().reduced);
  const Kernel columns = ordered(plan_of({{50, true}, {40, false}}, {40, 1}, {0, 1}));
  CHECK(columns.lanes);
  CHECK_FALSE(columns.axes.back().reduced);
}

TEST_CASE("what is read along one axis and written along another goes in strips") {
  const Kernel kernel = ordered(plan_of({{96, false}, {100, false}}, {1, 96}, {100, 1}));
  CHECK(sizes(kernel) == std::vector<std::int64_t>{6, 100, 16});
  CHECK(from_of(kernel).strides == std::vector<std::int64_t>{16, 96, 1});
  const Kernel summed = ordered(plan_of({{96, true}, {100, true}}, {1, 96}, {0, 0}));
  CHECK(summed.axes.size() == 2);  // nothing is walked along the last axis
  CHECK(sizes(ordered(plan_of({{97, false}, {100, false}}, {1, 97}, {100, 1}))) == std::vector<std::int64_t>{97, 100});
  const Plan plan = plan_of({{90, false}, {100, false}}, {1, 90}, {100, 1});
  CHECK(sizes(ordered(plan)) == std::vector<std::int64_t>{6, 100, 15});
  CHECK(turns(ordered(plan)) == turns(kernel_of(plan)));
  Plan adding = plan_of({{96, false}, {100, false}}, {1, 96}, {100, 1});  // turns may meet
  std::get<Kernel>(adding.body[0].what).stores[0].adds = true;
  CHECK(sizes(ordered(adding)) == std::vector<std::int64_t>{96, 100});
}

TEST_CASE("loops in another order do the same turns") {
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    const std::size_t rank = 1 + random() % 4;
    std::vector<Axis> axes;
    for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back({static_cast<std::int64_t>(random() % 5), random() % 3 == 0});
    // Dense, along the axes in some order; a broadcast one stays where it is.
    auto strides = [&](bool result) {
      std::vector<std::size_t> order(rank);
      for (std::size_t axis = 0; axis < rank; ++axis) order[axis] = axis;
      std::shuffle(order.begin(), order.end(), random);
      std::vector<std::int64_t> made(rank, 0);
      std::int64_t stride = 1;
      for (std::size_t axis : order) {
        if (result ? axes[axis].reduced : random() % 4 == 0) continue;
        made[axis] = stride;
        stride *= std::max<std::int64_t>(axes[axis].size, 1);
      }
      return made;
    };
    const Plan plan = plan_of(axes, strides(false), strides(true));
    const Kernel kernel = ordered(plan);
    CAPTURE(i);
    CHECK(turns(kernel) == turns(kernel_of(plan)));
    // kept…, reduced…, or with lanes: kept…, reduced…, kept.
    std::vector<bool> reduced;
    for (const Axis& axis : kernel.axes) reduced.push_back(axis.reduced);
    if (kernel.lanes) {
      REQUIRE_FALSE(reduced.back());
      reduced.pop_back();
    }
    CHECK(std::is_sorted(reduced.begin(), reduced.end()));
    Plan after = plan;
    order_loops(after);
    CHECK(verify(after) == std::vector<std::string>{});
  }
}

}  // namespace bpc::plan
