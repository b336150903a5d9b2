// Which kernels threads share, and along which axis they are cut.
#include "backend/plan/parts.h"

#include <catch2/catch.hpp>

#include "backend/plan/passes.h"
#include "backend/plan/verify.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kLong = 1 << 20;

Affine form(std::vector<std::int64_t> strides) {
  return {0, std::move(strides), {}};
}

struct One {
  Plan plan;
  Kernel kernel;

  explicit One(std::vector<Axis> axes) { kernel.axes = std::move(axes); }
  BufferId buffer(std::int64_t count = 1 << 26, Element element = Element::f64) { return plan.add(Buffer{element, count, "", {}}); }
  RegisterId load(BufferId from, Affine at) {
    const RegisterId to = plan.add(Register{plan.at(from).element, ""});
    kernel.body.push_back({to, Load{{from, std::move(at)}}});
    return to;
  }
  RegisterId index(BufferId from, Affine at, std::int64_t size) {
    const RegisterId given = load(from, std::move(at)), to = plan.add(Register{Element::i64, ""});
    kernel.body.push_back({to, Index{given, size}});
    return to;
  }
  void fold(RegisterId value, std::variant<RegisterId, Access> to, Reduction::Kind kind = Reduction::Kind::sum) {
    kernel.reductions.push_back({kind, value, std::move(to), {}});
  }
  RegisterId scalar() { return plan.add(Register{Element::f64, ""}); }

  Cut cut() {
    plan.body = {};
    plan.body.push_back({kernel});
    choose_trees(plan);
    cut_into_parts(plan);
    CHECK(verify(plan) == std::vector<std::string>{});
    kernel = std::get<Kernel>(plan.body[0].what);
    return kernel.cut;
  }
};

}  // namespace

TEST_CASE("large maps are cut along the outermost axis that has enough turns, in equal parts of whole vectors") {
  One map({{kLong, false}});
  map.kernel.stores.push_back({map.load(map.buffer(), form({1})), {map.buffer(), form({1})}, {}});
  const Cut cut = map.cut();
  CHECK(cut.axis == 0);
  CHECK(cut.parts > 16);
  CHECK(cut.turns % 64 == 0);
  CHECK(cut.parts * cut.turns == kLong);

  One few({{3, false}, {kLong, false}});
  few.kernel.stores.push_back({few.load(few.buffer(), form({kLong, 1})), {few.buffer(), form({kLong, 1})}, {}});
  CHECK(few.cut().axis == 1);

  One rows({{1000, false}, {1000, false}});
  rows.kernel.stores.push_back({rows.load(rows.buffer(), form({1, 1000})), {rows.buffer(), form({1000, 1})}, {}});
  CHECK(rows.cut().axis == 0);
}

TEST_CASE("little work is not cut") {
  One map({{10000, false}});
  map.kernel.stores.push_back({map.load(map.buffer(), form({1})), {map.buffer(), form({1})}, {}});
  CHECK(map.cut().parts == 1);
  One again({{10000, false}});
  again.plan.target.shared_cycles = 1;
  again.kernel.stores.push_back({again.load(again.buffer(), form({1})), {again.buffer(), form({1})}, {}});
  CHECK(again.cut().parts > 1);
}

TEST_CASE("a sum of all is cut where its tree allows, and room is made for what parts fold") {
  One sum({{kLong + 5, true}});
  sum.fold(sum.load(sum.buffer(), form({1})), sum.scalar());
  const Cut cut = sum.cut();
  CHECK(cut.parts > 16);
  CHECK(cut.turns % (sum.kernel.tree.partials * 16) == 0);
  CHECK(sum.kernel.reductions[0].compensated);
  CHECK(left_words(sum.kernel) == 8);  // two, in a line of its own
  CHECK(sum.plan.at(sum.kernel.left).count == 8 * cut.parts);
}

TEST_CASE("sums along the outermost axis are cut by columns where there are many, and along it where there are few") {
  One many({{1000, true}, {4096, false}});
  many.kernel.lanes = 128;
  many.fold(many.load(many.buffer(), form({4096, 1})), Access{many.buffer(), form({0, 1})});
  CHECK(many.cut() == Cut{1, 32, 128});
  One few({{100000, true}, {40, false}});
  few.kernel.lanes = 40;
  few.fold(few.load(few.buffer(), form({40, 1})), Access{few.buffer(), form({0, 1})});
  CHECK(few.cut().axis == 0);
  CHECK(few.kernel.left.valid());
}

TEST_CASE("the last part of columns has a whole strip of lanes") {
  One sums({{1000, true}, {1100, false}});
  sums.kernel.lanes = 128;
  sums.fold(sums.load(sums.buffer(), form({1100, 1})), Access{sums.buffer(), form({0, 1})});
  const Cut cut = sums.cut();
  if (cut.axis == 1) CHECK(1100 - (cut.parts - 1) * cut.turns >= 128);
}

TEST_CASE("what is folded in order, or may stop the run, is not cut") {
  One best({{kLong, true}});
  best.fold(best.load(best.buffer(), form({1})), best.scalar(), Reduction::Kind::argmax);
  best.kernel.reductions[0].position = form({1});
  CHECK(best.cut().parts == 1);

  One division({{kLong, false}});
  const RegisterId x = division.load(division.buffer(kLong, Element::i32), form({1})), y = division.plan.add(Register{Element::i32, ""});
  division.plan.add(backend::Site{});
  division.kernel.body.push_back({y, Compute{scalar::Operator::floordiv, {x, x}, 0, SiteId{0}}});
  division.kernel.stores.push_back({y, {division.buffer(kLong, Element::i32), form({1})}, {}});
  CHECK(division.cut().parts == 1);
}

TEST_CASE("what is added to rows by index is cut by columns: no two parts add to one element") {
  constexpr std::int64_t kRows = 10000, kWidth = 256;
  for (bool adds : {true, false}) {
    One scatter({{kRows, false}, {kWidth, false}});
    const RegisterId row = scatter.index(scatter.buffer(kRows, Element::i32), form({1, 0}), 500);
    const RegisterId value = scatter.load(scatter.buffer(), form({kWidth, 1}));
    Affine to = form({0, 1});
    to.terms = {{row, kWidth}};
    scatter.kernel.stores.push_back({value, {scatter.buffer(500 * kWidth), to}, {}, adds});
    CHECK(scatter.cut().axis == 1);
    CHECK(scatter.kernel.cut.parts > 1);
  }
  // 64 columns lie side by side: a part of fewer would walk the rows for next to nothing.
  One narrow({{64 * kRows, false}, {64, false}});
  Affine narrow_to = form({0, 1});
  narrow_to.terms = {{narrow.index(narrow.buffer(64 * kRows, Element::i32), form({1, 0}), 500), 64}};
  narrow.kernel.stores.push_back({narrow.load(narrow.buffer(), form({64, 1})), {narrow.buffer(500 * 64), narrow_to}, {}, true});
  CHECK(narrow.cut().parts == 1);

  One one({{kLong, false}});
  const RegisterId at = one.index(one.buffer(kLong, Element::i32), form({1}), 500);
  Affine to = form({0});
  to.terms = {{at, 1}};
  one.kernel.stores.push_back({one.load(one.buffer(), form({1})), {one.buffer(500), to}, {}, true});
  CHECK(one.cut().parts == 1);
}

TEST_CASE("windows that overlap are added image by image") {
  One windows({{32, false}, {1000, false}, {9, false}});  // images, places, offsets in a window
  windows.kernel.stores.push_back({windows.load(windows.buffer(), form({9000, 9, 1})), {windows.buffer(), form({1008, 1, 1})}, {}, true});
  CHECK(windows.cut().axis == 0);
  CHECK(windows.kernel.cut.parts > 1);
  One single({{100000, false}, {9, false}});
  single.kernel.stores.push_back({single.load(single.buffer(), form({9, 1})), {single.buffer(), form({1, 1})}, {}, true});
  CHECK(single.cut().parts == 1);
}

TEST_CASE("a kernel that reads elsewhere what it writes is not cut") {
  One shifted({{kLong, false}});
  const BufferId x = shifted.buffer();
  Affine next = form({1});
  next.offset = 1;
  shifted.kernel.stores.push_back({shifted.load(x, next), {x, form({1})}, {}});
  CHECK(shifted.cut().parts == 1);
}

}  // namespace bpc::plan
