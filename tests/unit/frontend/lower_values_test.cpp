#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

TEST_CASE("the tutorial lowers to one op per operation") {
  Lowered lowered("input x = 1\nparam w = 2\na = relu(w*x)\nloss J = 1/2 * (a - 3)^2\n");
  CHECK(lowered.ir() ==
        "func main loss \"J\" {\n"
        "  %x = input \"x\" : f32\n"
        "  %w = param \"w\" : f32\n"
        "  %1 = mul %w, %x : f32\n"
        "  %a = relu %1 : f32\n"
        "  %2 = constant {value = 3} : f32\n"
        "  %3 = sub %a, %2 : f32\n"
        "  %4 = constant {value = 2} : f32\n"
        "  %5 = pow %3, %4 : f32\n"
        "  %6 = constant {value = 0.5} : f32\n"
        "  %J = mul %6, %5 : f32\n"
        "  %7 = grad %J, %w {names = [\"w\"], implicit = true} : f32\n"
        "  output value \"a\" %a\n"
        "  output value \"J\" %J\n"
        "  output gradient \"w\" %7\n"
        "}\n");
  CHECK(lowered.types("init") == "x: f32\nw: f32\n");
}

TEST_CASE("literals take the type of what they meet") {
  CHECK(Lowered("a = 1\nb = i32(1) + 1\nc = i32(1) + 0.5\nd = f64(1) + 1/3\ne = i32(1) / 2\nf = i32(3)^2\ng = i32(3)^-1\nh = 7 // 2\n")
            .types() == "a: f32\nb: i32\nc: f32\nd: f64\ne: f32\nf: i32\ng: f32\nh: f32\n");
  CHECK(Lowered("x : f64 = 2\na = 1/3 * x\n").ir().find("0.3333333333333333}") != std::string::npos);
  CHECK(Lowered("a = i64(1) + i32([1, 2])\nb = f32([1, 2]) * f64(2)\nc = exp(i32([1, 2]))\n").types() ==
        "a: i64[2]\nb: f64[2]\nc: f32[2]\n");
  CHECK(Lowered("k : i32 = 0\nk = k + 1\nk = 7\n").types() == "k: i32\n");
  CHECK(Lowered("dim H = 4\nn = H // 2\ns = size(zeros([2, 3]))\nx = H / 8\n").types() == "n: i32\ns: i32\nx: f32\n");
  CHECK(Lowered("a = argmax([1, 2])\nb = 1 < 2\n").types() == "a: i32\nb: bool\n");
  LowerOptions f64;
  f64.real = Element::f64;
  CHECK(Lowered("a = 1\nb = [1, 2]\n", f64).types() == "a: f64\nb: f64[2]\n");
}

TEST_CASE("lists stack") {
  CHECK(Lowered("a = [1, 2]\nb = [[1, 2], [3, 4], [5, 6]]\nc = [a, a]\nd = [i32(1), 2]\ne = [true, false]\n").types() ==
        "a: f32[2]\nb: f32[3, 2]\nc: f32[2, 2]\nd: i32[2]\ne: bool[2]\n");
}

TEST_CASE("dims give names to sizes") {
  CHECK(Lowered("dim N = 2\ndim H = 3\nx = zeros([N, H])\ny = zeros([H, 2*N])\nz = x @ y\nr = reshape(x, [H, N])\n").types() ==
        "x: f32[N=2, H=3]\ny: f32[H=3, 4]\nz: f32[N=2, 4]\nr: f32[H=3, N=2]\n");
  LowerOptions options;
  options.dims["H"] = 7;
  CHECK(Lowered("dim H = 3\nx = zeros([H])\n", options).types() == "x: f32[H=7]\n");
}

TEST_CASE("free dims come from the data") {
  LowerOptions options;
  options.bound["x"] = Type(Element::f32, {{150, ""}, {4, ""}});
  CHECK(Lowered("dim N\ninput x : [N, 4]\ny = sum(x, axis=1)\n", options).types() == "y: f32[N=150]\n");
  options.bound["t"] = Type(Element::i32, {{149, ""}});
  CHECK(Lowered("dim N\ninput x : [N, 4]\ninput t : i32[N]\n", options).problems() ==
        "3:7 E0504 `t` is declared i32[N], and the given value is i32[149]; N is 150 from `x`\n");
  CHECK(Lowered("dim N\ninput x : [N]\n").problems().starts_with("1:5 E0506 "));
  LowerOptions check;
  check.stand_in_dims = true;
  CHECK(Lowered("dim N\ndim M\ninput x : [N]\ninput y : [M]\nz = x + y\n", check).problems() == "5:7 E0201 cannot add x [N] + y [M]\n");
  CHECK(Lowered("dim N\ninput x : [N] = [1, 2, 3]\n").problems().empty());
}

TEST_CASE("the size of a free dim without data is nowhere to be seen") {
  LowerOptions check;
  check.stand_in_dims = true;
  const std::pair<const char*, const char*> uses[] = {
      {"a = x @ y", "E0201 cannot multiply x [N, 3] @ y [M, 3]"},
      {"a = solve(x, v)", "E0201 `solve` takes a square matrix, and x [N, 3] has N rows and 3 columns"},
      {"a = einsum(\"ij,ij->i\", x, y)", "E0201 i is N in x [N, 3] and M in y [M, 3]"},
      {"fn f(p: [n], q: [n]) = p; a = f(v, [1, 2, 3])", "E0201 `q` of `f` is declared [n] where n is N, and this is [3]"},
      {"a = split(v, 2)", "E0201 cannot split axis 0 of v [N] into 2 equal parts"},
      {"a = topk(v, 10000)", "E0201 `topk` of v [N]: the last axis has N elements, fewer than 10000"},
      {"a = v[N]", "E0401 index N is outside axis 0 of v [N]"},
      {"a = v[2..M]", "E0401 bound M is outside axis 0 of v [N]"},
      {"a = squeeze(v, 0)", "E0204 `squeeze` drops axes of size 1, and axis 0 of v [N] has N"},
  };
  for (const auto& [statement, problem] : uses) {
    INFO(statement);
    const Lowered lowered(fmt::format("dim N\ndim M\ninput x : [N, 3]\ninput y : [M, 3]\ninput v : [N]\n{}\n", statement), check);
    CHECK_THAT(lowered.problems(), Catch::Matchers::EndsWith(fmt::format("{}\n", problem)));
    for (const Diagnostic& each : lowered.diagnostics.all()) {
      CHECK(each.help.find("79") == std::string::npos);
      for (const Label& label : each.labels) CHECK(label.text.find("79") == std::string::npos);
    }
  }
}

TEST_CASE("matrix products") {
  CHECK(Lowered("m = ones([2, 3])\nv = ones([3])\na = m @ v\nb = v @ m.T\nc = v @ v\nd = ones([5, 2, 3]) @ v\n"
                "e = ones([5, 2, 3]) @ ones([3, 4])\nf = ones([7, 1, 2, 3]) @ ones([5, 3, 4])\n")
            .types() == "m: f32[2, 3]\nv: f32[3]\na: f32[2]\nb: f32[2]\nc: f32\nd: f32[5, 2]\ne: f32[5, 2, 4]\nf: f32[7, 5, 2, 4]\n");
}

TEST_CASE("indexing") {
  CHECK(Lowered("x = zeros([4, 5])\na = x[0]\nb = x[-1, 2]\nc = x[1..3]\nd = x[:, ..-1]\ne = x[3..0 by -1, 0..5 by 2]\nf = x[2..2]\n")
            .types() == "x: f32[4, 5]\na: f32[5]\nb: f32\nc: f32[2, 5]\nd: f32[4, 4]\ne: f32[3, 3]\nf: f32[0, 5]\n");
  Lowered moving("dim B = 2\nx = zeros([6])\ns = zeros([B])\nfor i in 0..3 { s += x[i*B..(i + 1)*B] }\n");
  CHECK(moving.ir().find("{starts = [0], sizes = [2], steps = [1], dynamic = [0]} : f32[2]") != std::string::npos);
  CHECK(Lowered("x = zeros([6])\ny = x[0..2]\nfor i in 1..3 { y = x[i..2*i] }\n").problems() ==
        "3:23 E0205 the length of `i..2*i` is not known at compile time\n");
  CHECK(Lowered("x = zeros([3])\ny = x[3]\nz = x[-4]\nw = x[0..4]\n").problems() ==
        "2:7 E0401 index 3 is outside -3..2 for a size 3 (axis 0 of x [3])\n"
        "3:7 E0401 index -4 is outside -3..2 for a size 3 (axis 0 of x [3])\n"
        "4:10 E0401 bound 4 is outside -3..3 for a size 3 (axis 0 of x [3])\n");
  CHECK(Lowered("s = shape(zeros([2, 3]))\nx = zeros([s[0] * s[1]])\n").types() == "s: i32[2]\nx: f32[6]\n");
}

TEST_CASE("shape functions") {
  CHECK(Lowered("x = zeros([2, 6])\na, b = split(x, 2, axis=1)\nc = concat([a, b, a], axis=-1)\nd = stack([a, b], axis=1)\ne = reshape(x, "
                "[-1, 4])\n"
                "f = expand_dims(x, -1)\ng = squeeze(f)\nh = transpose(f)\ni = flip(x, axis=0)\nj = sum(x, axis=[0, 1], keep=true)\nk = "
                "prod(x, axis=1)\n")
            .types() ==
        "x: f32[2, 6]\na: f32[2, 3]\nb: f32[2, 3]\nc: f32[2, 9]\nd: f32[2, 2, 3]\ne: f32[3, 4]\nf: f32[2, 6, 1]\ng: f32[2, 6]\nh: f32[1, "
        "6, 2]\n"
        "i: f32[2, 6]\nj: f32[1, 1]\nk: f32[2]\n");
  CHECK(Lowered("dim N = 3\na = arange(N)\nb = arange(3)\nc = arange(1, 2, 0.25)\nd = linspace(0, 1, 5)\ne = eye(2, 3)\nf = "
                "one_hot(i32([0, 2]), N)\n")
            .types() == "a: i32[N=3]\nb: f32[3]\nc: f32[4]\nd: f32[5]\ne: f32[2, 3]\nf: f32[2, N=3]\n");
}

TEST_CASE("checking goes on past mistakes, and says nothing of what follows from them") {
  CHECK(Lowered("a = 1 2\nb = a + [1, 2]\nc = [1, 2] + [1, 2, 3]\nd = c + q\ne = d + true\nf = 1 + true\n").problems() ==
        "1:7 E0101 found `2` where the statement should end\n"
        "3:12 E0201 cannot add [1, 2] [2] + [1, 2, 3] [3]\n"
        "4:9 E0103 unknown name `q`\n"
        "6:5 E0203 `+` does not take 1 and true\n");
  // A broken statement in a loop, a branch or a function leaves open what it would have done.
  CHECK(Lowered("x = 0\nfor i in 0..3 { x = x x }\nif x > 0 { y = 1 } else { y = = 2 }\nz = y + x\nw = 1 + true\n").problems() ==
        "2:23 E0101 found `x` where the statement should end\n"
        "3:31 E0101 found `=` where an expression should start\n"
        "5:5 E0203 `+` does not take 1 and true\n");
  CHECK(Lowered("fn f(x) {\n  y = x\n  retrun y\n}\nz = f(1)\nfn g(x y) = x\nu = g(1, 2, 3)\nadjoint g(x) -> y { dx = dy }\n").problems() ==
        "3:10 E0101 found `y` where the statement should end\n"
        "6:8 E0101 found `y` where `,` or `)` should stand\n");
  CHECK(Lowered("import \"none.bp\"\ny = f(H)\nz = [1, 2] + [1, 2, 3]\n").problems() ==
        "1:8 E0502 cannot read none.bp\n"
        "3:12 E0201 cannot add [1, 2] [2] + [1, 2, 3] [3]\n");
  // What is imported comes first.
  const std::map<std::string, std::string> files{{"a.bp", "fn f(x) = x x\ndim H = 2\nconst c = 1 + true\n"}};
  CHECK(Lowered("import \"a.bp\"\ny = f(H) + c\nz = g(1)\n", {}, files).problems() ==
        "1:13 E0101 found `x` where the statement should end\n"
        "3:11 E0203 `+` does not take 1 and true\n"
        "3:5 E0103 unknown function `g`\n");
}
