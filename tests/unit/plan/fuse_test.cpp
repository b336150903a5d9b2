// Which kernels join, and what becomes of what they hand on.
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

}  // namespace bpc::plan
