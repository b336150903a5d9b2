// Ctrl-C, --max-seconds and memory that runs out while bpc compiles: whatever it is doing, it ends, and keeps what it has printed.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <chrono>

#include "tests/support/process.h"

namespace {

using namespace bpc::test;

// `bpc` with these words, and SIGINT after that time.
Finished interrupted(std::vector<std::string> words, std::string_view input, double seconds) {
  words.insert(words.begin(), {"timeout", "--preserve-status", "-s", "INT", fmt::to_string(seconds), bpc_path()});
  return run(words, input, seconds + 30);
}

// A machine under load may need more than a second to come to the first `print`: it gets more then. It must end at once each time.
void check_ends(const std::vector<std::string>& words, const std::string& script, const std::string& printed = {}) {
  Finished finished;
  for (double seconds : {1.0, 3.0, 10.0}) {
    finished = interrupted(words, script, seconds);
    INFO(fmt::format("{}\n{}", fmt::join(words, " "), script.substr(0, 300)) << finished.err);
    CHECK_FALSE(finished.timed_out);
    CHECK(finished.code == 130);
    CHECK(finished.err.empty());
    if (!finished.out.empty()) break;
    if (printed.empty()) return;
  }
  INFO(fmt::format("{}\n{}", fmt::join(words, " "), script.substr(0, 300)));
  CHECK(finished.out == printed);
}

std::string long_script(int statements) {
  std::string text = "param w = 0.5\nx = 1.0\n";
  for (int i = 0; i < statements; ++i) text += "x = sin(x)*w + x\n";
  return text + "loss J = x\n";
}

}  // namespace

TEST_CASE("the first Ctrl-C ends what no loop polls") {
  for (const char* backend : {"--backend=jit", "--backend=interp"}) {
    check_ends({"run", "-", backend}, "print \"before\"\nx = full([6000, 6000], 1)\ny = sum(x @ x @ x)\nprint y\n", "before\n");
    check_ends({"run", "-", backend}, "y = sum(cholesky(2 * eye(10000)))\n");
  }
  check_ends({"run", "-"}, "print \"before\"\ny = sum(broadcast_to(1.0, [1000000000000]))\nprint y\n", "before\n");
  check_ends({"run", "-"}, "y = sum(sin(arange(100000000000)))\n");
  check_ends({"run", "-"}, "y = sum([sin(real(i)) for i in 0..2000000000, j in 0..100])\n");
}

TEST_CASE("the first Ctrl-C ends every stage of compiling, and waiting for input") {
  check_ends({"check", "-"}, long_script(200'000));
  check_ends({"run", "-", "-O3"}, long_script(20'000));
  check_ends({"fmt", "-"}, long_script(200'000));
  const Finished waiting = run({"sh", "-c", "sleep 5 | timeout --preserve-status -s INT 0.5 \"$0\" run -", bpc_path()}, {}, 30);
  CHECK(waiting.code == 130);
}

TEST_CASE("the flag --max-seconds ends any stage and names it") {
  struct Stage {
    std::vector<std::string> words;
    std::string script, stage, printed;
  };
  const Stage stages[] = {
      {{"run", "-"}, "print 1\ny = sum(broadcast_to(1.0, [1000000000000]))\nprint y\n", "run", "1\n"},
      {{"run", "-", "--backend=interp"}, "x = 1\nwhile x > 0 { x = x + 1 }\n", "run", ""},
      {{"bench", "-"}, "y = sum(broadcast_to(1.0, [1000000000000]))\n", "run", ""},
      {{"check", "-"}, long_script(200'000), "parse, resolve names", ""},
      {{"fmt", "-"}, long_script(200'000), "parse, format", ""},
  };
  for (const Stage& stage : stages) {
    Finished finished;
    std::string said;
    for (double seconds : {0.5, 5.0, 25.0}) {  // a machine under load comes to the stage later
      std::vector<std::string> words = stage.words;
      words.push_back(fmt::format("--max-seconds={}", seconds));
      finished = run_bpc(words, stage.script, seconds + 30);
      CHECK(finished.code == 1);
      said = fmt::format("error[E0410]: {} s are over, and the stage `{}` is not done\n = help: `--max-seconds` sets the limit\n", seconds,
                         stage.stage);
      if (finished.err == said) break;
    }
    INFO(fmt::format("{}\n", fmt::join(stage.words, " ")));
    CHECK(finished.out == stage.printed);
    CHECK(finished.err == said);
  }
  const Finished json = run_bpc({"run", "-", "--max-seconds=0.3", "--diagnostics=json"}, stages[0].script);
  CHECK(json.err.find("\"code\":\"E0410\"") != std::string::npos);
  CHECK(run_bpc({"run", "examples/tutorial.bp", "--max-seconds=60"}).code == 0);
  CHECK(run_bpc({"run", "examples/tutorial.bp", "--max-seconds=0"}).code == 2);
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("memory that runs out while compiling is told with the stage") {
  for (const char* kilobytes : {"300000", "400000"}) {
    const Finished finished =
        run({"sh", "-c", fmt::format("ulimit -v {}; exec \"$0\" run -O2 -", kilobytes), bpc_path()}, long_script(100'000), 60);
    INFO(finished.err);
    CHECK(finished.code == 1);
    CHECK(finished.err.find("error[E0406]: there is not enough memory: it ran out in the stage `") != std::string::npos);
  }
}
#endif
