// What the plan computes where, and what it fuses.
#include "backend/plan/affine.h"
#include "program.h"

namespace bpc::test {

TEST_CASE("a chain of elementwise ops is one loop, merged to one axis, written to the output") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, reals({64, 32})), b = parameter(function, reals({32}));
  ValueId y = builder.emit(Opcode::tanh, {builder.emit(Opcode::mul, {builder.emit(Opcode::exp, {x}), x})});
  output(function, y);
  Plan plan = plan::make_plan(function, {});
  REQUIRE(kernels(plan.body).size() == 1);
  CHECK(kernels(plan.body)[0]->axes.size() == 1);
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.storage(plan.outputs[0]).kind == plan::Storage::Kind::output);

  function.outputs.clear();
  output(function, builder.emit(Opcode::add, {y, b}));
  Plan longer = plan::make_plan(function, {});
  CHECK(kernels(longer.body)[0]->axes.size() == 2);
}

TEST_CASE("views cost nothing") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, reals({4, 6}));
  ValueId y = builder.reshape(builder.transpose(x, {1, 0}), {{2, {}}, {3, {}}, {4, {}}});
  output(function, builder.emit(Opcode::neg, {y}));
  Plan plan = plan::make_plan(function, {});
  CHECK(kernels(plan.body).size() == 1);
}

TEST_CASE("what is dear and used twice is stored, by the loop that first needs it") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, reals({30, 40}));
  ValueId e = builder.emit(Opcode::exp, {builder.emit(Opcode::sub, {x, builder.reduce(Opcode::reduce_max, x, {1}, true)})});
  output(function, builder.emit(Opcode::div, {e, builder.reduce(Opcode::reduce_sum, e, {1}, true)}));
  Plan plan = plan::make_plan(function, {});
  auto all = kernels(plan.body);
  REQUIRE(all.size() == 3);
  CHECK(all[1]->stores.size() == 1);
  CHECK(all[1]->reductions.size() == 1);
}

TEST_CASE("a sum that is gathered again and again is stored, unless few of its elements are") {
  const auto kernels_of = [](int indices, const std::string& gathered) {
    const Plan plan = plan::make_plan(read(fmt::format("  %x = input \"x\" : f64[100, 8]\n  %y = input \"y\" : f64[100, 8]\n"
                                                       "  %i = input \"i\" : i32[{0}]\n  %z = {1}\n"
                                                       "  %g = gather %z, %i {{axes = [0]}} : f64[{0}, 8]\n"
                                                       "  %s = reduce_sum %g {{axes = [0, 1]}} : f64\n  output value \"s\" %s\n",
                                                       indices, gathered)),
                                      {});
    return kernels(plan.body).size();
  };
  CHECK(kernels_of(1000, "add %x, %y : f64[100, 8]") == 2);
  CHECK(kernels_of(50, "add %x, %y : f64[100, 8]") == 1);
  CHECK(kernels_of(1000, "neg %x : f64[100, 8]") == 1);  // one element either way
}

TEST_CASE("the innermost loop of a reduction walks memory one element at a time") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, reals({30, 40})), v = parameter(function, reals({30}));
  output(function, builder.reduce(Opcode::reduce_sum, x, {0}, false));
  output(function, builder.emit(Opcode::einsum, {v, x}, {{Attr::spec, std::string("i,ij->j")}}));
  output(function, builder.reduce(Opcode::reduce_sum, x, {1}, false));
  Plan plan = plan::make_plan(function, {});
  auto all = kernels(plan.body);
  REQUIRE(all.size() == 3);
  CHECK(all[0]->lanes);
  CHECK(all[1]->lanes);
  CHECK_FALSE(all[2]->lanes);
}

TEST_CASE("indices are checked where they may be outside") {
  const Function function = read(R"(  %x = input "x" : f64[100, 8]
  %k = input "k" : i32[5]
  %all = iota {axis = 0} : i32[100]
  %known = gather %x, %all {axes = [0]} : f64[100, 8]
  %picked = gather %x, %k {axes = [0]} : f64[5, 8]
  %m = constant {value = 100} : i32[5]
  %r = mod %k, %m : i32[5]
  %sure = gather %x, %r {axes = [0]} : f64[5, 8]
  %sum = add %picked, %sure : f64[5, 8]
  output value "known" %known
  output value "sum" %sum
)");
  Plan plan = plan::make_plan(function, {});
  CHECK(count_of<plan::CheckIndices>(plan.body) == 1);
  CHECK(kernels(plan.body).size() == 2);  // one for each output: gathers are read in place
}

TEST_CASE("large products are contractions, small ones loops") {
  Function function;
  Builder builder(function);
  auto product = [&](std::int64_t m, std::int64_t k, std::int64_t n) {
    output(function, builder.emit(Opcode::einsum, {parameter(function, reals({m, k})), parameter(function, reals({k, n}))},
                                  {{Attr::spec, std::string("ij,jk->ik")}}));
  };
  product(64, 32, 16);
  product(4, 2, 4);
  Plan plan = plan::make_plan(function, {});
  CHECK(only<plan::Contraction>(plan.body)->m == std::vector<std::int64_t>{64});
  CHECK(kernels(plan.body).size() == 1);
}

TEST_CASE("an einsum that adds nothing up is computed where it is read") {
  Function function;
  Builder builder(function);
  const ValueId a = parameter(function, reals({70, 1})), b = parameter(function, reals({1, 80}));
  for (const char* spec : {"ik,kj->ij", "ik,kj->ji"}) {
    const ValueId outer = builder.emit(Opcode::einsum, {a, b}, {{Attr::spec, std::string(spec)}});
    output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::neg, {outer}), {1}, false));
  }
  const Plan plan = plan::make_plan(function, {});
  REQUIRE(kernels(plan.body).size() == 2);
  for (const plan::Kernel* kernel : kernels(plan.body)) {
    CHECK(kernel->body.size() == 6);  // with the 0 that a sum begins with
    CHECK(kernel->stores.empty());
  }
}

TEST_CASE("a convolution and its gradient by the kernels make no patches, and pooling none either") {
  Function function;
  Builder builder(function);
  auto windows = [&](ValueId x, std::int64_t axis, std::int64_t stride) {
    return builder.emit(Opcode::window, {x},
                        {{Attr::axis, axis}, {Attr::size, std::int64_t{3}}, {Attr::stride, stride}, {Attr::dilation, std::int64_t{1}}});
  };
  ValueId x = parameter(function, reals({2, 4, 18, 18})), w = parameter(function, reals({5, 4, 3, 3}));
  ValueId patches = windows(windows(builder.emit(Opcode::exp, {x}), 2, 1), 3, 1);
  ValueId y = builder.emit(Opcode::einsum, {patches, w}, {{Attr::spec, std::string("nchwij,ocij->nohw")}});
  output(function, y);
  output(function, builder.emit(Opcode::einsum, {patches, y}, {{Attr::spec, std::string("nchwij,nohw->ocij")}}));
  output(function, builder.reduce(Opcode::reduce_max, windows(windows(y, 2, 2), 3, 2), {4, 5}, false));
  plan::Target target;
  target.far_bytes = 16 << 10;
  Plan plan = plan::make_plan(function, target);
  const std::int64_t patch_elements = 2 * 4 * 16 * 16 * 9;
  for (const plan::Buffer& buffer : plan.buffers) CHECK(buffer.count <= patch_elements / 4);
  std::size_t contractions = 0;
  plan::for_each_step(plan.body, [&](const plan::Step& step) { contractions += std::holds_alternative<plan::Contraction>(step.what); });
  CHECK(contractions == 2);
}

TEST_CASE("the gradient of a convolution by its images makes no patches") {
  Function function;
  Builder builder(function);
  ValueId y = parameter(function, reals({2, 8, 16, 16})), w = parameter(function, reals({8, 4, 3, 3}));
  ValueId sums = builder.emit(Opcode::einsum, {y, w}, {{Attr::spec, std::string("nohw,ocij->nchwij")}});
  for (std::int64_t axis : {3, 2})
    sums = builder.emit(
        Opcode::window_add, {sums},
        {{Attr::axis, axis}, {Attr::length, std::int64_t{18}}, {Attr::stride, std::int64_t{1}}, {Attr::dilation, std::int64_t{1}}});
  output(function, sums);
  Plan plan = plan::make_plan(function, {});
  for (const plan::Buffer& buffer : plan.buffers) CHECK(buffer.count <= 2 * 8 * 16 * 16);
  const auto* step = only<plan::Contraction>(plan.body);
  REQUIRE(step);
  CHECK(step->base.valid());
  // Kernels' rows and columns go one after the other, within an image.
  CHECK(step->batch == std::vector<std::int64_t>{2, 3, 3});
  CHECK(kernels(plan.body).size() == 1);  // zeros
}

TEST_CASE("sums of products are added in place to what dies there, and to nothing else") {
  for (const bool dies : {true, false}) {
    Function function;
    Builder builder(function);
    ValueId x = parameter(function, reals({20, 20})), y = builder.emit(Opcode::exp, {x});
    ValueId z = builder.emit(Opcode::einsum, {x, x}, {{Attr::spec, std::string("ij,jk->ik")}});
    output(function, builder.emit(Opcode::add, {dies ? builder.emit(Opcode::cumsum, {y}, {{Attr::axis, std::int64_t{0}}}) : x, z}));
    Plan plan = plan::make_plan(function, {});
    CHECK(only<plan::Contraction>(plan.body)->base.valid() == dies);
  }
}

TEST_CASE("fused bodies stay bounded") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, reals({50'000}));
  ValueId y = x;
  for (int i = 0; i < 5000; ++i) y = builder.emit(Opcode::sin, {builder.emit(Opcode::add, {y, x})});
  output(function, y);
  Plan plan = plan::make_plan(function, {});
  for (const plan::Kernel* kernel : kernels(plan.body)) CHECK(kernel->body.size() <= 256);
}

TEST_CASE("reshaped strides") {
  using plan::Sizes;
  CHECK(plan::reshape_strides({2, 3, 4}, {12, 4, 1}, {6, 4}) == Sizes{4, 1});
  CHECK(plan::reshape_strides({2, 3, 4}, {12, 4, 1}, {24}) == Sizes{1});
  CHECK(plan::reshape_strides({6}, {5}, {2, 3}) == Sizes{15, 5});
  CHECK(plan::reshape_strides({4, 6}, {1, 4}, {2, 2, 6}) == Sizes{2, 1, 4});
  CHECK_FALSE(plan::reshape_strides({4, 6}, {1, 4}, {24}));
  CHECK(plan::reshape_strides({1, 1}, {0, 0}, {1}));
  CHECK(plan::reshape_strides({0, 3}, {3, 1}, {7, 0}));
  CHECK(plan::split_indices({6}, {2, 3}));
  CHECK(plan::split_indices({1, 6, 1}, {2, 1, 3}));
  CHECK_FALSE(plan::split_indices({2, 3}, {6}));
}

TEST_CASE("a plan prints") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, reals({3, 5}));
  output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::exp, {x}), {1}, false));
  CHECK(plan::print(plan::make_plan(function, {})) ==
        "buffer x0@0 : f64[15] in argument 0\n"
        "buffer @1 : f64[3] in output 0\n"
        "arena 0 bytes\n"
        "parameter 0 = x0@0\n"
        "  kernel 3 5r, 4 partials of axis 1\n"
        "    %0 : f64 = x0@0[5*i0 + i1]\n"
        "    %1 : f64 = exp %0\n"
        "    @1[i0] := sum %1\n"
        "output 0 = @1\n");
}

}  // namespace bpc::test
