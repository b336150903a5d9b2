#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

namespace {

// The lines of main's IR that hold a word.
std::string lines_with(const Lowered& lowered, const std::string& word) {
  std::string text = lowered.ir(), result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    if (line.find(word) != std::string::npos) result += line.substr(line.find_first_not_of(' ')) + "\n";
    at = end + 1;
  }
  return result;
}

}  // namespace

TEST_CASE("directions take the shape and element type of what they belong to") {
  Lowered forms("w = [1, 2, 3]\ny = w[0..2] * w[1..]\nu = jvp(y, w, 1)\nc = vjp(y, w, i32([1, 2]))\np = hvp(sum(w^3), w, [1, 0, 0])\n");
  CHECK(forms.types() == "w: f32[3]\ny: f32[2]\nu: f32[2]\nc: f32[3]\np: f32[3]\n");
  CHECK(lines_with(forms, "jvp") == "%u = jvp %y, %w, %4 : f32[2]\n%p = jvp %11, %w, %10 : f32[3]\n");
  CHECK(lines_with(forms, "vjp") == "%c = vjp %y, %6, %w : f32[3]\n");
  CHECK(Lowered("w = [1, 2]\nu = jvp(w, w, [1, 2, 3])\nc = vjp(sum(w), w, w)\n").problems() ==
        "2:15 E0201 the direction of `jvp` must be f32[2], and `[1, 2, 3]` is f32[3]\n"
        "3:20 E0201 the cotangent of `vjp` must be f32, and `w` is f32[2]\n");
  CHECK(Lowered("dim N = 2\ndim M = 2\nw = ones([N])\nu = jvp(w, w, ones([M]))\nv = jvp(w, w, [true, false])\n").problems() ==
        "4:15 E0202 the direction of `jvp` must be f32[N=2], and `ones([M])` is f32[M=2]: the dims have different names\n"
        "5:15 E0203 the direction of `jvp` must be f32[N=2], and `[true, false]` is bool[2]\n");
}

TEST_CASE("hessians and jacobians are maps over unit vectors") {
  Lowered matrices(
      "w = ones([2, 3])\nJ = sum(w^3)\nH = hessian(J, w)\ns = sum(w)\nh = hessian(s^2, s)\nA = jacobian(w @ w.T, w)\n"
      "B = jacobian(w * s, s)\nC = jacobian(s, w)\nD = jacobian(concat([w, w]), w)\n");
  CHECK(matrices.types() ==
        "w: f32[2, 3]\nJ: f32\nH: f32[2, 3, 2, 3]\ns: f32\nh: f32\nA: f32[2, 2, 2, 3]\nB: f32[2, 3]\nC: f32[2, 3]\nD: f32[4, 3, 2, 3]\n");
  CHECK(lines_with(matrices, " map") ==
        "%H = map : f32[2, 3, 2, 3] (%i0 : i32, %i1 : i32) {\n"
        "%A = map : f32[2, 2, 2, 3] (%i0.2 : i32, %i1.2 : i32) {\n"
        "%22 = map : f32[2, 3, 4, 3] (%i0.3 : i32, %i1.3 : i32) {\n");
  CHECK(lines_with(matrices, "perm").ends_with("%D = transpose %22 {perm = [2, 3, 0, 1]} : f32[4, 3, 2, 3]\n"));
  CHECK(Lowered("w = zeros([2000000])\nH = hessian(sum(w), w)\n").problems() ==
        "2:5 E0210 `hessian(sum(w), w)` would have more than 2^40 elements: [2000000, 2000000]\n");
}

TEST_CASE("what has no derivative") {
  CHECK(Lowered("w = [1, 2]\nk : i32 = 1\na = hessian(w, w)\nb = hvp(w, w, w)\nc = jvp(w, 2, 1)\nd = vjp(k, w, 1)\ne = jacobian(w, k)\n")
            .problems() ==
        "3:13 E0302 `hessian` needs a scalar, and w [2] is a tensor\n"
        "4:9 E0302 `hvp` needs a scalar, and w [2] is a tensor\n"
        "5:12 E0301 `2` is a compile-time number, and nothing varies with it\n"
        "6:9 E0303 `k` is i32, which has no derivative\n"
        "7:17 E0303 `k` is i32, which has no derivative\n");
  CHECK(Lowered("fn slope(x) = jvp(x^2, x, 1)\nfn bend(x) = hessian(J=x^3, w=x)\ny = slope(3)\nz = bend(2)\n").types() ==
        "y: f32\nz: f32\n");
}
