// `bpc train`: what it keeps, and what ends it.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "tests/command/trainings.h"

using namespace bpc::test;
using nlohmann::json;
namespace fs = std::filesystem;

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
  const std::string png = (folder.path / "c.png").string();
  REQUIRE(train(script, {"--plot", png}).code == 0);
  CHECK(read_file(png).starts_with("\x89PNG\r\n"));
  check_refused(train(script, {"--plot", "c.gif"}), 2, "names no .svg or .png file");
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
