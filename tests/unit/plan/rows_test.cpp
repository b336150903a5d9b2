// Which kernels run some rows at a time, how many, and what needs room for no more than these.
#include <catch2/catch.hpp>

#include "backend/plan/passes.h"
#include "backend/plan/verify.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kRows = 512, kWidth = 256;

// A list of kernels over rows, all of f64.
struct Rowed {
  Plan plan;

  BufferId buffer(std::int64_t count) { return plan.add(Buffer{Element::f64, count, "", {}}); }
  RegisterId reg() { return plan.add(Register{Element::f64, ""}); }
  static Affine form(std::vector<std::int64_t> strides, std::int64_t offset = 0) { return {offset, std::move(strides), {}}; }

  Kernel kernel(std::vector<Axis> axes, const std::vector<Access>& from) {
    Kernel made;
    made.axes = std::move(axes);
    RegisterId last;
    for (const Access& access : from) {
      const RegisterId loaded = reg();
      made.body.push_back({loaded, Load{access}});
      if (last.valid()) {
        const RegisterId sum = reg();
        made.body.push_back({sum, Compute{scalar::Operator::add, {last, loaded}}});
        last = sum;
      } else {
        last = loaded;
      }
    }
    return made;
  }
  // The sum of each row.
  BufferId row_sums(BufferId x, std::int64_t rows = kRows, std::int64_t width = kWidth) {
    const BufferId to = buffer(rows);
    Kernel made = kernel({{rows, false}, {width, true}}, {{x, form({width, 1})}});
    made.reductions.push_back({Reduction::Kind::sum, made.body.back().result, Access{to, form({1, 0})}, {}});
    plan.body.push_back({std::move(made)});
    return to;
  }
  // The sum of all.
  RegisterId sum(BufferId x, std::int64_t count = kRows * kWidth) {
    const RegisterId to = reg();
    Kernel made = kernel({{count, true}}, {{x, form({1})}});
    made.reductions.push_back({Reduction::Kind::sum, made.body.back().result, to, {}});
    plan.body.push_back({std::move(made)});
    return to;
  }
  // x and its row's sum.
  BufferId add(BufferId x, BufferId sums, std::int64_t rows = kRows, std::int64_t width = kWidth, std::int64_t leap = 0) {
    const BufferId to = buffer(rows * width);
    Kernel made = kernel({{rows, false}, {width, false}}, {{x, form({width, 1})}, {sums, form({1 - 2 * leap, 0}, leap * (rows - 1))}});
    made.stores.push_back({made.body.back().result, {to, form({width, 1})}, {}});
    plan.body.push_back({std::move(made)});
    return to;
  }
  std::size_t joined() {
    choose_trees(plan);
    join_rows(plan);
    CHECK(verify(plan) == std::vector<std::string>{});
    return plan.body.size();
  }
  const Rows& rows(std::size_t step = 0) { return std::get<Rows>(plan.body.at(step).what); }
};

}  // namespace

TEST_CASE("kernels of the same rows run row by row, and what is between them is a row") {
  Rowed list;
  const BufferId x = list.buffer(kRows * kWidth), sums = list.row_sums(x), y = list.add(x, sums), again = list.row_sums(y),
                 z = list.add(y, again);
  list.plan.outputs = {z};
  REQUIRE(list.joined() == 1);
  CHECK(list.rows().count == kRows);
  CHECK(list.rows().kernels.size() == 4);
  const std::int64_t tile = list.rows().tile;
  CHECK(kRows % tile == 0);
  CHECK(list.plan.at(sums).count == tile);
  CHECK(list.plan.at(y).count == tile * kWidth);
  CHECK(list.plan.at(x).count == kRows * kWidth);
  CHECK(list.plan.at(z).count == kRows * kWidth);
}

TEST_CASE("what others read as well stays whole") {
  Rowed list;
  const BufferId x = list.buffer(kRows * kWidth), sums = list.row_sums(x), y = list.add(x, sums);
  list.plan.body.push_back({CheckIndices{sums, 10, list.plan.add(backend::Site{}), 0}});
  list.plan.outputs = {y};
  REQUIRE(list.joined() == 2);
  CHECK(list.plan.at(sums).count == kRows);
}

TEST_CASE("short rows are taken many at a time, and those of a total in whole rounds of its partials") {
  Rowed list;
  const std::int64_t rows = 40000, width = 3;
  const BufferId x = list.buffer(rows * width), y = list.add(x, list.row_sums(x, rows, width), rows, width);
  list.sum(y, rows * width);
  REQUIRE(list.joined() == 1);
  const Rows& joined = list.rows();
  CHECK(joined.tile > 32);
  const Kernel& total = joined.kernels.back();
  CHECK(total.tree.partials > 1);
  CHECK(joined.tile * width % total.tree.partials == 0);
  CHECK(joined.tile * width % total.tree.block == 0);
}

TEST_CASE("rows that are not the same rows, small tensors and rows that no cache holds stay apart") {
  Rowed turned;
  const BufferId x = turned.buffer(kRows * kWidth);
  turned.add(x, turned.row_sums(x), kRows, kWidth, 1);  // the sums backwards
  CHECK(turned.joined() == 2);
  Rowed small;
  const BufferId few = small.buffer(32 * 32);
  small.add(few, small.row_sums(few, 32, 32), 32, 32);
  CHECK(small.joined() == 2);
  Rowed wide;
  const BufferId long_rows = wide.buffer(4 * 100000);
  wide.add(long_rows, wide.row_sums(long_rows, 4, 100000), 4, 100000);
  CHECK(wide.joined() == 2);
}

TEST_CASE("what is folded along the rows is not there before their end") {
  Rowed list;
  const BufferId x = list.buffer(kRows * kWidth), to = list.buffer(kRows * kWidth);
  const RegisterId total = list.sum(x);
  Kernel scaled = list.kernel({{kRows * kWidth, false}}, {{x, Rowed::form({1})}});
  const RegisterId product = list.reg();
  scaled.body.push_back({product, Compute{scalar::Operator::mul, {scaled.body.back().result, total}}});
  scaled.stores.push_back({product, {to, Rowed::form({1})}, {}});
  list.plan.body.push_back({std::move(scaled)});
  CHECK(list.joined() == 2);
}

TEST_CASE("what several steps write is not read before all of them have") {
  Rowed list;
  const BufferId x = list.buffer(kRows * kWidth), y = list.buffer(kRows * kWidth), z = list.buffer(2 * kRows * kWidth);
  const BufferId shifted = list.add(x, list.row_sums(x));
  Kernel by_columns = list.kernel({{kWidth, false}, {kRows, false}}, {{y, Rowed::form({1, kWidth})}});
  by_columns.stores.push_back({by_columns.body.back().result, {z, Rowed::form({1, 2 * kWidth})}, {}});
  list.plan.body.push_back({std::move(by_columns)});
  Kernel by_rows = list.kernel({{kRows, false}, {kWidth, false}}, {{shifted, Rowed::form({kWidth, 1})}});
  by_rows.stores.push_back({by_rows.body.back().result, {z, Rowed::form({2 * kWidth, 1}, kWidth)}, {}});
  list.plan.body.push_back({std::move(by_rows)});
  list.row_sums(z, kRows, 2 * kWidth);
  REQUIRE(list.joined() == 3);
  CHECK(list.rows().kernels.size() == 3);
}

TEST_CASE("a result takes the memory of rows that no kernel after its own reads") {
  Rowed list;
  const BufferId x = list.buffer(kRows * kWidth);
  Random random;
  random.to = x;
  list.plan.body.push_back({random});
  const BufferId y = list.add(x, list.row_sums(x)), z = list.add(x, list.row_sums(y));
  const Type type = Type::of_sizes(Element::f64, {kRows * kWidth});
  list.plan.outputs = {y, z};
  list.plan.signature.outputs = {{"", type, {}}, {"", type, {}}};
  REQUIRE(list.joined() == 2);
  assign_storage(list.plan);
  CHECK(verify(list.plan) == std::vector<std::string>{});
  CHECK(list.plan.at(x).storage == list.plan.at(z).storage);
}

TEST_CASE("a row that is made again and again is not made where something lies that is read for each") {
  Rowed list;
  const std::int64_t rows = 64, width = 2048;
  const BufferId x = list.buffer(rows * width), bias = list.buffer(width), y = list.buffer(rows * width);
  for (BufferId id : {x, bias}) {
    Random random;
    random.to = id;
    list.plan.body.push_back({random});
  }
  Kernel shifted = list.kernel({{rows, false}, {width, false}}, {{x, Rowed::form({width, 1})}, {bias, Rowed::form({0, 1})}});
  shifted.stores.push_back({shifted.body.back().result, {y, Rowed::form({width, 1})}, {}});
  list.plan.body.push_back({std::move(shifted)});
  const BufferId z = list.add(y, list.row_sums(y, rows, width), rows, width);
  list.plan.outputs = {z};
  list.plan.signature.outputs = {{"", Type::of_sizes(Element::f64, {rows * width}), {}}};
  REQUIRE(list.joined() == 3);
  REQUIRE(list.rows(2).tile == 1);
  REQUIRE(list.plan.at(y).count == width);
  assign_storage(list.plan);
  CHECK(list.plan.at(y).storage != list.plan.at(bias).storage);
}

}  // namespace bpc::plan
