// Which kernels join, and what becomes of what they hand on and of what nobody reads then.
#include <catch2/catch.hpp>

#include "backend/plan/passes.h"
#include "backend/plan/verify.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kSize = 5000;  // turns that are no reason by themselves to join

// A list of kernels over one axis, each of which reads buffers and writes the double of their sum to a new one.
struct Chain {
  Plan plan;

  BufferId buffer(std::int64_t size = kSize) { return plan.add(Buffer{Element::f64, size, "", {}}); }
  RegisterId reg() { return plan.add(Register{Element::f64, ""}); }

  Kernel kernel(const std::vector<BufferId>& from, BufferId to, std::int64_t size = kSize, std::int64_t offset = 0) {
    Kernel made;
    made.axes = {{size, false}};
    RegisterId sum;
    for (BufferId id : from) {
      const RegisterId loaded = reg();
      made.body.push_back({loaded, Load{{id, {offset, {offset > 0 ? -1 : 1}, {}}}}});
      const RegisterId next = reg();
      made.body.push_back({next, Compute{scalar::Operator::add, {loaded, sum.valid() ? sum : loaded}}});
      sum = next;
    }
    made.stores.push_back({sum, {to, {0, {1}, {}}}, {}});
    return made;
  }
  BufferId add(const std::vector<BufferId>& from, std::int64_t size = kSize, std::int64_t offset = 0) {
    const BufferId to = buffer(size);
    plan.body.push_back({kernel(from, to, size, offset)});
    return to;
  }
  std::size_t fused() {
    fuse(plan);
    CHECK(verify(plan) == std::vector<std::string>{});
    return plan.body.size();
  }
};

std::size_t loads(const Kernel& kernel) {
  std::size_t count = 0;
  for (const Instruction& instruction : kernel.body) count += std::holds_alternative<Load>(instruction.what);
  return count;
}

}  // namespace

TEST_CASE("what a kernel stores, one that joins it has in a register") {
  Chain chain;
  const BufferId x = chain.buffer();
  chain.add({chain.add({x})});
  REQUIRE(chain.fused() == 1);
  const Kernel& kernel = std::get<Kernel>(chain.plan.body[0].what);
  CHECK(kernel.stores.size() == 2);
  CHECK(loads(kernel) == 1);
}

TEST_CASE("kernels that read the same join, those that share nothing do not, unless they are short") {
  Chain same;
  const BufferId x = same.buffer();
  same.add({x});
  same.add({x});
  CHECK(same.fused() == 1);
  Chain apart;
  apart.add({apart.buffer()});
  apart.add({apart.buffer()});
  CHECK(apart.fused() == 2);
  Chain brief;
  brief.add({brief.buffer(100)}, 100);
  brief.add({brief.buffer(100)}, 100);
  CHECK(brief.fused() == 1);
}

TEST_CASE("other elements of what a kernel stores are there only after it") {
  Chain chain;
  const BufferId x = chain.buffer(), y = chain.add({x});
  chain.add({x, y}, kSize, kSize - 1);  // backwards
  CHECK(chain.fused() == 2);
}

TEST_CASE("kernels of two spaces stay apart") {
  Chain chain;
  const BufferId x = chain.buffer();
  chain.add({x});
  chain.add({x}, kSize - 1);
  CHECK(chain.fused() == 2);
}

TEST_CASE("a kernel does not pass the step that makes what it reads") {
  Chain chain;
  const BufferId x = chain.buffer(), drawn = chain.buffer();
  chain.add({x});
  Random random;
  random.to = drawn;
  chain.plan.body.push_back({random});
  chain.add({x, drawn});
  CHECK(chain.fused() == 3);
}

TEST_CASE("an update of parts stays alone") {
  Chain chain;
  const BufferId x = chain.buffer(), to = chain.buffer();
  chain.add({x});
  Kernel update = chain.kernel({x}, to);
  update.stores[0].base = x;
  chain.plan.body.push_back({std::move(update)});
  CHECK(chain.fused() == 2);
}

TEST_CASE("neither a constant nor a scalar that is made of what is there keeps kernels apart") {
  Chain chain;
  const BufferId x = chain.buffer(), y = chain.add({x});
  const RegisterId two = chain.reg(), first = chain.reg(), scale = chain.reg();
  chain.plan.body.push_back({Instruction{two, Constant{2, 0}}});
  chain.plan.body.push_back({Instruction{first, Load{{x, {}}}}});
  chain.plan.body.push_back({Instruction{scale, Compute{scalar::Operator::mul, {two, first}}}});
  const BufferId z = chain.buffer();
  Kernel scaled = chain.kernel({y}, z);
  const RegisterId product = chain.reg();
  scaled.body.push_back({product, Compute{scalar::Operator::mul, {scaled.stores[0].value, scale}}});
  scaled.stores[0].value = product;
  chain.plan.body.push_back({std::move(scaled)});
  CHECK(chain.fused() == 4);
  CHECK(std::holds_alternative<Kernel>(chain.plan.body.back().what));
}

TEST_CASE("a scalar that is read from what the kernel makes keeps kernels apart") {
  Chain chain;
  const BufferId x = chain.buffer(), y = chain.add({x}), z = chain.buffer();
  const RegisterId first = chain.reg(), product = chain.reg();
  chain.plan.body.push_back({Instruction{first, Load{{y, {}}}}});
  Kernel scaled = chain.kernel({y}, z);
  scaled.body.push_back({product, Compute{scalar::Operator::mul, {scaled.stores[0].value, first}}});
  scaled.stores[0].value = product;
  chain.plan.body.push_back({std::move(scaled)});
  CHECK(chain.fused() == 3);
}

TEST_CASE("kernels that join compute the same thing once") {
  Chain chain;
  const BufferId x = chain.buffer();
  chain.add({x});
  chain.add({x});
  REQUIRE(chain.fused() == 1);
  const Kernel& kernel = std::get<Kernel>(chain.plan.body[0].what);
  CHECK(kernel.body.size() == 2);
  CHECK(kernel.stores[0].value == kernel.stores[1].value);
}

TEST_CASE("what all its readers have in a register is not stored, nor what only that was made of") {
  Chain chain;
  const BufferId x = chain.buffer();
  const BufferId last = chain.add({chain.add({chain.add({x})})});
  chain.plan.outputs = {last};
  chain.add({last});
  REQUIRE(chain.fused() == 1);
  drop_unread(chain.plan);
  CHECK(verify(chain.plan) == std::vector<std::string>{});
  const Kernel& kernel = std::get<Kernel>(chain.plan.body[0].what);
  REQUIRE(kernel.stores.size() == 1);
  CHECK(kernel.stores[0].to.buffer == last);
  CHECK(kernel.body.size() == 4);
}

TEST_CASE("a kernel that makes nothing that is read goes, with what only it reads") {
  Chain chain;
  const BufferId x = chain.buffer(), y = chain.add({x});
  chain.add({y}, kSize, kSize - 1);
  drop_unread(chain.plan);
  CHECK(chain.plan.body.empty());
}

TEST_CASE("two constants of different elements are not the same thing") {
  Chain chain;
  const BufferId x = chain.buffer(), flags = chain.plan.add(Buffer{Element::boolean, kSize, "", {}}), numbers = chain.buffer();
  for (const auto& [to, element] : {std::pair{numbers, Element::f64}, {flags, Element::boolean}}) {
    Kernel constant;
    constant.axes = {{kSize, false}};
    const RegisterId read = chain.reg(), zero = chain.plan.add(Register{element, ""});
    constant.body.push_back({read, Load{{x, {0, {1}, {}}}}});
    constant.body.push_back({zero, Constant{}});
    constant.stores.push_back({zero, {to, {0, {1}, {}}}, {}});
    chain.plan.body.push_back({std::move(constant)});
  }
  CHECK(chain.fused() == 1);
}

TEST_CASE("indices are checked before kernels that they do not come from, and in their order") {
  Chain chain;
  const BufferId x = chain.buffer(), y = chain.add({x}), first = chain.buffer(), second = chain.add({chain.add({first})});
  const SiteId site = chain.plan.add(backend::Site{});
  chain.plan.body.push_back({CheckIndices{first, 10, site, 0}});
  chain.add({y});
  chain.plan.body.push_back({CheckIndices{second, 10, site, 0}});
  chain.add({x, second});
  check_first(chain.plan);
  CHECK(verify(chain.plan) == std::vector<std::string>{});
  REQUIRE(chain.plan.body.size() == 7);
  CHECK(std::get<CheckIndices>(chain.plan.body[0].what).indices == first);
  CHECK(std::get<CheckIndices>(chain.plan.body[3].what).indices == second);
  CHECK(std::get<Kernel>(chain.plan.body[4].what).stores[0].to.buffer == y);
  CHECK(chain.fused() == 4);
}

TEST_CASE("no check passes one that may fail before it") {
  Chain chain;
  const BufferId indices = chain.buffer();
  const SiteId site = chain.plan.add(backend::Site{});
  const RegisterId holds = chain.plan.add(Register{Element::boolean, ""});
  chain.plan.body.push_back({Instruction{holds, Constant{0, 1}}});
  chain.add({indices});
  chain.plan.body.push_back({Assert{holds, site, {}}});
  chain.plan.body.push_back({CheckIndices{indices, 10, site, 0}});
  check_first(chain.plan);
  CHECK(std::holds_alternative<Assert>(chain.plan.body[2].what));
  CHECK(std::holds_alternative<CheckIndices>(chain.plan.body[3].what));
}

}  // namespace bpc::plan
