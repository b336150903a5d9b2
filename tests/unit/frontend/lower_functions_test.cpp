#include <algorithm>
#include <set>

#include "lowered.h"

using namespace bpc;
using namespace bpc::frontend;

namespace {

const std::string kDense =
    "fn dense(x: [B, I], O) {\n"
    "  param W : [I, O] = he()\n"
    "  param b : [O] = 0\n"
    "  return x @ W + b\n"
    "}\n";

}  // namespace

TEST_CASE("generic sizes become the caller's") {
  const std::string layer = "fn layer(x: [B, I], W: [I, O], b: [O]) -> [B, O] = relu(x @ W + b) / I\n";
  CHECK(Lowered("dim N = 5\n" + layer + "y = layer(zeros([N, 3]), zeros([3, 2]), zeros([2]))\n").types() == "y: f32[N=5, 2]\n");
  CHECK(Lowered(layer + "y = layer(zeros([5, 3]), zeros([4, 2]), zeros([2]))\n").problems() ==
        "2:26 E0201 `W` of `layer` is declared [I, O] where I is 3, and this is [4, 2]\n");
  CHECK(Lowered(layer + "y = layer(zeros([3]), zeros([3, 2]), zeros([2]))\n").problems() ==
        "2:11 E0204 `x` of `layer` is declared [B, I], and this is [3]\n");
  CHECK(Lowered("fn twice(x: [N]) -> [2*N] = concat([x, x])\ny = twice([1, 2])\n").types() == "y: f32[4]\n");
  CHECK(Lowered("fn bad(x: [N]) -> [2*N] = x\ny = bad([1, 2])\n").problems() ==
        "1:27 E0206 the result of `bad` is declared [2*N] where 2*N is 4, and this is [2]\n");
  CHECK(Lowered("dim H = 4\nfn f(x: [H]) = sum(x)\ny = f(zeros([3]))\n").problems() ==
        "3:7 E0201 `x` of `f` is declared [H] where H is 4, and this is [3]\n");
}

TEST_CASE("params in functions are named by their path") {
  Lowered nested(kDense +
                 "fn block(x) {\n  u = dense(x, 4)\n  return relu(u)\n}\n"
                 "input x : [2, 3] = zeros()\n"
                 "h1 = dense(x, 5)\n"
                 "y = block(h1)\n"
                 "x = dense(dense(x, 3), 3)\n"
                 "print dense(x, 1)\n");
  CHECK(nested.parameters() == std::vector<std::string>{"x", "h1.dense.W", "h1.dense.b", "y.block.u.dense.W", "y.block.u.dense.b",
                                                        "x.dense.W", "x.dense.b", "x.dense_2.W", "x.dense_2.b", "dense.W", "dense.b"});
  Lowered loop(kDense + "x = ones([1, 2])\nfor i in 0..3 { x = dense(x, 2) }\n");
  CHECK(loop.parameters() == std::vector<std::string>{"x.dense.W", "x.dense.b"});
}

TEST_CASE("a compile-time argument stays one, and is a value where it is differentiated") {
  CHECK(Lowered("fn f(n) = zeros([n, 2*n])\ny = f(3)\n").types() == "y: f32[3, 6]\n");
  CHECK(Lowered("fn f(n) = zeros([n])\nx = 3\ny = f(x)\n").problems() ==
        "1:18 E0205 a size must be known at compile time, and `n` is not\n");
  CHECK(Lowered("fn slope(x) = grad(x^2, x)\ny = slope(3)\n").ir().find("grad") != std::string::npos);
  CHECK(Lowered("fn f(x, axis = none, keep = false) = sum(x, axis=axis, keep=keep)\na = f(zeros([2, 3]))\nb = f(zeros([2, 3]), axis=[0, "
                "1], keep=true)\n")
            .types() == "a: f32\nb: f32[1, 1]\n");
}

TEST_CASE("functions read the top level as it is at the call") {
  Lowered training("param w = 1\nfn model(x) = w * x\nw = w + 1\ny = model(3)\n");
  CHECK(training.ir().find("%y = mul %w.2, ") != std::string::npos);
  Lowered loop("w = 1\nfn model(x) = w * x\nfor i in 0..3 { w = w - grad(model(2), w) }\n");
  CHECK(loop.problems().empty());
}

TEST_CASE("several results, early returns") {
  CHECK(Lowered("fn two(x) { return x, x > 0 }\na, b = two([1, 2])\n").types() == "a: f32[2]\nb: bool[2]\n");
  CHECK(Lowered("fn two(x) { return x, x }\na, b, c = two(1)\nd = two(1) + 1\n").problems() ==
        "2:11 E0105 `two(1)` gives 2 values, and 3 names are assigned\n3:5 E0209 `two(1)` gives 2 values where one is needed\n");
  CHECK(Lowered("input x = 1\nfn f(x) {\n  if x > 0 { return x }\n  return -x\n}\ny = f(x)\n").ir().find("%y = if_else") !=
        std::string::npos);
  CHECK(Lowered("fn f(x) { y = x }\nz = f(1)\n").problems() == "2:5 E0209 `f` ends without a `return`, and gives no value\n");
}

TEST_CASE("imports bring functions, dims and consts") {
  const std::map<std::string, std::string> files{
      {"lib.bp", "dim K = 3\nconst half = 0.5\nfn scale(x) = x * half\nfn padded(x) = concat([x, zeros([K])])\n"}};
  CHECK(Lowered("import \"lib.bp\"\nx = scale(zeros([K]))\ny = padded(x)\n", {}, files).types() == "x: f32[K=3]\ny: f32[6]\n");
}

TEST_CASE("initial values") {
  Lowered lowered("input a : [2] = [1, 2]\nscale = sum(a) / 2\nparam W : [2, 3] = glorot()\nparam b : [2] = scale\nparam c = b\n");
  CHECK(lowered.types("init") == "a: f32[2]\nW: f32[2, 3]\nb: f32[2]\nc: f32[2]\n");
  LowerOptions options;
  options.bound["a"] = Type(Element::f32, {{2, ""}});
  Lowered given("input a : [2] = [1, 2]\nscale = sum(a)\nparam b : [2] = scale\n", options);
  CHECK(given.types("init") == "b: f32[2]\n");
  CHECK(given.module->initial.parameters.size() == 1);
  CHECK(Lowered("seed 7\nparam w : [2] = normal(0, 1)\n").ir("init").find("seed = 7") != std::string::npos);
  CHECK(Lowered("param W : [3, 4] = zeros([4, 3])\n").problems() == "1:20 E0206 `W` is declared f32[3, 4], and this is f32[4, 3]\n");
}

namespace {

// The stream of each draw, in order.
std::vector<std::int64_t> streams(const Lowered& lowered) {
  REQUIRE(lowered.module);
  std::vector<std::int64_t> found;
  for (const ir::Function* function : lowered.module->functions())
    for (std::uint32_t b = 0; b < function->block_count(); ++b)
      for (ir::OpId id : function->block({b}).ops)
        if (const ir::Op& op = function->op(id); ir::op_info(op.code).group == ir::Group::random)
          found.push_back(op.attrs.integer(ir::Attr::stream));
  return found;
}

}  // namespace

TEST_CASE("each place that draws has a stream of its own, whatever stands elsewhere") {
  const std::string script =
      "fn f(x) = x * normal(0, 1, [])\nparam w : [2] = normal(0, 1)\nw = normal(0, 1, [2])\na = f(1) + f(1)\nb = f(1)\n"
      "c = uniform(0, 1, []) + uniform(0, 1, [])\nprint f(2), f(2)\n";
  std::vector<std::int64_t> known = streams(Lowered(script));
  CHECK(known.size() == 9);
  CHECK(std::set<std::int64_t>(known.begin(), known.end()).size() == 9);
  std::vector<std::int64_t> longer = streams(Lowered("q = normal(0, 1, [])\n# more\n" + script + "r = f(3)\n"));
  for (std::int64_t stream : known) CHECK(std::count(longer.begin(), longer.end(), stream) == 1);
}

TEST_CASE("a draw's turn folds the counters around it") {
  Lowered lowered("y = 0\nfor i in 0..3 { y += uniform(0, 1, []) }\nz = [uniform(0, 1, []) for j in 0..2, k in 0..2]\n");
  CHECK(lowered.ir().find("random_uniform %i {") != std::string::npos);
  CHECK(lowered.ir().find("constant {value = -3372029247567499371} : i64") != std::string::npos);
  Lowered counted(
      "n = 0\nwhile uniform(0, 1, []) < 0.5 { n += 1 }\nk = 0\nwhile k < 2 { k += uniform(0, 1, []) }\nwhile k < 3 { k += 1 }\n");
  CHECK(counted.ir().find("random_uniform %turn") != std::string::npos);
  CHECK(counted.types() == "n: f32\nk: f32\n");
}

TEST_CASE("dropout is for training") {
  LowerOptions predicting;
  predicting.entry = Entry::predict;
  const std::string script = "x = ones([3])\ny = dropout(x, 0.5)\nz = 1 if training() else 2\n";
  CHECK(streams(Lowered(script)).size() == 1);
  CHECK(streams(Lowered(script, predicting)).empty());
  CHECK(Lowered("y = dropout(ones([3]), 1)\n", predicting).problems() ==
        "1:5 E0210 in `dropout`: the probability of dropping is from 0 to below 1\n");
}

TEST_CASE("the prelude") {
  CHECK(
      Lowered("x = zeros([4, 3])\na = mean(x)\nb = mean(x, axis=0)\nc = softmax(x)\nd = logsumexp(x, axis=1)\ne = cross_entropy(x, i32([0, "
              "1, 2, 0]))\n"
              "f = std(x, axis=1, keep=true)\ng = gelu(x)\nh = layer_norm(x, ones([3]), zeros([3]))\ni = trace(eye(3))\nj = huber(1, 2)\n")
          .types() ==
      "x: f32[4, 3]\na: f32\nb: f32[3]\nc: f32[4, 3]\nd: f32[4]\ne: f32[4]\nf: f32[4, 1]\ng: f32[4, 3]\nh: f32[4, 3]\ni: f32\nj: f32\n");
  CHECK(Lowered("y = 1 + cross_entropy([1, 2], 0.5)\nz = mean([true])\n").problems() ==
        "1:31 E0203 labels are integers, and `0.5` is f32\n2:5 E0203 `mean` takes numbers, and [true] [1] is bool\n");
}
