// Which sums of products become contractions, and with which tile.
#include <catch2/catch.hpp>

#include "backend/plan/passes.h"
#include "backend/plan/verify.h"

namespace bpc::plan {

namespace {

// c[m, n] = sum over k of a * b, as lowering leaves it; `turned`: c lies column by column.
Plan product(std::int64_t m, std::int64_t n, std::int64_t k, Element element, bool turned = false) {
  Plan plan;
  const BufferId a = plan.add(Buffer{element, m * k, "a", {}}), b = plan.add(Buffer{element, k * n, "b", {}});
  const BufferId c = plan.add(Buffer{element, m * n, "c", {}});
  RegisterId registers[3];
  for (RegisterId& id : registers) id = plan.add(Register{element, ""});
  Kernel kernel;
  kernel.axes = {{m, false}, {n, false}, {k, true}};
  kernel.body.push_back({registers[0], Load{{a, {0, {k, 0, 1}, {}}}}});
  kernel.body.push_back({registers[1], Load{{b, {0, {0, 1, n}, {}}}}});
  kernel.body.push_back({registers[2], Compute{scalar::Operator::mul, {registers[0], registers[1]}}});
  const std::vector<std::int64_t> strides = turned ? std::vector<std::int64_t>{1, m, 0} : std::vector<std::int64_t>{n, 1, 0};
  kernel.reductions.push_back({Reduction::Kind::sum, registers[2], Access{c, {0, strides, {}}}, {}, false, true});
  plan.body.push_back({std::move(kernel)});
  return plan;
}

Kernel& kernel_of(Plan& plan) {
  return std::get<Kernel>(plan.body[0].what);
}

const Contraction* chosen(Plan& plan) {
  choose_contractions(plan);
  CHECK(verify(plan) == std::vector<std::string>{});
  return std::get_if<Contraction>(&plan.body[0].what);
}

}  // namespace

TEST_CASE("the tile of a contraction fills the registers of its target") {
  Plan plan = product(60, 50, 40, Element::f32);
  plan.target = {.vector_bytes = 32, .vector_registers = 16, .fuses = true};
  const Contraction* step = chosen(plan);
  REQUIRE(step);
  CHECK((step->m == 60 && step->n == 50 && step->k == 40));
  CHECK((step->rows == 6 && step->lanes == 8 && step->panel == 16 && step->fused));
  CHECK(plan.at(step->scratch).count == 40 * 16);

  Plan other = product(60, 50, 40, Element::f64);
  other.target = {.vector_bytes = 64, .vector_registers = 32, .fuses = false};
  step = chosen(other);
  REQUIRE(step);
  CHECK((step->rows == 14 && step->lanes == 8 && !step->fused));
}

TEST_CASE("long sums of products in f32 have blocks, whatever the target") {
  for (std::size_t bytes : {16, 32, 64})
    for (const auto& [k, element, block] : {std::tuple(256, Element::f32, 0), {257, Element::f32, 256}, {5000, Element::f64, 0}}) {
      Plan plan = product(8, 8, k, element);
      plan.target.vector_bytes = bytes;
      const Contraction* step = chosen(plan);
      REQUIRE(step);
      CHECK(step->block == block);
    }
}

TEST_CASE("the tile lies along the axis that the result is contiguous in") {
  Plan plan = product(60, 50, 40, Element::f64, true);
  const Contraction* step = chosen(plan);
  REQUIRE(step);
  CHECK((step->m == 50 && step->n == 60));
  CHECK(plan.at(step->a.buffer).name == "b");
  CHECK(step->c.at.strides == std::vector<std::int64_t>{60, 1, 0});
}

TEST_CASE("what is small, of integers, or more than a sum of products stays a loop") {
  Plan narrow = product(3, 100, 100, Element::f64), small = product(8, 8, 8, Element::f64), integers = product(60, 50, 40, Element::i32);
  for (Plan* plan : {&narrow, &small, &integers}) CHECK_FALSE(chosen(*plan));
  Plan sum = product(60, 50, 40, Element::f64);
  kernel_of(sum).reductions[0].of_products = false;
  CHECK_FALSE(chosen(sum));
  Plan largest = product(60, 50, 40, Element::f64);
  const RegisterId twice = largest.add(Register{Element::f64, ""});
  Kernel& kernel = kernel_of(largest);
  kernel.body.push_back({twice, Compute{scalar::Operator::add, {kernel.reductions[0].value, kernel.reductions[0].value}}});
  kernel.reductions[0].value = twice;
  CHECK_FALSE(chosen(largest));
}

}  // namespace bpc::plan
