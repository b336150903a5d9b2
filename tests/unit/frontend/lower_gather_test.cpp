#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

TEST_CASE("tensors of indices gather") {
  CHECK(Lowered("x = zeros([4, 5, 6])\ni = i32([0, 1, 1])\nj = i32([[2, -1], [0, 0]])\n"
                "a = x[i]\nb = x[:, j]\nc = x[i, :, i32([0, 1, 2])]\nd = x[1, i]\ne = x[:, i, 1..3]\nf = x[0, :, j]\ng = x[[3, 0]]\n")
            .types() ==
        "x: f32[4, 5, 6]\ni: i32[3]\nj: i32[2, 2]\n"
        "a: f32[3, 5, 6]\nb: f32[4, 2, 2, 6]\nc: f32[3, 5]\nd: f32[3, 6]\ne: f32[4, 3, 2]\nf: f32[5, 2, 2]\ng: f32[2, 5, 6]\n");
  Lowered rows("x = zeros([4, 5])\nk : i32 = 2\ni = i32([0, 1])\na = x[i]\nb = x[k, i]\nc = x[:, i]\nd = x[1.., i]\n");
  CHECK(rows.ir().find("%a = gather %x, %i {axes = [0]} : f32[2, 5]") != std::string::npos);
  CHECK(rows.ir().find("%1 = broadcast %k : i32[2]\n  %b = gather %x, %1, %i {axes = [0, 1]} : f32[2]\n") != std::string::npos);
  CHECK(rows.ir().find("%2 = gather %x, %i {axes = [1]} : f32[2, 4]\n  %c = transpose %2 {perm = [1, 0]} : f32[4, 2]\n") !=
        std::string::npos);
  CHECK(rows.ir().find("%4 = gather %3, %i {axes = [1]} : f32[2, 3]") != std::string::npos);
}

TEST_CASE("what cannot index") {
  CHECK(Lowered("x = [1, 2, 3]\na = x[[0, 3]]\nb = x[x > 1]\nc = x[[0.5, 1]]\ni = i32([-4])\nd = x[i..i + 1]\ne = x[i]\n").problems() ==
        "2:7 E0401 index 3 is outside -3..2 for a size 3 (axis 0 of x [3])\n"
        "3:7 E0203 an index must be an integer, and `x > 1` is bool[3]\n"
        "4:7 E0203 an index must be an integer, and `[0.5, 1]` is f32[2]\n"
        "6:7 E0208 a bound is a single integer, and i [1] is a tensor\n"
        "7:7 E0401 index -4 is outside -3..2 for a size 3 (axis 0 of x [3])\n");
  CHECK(Lowered("x = zeros([2, 2])\na = x[[0, 1], [0]]\n").problems() == "2:5 E0201 the indices [0, 1] [2] and [0] [1] differ in shape\n");
}

TEST_CASE("adding to parts updates in place") {
  Lowered one("x = zeros([3])\nfor i in 0..3 { x[i] += i; x[-1] -= 2 }\n");
  CHECK(one.ir().find("update %x.3, %4, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0], add = true}") !=
        std::string::npos);
  CHECK(one.ir().find("= constant {value = -2} : f32\n") != std::string::npos);
  Lowered several("x = zeros([3, 4])\ni = i32([0, 0])\nx[i] += 1\nx[:, i] -= ones([2])\nx[1..3, i] += [1, 2]\n");
  CHECK(several.ir().find("%x.2 = scatter_add %x, %2, %i {axes = [0]} : f32[3, 4]") != std::string::npos);
  CHECK(several.ir().find("%x.3 = scatter_add %x.2, %6, %i {axes = [1]} : f32[3, 4]") != std::string::npos);
  CHECK(several.ir().find("%x.4 = update %x.3, %11 {starts = [1, 0], sizes = [2, 4]") != std::string::npos);
  CHECK(Lowered("k = i32([1, 2, 3])\nk[0] -= 1\nk[1..] -= [1, 2]\nk[[0, 0]] += 2\n").types() == "k: i32[3]\n");
}

TEST_CASE("what cannot be added to or assigned") {
  CHECK(Lowered("x = eye(2)\nx[[0, 1], [1, 2]] = 3\n").problems() ==
        "2:11 E0401 index 2 is outside -2..1 for a size 2 (axis 1 of x [2, 2])\n");
  CHECK(Lowered("x = eye(2)\nx[[0, 1], [1, 0]] = [1, 2, 3]\n").problems() ==
        "2:21 E0201 cannot put [1, 2, 3] [3] in a place of x [2, 2], which is [2]\n");
  CHECK(Lowered("x = [1, 2]\nx[[0, 1]] += [1, 2, 3]\n").problems() ==
        "2:14 E0201 cannot add [1, 2, 3] [3] to a place of x [2], which is [2]\n");
  CHECK(Lowered("x = [1, 2] > 1\nx[0] += true\n").problems() == "2:1 E0203 `+` takes numbers, and x [2] is bool\n");
  CHECK(Lowered("k = i32([1, 2])\nk[0] += 0.5\n").problems() == "2:9 E0206 k [2] holds i32, and this is f32\n");
}

TEST_CASE("gather, scatter_add, embedding") {
  CHECK(Lowered("dim V = 5\nx = zeros([3, 4])\nW = zeros([V, 2])\na = gather(x, i32([[0, 2], [1, 1]]), 1)\nb = scatter_add(x, i32([0, 0]), "
                "1)\nc = embedding(i32([[0, 1], [4, 4]]), W)\nd = embedding(3, W)\n")
            .types() == "x: f32[3, 4]\nW: f32[V=5, 2]\na: f32[2, 2]\nb: f32[3, 4]\nc: f32[2, 2, 2]\nd: f32[2]\n");
  CHECK(Lowered("x = zeros([3, 4])\na = gather(x, i32([0]), 1)\nb = gather(x, i32([[0], [0], [0], [0]]), 1)\nc = embedding(i32([3]), x)\n"
                "d = scatter_add(1, i32([0]), 2)\n")
            .problems() ==
        "2:5 E0201 cannot gather from x [3, 4] by i32([0]) [1] along axis 1\n"
        "3:5 E0201 cannot gather from x [3, 4] by i32([[0], [0], [0], [0]]) [4, 1] along axis 1\n"
        "4:15 E0401 index 3 is outside -3..2 for a size 3 (axis 0 of x [3, 4])\n"
        "5:17 E0204 `1` is a scalar and has no rows\n");
}
