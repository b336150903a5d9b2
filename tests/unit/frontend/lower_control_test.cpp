#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

TEST_CASE("a loop carries what was bound before it") {
  Lowered lowered("s = 0\nk : i32 = 0\nfor i in 0..3 { t = s + i; s = t; k = k + 1 }\n");
  CHECK(lowered.ir() ==
        "func main {\n"
        "  %s = constant {value = 0} : f32\n"
        "  %k = constant {value = 0} : i32\n"
        "  %1 = constant {value = 0} : i32\n"
        "  %2 = constant {value = 3} : i32\n"
        "  %3 = constant {value = 1} : i32\n"
        "  %s.2, %k.2 = for_loop %1, %2, %3, %s, %k : f32, i32 (%i : i32, %s.3 : f32, %k.3 : i32) {\n"
        "    %4 = cast %i : f32\n"
        "    %t = add %s.3, %4 : f32\n"
        "    %5 = constant {value = 1} : i32\n"
        "    %k.4 = add %k.3, %5 : i32\n"
        "    yield %t, %k.4\n"
        "  }\n"
        "  output value \"s\" %s.2\n"
        "  output value \"k\" %k.2\n"
        "}\n");
}

TEST_CASE("carried values keep their type") {
  CHECK(Lowered("s = 0\nfor i in 0..3 { s = s + zeros([2]) }\n").problems() ==
        "2:17 E0207 `s` is f32 before the loop and f32[2] after a turn of it\n");
  CHECK(Lowered("k = 0\nwhile k < 3 { k = i32(k) }\n").problems() == "2:15 E0207 `k` is f32 before the loop and i32 after a turn of it\n");
  CHECK(Lowered("dim N = 3\nk = N\nwhile k > 0 { k = 0 }\n").types() == "k: i32\n");
  CHECK(Lowered("for i in 0..2.5 { x = i }\n").problems() == "1:13 E0203 the bounds of a range are integers, and `2.5` is f32\n");
  CHECK(Lowered("for i in 0..3 by 0 { x = i }\n").problems() == "1:18 E0407 the step is 0, and the loop would never end\n");
}

TEST_CASE("branches join what both sides assign") {
  CHECK(Lowered("input x = 1\nif x > 0 { y = 1; a = 2 } else { y = x }\nz = 3\nif x > 0 { z = x }\n").types() == "y: f32\nz: f32\n");
  CHECK(Lowered("input x = 1\nif x > 0 { y = 1 } else { y = [1, 2] }\n").problems() ==
        "2:27 E0207 `y` is f32 on one side and f32[2] on the other\n");
  CHECK(Lowered("x = [1, 2]\nif x > 0 { y = 1 }\n").problems() ==
        "2:4 E0208 the condition of `if` must be a single bool, and x > 0 [2] is a tensor\n");
  CHECK(Lowered("input x = 1\ny = x if x > 0 else 2\nz = x if x else 2\n").problems() ==
        "3:10 E0203 the condition of `if` must be a bool, and `x` is f32\n");
}

TEST_CASE("updates rebind") {
  CHECK(Lowered("x = zeros([2, 3])\nx[0] = [1, 2, 3]\nx[1, :] += 1\nx[:, 0..2] = 5\n").types() == "x: f32[2, 3]\n");
  CHECK(Lowered("x = zeros([2])\nx[0] = [1, 2]\n").problems() ==
        "2:8 E0201 cannot put [1, 2] [2] in a place of x [2], which is a scalar\n");
  CHECK(Lowered("t = i32([1, 2])\nt[0] = 1.5\n").problems() == "2:8 E0206 t [2] holds i32, and this is f32\n");
}

TEST_CASE("print and assert") {
  Lowered lowered("x = 2\nprint \"x is\", x, \"and\", 3, true\nassert x < 3, \"too large\"\n");
  CHECK(lowered.ir().find("print %x {text = [\"x is \", \" and 3 true\"]}") != std::string::npos);
  CHECK(lowered.ir().find("{message = \"too large\", names = [\"x\"]}") != std::string::npos);
}

TEST_CASE("gradients of scalars by reals") {
  CHECK(Lowered("x = [1, 2]\ny = 3\nJ = sum(x) * y\ngx, gy = grad(J, x, y)\n").types() ==
        "x: f32[2]\ny: f32\nJ: f32\ngx: f32[2]\ngy: f32\n");
  CHECK(Lowered("x = [1, 2]\ng = grad(x, x)\n").problems() == "2:10 E0302 `grad` needs a scalar, and x [2] is a tensor\n");
  CHECK(Lowered("k : i32 = 1\nJ = k * 0.5\ng = grad(J, k)\n").problems() == "3:13 E0303 `k` is i32, which has no derivative\n");
  CHECK(Lowered("x = [1, 2]\nloss J = x\n").problems() == "2:10 E0208 the loss must be a single real number, and x [2] is a tensor\n");
}

TEST_CASE("one error does not make others") {
  CHECK(Lowered("x = zeros([2]) + zeros([3])\ny = x * 2\nz = y[7]\nw = sqrt(true)\n").problems() ==
        "1:16 E0201 cannot add zeros([2]) [2] + zeros([3]) [3]\n4:5 E0203 `sqrt` takes reals, and true is bool\n");
}

TEST_CASE("what grows without bounds is stopped") {
  std::string script = "fn f0(x) = sin(x)\n";
  for (int i = 1; i < 30; ++i) script += fmt::format("fn f{0}(x) = f{1}(x) + f{1}(x + 1)\n", i, i - 1);
  CHECK(Lowered(script + "input q = 1\ny = f29(q)\n").problems().find("E0107 the script expands to more than") != std::string::npos);
  // A number known early makes no operations.
  CHECK(Lowered(script + "y = f29(1.5)\n").problems().find("E0107 the script expands to more than") != std::string::npos);
}
