// `bpc predict`, `eval` and `summary`: what learned params are used for.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "runtime/io/npy.h"
#include "tests/support/process.h"

namespace {

using namespace bpc::test;
using Catch::Matchers::Contains;
using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kFlowers = R"(
dim N
input x : [N, 2] from "train.csv"[["a", "b"]]
input kind : i32[N] from "train.csv"["kind"]
param W : [2, 3] = 0
param b : [3] = 0
logits = x @ W + b
p = softmax(logits)
best = argmax(logits, axis=1)
total = sum(x)
assert sum(kind) >= 0
print "rows", N
loss J = mean(cross_entropy(logits, kind))
train { optimizer = adam(lr = 0.3); epochs = 40; batch = 4 }
)";

struct Case {
  Folder folder;
  std::string script;

  explicit Case(const std::string& text = kFlowers) {
    folder.write("train.csv", "a,b,kind\n0,0,red\n0,1,red\n4,0,\"deep blue\"\n5,1,\"deep blue\"\n0,5,green\n1,6,green\n");
    script = folder.write("s.bp", text);
  }
  Finished run(std::vector<std::string> words) const {
    words.insert(words.begin() + 1, script);
    return run_bpc(words);
  }
  std::string path(const std::string& name) const { return (folder.path / name).string(); }
};

Finished good(Finished finished) {
  INFO(finished.out << finished.err);
  REQUIRE(finished.code == 0);
  return finished;
}

void check_refused(const Finished& finished, int code, const std::string& what) {
  INFO(finished.out << finished.err);
  CHECK(finished.code == code);
  CHECK(finished.out.empty());
  CHECK_THAT(finished.err, Contains(what));
}

}  // namespace

TEST_CASE("predictions need no labels, and codes become the texts that training saw") {
  const Case flowers;
  good(flowers.run({"train"}));
  const std::string data = flowers.folder.write("new.csv", "b,id,a\n0.5,7,0\n5,8,0.5\n0,9,4.5\n");
  const Finished table = good(flowers.run({"predict", "--data", data, "--out", "best", "--with-inputs"}));
  CHECK(table.out == "a,b,best\n0,0.5,red\n0.5,5,green\n4.5,0,deep blue\n");
  CHECK(table.err.empty());
  CHECK(good(flowers.run({"predict", "--data", data, "--out", "best", "--backend=interp"})).out == "best\nred\ngreen\ndeep blue\n");
  // Everything that has rows and whose inputs are there; nothing is printed besides.
  CHECK_THAT(good(flowers.run({"predict", "--data", data})).out,
             Catch::Matchers::StartsWith("logits_deep blue,logits_green,logits_red,p_deep blue,p_green,p_red,best\n"));
  check_refused(flowers.run({"predict", "--data", data, "--out", "J"}), 2, "there is no column `kind`");
  check_refused(flowers.run({"predict", "--data", data, "--out", "bset"}), 2, "did you mean `best`?");
  check_refused(flowers.run({"predict", "--data", data, "--out", "best,total"}), 2, "`total` has no row for each row of the data");
  CHECK(good(flowers.run({"predict", "--data", data, "--out", "total"})).out == "total = 10.5\n");
  check_refused(flowers.run({"predict", "--data", flowers.folder.write("bad.csv", "a\n1\n")}), 2, "E0510");
  check_refused(flowers.run({"predict", "--data", flowers.path("bad.csv"), "--out", "p"}), 2, "there is no column `b`");
  // One row, and none.
  CHECK(good(flowers.run({"predict", "--set", "x=[[0, 6]]", "--out", "best"})).out == "best\ngreen\n");
  check_refused(flowers.run({"predict", "--data", flowers.folder.write("none.csv", "a,b\n"), "--out", "best"}), 2, "no rows of data");
}

TEST_CASE("predictions have the precision of the training, and a script that has changed is named") {
  const Case flowers;
  good(flowers.run({"train", "--real=f64"}));
  const std::string exact = good(flowers.run({"predict", "--out", "p", "--real=f64"})).out;
  CHECK(good(flowers.run({"predict", "--out", "p"})).out == exact);
  CHECK(good(flowers.run({"predict", "--out", "p", "--real=f32"})).out != exact);
  CHECK(good(flowers.run({"eval"})).out == good(flowers.run({"eval", "--real=f64"})).out);
  const auto said_of = [&](const std::string& text) {
    flowers.folder.write("s.bp", text);
    return good(flowers.run({"predict", "--out", "p"})).err;
  };
  std::string text = kFlowers;
  CHECK(said_of("# another comment\n\n" + text.substr(0, text.find("train {")) + "train { epochs = 3 }\n").empty());
  text.replace(text.find("x @ W + b"), 9, "2 * x @ W + b");
  CHECK_THAT(said_of(text), Contains("W0504"));
}

TEST_CASE("predictions are written as tables, JSON and arrays") {
  const Case flowers;
  good(flowers.run({"train", "--real=f64"}));
  good(flowers.run({"predict", "-o", flowers.path("o.csv"), "--out", "best"}));
  CHECK(read_file(flowers.path("o.csv")) == "best\nred\nred\ndeep blue\ndeep blue\ngreen\ngreen\n");
  good(flowers.run({"predict", "-o", flowers.path("o.json"), "--out", "p,best,total"}));
  const json object = json::parse(read_file(flowers.path("o.json")));
  CHECK(object["best"][2] == "deep blue");
  CHECK(object["p"].size() == 6);
  CHECK(object["total"] == 23);
  good(flowers.run({"predict", "-o", flowers.path("o.npy"), "--out", "p", "--real=f64"}));
  bpc::Diagnostics diagnostics;
  const auto array = bpc::runtime::read_npy(read_file(flowers.path("o.npy")), "o.npy", diagnostics);
  REQUIRE(array);
  CHECK(bpc::type_text(array->type()) == "f64[6, 3]");
  CHECK(array->real_at(0) + array->real_at(1) + array->real_at(2) == Approx(1));
  check_refused(flowers.run({"predict", "-o", flowers.path("o.npy")}), 2, "a .npy file holds one array");
  check_refused(flowers.run({"predict", "-o", flowers.path("o.xls")}), 2, "names no .csv, .json or .npy file");
  check_refused(flowers.run({"predict", "-o", flowers.path("no/o.csv"), "--out", "best"}), 2, "E0507");
}

TEST_CASE("predictions are by learned params alone") {
  const Case flowers;
  for (const char* command : {"predict", "eval"}) check_refused(flowers.run({command}), 2, "E0513");
  check_refused(flowers.run({"predict", "--params", flowers.path("nowhere.safetensors")}), 2, "E0502");
  good(flowers.run({"train", "--save", flowers.path("m"), "--validation", "0.3"}));
  check_refused(flowers.run({"predict"}), 2, "E0513");
  const std::string best = good(flowers.run({"predict", "--params", flowers.path("m/best.safetensors")})).out;
  CHECK(good(flowers.run({"predict", "--params", flowers.path("m")})).out == best);
  // A param that the training did not know.
  std::string text(kFlowers);
  text.replace(text.find("p = soft"), 0, "param c = 5\nq = c * logits\n");
  flowers.folder.write("s.bp", text);
  check_refused(flowers.run({"predict", "--params", flowers.path("m"), "--out", "q"}), 2, "`c` has no learned value in ");
  CHECK(flowers.run({"predict", "--params", flowers.path("m"), "--out", "p"}).code == 0);
}

TEST_CASE("dropout and prints are left out of predictions, and a script without rows shows its values") {
  const Folder folder;
  const std::string script =
      folder.write("a.bp", "param w = 2\nprint \"no\"\ny = dropout([w, w, w], 0.5)\nloss J = (w - 3)^2\ntrain { steps = 1 }\n");
  good(run_bpc({"train", script}));
  const Finished finished = good(run_bpc({"predict", script, "--out", "y"}));
  CHECK(finished.out == "y = [2.01, 2.01, 2.01]\n");
  // What needs no params needs no training.
  CHECK(good(run_bpc({"predict", folder.write("b.bp", "dim N\ninput x : [N] = [1, 2]\ny = 2*x\n")})).out == "y\n2\n4\n");
}

TEST_CASE("later files are held to the categories of the training") {
  const Case flowers;
  good(flowers.run({"train"}));
  const std::string other = flowers.folder.write("test.csv", "a,b,kind\n0,5,green\n0,0,red\n");
  const Finished judged = good(flowers.run({"eval", "--data", other, "--json"}));
  const json object = json::parse(judged.out);
  CHECK(object["accuracy"] == 1);
  CHECK(object["classes"] == json({"deep blue", "green", "red"}));
  CHECK(object["confusion"] == json({{0, 0, 0}, {0, 1, 0}, {0, 0, 1}}));
  check_refused(flowers.run({"eval", "--data", flowers.folder.write("odd.csv", "a,b,kind\n0,5,green\n0,0,pink\n")}), 2,
                "`pink` is none of the categories of");
}

TEST_CASE("eval gives the loss, the metrics and a judgement of classes") {
  const Case flowers;
  good(flowers.run({"train", "--epochs", "400"}));
  const Finished finished = good(flowers.run({"eval"}));
  CHECK_THAT(finished.out, Contains("6 rows by "));
  CHECK_THAT(finished.out, Contains("accuracy  1"));
  CHECK_THAT(finished.out, Contains("deep blue"));
  CHECK_THAT(finished.out, Contains("0.9 to 1.0      6  1.000  1.000"));
  // Two classes by one logit, and numbers.
  const Folder folder;
  const std::string two = folder.write("two.bp", R"(
dim N
input x : [N] = [-2, -1, 1, 2, 3]
input y : [N] = [0, 0, 1, 1, 0]
param w = 1
z = w * x
loss J = mean(bce_with_logits(z, y))
train { optimizer = sgd(lr = 0); steps = 1 }
)");
  good(run_bpc({"train", two}));
  const json object = json::parse(good(run_bpc({"eval", two, "--json"})).out);
  CHECK(object["confusion"] == json({{2, 1}, {0, 2}}));
  CHECK(object["accuracy"] == 0.8);
  CHECK(object["calibration"][9]["rows"] == 1);
  CHECK(object["calibration"][9]["right"] == 0);
  const std::string line = folder.write("line.bp", R"(
dim N
input x : [N] = [1, 2, 3]
input y : [N] = [2, 4, 6]
param w = 2
loss J = mean(mse(w * x, y))
train { optimizer = sgd(lr = 0.1); steps = 1; metrics = r2 }
)");
  good(run_bpc({"train", line}));
  CHECK(json::parse(good(run_bpc({"eval", line, "--json"})).out) == json({{"loss", 0}, {"r2", 1}}));
  CHECK(json::parse(good(run_bpc({"eval", line, "--json", "--set", "x=[1]", "--set", "y=[3]"})).out)["loss"] == 1);
}

TEST_CASE("a summary counts params and operations by layer") {
  const Folder folder;
  const std::string script = folder.write("net.bp", R"(
dim N
input x : [N, 3]
fn dense(x: [B, I], O) {
  param W : [I, O] = glorot()
  param b : [O] = 0
  return x @ W + b
}
s = zeros([4])
for k in 0..10 { s = s + 1 }
h = tanh(dense(x, 4))
loss J = mean(square(dense(h, 2))) + sum(s)
train { batch = 5 }
)");
  const json object = json::parse(good(run_bpc({"summary", script, "--json"})).out);
  json h;
  std::uint64_t forward = 0;
  for (const json& layer : object["layers"]) {
    if (layer["layer"] == "h.dense") h = layer;
    forward += layer["forward"].get<std::uint64_t>();
  }
  CHECK(h["numbers"] == 16);
  CHECK(h["gives"] == json({5, 4}));
  CHECK(h["forward"] == 5 * 3 * 4 + 5 * 4);
  CHECK(h["bytes"] == 4 * (16 + 20));
  CHECK(forward > 100);
  CHECK_THAT(good(run_bpc({"summary", script})).out, Contains("h.dense"));
  CHECK_THAT(good(run_bpc({"summary", script, "--set", "x=[[1, 2, 3]]"})).out, Contains("of 1 rows"));
  CHECK_THAT(good(run_bpc({"summary", "examples/tutorial.bp"})).out, Contains("all"));
}
