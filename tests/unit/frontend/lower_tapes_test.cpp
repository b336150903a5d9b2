#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

TEST_CASE("a tape learns what it holds from the first push, on all ways") {
  Lowered loop("s = tape()\nx = [1, 2]\nfor i in 0..3 { x = 2 * x; s = push(s, x) }\ns, y = pop(s)\n");
  CHECK(loop.types() == "x: f32[2]\ny: f32[2]\n");
  CHECK(loop.ir().find("%s = tape : tape<f32[2]>") != std::string::npos);
  CHECK(loop.ir().find("%s.5, %y = pop %s.2 : tape<f32[2]>, f32[2]") != std::string::npos);
  Lowered turns("s = tape()\nk = 3\nwhile k > 0 { if k > 1 { s = push(s, i32(k)) }; k = k - 1 }\ns, y = pop(s)\n");
  CHECK(turns.types() == "k: f32\ny: i32\n");
  CHECK(turns.ir().find("%s.2, %k.2 = while_loop %s, %k : tape<i32>, f32 (%s.3 : tape<i32>, %k.3 : f32) {") != std::string::npos);
  // Both sides of a branch, and what comes of it, are one tape; so are two that were exchanged.
  Lowered sides(
      "input c = 1\na = tape()\nb = tape()\nif c > 0 { p = a; q = b } else { p = b; q = a }\n"
      "if c > 1 { p = push(p, [1, 2]) } else { p = p }\nq, x = pop(q)\nr = q if c > 2 else push(tape(), [3, 4])\n");
  CHECK(sides.types() == "x: f32[2]\n");
  CHECK(Lowered("a = tape()\nb = checkpoint(a)\nb = push(b, [1, 2])\nfn f(s) { s, v = pop(s); return v }\nv = f(b)\n").types() ==
        "v: f32[2]\n");
  CHECK(Lowered("s = tape()\nx = 1\n").ir().find("%s = tape : tape<f32>") != std::string::npos);
}

TEST_CASE("a tape is used once") {
  CHECK(Lowered("s = push(tape(), 1)\na = push(s, 2)\nb = push(s, 3)\n").problems() ==
        "3:5 E0211 `s` is used twice, and a tape is handed on once\n");
  CHECK(Lowered("s = push(tape(), 1)\nfor i in 0..3 { a = push(s, i) }\ny = [push(tape(), i) for i in 0..2]\n").problems() ==
        "3:6 E0203 the elements of a tensor are numbers or bools, and `push(tape(), i)` is a tape\n");
  CHECK(Lowered("s = push(tape(), 1)\nfor i in 0..3 { a = push(s, i) }\n").problems() ==
        "2:21 E0211 `s` comes from outside of a loop that does not carry it\n");
  CHECK(Lowered("input c = 1\ns = push(tape(), 1)\nif c > 0 { a = push(s, 2) } else { b = push(s, 3) }\n").problems().empty());
  CHECK(Lowered("fn f(s) { s, v = pop(s); return v }\ns = push(tape(), 1)\nx = f(s) + f(s)\n").problems() ==
        "1:18 E0211 `s` is used twice, and a tape is handed on once\n");
  CHECK(Lowered("input c = 1\ns = push(tape(), 1)\nt = s\nif c > 0 { t = push(t, 2) }\ns = push(s, 3)\n").problems().find("E0211") !=
        std::string::npos);
}

TEST_CASE("what does not fit a tape") {
  CHECK(Lowered("s = tape()\ns, v = pop(s)\n").problems() ==
        "2:12 E0211 nothing was pushed on `s` before, so that what it holds is not known\n");
  CHECK(Lowered("s = push(tape(), 1)\ns = push(s, [1, 2])\n").problems() == "2:13 E0201 `s` holds f32, and `[1, 2]` is f32[2]\n");
  CHECK(Lowered("s = push(tape(), i32(1))\ns = push(s, 2)\ns = push(s, 2.5)\n").problems() ==
        "3:13 E0203 `s` holds i32, and `2.5` is f32\n");
  CHECK(Lowered("a = push(1, 2)\nb = pop([1])\n").problems() ==
        "1:10 E0203 `push` takes a tape, and `1` is none\n2:9 E0203 `pop` takes a tape, and `[1]` is none\n");
  CHECK(Lowered("s = tape()\nfor i in 0..3 { s = 1 }\n").problems() ==
        "2:17 E0207 `s` is tape<f32> before the loop and f32 after a turn of it\n");
}

TEST_CASE("a tape is no value") {
  const std::pair<const char*, const char*> uses[] = {
      {"print s", "2:7 E0203 `print` does not work on tapes, and `s` is one\n"},
      {"y = s + 1", "2:5 E0203 `+` does not work on tapes, and `s` is one\n"},
      {"y = s @ s", "2:5 E0203 `@` does not work on tapes, and `s` is one\n"},
      {"y = -s", "2:6 E0203 `-` does not work on tapes, and `s` is one\n"},
      {"y = sum(s)", "2:9 E0203 `sum` does not work on tapes, and `s` is one\n"},
      {"y = square(s)", "2:12 E0203 `square` does not work on tapes, and `s` is one\n"},
      {"y = reshape(s, [1])", "2:13 E0203 `reshape` does not work on tapes, and `s` is one\n"},
      {"y = stack([s, s])", "2:12 E0203 `stack` does not work on tapes, and `s` is one\n"},
      {"y = [s, s]", "2:6 E0203 a list does not work on tapes, and `s` is one\n"},
      {"y = s[0]", "2:5 E0203 an index does not work on tapes, and `s` is one\n"},
      {"s[0] = 1", "2:1 E0203 an index does not work on tapes, and `s` is one\n"},
      {"y = s.T", "2:5 E0203 `.T` does not work on tapes, and `s` is one\n"},
      {"loss J = s", "2:10 E0203 `loss` does not work on tapes, and `s` is one\n"},
      {"param w = s", "2:11 E0203 an initialiser does not work on tapes, and `s` is one\n"},
      {"const c = s", "2:11 E0203 `const` does not work on tapes, and `s` is one\n"},
      {"y : real = s", "2:12 E0206 `y` is declared f32, and this is tape<f32>\n"},
      {"y = grad(1, s)", "2:13 E0303 `s` is a tape, which has no derivative\n"},
      {"y = grad(s, 1)", "2:10 E0303 `s` is a tape, which has no derivative\n"},
      {"y = vjp(1, s, 1)", "2:12 E0303 `s` is a tape, which has no derivative\n"},
      {"y = 1 if s else 2", "2:10 E0203 the condition of `if` must be a bool, and `s` is tape<f32>\n"},
      {"y = s if 1 > real(0) else 2", "2:5 E0207 `s if 1 > real(0) else 2` is tape<f32> on one side and f32 on the other\n"},
      {"x = [1, 2]; x[0] = s", "2:20 E0206 x [2] holds f32, and this is tape<f32>\n"},
  };
  for (const auto& [statement, problem] : uses) {
    INFO(statement);
    CHECK(Lowered(fmt::format("s = push(tape(), 1)\n{}\n", statement)).problems() == problem);
  }
}
