// `bpc train`: what it learns, what it keeps, and what ends it.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/io/safetensors.h"
#include "tests/support/process.h"

namespace {

using namespace bpc::test;
using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kNet = R"(
dim N
input x : [N, 2] = [[0, 0], [0, 1], [1, 0], [1, 1], [2, 2], [3, 1], [1, 3]]
input y : [N] = [0, 1, 1, 0, 1, 0, 1]
fn dense(x: [B, I], O) {
  param W : [I, O] = normal(0, 1)
  param b : [O] = 0
  return x @ W + b
}
h = dropout(tanh(dense(x, 4)), 0.1)
z = squeeze(dense(h, 1), 1)
loss J = mean(bce_with_logits(z, y))
print "not while it learns"
train {
  optimizer = adam(lr = 0.05)
  metrics   = accuracy
  epochs    = 6
  batch     = 3
}
)";

Finished train(const std::string& script, std::vector<std::string> flags = {}, double timeout = 60) {
  std::vector<std::string> words{"train", script};
  words.insert(words.end(), flags.begin(), flags.end());
  return run_bpc(words, {}, timeout);
}

std::map<std::string, bpc::runtime::Tensor> kept(const fs::path& file) {
  bpc::Diagnostics diagnostics;
  auto tensors = bpc::runtime::read_safetensors(read_file(file.string()), file.string(), diagnostics);
  REQUIRE(tensors);
  return *tensors;
}

// Every tensor, to the bit.
std::string bits(const fs::path& file) {
  std::string all;
  for (const auto& [name, tensor] : kept(file)) all += name + std::string(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  return all;
}

double number(const fs::path& file, const std::string& name) {
  return kept(file).at(name).real_at(0);
}

std::vector<json> log_of(const fs::path& file) {
  std::vector<json> rows;
  const std::string text = read_file(file.string());
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    rows.push_back(json::parse(text.substr(at, end - at)));
  return rows;
}

void check_refused(const Finished& finished, int code, const std::string& what) {
  INFO(finished.err);
  CHECK(finished.code == code);
  CHECK(finished.err.find(what) != std::string::npos);
}

}  // namespace

TEST_CASE("training does what its rule says, step by step") {
  // J = (w - 3)^2 / 2: the gradient is w - 3.
  const Folder folder;
  const std::string script =
      folder.write("a.bp", "param w = 1\nloss J = 1/2 * (w - 3)^2\ntrain { optimizer = sgd(lr = 0.5); steps = 2 }\n");
  for (const char* backend : {"--backend=jit", "--backend=interp"}) {
    REQUIRE(train(script, {"--real=f64", backend}).code == 0);
    CHECK(number(folder.path / "a.model/last.safetensors", "w") == 2.5);  // 1, 2, 2.5
  }
  // v = -2, then 0.5 v - 1: w = 1 + 1 = 2; w = 2 + 0.5 * 2 = 3
  REQUIRE(train(script, {"--real=f64", "--optimizer", "momentum(lr = 0.5, keep = 0.5)"}).code == 0);
  CHECK(number(folder.path / "a.model/last.safetensors", "w") == 3);
  CHECK(number(folder.path / "a.model/last.safetensors", "w/v") == -2);
  // The gradient -2 is cut to length 1, and half of it is done; then -1.5, cut to 1 again.
  REQUIRE(train(script, {"--real=f64", "--clip", "1"}).code == 0);
  CHECK(number(folder.path / "a.model/last.safetensors", "w") == Approx(2).margin(1e-5));
  // Decay adds d*w to the gradient, but of weights alone, unless a pattern says which.
  REQUIRE(train(script, {"--real=f64", "--decay", "1", "--steps", "1"}).code == 0);
  CHECK(number(folder.path / "a.model/last.safetensors", "w") == 2);
  REQUIRE(train(script, {"--real=f64", "--decay", "1", "--decay_on", "w*", "--steps", "1"}).code == 0);
  CHECK(number(folder.path / "a.model/last.safetensors", "w") == 1.5);
  // The rate falls in a line from all of it to nothing after two steps: 0.5 * 2, then 0.25 * 1.
  REQUIRE(train(script, {"--real=f64", "--schedule", "linear"}).code == 0);
  CHECK(number(folder.path / "a.model/last.safetensors", "w") == 2.25);
  // The mean of 1, 2, 2.5 with half of what was there: 1, 1.5, 2.
  REQUIRE(train(script, {"--real=f64", "--average", "ema(0.5)"}).code == 0);
  CHECK(number(folder.path / "a.model/last.safetensors", "w") == 2);
  CHECK(number(folder.path / "a.model/last.safetensors", "w/trained") == 2.5);
}

TEST_CASE("a script may have rules and schedules of its own") {
  const Folder folder;
  const std::string script = folder.write("own.bp", R"(
param w = 1
param v : [2] = [1, 2]
fn slow(p, g, count, t, lr = 0.5) {
  return p - lr * g / t, count + 1
}
fn half(t, steps) = 0.5
loss J = 1/2 * (w - 3)^2 + 1/2 * sum(v * v)
train { optimizer = slow(lr = 1); schedule = half; steps = 2 }
)");
  const Finished finished = train(script, {"--real=f64"});
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  // w: 1 + 0.5 * 2 = 2, then + 0.5 * 1 / 2
  CHECK(number(folder.path / "own.model/last.safetensors", "w") == 2.25);
  CHECK(kept(folder.path / "own.model/last.safetensors").at("v/count").real_at(1) == 2);
}

TEST_CASE("a function that is no rule is refused") {
  const Folder folder;
  for (const char* rule : {"fn r() = 1", "fn r(p) = p", "fn r(p, lr = 1) = p", "fn r(p = 1, g = 2) = p"}) {
    const std::string script = folder.write("r.bp", fmt::format("param w = 1\nloss J = w^2\n{}\ntrain {{ optimizer = r }}\n", rule));
    INFO(rule);
    check_refused(train(script), 1, "a rule is given a param and its gradient, and `r` has no parameters for both");
    check_refused(run_bpc({"check", script}), 1, "E0113");
  }
}

TEST_CASE("training learns, on both backends and at every level alike") {
  const Folder folder;
  const std::string script = folder.write("net.bp", kNet);
  const Finished first = train(script, {"--save", (folder.path / "jit").string()});
  INFO(first.err);
  REQUIRE(first.code == 0);
  CHECK(first.out.find("not while") == std::string::npos);
  CHECK(first.out.find("4 params (17 numbers) by adam(lr = 0.05); 7 rows in batches of 3; 6 epochs") == 0);
  for (const auto& [name, flags] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{{"interp", {"--backend=interp"}}, {"O0", {"-O0"}}, {"O3", {"-O3"}}}) {
    std::vector<std::string> words = flags;
    words.insert(words.end(), {"--save", (folder.path / name).string()});
    REQUIRE(train(script, words).code == 0);
    const auto a = kept(folder.path / "jit/last.safetensors"), b = kept(folder.path / name / "last.safetensors");
    REQUIRE(a.size() == b.size());
    for (const auto& [path, tensor] : a)
      for (std::int64_t i = 0; i < tensor.count(); ++i) CHECK(b.at(path).real_at(i) == Approx(tensor.real_at(i)).margin(1e-4));
  }
  // What is kept is for every command that takes params.
  const Finished used = run_bpc({"run", script, "--params", (folder.path / "jit/last.safetensors").string(), "--json"});
  CHECK(used.code == 0);
  CHECK(used.err.empty());
}

TEST_CASE("a training that goes on ends with the same bits") {
  const Folder folder;
  const std::string script = folder.write("net.bp", kNet);
  const std::string whole = (folder.path / "whole").string(), parts = (folder.path / "parts").string();
  REQUIRE(train(script, {"--save", whole, "--validation", "0.3", "--average", "ema(0.9)"}).code == 0);
  const std::vector<std::string> same{"--save", parts, "--validation", "0.3", "--average", "ema(0.9)"};
  auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> words = same;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  REQUIRE(train(script, with({"--steps", "5"})).code == 0);  // within the third epoch
  const Finished rest = train(script, with({"--resume", "--log", (folder.path / "log.jsonl").string()}));
  INFO(rest.err);
  REQUIRE(rest.code == 0);
  CHECK(bits(folder.path / "whole/last.safetensors") == bits(folder.path / "parts/last.safetensors"));
  // An epoch that was cut off and went on is one.
  const std::vector<json> log = log_of(folder.path / "log.jsonl");
  REQUIRE(log.size() == 6);
  for (std::size_t i = 0; i < log.size(); ++i) CHECK(log[i]["epoch"] == i + 1);
  check_refused(train(script, with({"--resume", "--batch", "2"})), 2, "E0512");
  check_refused(train(script, with({"--resume", "--optimizer", "sgd"})), 2, "its optimizer is \"adam(lr = 0.05)\", not \"sgd\"");
  check_refused(train(script, with({"--resume", "--seed", "8"})), 2, "its seed is 0, not 8");
  folder.write("net.bp", std::string(kNet) + "# a remark\n");
  check_refused(train(script, with({"--resume"})), 0, "warning[W0504]");
  folder.write("net.bp", kNet);
  check_refused(train(script, {"--resume", "--save", (folder.path / "nowhere").string()}), 2, "E0502");
  folder.write("parts/last.safetensors", "not a model at all");
  check_refused(train(script, with({"--resume"})), 2, "E0503");
}

TEST_CASE("a training that is killed at any moment goes on") {
  const Folder folder;
  std::string text(kNet);
  const std::string script = folder.write("net.bp", text);
  const std::string whole = (folder.path / "whole").string(), parts = (folder.path / "parts").string();
  REQUIRE(train(script, {"--save", whole, "--steps", "3000"}, 120).code == 0);
  int kills = 0;
  for (int i = 0; i < 8; ++i) {
    const std::string seconds = fmt::to_string(0.03 + 0.04 * i);
    std::vector<std::string> words{"timeout", "-s", "KILL", seconds, bpc_path(), "train", script, "--save", parts, "--steps", "3000"};
    if (fs::exists(folder.path / "parts/last.safetensors")) words.push_back("--resume");
    kills += run(words, {}, 60).code != 0;
  }
  INFO(kills);
  std::vector<std::string> words{"--save", parts, "--steps", "3000"};
  if (fs::exists(folder.path / "parts/last.safetensors")) words.push_back("--resume");
  REQUIRE(train(script, words, 120).code == 0);
  CHECK(bits(folder.path / "whole/last.safetensors") == bits(folder.path / "parts/last.safetensors"));
}

TEST_CASE("Ctrl-C ends a training after a whole step, which is kept") {
  const Folder folder;
  const std::string script = folder.write("net.bp", kNet), model = (folder.path / "m").string();
  Finished finished;
  for (const char* seconds : {"1", "4", "12"}) {  // a machine under load may not have come to the first step after a second
    finished =
        run({"timeout", "--preserve-status", "-s", "INT", seconds, bpc_path(), "train", script, "--save", model, "--epochs", "100000000"},
            {}, 60);
    if (!finished.out.empty()) break;
  }
  INFO(finished.err);
  CHECK(finished.code == 130);
  CHECK(finished.err.find("interrupted after step") == 0);
  CHECK(fs::exists(folder.path / "m/last.safetensors"));
  CHECK(train(script, {"--save", model, "--resume", "--steps", "1"}).code == 0);  // nothing is left to do
}

TEST_CASE("what cannot be kept is said, and what was there stays") {
  const Folder folder;
  const std::string script = folder.write("net.bp", kNet), model = (folder.path / "m").string();
  check_refused(train(script, {"--save", script}), 2, "E0507");
  const Finished nowhere = train(script, {"--log", (folder.path / "no/log.csv").string()});
  check_refused(nowhere, 2, "E0507");
  CHECK(nowhere.out.empty());  // said before it begins
  REQUIRE(train(script, {"--save", model}).code == 0);
  const std::string before = read_file((folder.path / "m/last.safetensors").string());
  const Finished full =
      run({"sh", "-c", "ulimit -f 1; trap '' XFSZ; exec \"$0\" \"$@\"", bpc_path(), "train", script, "--save", model, "--epochs", "7"});
  check_refused(full, 2, "E0507");
  CHECK(read_file((folder.path / "m/previous_last.safetensors").string()) == before);
  REQUIRE(train(script, {"--save", model}).code == 0);
  REQUIRE(train(script, {"--save", model, "--resume", "--steps", "20"}).code == 0);
  const Finished resumed = run({"sh", "-c", "ulimit -f 1; trap '' XFSZ; exec \"$0\" \"$@\"", bpc_path(), "train", script, "--save", model,
                                "--resume", "--steps", "30"});
  check_refused(resumed, 2, "E0507");
  CHECK(train(script, {"--save", model, "--resume", "--steps", "30"}).code == 0);
}

TEST_CASE("a loss that is not finite ends the training and is explained") {
  const Folder folder;
  const std::string script = folder.write("log.bp", R"(
param w = 1
y = log(w)
loss J = w + y
train { optimizer = sgd(lr = 0.4); steps = 100 }
)");
  const Finished finished = train(script);
  check_refused(finished, 1, "error[E0413]: the loss of step 3 is not a finite number");
  CHECK(finished.err.find("error[E0404]") != std::string::npos);
  CHECK(finished.err.find("3 | y = log(w)") != std::string::npos);
  // The row that does it is found, also where the step is the first of an epoch.
  const std::string rows = folder.write("rows.bp", R"(
dim N
input x : [N] = [1, 2, 3, 4]
param s = 0
fn count(p, g) = p + 1
y = log(4 - s + 0 * x)
loss J = mean(y * x) * s / s
train { optimizer = count; epochs = 3; batch = 2; shuffle = false }
)");
  const Finished early = train(rows, {"--set", "s=1"});
  check_refused(early, 1, "the loss of step 4 is not a finite number");
  CHECK(early.err.find("6 | y = log(4 - s + 0 * x)") != std::string::npos);
  const std::string first = folder.write("first.bp", R"(
dim N
input x : [N] = [1, 2, 3, 4]
param s = 1
fn grow(p, g) = p * 4
y = log(x - s)
loss J = mean(where(s < 3, s, y))
train { optimizer = grow; epochs = 3; batch = 2; shuffle = false }
)");
  const Finished second = train(first, {"--batch", "4"});  // the first step of the second epoch
  check_refused(second, 1, "the loss of step 2 is not a finite number");
  CHECK(second.err.find("6 | y = log(x - s)") != std::string::npos);
}

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

TEST_CASE("what is frozen stays, and what does not reach the loss is said") {
  const Folder folder;
  const std::string script = folder.write("part.bp", R"(
param a = 1
param b = 1
param c = 5
loss J = (a + b)^2
train { optimizer = sgd(lr = 0.1); steps = 3; freeze = "a" }
)");
  const Finished finished = train(script);
  CHECK(finished.code == 0);
  CHECK(finished.err.find("W0301") != std::string::npos);
  CHECK(number(folder.path / "part.model/last.safetensors", "a") == 1);
  CHECK(number(folder.path / "part.model/last.safetensors", "c") == 5);
  CHECK(number(folder.path / "part.model/last.safetensors", "b") < 1);
}

TEST_CASE("training stops when it gets no better, and the best is kept") {
  const Folder folder;
  // The validation rows are better served by the start.
  const std::string script = folder.write("net.bp", kNet);
  const Finished finished =
      train(script, {"--validation", "0.3", "--epochs", "500", "--stop", "patience(3)", "--log", (folder.path / "log.csv").string()});
  INFO(finished.err);
  CHECK(finished.code == 0);
  CHECK(finished.out.find("stopped: for 3 epochs, no validation loss was better") != std::string::npos);
  CHECK(fs::exists(folder.path / "net.model/best.safetensors"));
  CHECK(read_file((folder.path / "log.csv").string()).find("epoch,step,loss,accuracy,validation loss,validation accuracy,seconds\n1,2,") ==
        0);
}

TEST_CASE("training does not look at rows that it does not have") {
  const Folder folder;
  const std::string script = folder.write("net.bp", kNet);
  check_refused(train(script, {"--stop", "patience(2, on = \"validation loss\")"}), 1, "no rows are kept apart");
  const std::string one = folder.write("one.bp", "dim N\ninput x : [N] = [1]\nparam m = 0\nloss J = mean((x - m)^2)\n");
  check_refused(train(one, {"--stop", "patience(2)", "--validation", "0.5"}), 1, "there is one row alone");
  CHECK(train(one, {"--validation", "0.5"}).code == 0);
}

TEST_CASE("training without a loss, params or settings says so") {
  const Folder folder;
  check_refused(train(folder.write("no_loss.bp", "param w = 1\n")), 1, "E0307");
  check_refused(train(folder.write("no_param.bp", "input x = 1\nloss J = x^2\n")), 1, "E0307");
  check_refused(train(folder.write("batch.bp", "param w = 1\nloss J = w^2\ntrain { batch = 3 }\n")), 1, "E0113");
  const Finished finished = train(folder.write("plain.bp", "param w = 1\nloss J = w^2\n"));
  CHECK(finished.code == 0);
  CHECK(finished.out.find("1 param (1 number) by adam(lr = 0.01); 1000 epochs\n(chosen for want of a setting: optimizer, epochs)\n") == 0);
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

TEST_CASE("curves are drawn, and written for TensorBoard") {
  const Folder folder;
  const std::string script = folder.write("net.bp", kNet);
  const std::string svg = (folder.path / "c.svg").string(), board = (folder.path / "runs/a").string();
  REQUIRE(train(script, {"--plot", svg, "--tensorboard", board, "--validation", "0.3"}).code == 0);
  const std::string picture = read_file(svg);
  CHECK(picture.starts_with("<svg "));
  for (const char* word : {">loss<", ">accuracy<", ">training<", ">validation<"}) CHECK(picture.find(word) != std::string::npos);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(board)) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  // The records are as TensorBoard's own: the first is 24 bytes long and names the version.
  const std::string events = read_file(files[0].string());
  CHECK(events[0] == 24);
  CHECK(events.find("brain.Event:2") != std::string::npos);
  for (const char* tag : {"training/loss", "validation/accuracy"}) CHECK(events.find(tag) != std::string::npos);
  check_refused(train(script, {"--plot", "c.gif"}), 2, "names no .svg file");
  check_refused(train(script, {"--tensorboard", script}), 2, "E0507");
}

TEST_CASE("as many of the last checkpoints stay as are asked for") {
  const Folder folder;
  const std::string script = folder.write("s.bp", "param w = 1\nloss J = (w - 3)^2\ntrain { optimizer = sgd(lr = 0.1); steps = 1 }\n");
  const auto names = [&] {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder.path / "s.model")) found.insert(entry.path().filename().string());
    return found;
  };
  REQUIRE(train(script, {"--keep", "3"}).code == 0);
  CHECK(names() == std::set<std::string>{"last.safetensors"});
  for (const char* steps : {"2", "5"}) REQUIRE(train(script, {"--keep", "3", "--resume", "--steps", steps}).code == 0);
  CHECK(names() == std::set<std::string>{"last.safetensors", "step_1.safetensors", "step_2.safetensors"});
  CHECK(number(folder.path / "s.model/step_2.safetensors", "w") == Approx(1.72));
  REQUIRE(train(script, {"--keep", "3", "--resume", "--steps", "6"}).code == 0);
  CHECK(names() == std::set<std::string>{"last.safetensors", "step_2.safetensors", "step_5.safetensors"});
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
  CHECK(train(script, {"--set", "x=[5]", "--validation", "0.5"}).out.find("validate") == std::string::npos);
  const std::string zero =
      folder.write("zero.npy", std::string("\x93NUMPY\1\0\x39\0{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }", 67));
  check_refused(train(script, {"--data", "x=" + zero}), 2, "there are no rows to learn from: N is 0");
  check_refused(train(script, {"--validation", zero}), 2, "there are no rows to validate");
}

TEST_CASE("the examples learn") {
  const Folder folder;
  const auto model = [&](const std::string& name) { return (folder.path / name).string(); };
  REQUIRE(train("examples/logistic.bp", {"--real=f64", "--save", model("logistic")}).code == 0);
  // scikit-learn 1.9.1: LogisticRegression(tol=1e-14, max_iter=100000); its gradient is 1e-7 there, as ours is.
  const double weights[] = {-0.42351, 0.53446,  -0.11095, 0.96735,  -0.32159, -0.64576,
                            -2.51715, -0.20639, 2.72355,  -1.07933, -0.94430, 2.02363};
  const auto learned = kept(folder.path / "logistic/last.safetensors").at("W");
  for (int i = 0; i < 12; ++i) CHECK(learned.real_at(i) == Approx(weights[i]).margin(3e-4));

  REQUIRE(train("examples/digits.bp", {"--save", model("digits"), "--epochs", "6"}).code == 0);
  const Finished digits = run_bpc({"eval", "examples/digits.bp", "--params", model("digits"), "--json"});
  INFO(digits.err);
  CHECK(json::parse(digits.out)["accuracy"] > 0.9);

  REQUIRE(train("examples/houses.bp", {"--save", model("houses"), "--log", (folder.path / "log.jsonl").string()}).code == 0);
  CHECK(log_of(folder.path / "log.jsonl").back()["validation loss"] < 0.1);
  const std::string house = folder.write("new.csv", "rooms,area,year,district\n3,80,,old town\n3,80,1990,harbour\n");
  const Finished priced =
      run_bpc({"predict", "examples/houses.bp", "--params", model("houses"), "--data", house, "--out", "estimate", "--with-inputs"});
  INFO(priced.err);
  CHECK(priced.out.find("district,area,rooms,year,estimate\nold town,80,3,nan,5") == 0);
}

TEST_CASE("what does not learn is said") {
  const Folder folder;
  const auto warned = [&](const std::string& body) {
    const std::string head = "dim N\ninput x : [N, 2] = [[1, 2], [2, 1], [3, 3], [1, 1]]\nparam W : [2, 4] = ";
    const Finished finished = train(folder.write("s.bp", head + body + "\ntrain { optimizer = sgd(lr = 1e-9); epochs = 3 }\n"));
    INFO(finished.err);
    CHECK(finished.code == 0);
    return finished.err;
  };
  const std::string dead = warned("-1\nparam v : [4] = 1\nloss J = mean((relu(x @ W) @ v - 1)^2)");
  CHECK(dead.find("warning[W0402]: 4 of the 4 units of this `relu` are 0 for all of 4 rows") != std::string::npos);
  CHECK(dead.find("warning[W0401]: the gradient of `W` is zero for all of 4 rows") != std::string::npos);
  CHECK(dead.find("W0402", dead.find("W0402") + 8) == std::string::npos);  // once, though it is looked at twice
  const std::string flat = warned("100\nloss J = mean((tanh(x @ W) - 0.5)^2) + 1e-3 * sum(W^2)");
  CHECK(flat.find("warning[W0402]: 100 % of the values of this `tanh` are at its ends") != std::string::npos);
  const std::string small = warned("normal(0, 0.1)\nparam V : [4, 1] = 1e-7\nloss J = mean((tanh(x @ W) @ V - 1)^2)");
  CHECK(small.find("warning[W0403]: the gradients of `W` are ") != std::string::npos);
  CHECK(warned("normal(0, 1)\nparam v : [4] = 1\nloss J = mean((relu(x @ W) @ v - 1)^2)").empty());
  // Of one row there is not much to say, and asked to be quiet, nothing is.
  CHECK(train(folder.write("s.bp", "param w = -1\nloss J = relu(w) + 1\ntrain { steps = 2 }\n"), {"-q"}).err.empty());
}
