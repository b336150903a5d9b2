// `mpirun -n 4 bpc train`: several processes learn what one does. Skipped, with a word, where there is no mpirun.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/command/trainings.h"

using namespace bpc::test;

namespace {

std::vector<std::string> mpirun(int count) {
  static const std::string version = run({"sh", "-c", "mpirun --version 2>&1"}).out;
  if (version.find("Open MPI") != std::string::npos)
    return {"mpirun", "--allow-run-as-root", "--oversubscribe", "-n", std::to_string(count)};
  if (version.find("HYDRA") != std::string::npos) return {"mpirun", "-n", std::to_string(count)};
  WARN("skipped: there is no mpirun");
  return {};
}

Finished train_with(int count, const std::string& script, const std::vector<std::string>& flags = {}) {
  std::vector<std::string> words = mpirun(count);
  words.insert(words.end(), {bpc_path(), "train", script, "--real=f64", "--threads=1"});
  words.insert(words.end(), flags.begin(), flags.end());
  return run(words, {}, 120);
}

void check_same(const std::map<std::string, bpc::runtime::Tensor>& a, const std::map<std::string, bpc::runtime::Tensor>& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, tensor] : a) {
    REQUIRE(b.contains(name));
    for (std::int64_t i = 0; i < tensor.count(); ++i) {
      INFO(name << " " << i);
      REQUIRE(tensor.real_at(i) == Approx(b.at(name).real_at(i)).epsilon(1e-9).margin(1e-11));
    }
  }
}

constexpr const char* kHead = R"(
dim N
input x : [N, 4] = sin(reshape(arange(72), [18, 4]))
input t : i32[N] = [0, 1, 2, 0, 1, 2, 2, 1, 0, 0, 1, 2, 0, 2, 2, 1, 0, 1]
param W : [4, 3] = normal(0, 0.5)
param b : [3] = 0.1
seed 3
)";

// What is computed in the place of these, and a number that several metrics can be.
const std::map<std::string, std::string> kShared = {
    {"means", "loss J = mean(cross_entropy(dropout(x, 0.3) @ W + b, t)) + 0.01 * sum(W^2)\n"},
    {"sums", "loss J = sum(log_softmax(x @ W + b)[arange(N), t]) * -0.1\n"},
    {"scaled", "loss J = 3 * sum((x @ W + b)^2) / N - sum(b) * 0.1\n"},
    {"merged",
     "h = reshape(x, [N, 2, 2]) @ W[0..2]\nloss J = mean(reshape(h, [2 * N, 3])^2) + mean(cross_entropy(sum(h, axis=1) + b, t))\n"},
    {"looked up", "E = W[t % 4]\nloss J = mean(sum(E * tanh(x[:, 0..3]) + b, axis=1)^2)\n"},
    {"a loop", "h = zeros([N, 3])\nfor k in 0..4 {\n  h = tanh(h + outer(x[:, k], W[k]) + b)\n}\nloss J = mean(cross_entropy(h, t))\n"},
    {"in turns", "total = 0.0\nfor k in 0..4 {\n  total = total + mean((x[:, k] - W[k, 0] - b[1])^2)\n}\nloss J = total\n"},
    {"a branch", "z = x @ W + b\nif W[0, 0] > 10 { z = 2 * z }\nloss J = mean(where(z > 0, z, 0.1 * z)^2)\n"},
    {"comprehension", "loss J = mean([dot(x[i], W[:, 0])^2 + b[t[i]]^2 for i in 0..N])\n"},
    {"an inner derivative", "u = tanh(x @ W + b)\ng = grad(sum(u), x)\nloss J = mean(sum(g^2, axis=1))\n"},
    {"a rule of its own",
     "fn ste(z) = step(z)\nadjoint ste(z) -> y { dz = 0.5 * dy }\nloss J = mean((ste(x @ W + b) - 0.5)^2 + (x @ W)^2)\n"},
    {"noise", "loss J = mean((x @ W + normal(0, 0.1, [N, 3]) + b * uniform(0, 1, [3]))^2)\n"},
};

const std::map<std::string, std::string> kUnshared = {
    {"loss J = mean((x - mean(x, axis=0)) @ W)^2 + mean(b)\n", "needs all rows of a batch at once"},
    {"loss J = std(x @ W) + mean(b)\n", "needs all rows of a batch at once"},
    {"loss J = sqrt(mean((x @ W + b)^2))\n", "needs all rows of a batch at once"},
    {"loss J = max(x @ W + b)\n", "needs all rows of a batch at once"},
    {"loss J = mean((x[0..2] @ W + b)^2)\n", "needs all rows of a batch at once"},
    {"loss J = mean((x[0] @ W + b)^2)\n", "needs all rows of a batch at once"},
    {"loss J = mean((flip(x, 0) @ W + b)^2 * x[:, 0..3])\n", "needs all rows of a batch at once"},
    {"loss J = sum((x @ W + b)^2) + sum(W^2)\n", "each process would add again"},
    {"loss J = mean(arange(N) * sum((x @ W + b)^2, axis=1))\n", "depends on the place of a row in its batch"},
    {"loss J = sum((x @ W + b)^2) / sqrt(N)\n", "depends on the number of rows, and is no mean over them"},
    {"loss J = mean((x @ W + b)^2) + sum(W^2) / N\n", "depends on the number of rows, and is no mean over them"},
    {"loss J = mean(softmax(x @ W, axis=0)^2) + mean(b)\n", "needs all rows of a batch at once"},
    {"loss J = mean(cumsum(x @ W, axis=0)^2) + mean(b)\n", "needs all rows of a batch at once"},
    {"fn f(z) = 2 * z\nadjoint f(z) -> y { dz = clamp(dy, -0.01, 0.01) }\nloss J = mean(f(x @ W + b))\n",
     "depends on the number of rows, and is no mean over them"},
    {"loss J = mean((x @ W + b)^2)\nm = max(x @ W)\ntrain { metrics = m }\n", "cannot share the metric `m`"},
};

}  // namespace

TEST_CASE("processes learn together what one learns alone") {
  if (mpirun(1).empty()) return;
  const Folder folder;
  const std::vector<std::string> flags{"--batch=7", "--epochs=3", "--optimizer=adam(lr = 0.05)", "--clip=1", "--validation=0.1"};
  for (const auto& [name, loss] : kShared) {
    INFO(name);
    const std::string script = folder.write("one.bp", kHead + loss);
    const Finished alone = train(script, [&] {
      std::vector<std::string> all = flags;
      all.push_back("--real=f64");
      return all;
    }());
    INFO(alone.err);
    REQUIRE(alone.code == 0);
    for (int count : name == "means" ? std::vector{1, 2, 4} : std::vector{2}) {
      const Finished together = train_with(count, folder.write("many.bp", kHead + loss), flags);
      INFO(together.out << together.err);
      REQUIRE(together.code == 0);
      CHECK(std::count(together.out.begin(), together.out.end(), '\n') == std::count(alone.out.begin(), alone.out.end(), '\n'));
      check_same(kept(folder.path / "one.model/last.safetensors"), kept(folder.path / "many.model/last.safetensors"));
      check_same(kept(folder.path / "one.model/best.safetensors"), kept(folder.path / "many.model/best.safetensors"));
    }
  }
}

TEST_CASE("what processes cannot share is refused, once") {
  if (mpirun(1).empty()) return;
  const Folder folder;
  for (const auto& [loss, what] : kUnshared) {
    INFO(loss);
    const std::string script = folder.write("s.bp", kHead + loss);
    const Finished alone = train(script, {"--steps=1", "--batch=8"});
    INFO(alone.err);
    REQUIRE(alone.code == 0);
    const Finished refused = train_with(2, script, {"--steps=1", "--batch=8"});
    INFO(refused.out << refused.err);
    CHECK(refused.code != 0);
    CHECK(refused.err.find("error[E0514]") != std::string::npos);
    CHECK(refused.err.find(what) != std::string::npos);
    CHECK(refused.err.find("error[E0514]") == refused.err.rfind("error[E0514]"));
  }
  const Finished rowless = train_with(2, folder.write("r.bp", "param w = 1\nloss J = (w - 3)^2\n"));
  CHECK(rowless.err.find("error[E0514]") != std::string::npos);
  const Finished wrong = train_with(4, folder.write("w.bp", "param w = 1\nloss J = (v - 3)^2\n"));
  CHECK(wrong.err.find("error[E0106]") == wrong.err.rfind("error[E0106]"));
  CHECK(wrong.code != 0);
}

TEST_CASE("processes go on with what others have kept, and a batch may be smaller than they are many") {
  if (mpirun(1).empty()) return;
  const Folder folder;
  const std::string text = kHead + kShared.at("means"), one = folder.write("one.bp", text), many = folder.write("many.bp", text);
  REQUIRE(train(one, {"--real=f64", "--batch=3", "--epochs=4"}).code == 0);
  REQUIRE(train_with(4, many, {"--batch=3", "--epochs=2"}).code == 0);
  const Finished more = train_with(2, many, {"--batch=3", "--epochs=4", "--resume"});
  INFO(more.err);
  REQUIRE(more.code == 0);
  check_same(kept(folder.path / "one.model/last.safetensors"), kept(folder.path / "many.model/last.safetensors"));
}

TEST_CASE("a process that is killed ends a training that can go on") {
  if (mpirun(1).empty()) return;
  const Folder folder;
  const std::string script = folder.write("long.bp", kHead + kShared.at("means")),
                    file = (folder.path / "long.model/last.safetensors").string();
  const std::string command = fmt::format(
      "{} {} train {} --real=f64 --threads=1 --steps=100000000 & p=$!; while ! [ -e {} ]; do sleep 0.1; done; "
      "kill -9 $(pgrep -P $p | tail -n 1); wait $p",
      fmt::join(mpirun(3), " "), bpc_path(), script, file);
  const Finished killed = run({"sh", "-c", command}, {}, 120);
  INFO(killed.out << killed.err);
  CHECK_FALSE(killed.timed_out);
  CHECK(killed.code != 0);
  const Finished resumed = train(script, {"--real=f64", "--steps=100000000", "--resume", "--max-seconds=3"});
  CHECK(resumed.err.find("error[E0512]") == std::string::npos);
  CHECK(kept(file).contains("W"));
}
