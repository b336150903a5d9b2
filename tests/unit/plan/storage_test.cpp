// Memory that is shared holds, whenever a step reads it, what the step wants to read.
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "backend/plan/operands.h"
#include "backend/plan/passes.h"
#include "backend/plan/verify.h"

namespace bpc::plan {

namespace {

// Where a buffer lies: arena offset, or the memory of an output or argument, in pieces of kAlignment bytes.
using Place = std::tuple<Storage::Kind, std::size_t, std::size_t>;
std::vector<Place> places(const Plan& plan, BufferId id) {
  const Storage& storage = plan.storage(id);
  std::vector<Place> result;
  const std::size_t first = storage.kind == Storage::Kind::arena ? storage.offset / kAlignment : 0;
  for (std::size_t i = 0; i * kAlignment < plan.bytes(id); ++i) result.emplace_back(storage.kind, storage.index, first + i);
  return result;
}

// Runs a list of kernels on memory that remembers which buffer was written there last.
void run(const Plan& plan) {
  std::map<Place, BufferId> memory;
  auto write = [&](BufferId id) {
    for (const Place& place : places(plan, id)) memory[place] = id;
  };
  auto read = [&](BufferId id) {
    for (const Place& place : places(plan, id)) REQUIRE(memory[place] == id);
  };
  for (const Datum& parameter : plan.parameters) write(std::get<BufferId>(parameter));
  for (const Step& step : plan.body) {
    for_each_buffer(step, [&](Role role, BufferId id) {
      if (role == Role::read) read(id);
    });
    for_each_buffer(step, [&](Role role, BufferId id) {
      if (role == Role::write) write(id);
    });
  }
  for (BufferId output : plan.outputs) read(output);
}

Plan random_plan(std::mt19937& random) {
  Plan plan;
  std::vector<BufferId> made;
  const Type type = Type::of_sizes(Element::f64, {40});
  auto buffer = [&] {
    return plan.add(Buffer{Element::f64, static_cast<std::int64_t>(random() % 2 == 0 ? 40 : 8 + random() % 90), "", {}});
  };
  for (int i = 0; i < 2; ++i) {
    made.push_back(buffer());
    plan.parameters.emplace_back(made.back());
    plan.signature.inputs.push_back({"", type, {}});
  }
  for (int i = 0; i < 25; ++i) {
    const BufferId to = buffer();
    Kernel kernel;
    kernel.axes = {{plan.at(to).count, false}};
    RegisterId last;
    for (std::size_t k = 1 + random() % 3; k > 0; --k) {
      const BufferId from = made[made.size() - 1 - random() % std::min<std::size_t>(made.size(), 6)];
      last = plan.add(Register{Element::f64, ""});
      const bool fits = plan.at(from).count >= plan.at(to).count;
      const bool backwards = fits && random() % 4 == 0;
      const Affine at = !fits ? Affine{0, {0}, {}} : backwards ? Affine{plan.at(to).count - 1, {-1}, {}} : Affine{0, {1}, {}};
      kernel.body.push_back({last, Load{{from, at}}});
    }
    kernel.stores.push_back({last, {to, {0, {1}, {}}}, {}});
    plan.body.push_back({std::move(kernel)});
    made.push_back(to);
  }
  for (std::size_t i : {made.size() - 1, made.size() - 4}) {
    plan.outputs.push_back(made[i]);
    plan.signature.outputs.push_back({"", type, {}});
  }
  return plan;
}

}  // namespace

TEST_CASE("no buffer is overwritten while it is needed, and memory is used again") {
  std::mt19937 random(17);
  std::size_t used = 0, needed = 0;
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    Plan plan = random_plan(random);
    assign_storage(plan);
    CHECK(verify(plan) == std::vector<std::string>{});
    run(plan);
    used += plan.arena_bytes;
    for (std::uint32_t id = 0; id < plan.buffers.size(); ++id)
      if (plan.storage({id}).kind == Storage::Kind::arena) needed += plan.bytes({id});
  }
  CHECK(2 * used < needed);
}

TEST_CASE("a step writes over what it reads for the last time, at the same places only") {
  auto offsets = [](const Affine& second) {
    Plan plan;
    BufferId buffers[4];
    for (BufferId& id : buffers) id = plan.add(Buffer{Element::f64, 40, "", {}});
    plan.parameters = {buffers[0]};
    plan.outputs = {buffers[3]};
    plan.signature.inputs.push_back({"", Type::of_sizes(Element::f64, {40}), {}});
    plan.signature.outputs.push_back({"", Type::of_sizes(Element::f64, {40}), {}});
    for (std::size_t i = 0; i < 3; ++i) {
      const RegisterId loaded = plan.add(Register{Element::f64, ""});
      Kernel kernel;
      kernel.axes = {{40, false}};
      kernel.body.push_back({loaded, Load{{buffers[i], i == 1 ? second : Affine{0, {1}, {}}}}});
      kernel.stores.push_back({loaded, {buffers[i + 1], {0, {1}, {}}}, {}});
      plan.body.push_back({std::move(kernel)});
    }
    assign_storage(plan);
    run(plan);
    return plan.at(buffers[1]).storage == plan.at(buffers[2]).storage;
  };
  CHECK(offsets({0, {1}, {}}));
  CHECK_FALSE(offsets({39, {-1}, {}}));
}

}  // namespace bpc::plan
