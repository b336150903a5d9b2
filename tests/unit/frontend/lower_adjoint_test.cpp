#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

TEST_CASE("a function with an adjoint is one op") {
  Lowered lowered(
      "fn scale(x, w, k = 3) = x * w * k\nadjoint scale(x, w, k) -> y { dw = sum(x * dy) * k; dx = dy * w * k }\n"
      "param w = 2\nx = [1, 2]\nz = scale(x, w)\n");
  CHECK(lowered.ir() ==
        "func main {\n"
        "  %w = param \"w\" : f32\n"
        "  %x = constant {reals = [1, 2]} : f32[2]\n"
        "  %z = custom %x, %w : f32[2] (%x.2 : f32[2], %w.2 : f32) {\n"
        "    %1 = mul %x.2, %w.2 : f32[2]\n"
        "    %2 = constant {value = 3} : f32\n"
        "    %3 = mul %1, %2 : f32[2]\n"
        "    yield %3\n"
        "  } adjoint (%x.3 : f32[2], %w.3 : f32, %y : f32[2], %dy : f32[2]) {\n"
        "    %4 = mul %x.3, %dy : f32[2]\n"
        "    %5 = reduce_sum %4 {axes = [0]} : f32\n"
        "    %6 = constant {value = 3} : f32\n"
        "    %dw = mul %5, %6 : f32\n"
        "    %7 = mul %dy, %w.3 : f32[2]\n"
        "    %8 = constant {value = 3} : f32\n"
        "    %dx = mul %7, %8 : f32[2]\n"
        "    yield %dx, %dw\n"
        "  }\n"
        "  output value \"x\" %x\n"
        "  output value \"z\" %z\n"
        "}\n");
}

TEST_CASE("integers have no cotangent, several results have several, sizes of the signature are known") {
  Lowered lowered(
      "fn f(x: [N], k: i32) { return x[k], sum(x) }\nadjoint f(x, k) -> a, b { dx = db * ones([N]); dx[k] += da }\n"
      "param w = [1, 2]\ni : i32 = 1\na, b = f(w, i)\nc, d = f(w, 0)\ne, g = f([1, 2], k=1)\n");
  CHECK(lowered.types() == "i: i32\na: f32\nb: f32\nc: f32\nd: f32\ne: f32\ng: f32\n");
  CHECK(lowered.ir().find("} adjoint (%x.2 : f32[2], %k.2 : i32, %a.2 : f32, %b.2 : f32, %da : f32, %db : f32) {") != std::string::npos);
  CHECK(lowered.ir().find("{value = 0} : i32\n    yield %dx.2, %4\n") != std::string::npos);
  // Without a real argument there is nothing to differentiate.
  CHECK(Lowered("fn f(k) = k + 1\nadjoint f(k) -> y { dk = 0 }\ni : i32 = 1\nz = f(i)\n").ir().find("custom") == std::string::npos);
}

TEST_CASE("rules in loops, comprehensions, imports and other functions") {
  const std::string ste = "fn ste(x) = round(x)\nadjoint ste(x) -> y { dx = dy }\n";
  Lowered inside(ste + "w = [1, 2]\nfn g(x) = 2 * ste(x)\nfor i in 0..3 { w = g(w) }\nz = [ste(w[i]) for i in 0..2]\n");
  CHECK(inside.types() == "w: f32[2]\nz: f32[2]\n");
  Lowered imported("import \"lib.bp\"\nz = ste(ones([2]))\n", {}, {{"lib.bp", ste}});
  CHECK(imported.ir().find("custom") != std::string::npos);
  Lowered seen(
      "a = 3\nfn f(x) = x\nadjoint f(x) -> y { dx = dy * a }\nconst c = sqrt(2)\nfn g(x) = x * c\nadjoint g(x) -> y { dx = dy }\n"
      "z = f([1, 2]) + g([1, 2])\n");
  CHECK(seen.problems().empty());
}

TEST_CASE("an adjoint that does not fit its function") {
  const std::string call = "param w = [1, 2]\nz = f(w)\n";
  CHECK(Lowered("fn f(x) = x\nadjoint f(x) -> y { dz = dy }\n" + call).problems() ==
        "2:9 E0305 the adjoint rule of `f` does not assign `dx`\n");
  CHECK(Lowered("dx = 1\nfn f(x) = x\nadjoint f(x) -> y { dz = dx }\n" + call).problems() ==
        "3:9 E0305 the adjoint rule of `f` does not assign `dx`\n");
  CHECK(Lowered("fn f(x) = x\nadjoint f(x) -> y { dx = [1, 2, 3] }\n" + call).problems() ==
        "2:21 E0201 `dx` of the adjoint rule of `f` must be f32[2], and `dx = [1, 2, 3]` is f32[3]\n");
  CHECK(Lowered("fn f(x) { return x, x }\nadjoint f(x) -> y { dx = dy }\n" + call).problems() ==
        "2:9 E0305 `f` gives 2 values, and its adjoint rule names 1\n");
  CHECK(Lowered("a = 3\nfn g(x) = x * a\nfn f(x) = g(x)\nadjoint f(x) -> y { dx = dy }\n" + call).problems() ==
        "2:15 E0305 `f` has an adjoint rule and reads `a`, which is not one of its parameters\n");
  CHECK(Lowered("fn f(x) { param v = 2; return v * x }\nadjoint f(x) -> y { dx = dy }\n" + call).problems() ==
        "1:11 E0305 `f` has an adjoint rule, and a `param` in it would get no gradient\n");
  CHECK(Lowered("fn f(s) { s, v = pop(s); return v }\nadjoint f(s) -> y { ds = 0 }\nz = f(push(tape(), 1))\n").problems() ==
        "3:7 E0203 a function with an adjoint rule does not work on tapes, and `push(tape(), 1)` is one\n");
}

TEST_CASE("the names of an adjoint") {
  CHECK(Lowered("adjoint relu(x) -> y { dx = dy }\n").problems() == "1:9 E0109 `relu` is built in, and has its derivative\n");
  CHECK(Lowered("adjoint f(x) -> y { dx = dy }\n").problems() == "1:9 E0103 unknown function `f`\n");
  CHECK(Lowered("f = 1\nadjoint f(x) -> y { dx = dy }\n").problems() == "2:9 E0209 `f` is a value, not a function\n");
  const std::string f = "fn f(x) = x\n";
  CHECK(Lowered(f + "adjoint f(x, z) -> y { dx = dy }\n").problems() == "2:9 E0105 `f` has 1 parameter, and its adjoint names 2\n");
  CHECK(Lowered(f + "adjoint f(x) -> y { dx = dy }\nadjoint f(x) -> y { dx = dy }\n").problems() ==
        "3:9 E0104 `f` has an adjoint already\n");
  CHECK(Lowered(f + "adjoint f(x) -> x { dx = dx }\n").problems() == "2:17 E0104 two values are called `x` here\n");
  CHECK(Lowered(f + "adjoint f(x) -> y { dx = f(dy) }\n").problems() == "2:26 E0106 the adjoint of `f` calls it again\n");
  CHECK(Lowered("fn h(x) = 2 * x\nfn f(x) = h(x)\nadjoint h(x) -> y { dx = f(dy) }\n").problems() ==
        "3:26 E0106 the adjoint of `h` calls `f`, which calls it again\n");
  CHECK(Lowered(f + "adjoint f(x) -> y { return dy }\n").problems() == "2:21 E0109 an adjoint returns nothing\n");
  CHECK(Lowered(f + "adjoint f(x) -> y { param w = 1 }\n").problems() == "2:21 E0109 `param` cannot stand inside an adjoint\n");
  CHECK(Lowered("import \"lib.bp\"\nadjoint f(x) -> y { dx = dy }\n", {}, {{"lib.bp", f}}).problems() ==
        "2:9 E0109 an adjoint stands in the file of its function\n");
}

TEST_CASE("a checkpoint is a region") {
  Lowered lowered("x = [1, 2]\nfn f(x) { return x * x, sum(x) }\na, b = checkpoint(f(x))\nc = checkpoint(3)\n");
  CHECK(lowered.types() == "x: f32[2]\na: f32[2]\nb: f32\nc: f32\n");
  CHECK(lowered.ir().find("%a, %b = checkpoint : f32[2], f32 {\n    %1 = mul %x, %x") != std::string::npos);
  CHECK(Lowered("x = checkpoint(1, 2)\ny = checkpoint(i for i in 0..3)\n").problems() ==
        "1:5 E0105 `checkpoint` takes one expression\n2:16 E0209 `checkpoint` does not reduce a comprehension\n");
}
