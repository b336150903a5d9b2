// What `bpc run` shows: values, abbreviated or whole.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/process.h"

using bpc::test::Finished;
using bpc::test::run_bpc;

TEST_CASE("a large tensor is shown by a corner, in a print too, and whole with --full") {
  const std::string values = "x = arange(100)\nW = reshape(x, [2, 50])\n";
  const std::string vector = "f32[100] min 0, max 99, mean 49.5: [0, 1, 2, 3, 4, …]\n";
  CHECK(run_bpc({"run", "-"}, values).out ==
        "x = " + vector + "W = f32[2, 50] min 0, max 99, mean 49.5:\n    [[0, 1, 2, 3, 4, …],\n     [50, 51, 52, 53, 54, …]]\n");
  for (const char* backend : {"--backend=jit", "--backend=interp"})
    CHECK(run_bpc({"run", "-", backend}, values + "print \"x\", x\n").out == "x " + vector);
  Finished whole = run_bpc({"run", "-", "--full"}, values);
  CHECK(std::count(whole.out.begin(), whole.out.end(), '\n') == 3);
  CHECK(whole.out.find("…") == std::string::npos);
  CHECK(whole.out.find(" 49],\n     [50, ") != std::string::npos);
}

TEST_CASE("showing takes time in proportion to what is shown") {
  Finished whole = run_bpc({"run", "-", "--full"}, "x = zeros([1000000, 2])\n", 20);
  CHECK(!whole.timed_out);
  CHECK(std::count(whole.out.begin(), whole.out.end(), '\n') == 1000000);
  Finished corner = run_bpc({"run", "-"}, "x = zeros([8, 8, 8, 8, 8, 8, 8, 8])\n", 20);
  CHECK(!corner.timed_out);
  CHECK(corner.out.size() < 1000);
}

TEST_CASE("the flag --grads shows the gradients after what a script prints, and a gradient script of one prints them") {
  const std::string script = "param x = 3\nloss J = x^2\nprint \"J is\", J\n";
  CHECK(run_bpc({"run", "-"}, script).out == "J is 9\n");
  CHECK(run_bpc({"run", "-", "--grads"}, script).out == "J is 9\n\ndJ/dx = 6\n");
  CHECK(run_bpc({"run", "-", "--grads"}, "param x = 3\nloss J = x^2\n").out == "J = 9\n\ndJ/dx = 6\n");
  const std::string gradient = run_bpc({"emit", "-", "--as=bp", "--grad"}, script).out;
  INFO(gradient);
  CHECK(run_bpc({"run", "-"}, gradient).out == "J is 9\ndJ_dx = 6\n");
}
