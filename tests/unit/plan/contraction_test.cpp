// Which sums of products become contractions, and with which tile.
#include <catch2/catch.hpp>

#include "backend/plan/contraction.h"
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

void make_strong(Kernel& kernel) {
  std::get<Compute>(kernel.body[2].what).code = scalar::Operator::strong_mul;
  kernel.reductions[0].of_products = false;
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

TEST_CASE("the tile of a contraction fits its target and its result") {
  struct Case {
    std::size_t bytes;
    std::int64_t registers, m, n;
    Element element;
    std::int64_t rows, vectors, lanes;
  };
  for (const Case& wanted : {Case{32, 16, 60, 64, Element::f32, 6, 2, 8},     // 12 accumulators, as many as hide the latency
                             Case{64, 32, 64, 128, Element::f32, 13, 2, 16},  // five tiles, none of them ragged
                             Case{64, 32, 64, 10, Element::f32, 16, 1, 16},   // one vector holds all columns
                             Case{16, 16, 60, 50, Element::f64, 6, 2, 2}}) {
    CAPTURE(wanted.bytes, wanted.m, wanted.n);
    Plan plan = product(wanted.m, wanted.n, 40, wanted.element);
    plan.target.tile_bytes = wanted.bytes;
    plan.target.vector_registers = wanted.registers;
    const Contraction* step = chosen(plan);
    REQUIRE(step);
    CHECK(step->tile.rows == wanted.rows);
    CHECK(step->tile.vectors == wanted.vectors);
    CHECK(step->tile.lanes == wanted.lanes);
    CHECK(step->tile.rows * step->tile.vectors + step->tile.vectors + 1 <= wanted.registers);
  }
}

TEST_CASE("long sums of products have blocks, whatever the target") {
  for (std::size_t bytes : {16, 32, 64})
    for (const auto& [k, block] : {std::pair(512, 0), {513, 512}, {5000, 512}})
      for (Element element : {Element::f32, Element::f64}) {
        Plan plan = product(8, 8, k, element);
        plan.target.tile_bytes = bytes;
        const Contraction* step = chosen(plan);
        REQUIRE(step);
        CHECK(step->block == block);
      }
}

TEST_CASE("blocks of a contraction fit into the caches of its target") {
  for (std::size_t far : {256 << 10, 512 << 10, 2 << 20}) {
    Plan plan = product(3000, 3000, 3000, Element::f32);
    plan.target.far_bytes = far;
    const Contraction* step = chosen(plan);
    REQUIRE(step);
    const Tile& tile = step->tile;
    CHECK((tile.a != Packing::none && tile.b != Packing::none));
    CHECK((tile.depth < 3000 || far == 2 << 20));
    CHECK(tile.width * tile.depth * 4 <= static_cast<std::int64_t>(far) / 2);
    CHECK(tile.panel() * tile.depth * 4 <= static_cast<std::int64_t>(far) / 8);
    CHECK(plan.at(step->packed_b).count <= 2 * tile.width * tile.depth);
    REQUIRE(step->totals.valid() == (tile.depth < 3000));
    if (step->totals.valid()) CHECK(plan.at(step->totals).element == Element::f64);
  }
}

TEST_CASE("contractions are cut into parts that threads share, where the work is worth it") {
  struct Case {
    std::int64_t m, n, k;
    const char* printed;
  };
  for (const Case& wanted : {Case{512, 512, 512, "contraction m 512 n 512 k 512, 16 parts of 32 of n"},
                             Case{700, 24, 800, "contraction m 700 n 24 k 800, blocks of 512, 16 parts of 44 of m"},
                             Case{30, 30, 30, "contraction m 30 n 30 k 30"},
                             Case{32, 32, 8192, "contraction m 32 n 32 k 8192, blocks of 512, 16 parts of 2 of m"}}) {
    Plan plan = product(wanted.m, wanted.n, wanted.k, Element::f32);
    REQUIRE(chosen(plan));
    cut_into_parts(plan);
    CHECK(verify(plan) == std::vector<std::string>{});
    for (Buffer& buffer : plan.buffers) buffer.storage = plan.add(Storage{});
    const std::string text = print(plan);
    CAPTURE(text);
    CHECK(text.find(std::string("  ") + wanted.printed + "\n") != std::string::npos);
  }
}

TEST_CASE("what several parts read is packed once, what one reads by itself") {
  Plan plan = product(512, 512, 512, Element::f32);
  const Contraction* step = chosen(plan);
  REQUIRE(step);
  const std::int64_t before = plan.at(step->packed_a).count;
  cut_into_parts(plan);
  REQUIRE(step->grid.n.parts == 16);
  CHECK(step->grid.packings > 1);
  CHECK(packs_a_at_once(*step));
  CHECK(plan.at(step->packed_a).count == before);
  CHECK_FALSE(packs_b_at_once(*step));
  CHECK(plan.at(step->packed_b).count == step->grid.n.parts * packed_b_room(*step));
}

TEST_CASE("what is read once or twice is not packed") {
  Plan plan = product(4, 512, 200, Element::f32);
  const Contraction* step = chosen(plan);
  REQUIRE(step);
  CHECK((step->tile.a == Packing::across_k || step->tile.a == Packing::along_k));
  CHECK(step->tile.b == Packing::none);
  CHECK_FALSE(step->packed_b.valid());
  Plan narrow = product(512, 16, 200, Element::f32);
  step = chosen(narrow);
  REQUIRE(step);
  CHECK(step->tile.a == Packing::none);
  CHECK_FALSE(step->packed_a.valid());
}

TEST_CASE("a few rows read a matrix where it lies, in vectors side by side") {
  for (const auto& [m, n, vectors] : {std::tuple(1, 512, 7), {3, 512, 3}, {1, 100, 4}}) {
    CAPTURE(m, n);
    Plan plan = product(m, n, 3000, Element::f32);
    const Contraction* step = chosen(plan);
    REQUIRE(step);
    CHECK(step->tile.b == Packing::none);
    CHECK(step->tile.depth == 3000);
    CHECK(step->tile.rows == m);
    CHECK(step->tile.vectors >= vectors);
    CHECK_FALSE(step->totals.valid());
  }
}

TEST_CASE("windows that overlap are read where they lie, if whole tiles of them look alike") {
  // y[o, i, j] = sum over c, u, v of k[o, c, u, v] * x[c, i + u, j + v], or a derivative of it by k: of 64 channels of 32 x 32.
  for (const auto& [columns, in_place] : {std::pair(32, true), {31, false}}) {
    CAPTURE(columns);
    const std::int64_t wide = columns + 2;
    Plan plan = product(1, 1, 1, Element::f32);
    plan.target.tile_bytes = 64;
    plan.target.vector_registers = 32;
    for (Buffer& buffer : plan.buffers) buffer.count = 1'000'000;
    Kernel& kernel = kernel_of(plan);
    kernel.axes = {{64, false}, {32, false}, {columns, false}, {32, true}, {3, true}, {3, true}};
    std::get<Load>(kernel.body[0].what).from.at.strides = {288, 0, 0, 9, 3, 1};
    std::get<Load>(kernel.body[1].what).from.at.strides = {0, wide, 1, 34 * wide, wide, 1};
    std::get<Access>(kernel.reductions[0].to).at.strides = {32 * columns, columns, 1, 0, 0, 0};
    const Contraction* step = chosen(plan);
    REQUIRE(step);
    CHECK((step->tile.b == Packing::none) == in_place);
    CHECK(step->packed_b.valid() != in_place);
    if (in_place) CHECK(columns % step->tile.panel() == 0);
    CHECK(step->offsets.valid());
  }
  for (const auto& [kernel_size, rows] : {std::pair(3, 9), {5, 5}}) {
    CAPTURE(kernel_size);
    const std::int64_t wide = 31 + kernel_size;
    Plan plan = product(1, 1, 1, Element::f32);
    plan.target.tile_bytes = 64;
    plan.target.vector_registers = 32;
    for (Buffer& buffer : plan.buffers) buffer.count = 10'000'000;
    Kernel& kernel = kernel_of(plan);
    kernel.axes = {{16, false}, {kernel_size, false}, {kernel_size, false}, {64, false}, {32, true}, {32, true}};
    std::get<Load>(kernel.body[0].what).from.at.strides = {wide * wide, wide, 1, 0, wide, 1};
    std::get<Load>(kernel.body[1].what).from.at.strides = {0, 0, 0, 1024, 32, 1};
    std::get<Access>(kernel.reductions[0].to).at.strides = {64 * kernel_size * kernel_size, 64 * kernel_size, 64, 1, 0, 0};
    const Contraction* step = chosen(plan);
    REQUIRE(step);
    CHECK(step->tile.a == Packing::none);
    CHECK(step->tile.rows == rows);
    CHECK_FALSE(step->packed_a.valid());
  }
  // By stride 2, windows share no more than their edges.
  Plan plan = product(1, 1, 1, Element::f32);
  for (Buffer& buffer : plan.buffers) buffer.count = 1'000'000;
  Kernel& kernel = kernel_of(plan);
  kernel.axes = {{16, false}, {16, false}, {64, false}, {32, true}, {3, true}, {3, true}};
  std::get<Load>(kernel.body[0].what).from.at.strides = {68, 2, 0, 34 * 34, 34, 1};
  std::get<Load>(kernel.body[1].what).from.at.strides = {0, 0, 288, 9, 3, 1};
  std::get<Access>(kernel.reductions[0].to).at.strides = {16, 1, 256, 0, 0, 0};
  const Contraction* step = chosen(plan);
  REQUIRE(step);
  CHECK(step->tile.a == Packing::none);
}

TEST_CASE("the vectors of a tile lie along the axis that the result is contiguous in") {
  Plan plan = product(60, 50, 40, Element::f64, true);
  const Contraction* step = chosen(plan);
  REQUIRE(step);
  CHECK(step->m == std::vector<std::int64_t>{50});
  CHECK(step->n == std::vector<std::int64_t>{60});
  CHECK(plan.at(step->a.buffer).name == "b");
  CHECK(step->c.at.strides == std::vector<std::int64_t>{60, 1, 0});
}

TEST_CASE("axes go in groups, each of any number") {
  // c[v, a, i] = sum over b, j of x[v, b, j] * y[a, b, i, j]: rows v, columns a and i.
  Plan plan = product(1, 1, 1, Element::f64);
  for (Buffer& buffer : plan.buffers) buffer.count = 100'000;
  Kernel& kernel = kernel_of(plan);
  kernel.axes = {{9, false}, {10, false}, {11, false}, {12, true}, {13, true}};
  std::get<Load>(kernel.body[0].what).from.at.strides = {156, 0, 0, 13, 1};
  std::get<Load>(kernel.body[1].what).from.at.strides = {0, 1716, 13, 143, 1};
  std::get<Access>(kernel.reductions[0].to).at.strides = {110, 11, 1, 0, 0};
  const Contraction* step = chosen(plan);
  REQUIRE(step);
  CHECK(step->batch.empty());
  CHECK(step->m == std::vector<std::int64_t>{9});
  CHECK(step->n == std::vector<std::int64_t>{10, 11});
  CHECK(step->k == std::vector<std::int64_t>{12, 13});
  CHECK(step->tile.b == Packing::along_k);
}

TEST_CASE("sums of products with strong zeros are contractions where all that these meet is finite") {
  Plan plan = product(40, 50, 60, Element::f32);
  make_strong(kernel_of(plan));
  choose_contractions(plan);
  CHECK(verify(plan) == std::vector<std::string>{});
  REQUIRE(plan.body.size() == 2);
  const Kernel& look = kernel_of(plan);
  CHECK(std::get<Load>(look.body[0].what).from == Access{BufferId{1}, {0, {50, 1}, {}}});
  REQUIRE(look.reductions.size() == 1);
  CHECK(look.reductions[0].kind == Reduction::Kind::all);
  const If& branch = std::get<If>(plan.body[1].what);
  CHECK(std::get<RegisterId>(look.reductions[0].to) == branch.condition);
  CHECK(std::get<Contraction>(branch.then[0].what).n == std::vector<std::int64_t>{50});
  CHECK(std::holds_alternative<Kernel>(branch.otherwise[0].what));
  CHECK(branch.buffers[0].result == BufferId{2});

  // Each element of b is read a few times alone: a look at all would take as long.
  plan = product(4, 60, 60, Element::f32);
  make_strong(kernel_of(plan));
  choose_contractions(plan);
  CHECK(plan.body.size() == 1);
  CHECK(std::holds_alternative<Kernel>(plan.body[0].what));
}

TEST_CASE("what is small, of integers, or more than a sum of products stays a loop") {
  Plan narrow = product(100, 1, 100, Element::f64), shallow = product(100, 100, 1, Element::f64);
  Plan small = product(8, 8, 8, Element::f64), integers = product(60, 50, 40, Element::i32);
  for (Plan* plan : {&narrow, &shallow, &small, &integers}) CHECK_FALSE(chosen(*plan));
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
