// `bpc train`: what it learns, and by which rules.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/command/trainings.h"

using namespace bpc::test;
using nlohmann::json;
namespace fs = std::filesystem;

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
  CHECK(finished.err.find("W0301") == finished.err.rfind("W0301"));  // said once
  CHECK(number(folder.path / "part.model/last.safetensors", "a") == 1);
  CHECK(number(folder.path / "part.model/last.safetensors", "c") == 5);
  CHECK(number(folder.path / "part.model/last.safetensors", "b") < 1);
}

TEST_CASE("a file gets a line for each epoch, or for a hundred of many, and the last one") {
  const Folder folder;
  const std::string script = folder.write("many.bp", "param w = 1\nloss J = (w - 3)^2\ntrain { optimizer = sgd(lr = 0.001) }\n");
  const auto lines = [](const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find("\nepoch", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  CHECK(lines(train(script, {"--epochs", "100"}).out) == 100);
  const Finished many = train(script, {"--epochs", "1050"});
  CHECK(lines(many.out) == 97);  // the first, every eleventh, the last
  CHECK(many.out.find("\nepoch 1050/1050") != std::string::npos);
  // Of a training that ends before, too.
  const Finished stopped = train(script, {"--epochs", "3000", "--optimizer", "sgd(lr = 0.5)", "--stop", "patience(4, on = \"loss\")"});
  CHECK(lines(stopped.out) == 2);
  CHECK(stopped.out.find("\nepoch    6/3000") != std::string::npos);
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

TEST_CASE("training without a loss, params or settings says so") {
  const Folder folder;
  check_refused(train(folder.write("no_loss.bp", "param w = 1\n")), 1, "E0307");
  check_refused(train(folder.write("no_param.bp", "input x = 1\nloss J = x^2\n")), 1, "E0307");
  check_refused(train(folder.write("batch.bp", "param w = 1\nloss J = w^2\ntrain { batch = 3 }\n")), 1, "E0113");
  const Finished finished = train(folder.write("plain.bp", "param w = 1\nloss J = w^2\n"));
  CHECK(finished.code == 0);
  CHECK(finished.out.find("1 param (1 number) by adam(lr = 0.01); 1000 epochs\n(not set, so chosen: optimizer, epochs)\n") == 0);
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
