#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

TEST_CASE("a comprehension is a map whose index axes come first") {
  Lowered lowered("dim N = 3\nx = zeros([N])\nc = zeros([4, 2])\ny = [x[i] * c[j] for i in 0..N, j in 1..4 by 2]\n");
  CHECK(lowered.types() == "x: f32[N=3]\nc: f32[4, 2]\ny: f32[N=3, 2, 2]\n");
  CHECK(lowered.ir().find("  %y = map : f32[N=3, 2, 2] (%i : i32, %1 : i32) {\n"
                          "    %2 = constant {value = 2} : i32\n"
                          "    %3 = mul %1, %2 : i32\n"
                          "    %4 = constant {value = 1} : i32\n"
                          "    %j = add %3, %4 : i32\n") != std::string::npos);
  CHECK(
      Lowered("x = zeros([5])\na = [1 for i in 0..4]\nb = [i for i in 3..0 by -1]\nc = [[i * j for j in 0..2] for i in 0..3]\n"
              "d = [x[j] for i in 0..2, j in i..i + 3]\ne = [x > i for i in 0..2]\nf = [[i, 2 * i] for i in 0..3]\ng = [1 for i in 0..0]\n")
          .types() == "x: f32[5]\na: f32[4]\nb: i32[3]\nc: i32[3, 2]\nd: f32[2, 3]\ne: bool[2, 5]\nf: i32[3, 2]\ng: f32[0]\n");
}

TEST_CASE("functions called in a comprehension do not see its variables") {
  Lowered lowered("i = 5\nfn f(x) = x + i\ny = [f(i) for i in 0..3]\nfor i in 0..3 { z = f(i) }\n");
  CHECK(lowered.ir().find("add %1, %i : f32\n    yield %2") != std::string::npos);
  CHECK(lowered.ir().find("%z = add %6, %i : f32") != std::string::npos);
}

TEST_CASE("lengths are known at compile time") {
  CHECK(
      Lowered("k : i32 = 2\na = [i for i in 0..k]\nb = [i for i in 0..3, j in 0..i]\nc = [i for i in 0..2.5]\nd = [i for i in 0..3 by 0]\n"
              "e = [i for i in 0..3 by k]\nf = [1 for i in 0..100000, j in 0..100000, k in 0..100000]\n")
          .problems() ==
      "2:17 E0205 the length of `0..k` is not known at compile time\n"
      "3:28 E0205 the length of `0..i` is not known at compile time\n"
      "4:20 E0203 the bounds of a range are integers, and `2.5` is f32\n"
      "5:25 E0407 the step is 0, and the range would never end\n"
      "6:25 E0205 the step of a comprehension must be known at compile time, and `k` is not\n"
      "7:5 E0210 `[1 for i in 0..100000, j in 0..…` would have more than 2^40 elements: [100000, 100000, 100000]\n");
}

TEST_CASE("reductions over comprehensions") {
  CHECK(
      Lowered(
          "x = zeros([3, 2])\na = sum(x[i] for i in 0..3)\nb = mean(x[i, j] for i in 0..3, j in 0..2)\nc = max(i for i in 0..3)\n"
          "d = argmax(x[i, 0] for i in 0..3)\ne = all(x[i] > 0 for i in 0..3)\nf = logsumexp(x[i] for i in 0..3)\n"
          "g = sum(x[i] for i in 0..3, keep=true)\nh = prod(x[i] for i in 0..3, axis=1)\nk = norm(x[i, j] * x for i in 0..3, j in 0..2)\n")
          .types() == "x: f32[3, 2]\na: f32[2]\nb: f32\nc: i32\nd: i32\ne: bool[2]\nf: f32[2]\ng: f32[1, 2]\nh: f32[3]\nk: f32[3, 2]\n");
  CHECK(
      Lowered(
          "fn f(x) = x\na = f(i for i in 0..3)\nb = softmax(i for i in 0..3)\nc = max(i for i in 0..3, 2)\nd = sum(i > 0 for i in 0..3)\n")
          .problems() ==
      "2:7 E0209 `f` does not reduce a comprehension\n"
      "3:13 E0209 `softmax` does not reduce a comprehension\n"
      "4:9 E0209 `max` does not reduce a comprehension\n"
      "5:5 E0203 `sum` takes numbers, and i > 0 [3] is bool\n");
}

TEST_CASE("a sum over a range known at run time is a loop") {
  Lowered lowered("x = zeros([9, 2])\nn : i32 = 4\ns = sum(x[k] * k for k in 1..n by 2)\n");
  CHECK(lowered.types() == "x: f32[9, 2]\nn: i32\ns: f32[2]\n");
  CHECK(lowered.ir().find("%s = for_loop %1, %n, %2, %3 : f32[2] (%k : i32, %4 : f32[2]) {") != std::string::npos);
  CHECK(Lowered("n : i32 = 4\ns = sum(k > 2 for k in 0..n)\nt = mean(k for k in 0..n)\nu = sum(k for k in 0..n by 0)\n").problems() ==
        "2:5 E0203 `+` takes numbers, and k > 2 is bool\n"
        "3:21 E0205 the length of `0..n` is not known at compile time\n"
        "4:28 E0407 the step is 0, and the range would never end\n");
}

TEST_CASE("comprehensions in initialisers") {
  Lowered lowered(
      "x = [1, 2, 3]\nc = [2 * x[i] for i in 0..3]\nparam a = c\nparam b : [2, 3] = [i + x for i in 0..2]\nfn f(v) { param u = v[0]; "
      "return u * "
      "v }\ny = [f(x) for i in 0..2]\n");
  CHECK(lowered.types("init") == "a: f32[3]\nb: f32[2, 3]\ny.f.u: f32\n");
  CHECK(lowered.types() == "x: f32[3]\nc: f32[3]\ny: f32[2, 3]\n");
  CHECK(Lowered("x = [1, 2]\nfn f(v) { param u = v; return u * v }\ny = [f(x[i]) for i in 0..2]\n").problems() ==
        "2:21 E0199 an initialiser that reads a value of a loop, branch or comprehension from inside it is not implemented yet\n");
  CHECK(Lowered("param w = [normal(0, 1, [2]) for i in 0..3]\n").types("init") == "w: f32[3, 2]\n");
}
