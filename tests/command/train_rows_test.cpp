// `bpc train`: the rows that it learns from, and those that it judges by.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/command/trainings.h"

using namespace bpc::test;

TEST_CASE("rows of any number are learned from") {
  const Folder folder;
  const std::string script = folder.write("mean.bp", R"(
dim N
input x : [N]
param m = 0
loss J = mean((x - m)^2)
seed 4
train { optimizer = sgd(lr = 0.05); epochs = 200 }
)");
  auto learned = [&](const std::string& rows, std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--set", "x=" + rows, "--real=f64"});
    const Finished finished = train(script, flags);
    INFO(finished.err);
    REQUIRE(finished.code == 0);
    return number(folder.path / "mean.model/last.safetensors", "m");
  };
  CHECK(learned("[3]") == Approx(3));
  CHECK(learned("[1, 2, 3, 4, 5]", {"--batch", "100"}) == Approx(3));
  CHECK(learned("[1, 2, 3, 4, 5]", {"--batch", "2", "--schedule", "cosine"}) == Approx(3).margin(0.2));
  CHECK(learned("[1, 2]", {"--validation", "0.9"}) == Approx(1.5).margin(0.6));  // at least one row is learned from
  CHECK(learned("[1]", {"--validation", "0.9"}) == Approx(1));
  check_refused(train(script, {"--data", folder.write("none.csv", "x\n")}), 2, "E05");
  check_refused(train(script), 2, "E0501");
}

TEST_CASE("data that are larger than the memory are learned from to the same bits") {
  const Folder folder;
  std::string table = "a,b,y\n";
  for (int i = 0; i < 80'000; ++i) table += fmt::format("{}.5,{},{}\n", i % 17, i % 5, i % 3);
  folder.write("data.csv", table);
  const std::string script = folder.write("line.bp", R"(
dim N
input x : [N, 2] from "data.csv"[["a", "b"]]
input y : i32[N] from "data.csv"["y"]
param w : [2] = 0
loss J = mean((x @ w - y)^2)
train { optimizer = sgd(lr = 0.01); epochs = 1; batch = 100 }
)");
  const auto learned = [&](const char* flag) {
    const Finished finished = train(script, {flag});
    INFO(finished.err);
    REQUIRE(finished.code == 0);
    return bits(folder.path / "line.model/last.safetensors");
  };
  CHECK(learned("--max-memory=500K") == learned("--max-memory=1G"));
}

TEST_CASE("rows are cut only where nothing else has their number") {
  const Folder folder;
  const std::string square =
      folder.write("square.bp", "dim N\ninput x : [N, N] = [[1, 2], [3, 4]]\nparam w : [N] = 0\nloss J = mean((x @ w - 1)^2)\n");
  const std::string across = folder.write(
      "across.bp", "dim N\ninput y : [N] = [1, 2, 3]\ninput x : [2, N + 1] = 1\nparam w = 0\nloss J = w * sum(x) + mean((y - w)^2)\n");
  for (const std::string& script : {square, across}) {
    const Finished whole = train(script, {"--steps", "3"});
    INFO(whole.err);
    CHECK(whole.code == 0);
    CHECK(whole.out.find("rows") == std::string::npos);
    check_refused(train(script, {"--batch", "1"}), 1, "`batch` cuts inputs along their first axis, whose size `");
    check_refused(train(script, {"--validation", "0.5"}), 1, "`validation` cuts inputs");
  }
}

TEST_CASE("each row is used once in an epoch, in another order each time") {
  const Folder folder;
  // The gradient of the sum is the batch itself: the rule writes down what it gets.
  const std::string script = folder.write("seen.bp", R"(
dim N
input x : [N] = [1, 10, 100, 1000, 10000]
param total = 0
fn add(p, g) = p + g
loss J = total * sum(x)
train { optimizer = add; epochs = 3; batch = 2 }
)");
  for (const char* shuffle : {"true", "false"}) {
    REQUIRE(train(script, {"--real=f64", "--shuffle", shuffle}).code == 0);
    CHECK(number(folder.path / "seen.model/last.safetensors", "total") == 33333);
  }
  const std::string order = folder.write("order.bp", R"(
dim N
input x : [N] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
param digits = 0
fn append(p, g) = 10 * p + g
loss J = digits * sum(x)
train { optimizer = append; batch = 1; epochs = 1 }
)");
  auto digits = [&](std::vector<std::string> flags) {
    flags.push_back("--real=f64");
    REQUIRE(train(order, flags).code == 0);
    return number(folder.path / "order.model/last.safetensors", "digits");
  };
  CHECK(digits({"--shuffle", "false"}) == 123456789);
  const double first = digits({}), other = digits({"--seed", "1"});
  CHECK(first != 123456789);
  CHECK(first != other);
  CHECK(digits({}) == first);
}

TEST_CASE("training does not look at rows that it does not have") {
  const Folder folder;
  const std::string script = folder.write("net.bp", kNet);
  check_refused(train(script, {"--stop", "patience(2, on = \"validation loss\")"}), 1, "no rows are kept apart");
  const std::string one = folder.write("one.bp", "dim N\ninput x : [N] = [1]\nparam m = 0\nloss J = mean((x - m)^2)\n");
  check_refused(train(one, {"--stop", "patience(2)", "--validation", "0.5"}), 1, "there is one row alone");
  CHECK(train(one, {"--validation", "0.5"}).code == 0);
}

TEST_CASE("rows to validate come from a part, a column or another file") {
  const Folder folder;
  folder.write("all.csv", "x,y,part,kind\n1,2,learn,a\n2,4,learn,b\n3,6,test,a\n4,8,learn,b\n5,10,test,b\n");
  const std::string script = folder.write("s.bp", R"(
dim N
dim K
input x : [N] from "all.csv"["x"]
input y : [N] from "all.csv"["y"]
input part : i32[N] from "all.csv"["part"]
input kind : i32[N] of K from "all.csv"["kind"]
param w = 0
param b : [K] = 0
loss J = mean(mse(w * x + b[kind], y))
train { optimizer = sgd(lr = 0.01); epochs = 3; batch = 2; validation = part == "test" }
)");
  const Finished by_column = train(script);
  INFO(by_column.err);
  REQUIRE(by_column.code == 0);
  CHECK(by_column.out.find("3 rows in batches of 2, 2 to validate") != std::string::npos);
  // The same rows in another file, whose column `part` nobody needs, are judged to be the same.
  const std::string file = folder.write("test.csv", "y,x,kind\n6,3,a\n10,5,b\n");
  const std::string rest = folder.write("learn.csv", "x,y,part,kind\n1,2,learn,a\n2,4,learn,b\n4,8,learn,b\n");
  const Finished by_file = train(script, {"--data", rest, "--validation", file});
  INFO(by_file.err);
  REQUIRE(by_file.code == 0);
  const auto validated = [](const Finished& finished) { return finished.out.substr(finished.out.rfind("validation loss")); };
  CHECK(validated(by_file) == validated(by_column));
  check_refused(train(script, {"--validation", "part == \"tst\""}), 1, "it is learn, test");
  check_refused(train(script, {"--validation", "part"}), 0, "");
  check_refused(train(script, {"--validation", "kind == \"c\""}), 1, "which is nowhere `c`");
  check_refused(train(script, {"--validation", "w == 1"}), 1, "E0113");
  check_refused(train(script, {"--validation", "x"}), 1, "not an integer or a bool for each row");
  check_refused(train(script, {"--validation", "nothing.csv"}), 2, "E0502");
  check_refused(train(script, {"--validation", folder.write("none.csv", "x,y,kind\n")}), 2, "no rows of data");
  check_refused(train(script, {"--validation", folder.write("less.csv", "x,y\n1,2\n")}), 2, "there is no column `kind`");
  check_refused(train(script, {"--validation", folder.write("odd.csv", "x,y,kind\n1,2,c\n")}), 2,
                "`c` is none of the categories of the training rows");
  const std::string held = folder.write("held.bp", R"(
dim N
input x : [N] = [1, 2, 3, 4]
input held : bool[N] = [false, true, false, true]
param m = 0
loss J = mean((x - m)^2)
train { steps = 3; validation = held }
)");
  CHECK(train(held).out.find("2 rows in batches of 2, 2 to validate") != std::string::npos);
  check_refused(train(held, {"--set", "held=[true, true, true, true]"}), 1, "none is left to learn from");
  check_refused(train(held, {"--set", "held=[false, false, false, false]"}), 1, "keeps no row apart");
}

TEST_CASE("what is fitted is fitted from the training rows alone, and kept") {
  const Folder folder;
  folder.write("d.csv", "x,y,held\n1,1,false\n3,2,false\n100,3,true\nNA,4,false\n");
  const std::string script = folder.write("s.bp", R"(
dim N
input x : [N] from "d.csv"["x"]
input y : [N] from "d.csv"["y"]
input held : bool[N] from "d.csv"["held"]
z = standardise(x)
lowest = fitted(min(y))
param w = 0
loss J = mean((w * filled(z) - y)^2)
train { optimizer = sgd(lr = 0.1); epochs = 2; validation = held }
)");
  for (const char* backend : {"--backend=jit", "--backend=interp"}) {
    const Finished finished = train(script, {"--real=f64", backend});
    INFO(finished.err);
    REQUIRE(finished.code == 0);
    const auto file = folder.path / "s.model/last.safetensors";
    CHECK(number(file, "z.standardise.centre") == 2);
    CHECK(number(file, "z.standardise.spread") == 1);
    CHECK(number(file, "lowest") == 1);
  }
  // New data are measured by what was fitted.
  const std::string data = folder.write("new.csv", "x\n5\n");
  const Finished predicted = run_bpc({"predict", script, "--data", data, "--out", "z"});
  INFO(predicted.err);
  CHECK(predicted.out == "z\n3\n");
  CHECK(run_bpc({"run", script, "--data", "x=" + data, "--set", "y=[1]", "--set", "held=[true]", "--params",
                 (folder.path / "s.model").string()})
            .out.find("z = [3]") == 0);
  // Resumed, and from all rows where none are kept apart.
  REQUIRE(train(script, {"--real=f64", "--resume", "--epochs", "3"}).code == 0);
  REQUIRE(train(script, {"--real=f64", "--validation", "0"}).code == 0);
  CHECK(number(folder.path / "s.model/last.safetensors", "z.standardise.centre") == Approx(104.0 / 3));
  check_refused(run_bpc({"run", "-"}, "param w = 1\ny = fitted(2 * w)\n"), 1, "computed from the param `w`");
  check_refused(run_bpc({"run", "-"}, "s = 0\nfor i in 0..3 { s = s + fitted(2) }\n"), 1, "cannot stand in a loop");
}

TEST_CASE("categories count themselves, and numbers may be categories") {
  const Folder folder;
  folder.write("wine.csv", "x,quality\n1,8\n2,10\n3,8\n4,9\n");
  const std::string script = folder.write("s.bp", R"(
dim N
dim C
input x : [N] from "wine.csv"["x"]
input quality : i32[N] of C from "wine.csv"["quality"]
param W : [1, C] = 0
logits = reshape(x, [N, 1]) @ W
best = argmax(logits, axis=1)
loss J = mean(cross_entropy(logits, quality))
train { steps = 2 }
)");
  CHECK(run_bpc({"check", script}).code == 0);
  REQUIRE(train(script).code == 0);
  const Finished predicted = run_bpc({"predict", script, "--data", folder.write("new.csv", "x\n0\n"), "--out", "logits,best"});
  INFO(predicted.err);
  CHECK(predicted.out == "logits_8,logits_9,logits_10,best\n0,0,0,8\n");
  check_refused(run_bpc({"run", script, "--set", "C=2"}), 2, "`quality` has 3 categories, and `C` is 2");
  check_refused(run_bpc({"eval", script, "--data", folder.write("odd.csv", "x,quality\n1,7\n")}), 2, "`7` is none of the categories of");
  check_refused(run_bpc({"run", "-"}, "dim C = 3\ninput x : [2] of C = [1, 2]\n"), 1, "categories are whole numbers");
  // Codes without names tell how many there are at least.
  CHECK(run_bpc({"run", "-", "--set", "t=[0, 4]"}, "dim C\ninput t : i32[2] of C\nn = C + 0\n").out == "n = 5\n");
  CHECK(run_bpc({"fmt", "-"}, "dim C\ninput of : i32[2]   of C=[0,1]\nx=of\n").out == "dim C\ninput of : i32[2] of C = [0, 1]\nx = of\n");
}

TEST_CASE("few rows, many in a batch, and metrics that are no numbers") {
  const Folder folder;
  const std::string script = folder.write("s.bp", R"(
dim N
input x : [N] = [1, 2, 3]
param m = 0
e = x - m
loss J = mean(e^2)
train { optimizer = sgd(lr = 0.1); steps = 3 }
)");
  check_refused(train(script, {"--metrics", "e"}), 1, "a metric is a single real number, and `e` is ");
  check_refused(train(script, {"--metrics", "nothing"}), 1, "there is no metric `nothing`");
  CHECK(train(script, {"--set", "x=[5]", "--batch", "64"}).out.find("1 row in batches of 1;") != std::string::npos);
  CHECK(train(script, {"--batch", "2"}).code == 0);  // the last batch has one row
  // One row cannot be shared out: it is learned from.
  CHECK(train(script, {"--set", "x=[5]", "--validation", "0.5"}).out.find("1 row in batches of 1, none to validate;") != std::string::npos);
  const std::string zero =
      folder.write("zero.npy", std::string("\x93NUMPY\1\0\x39\0{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }", 67));
  check_refused(train(script, {"--data", "x=" + zero}), 2, "there are no rows to learn from: N is 0");
  check_refused(train(script, {"--validation", zero}), 2, "there are no rows to validate");
}
