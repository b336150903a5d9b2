// Each invariant of plans, broken.
#include "backend/plan/verify.h"

#include <catch2/catch.hpp>

#include "ir/builder.h"
#include "tests/unit/ir/text.h"

namespace bpc::test {

namespace {

using namespace plan;

// y = x + s * x for x: f64[3], s = a * a, and z = A @ A of f64[20, 20]; what `damage` does, and the first problem that verify finds.
template <class Damage>
std::string problem(Damage damage) {
  const ir::Function function = read_main(R"(  %x = input "x" : f64[3]
  %a = input "a" : f64
  %A = input "A" : f64[20, 20]
  %s = mul %a, %a : f64
  %t = mul %x, %s : f64[3]
  %y = add %x, %t : f64[3]
  %z = einsum %A, %A {spec = "ij,jk->ik"} : f64[20, 20]
  %u = reduce_sum %y {axes = [0], keep = false} : f64
  output value "y" %y
  output value "z" %z
  output value "u" %u
)");
  Plan plan = make_plan(function, {});
  damage(plan);
  const std::vector<std::string> problems = verify(plan);
  return problems.empty() ? "" : problems[0];
}

template <class What>
What& first(Plan& plan) {
  for (Step& step : plan.body)
    if (auto* what = std::get_if<What>(&step.what)) return *what;
  FAIL("no such step");
  throw 0;
}

}  // namespace

TEST_CASE("the verifier accepts what the planner makes") {
  CHECK(problem([](Plan&) {}) == "");
}

TEST_CASE("the verifier finds broken plans") {
  using Catch::Matchers::Contains;
  CHECK_THAT(problem([](Plan& plan) { std::get<Compute>(first<Instruction>(plan).what).operands[0] = {99}; }),
             Contains("%99 is read where"));
  CHECK_THAT(problem([](Plan& plan) { first<Kernel>(plan).body[0].result = std::get<RegisterId>(plan.parameters[1]); }),
             Contains("is written twice"));
  CHECK_THAT(problem([](Plan& plan) { std::swap(plan.body.front(), plan.body.back()); }), Contains("is read where it is not known"));
  CHECK_THAT(problem([](Plan& plan) { plan.body.push_back({Library{"", {}, first<Contraction>(plan).a.buffer, plan.add(Buffer{}), {}}}); }),
             Contains("is written after it is read"));
  CHECK_THAT(problem([](Plan& plan) { first<Kernel>(plan).stores[0].to.buffer = {99}; }), Contains("@99 is no buffer"));
  CHECK_THAT(problem([](Plan& plan) { first<Kernel>(plan).stores[0].to.at.strides.clear(); }), Contains("a form of 0 axes"));
  CHECK_THAT(problem([](Plan& plan) { first<Kernel>(plan).stores[0].to.at.offset = 1; }), Contains("elements 1..3 of"));
  CHECK_THAT(problem([](Plan& plan) { first<Kernel>(plan).stores[0].to.at.strides[0] = -1; }), Contains("elements -2..0 of"));
  CHECK_THAT(
      problem([](Plan& plan) { first<Kernel>(plan).stores[0].to.at.terms.emplace_back(std::get<RegisterId>(plan.parameters[1]), 1); }),
      Contains("is in a form, and no i64"));
  CHECK_THAT(problem([](Plan& plan) { first<Contraction>(plan).tile.lanes = 0; }), Contains("without a register tile"));
  CHECK_THAT(problem([](Plan& plan) { first<Contraction>(plan).tile.width += 1; }), Contains("a block that cuts a tile"));
  CHECK_THAT(problem([](Plan& plan) { first<Contraction>(plan).tile.depth = 16; }), Contains("a depth that cuts a block"));
  CHECK_THAT(problem([](Plan& plan) {
               Contraction& contraction = first<Contraction>(plan);
               contraction.tile.b = Packing::none;
               contraction.n = {contraction.tile.panel() + 1};
               contraction.base = contraction.c.buffer;
             }),
             Contains("added twice"));
  CHECK_THAT(problem([](Plan& plan) {
               first<Contraction>(plan).tile.b = Packing::along_k;
               first<Contraction>(plan).packed_b = {};
             }),
             Contains("panels that do not fit"));
  CHECK_THAT(problem([](Plan& plan) {
               for (Storage& storage : plan.storages)
                 if (storage.kind == Storage::Kind::arena) storage.kind = Storage::Kind::entry;
             }),
             Contains("is written where its tape has it"));
  CHECK_THAT(problem([](Plan& plan) { plan.outputs[0] = plan.outputs[1]; }), Contains("output 0 is not where it should be"));
  CHECK_THAT(problem([](Plan& plan) { first<Kernel>(plan).stores[0].to.buffer = std::get<BufferId>(plan.parameters[0]); }),
             Contains("is written, and is the caller's"));
  CHECK_THAT(problem([](Plan& plan) { plan.arena_bytes = 0; }), Contains("outside the arena"));
}

}  // namespace bpc::test
