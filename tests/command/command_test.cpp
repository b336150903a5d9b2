// The command as a new user meets it: usage, help, wrong words, exit codes, streams.
#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/process.h"

namespace {

using bpc::test::Finished;
using bpc::test::run_bpc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

const std::vector<std::string> kCommands{"run", "check", "emit", "opt", "fmt", "test", "bench", "rules"};

// A file of its own folder that is gone afterwards.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::string& text)
      : folder_(std::filesystem::temp_directory_path() / ("bpc-command-test-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    path_ = folder_ / name;
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() { std::filesystem::remove_all(folder_); }
  std::string path() const { return path_.string(); }
  std::string text() const { return bpc::test::read_file(path_.string()); }

 private:
  std::filesystem::path folder_, path_;
};

}  // namespace

TEST_CASE("the tutorial prints exactly what the language page says") {
  const std::string expected = "a1 = 2\na2 = 7\nJ = 2\n\ndJ/dw1 = 6\ndJ/db1 = 6\ndJ/dw2 = 4\ndJ/db2 = 2\n";
  for (const char* backend : {"--backend=jit", "--backend=interp"}) {
    Finished finished = run_bpc({"run", "examples/tutorial.bp", backend});
    CHECK(finished.out == expected);
    CHECK(finished.err.empty());
    CHECK(finished.code == 0);
  }
}

TEST_CASE("bpc alone says how to begin") {
  Finished finished = run_bpc({});
  CHECK(finished.code == 2);
  CHECK(finished.out.empty());
  for (const std::string& command : kCommands) CHECK_THAT(finished.err, Contains("  " + command));
}

TEST_CASE("help and version") {
  CHECK(run_bpc({"--help"}).code == 0);
  CHECK_THAT(run_bpc({"--help"}).out, Contains("Usage: bpc COMMAND FILE"));
  CHECK_THAT(run_bpc({"--version"}).out, StartsWith("bpc "));
  for (const std::string& command : kCommands) {
    Finished finished = run_bpc({command, "--help"});
    INFO(finished.out << finished.err);
    CHECK(finished.code == 0);
    CHECK_THAT(finished.out, Contains("Usage: bpc " + command));
  }
}

TEST_CASE("wrong words get a suggestion and exit 2") {
  CHECK_THAT(run_bpc({"rum", "x.bp"}).err, Contains("did you mean `bpc run x.bp`"));
  CHECK_THAT(run_bpc({"examples/tutorial.bp"}).err, Contains("bpc run examples/tutorial.bp"));
  CHECK_THAT(run_bpc({"run", "--bakend=jit", "examples/tutorial.bp"}).err, Contains("did you mean `--backend`"));
  CHECK_THAT(run_bpc({"emit", "--as=lvm", "examples/tutorial.bp"}).err, Contains("did you mean `llvm`"));
  CHECK_THAT(run_bpc({"emit", "--as=json", "examples/tutorial.bp"}).err, Contains("E0199"));
  CHECK_THAT(run_bpc({"repl", "examples/tutorial.bp"}).err, Contains("E0199"));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"rum"},
                                                                                     {"run"},
                                                                                     {"run", "--nonsense", "examples/tutorial.bp"},
                                                                                     {"run", "-O7", "examples/tutorial.bp"},
                                                                                     {"run", "no_such.bp"},
                                                                                     {"run", "examples"},
                                                                                     {"repl", "examples/tutorial.bp"},
                                                                                     {"emit", "--as=json", "examples/tutorial.bp"},
                                                                                     {"run", "examples/tutorial.bp", "--set", "q=1"},
                                                                                     {"run", "examples/tutorial.bp", "--set", "x"},
                                                                                     {"run", "examples/tutorial.bp", "--params", "none"}}) {
    Finished finished = run_bpc(words);
    INFO(words.back() << finished.err);
    CHECK(finished.code == 2);
    CHECK_FALSE(finished.err.empty());
    CHECK(finished.out.empty());
  }
}

TEST_CASE("values from the command line") {
  std::string script = "dim H = 2\ninput x = 1\nparam w : [H] = 3\ny = x * w\nloss J = sum(y)\n";
  Finished finished = run_bpc({"run", "-", "--set", "H=3", "--set", "x=4", "--set", "w=[1,2,3]"}, script);
  INFO(finished.err);
  CHECK(finished.out == "y = [4, 8, 12]\nJ = 24\n\ndJ/dw = [4, 4, 4]\n");
}

TEST_CASE("data from the command line") {
  TemporaryFile table("t.csv", "x,label\n1,b\n2,a\n4,b\n");
  std::string script = "dim N\ninput x : [N]\ninput t : i32[N]\ninput k = 2\nj = k * sum(x)\nc = sum(t)\n";
  Finished finished = run_bpc({"run", "-", "--data", table.path(), "--data", "t=" + table.path() + "[label]"}, script);
  INFO(finished.err);
  CHECK(finished.out == "j = 14\nc = 2\n");
}

TEST_CASE("json holds everything") {
  Finished finished = run_bpc({"run", "-", "--json"}, "param w = 0.1\nv = [1/0, 2]\nprint \"hi\", w\nloss J = 2*w\n");
  INFO(finished.err);
  auto object = nlohmann::json::parse(finished.out);
  CHECK(object["values"]["v"] == nlohmann::json::parse("[\"inf\", 2]"));
  CHECK(object["values"]["J"] == 0.2);
  CHECK(object["grads"]["w"] == 2);
  CHECK(object["prints"] == nlohmann::json::parse("[\"hi 0.1\"]"));
}

TEST_CASE("bench times value and gradient") {
  Finished table = run_bpc({"bench", "examples/tutorial.bp", "--repeats=7"});
  INFO(table.out << table.err);
  CHECK_THAT(table.out, Contains("median  spread  fastest") && Contains("value + gradient") && Contains("ratio"));
  for (const char* backend : {"jit", "interp"}) {
    Finished finished = run_bpc({"bench", "examples/tutorial.bp", "--repeats=7", "--json", std::string("--backend=") + backend});
    INFO(finished.out << finished.err);
    auto object = nlohmann::json::parse(finished.out);
    CHECK(object["backend"] == backend);
    for (const char* subject : {"value", "gradient"}) {
      CHECK(object[subject]["repeats"] == 7);
      CHECK(object[subject]["fastest"] > 0);
      CHECK(object[subject]["median"] >= object[subject]["fastest"]);
      CHECK(object[subject]["cpu"] > 0);
      CHECK(object[subject]["spread"] >= 0);
      CHECK(object[subject]["compiling"] > 0);
      const bool is_compiled = std::string_view(backend) == "jit";
      CHECK(object[subject]["operations"].is_null() != is_compiled);
      CHECK((object[subject]["bytes"] > 0) == is_compiled);
    }
    CHECK(object["ratio"] > 0);
    CHECK(object["peak"]["operations"] > 1e8);
    CHECK(object["peak"]["bytes"] > 1e7);
  }
}

TEST_CASE("bench counts what a run computes, if that is known before") {
  const struct {
    const char* script;
    nlohmann::json operations, bytes;
  } cases[] = {
      {"input a : [40, 50] = ones()\ninput b : [50, 60] = ones()\ny = a @ b\n", 2 * 40 * 50 * 60, 4 * (40 * 50 + 50 * 60 + 40 * 60)},
      {"input x : [1000] = ones()\ny = exp(x)*x\n", 2000, 8000},
      {"input x = 0.5\ny = 1.0\nfor i in 0..10 { y = sin(x*y) }\n", 20, 8},
      {"input x = 0.5\ny = x\nwhile y < 10 { y = y*2 }\n", nullptr, 8}};
  for (const auto& [script, operations, bytes] : cases) {
    Finished finished = run_bpc({"bench", "-", "--repeats=1", "--json"}, script);
    INFO(script << finished.out << finished.err);
    auto object = nlohmann::json::parse(finished.out);
    CHECK(object["value"]["operations"] == operations);
    CHECK(object["value"]["bytes"] == bytes);
  }
}

TEST_CASE("a profile names the steps of compiled code, the author's lines they come from, and what bounds them") {
  const std::string script =
      "input x : [64, 300] = normal(0, 1)\nparam W : [300, 200] = glorot()\nh = tanh(x @ W)\n"
      "a = softmax(h)\nloss J = mean(square(a))\n";
  Finished finished = run_bpc({"bench", "-", "--profile", "--repeats=3", "--json", "--threads=1"}, script);
  INFO(finished.out << finished.err);
  REQUIRE(finished.code == 0);
  auto object = nlohmann::json::parse(finished.out);
  CHECK(object["run"] > 0);
  std::set<std::string> lines, steps;
  for (const auto& step : object["steps"]) {
    CHECK(step["runs"] == 1);
    CHECK(step["seconds"] >= 0);
    CHECK(step["bytes"] > 0);
    const std::string bound = step["bound"];
    CHECK((bound == "compute" || bound == "memory" || bound == "latency"));
    steps.insert(step["what"].get<std::string>());
    for (const auto& line : step["lines"]) lines.insert(line.get<std::string>());
    if (step["what"].get<std::string>().starts_with("contraction")) {
      CHECK(step["lines"] == nlohmann::json::parse("[\"3\"]"));
      CHECK(step["operations"] == 2 * 64 * 300 * 200);
    }
  }
  CHECK(lines == std::set<std::string>{"3", "4", "5"});
  CHECK(std::count_if(steps.begin(), steps.end(), [](const std::string& step) { return step.starts_with("contraction"); }) == 2);

  Finished table = run_bpc({"bench", "-", "--profile", "--repeats=3"}, script);
  INFO(table.out << table.err);
  CHECK_THAT(table.out, Contains("bound by  lines, step") && Contains("3: contraction m ") && Contains("between these"));
  CHECK(run_bpc({"bench", "-", "--profile", "--count"}, script).code == 2);
  Finished interpreted = run_bpc({"bench", "-", "--profile", "--backend=interp"}, script);
  CHECK(interpreted.code == 2);
  CHECK_THAT(interpreted.err, Contains("E0510"));
}

TEST_CASE("what a branch reads of an array that a loop updates is kept, not the array") {
  const std::string start =
      "fn branch(x, j) {\n  y = 0.5\n  if x[j] > 0.1 { y = sin(x[j - 1]) } else { y = x[j] }\n  return y\n}\n"
      "fn turns(x, j) {\n  y = 0.5\n  for k in 0..3 { y = sin(y + x[j]) }\n  return y\n}\n"
      "dim L = 50\nparam a = 0.5\nx = [0.3 * sin(0.7 * i + a) for i in 0..L]\ns = 0.5\n";
  for (const std::string loop :
       {"for j in 1..L {\n  if x[(3 * j) % L] > 0.1 { x[j] = tanh(x[(3 * j) % L]) }\n  s = 0.5 * sin(s + x[j])\n}\n",
        "for j in 1..L {\n  if s > 0 { if x[j] > 0.1 { x[j] *= x[j - 1] } else { x[j] = sin(x[j]) } }\n  s = 0.5 * sin(s + x[j])\n}\n",
        "j : i32 = 1\nwhile j < L {\n  for k in 0..2 { x[j] = sin(x[j]) * x[j - 1] }\n  s = 0.5 * sin(s + x[j])\n  j += 1\n}\n",
        "for j in 1..L {\n  if s > 0 { x[j] = checkpoint(sin(x[j] + x[(7 * j) % L])) }\n  s = 0.5 * sin(s + x[j])\n}\n",
        "for j in 1..L {\n  x[j] = checkpoint(checkpoint(sin(x[(3 * j) % L])) * x[j])\n  s = 0.5 * sin(s + x[j])\n}\n",
        "for j in 1..L {\n  x[j] = checkpoint(branch(x, j) * checkpoint(turns(x, j)))\n  s = 0.5 * sin(s + x[j])\n}\n",
        "for j in 1..L {\n  if s > 0 { s += sum(sin(x[[j, 0]])) }\n  x[j] = 0.5 * sin(s)\n}\n"}) {
    for (const char* length : {"L=50", "L=400"}) {
      Finished finished = run_bpc({"bench", "-", "--count", "--json", "--set", length}, start + loop + "loss J = s\n");
      INFO(loop << length << finished.out << finished.err);
      CHECK(nlohmann::json::parse(finished.out)["ratio"] < 8);
    }
  }
}

TEST_CASE("bench counts operations") {
  // The value takes 3 products and a sum of 3; what is printed, or not the loss, is left out.
  std::string script = "param x = [1.0, 2.0, 3.0]\nprint sum(exp(x))\nunused = exp(x)\nloss J = sum(2 * x)\n";
  Finished finished = run_bpc({"bench", "-", "--count", "--json"}, script);
  INFO(finished.out << finished.err);
  auto object = nlohmann::json::parse(finished.out);
  CHECK(object["value"]["elementwise"] == 3);
  CHECK(object["value"]["reduced"] == 3);
  CHECK(object["value"]["operations"] == 6);
  CHECK(object["gradient"]["reduced"] == 3);
  CHECK(object["ratio"] == object["gradient"]["operations"].get<double>() / 6);
  CHECK_THAT(run_bpc({"bench", "-", "--count"}, script).out, Contains("operations") && Contains("peak bytes"));

  Finished no_loss = run_bpc({"bench", "-", "--count", "--json"}, "x = [1.0, 2.0]\ny = sum(exp(x))\n");
  object = nlohmann::json::parse(no_loss.out);
  CHECK(object["value"].is_object());
  CHECK_FALSE(object.contains("gradient"));
}

TEST_CASE("what fails while it is measured is said") {
  std::string script = "param x = [1.0, 2.0]\ninput i : i32 = 5\nloss J = sum(x) * (i // 0)\n";
  for (const char* flag : {"--count", "--repeats=3"}) {
    Finished finished = run_bpc({"bench", "-", flag}, script);
    CHECK(finished.code == 1);
    CHECK(finished.out.empty());
    CHECK_THAT(finished.err, Contains("E0403"));
  }
}

TEST_CASE("messages as json") {
  Finished finished = run_bpc({"check", "-", "--diagnostics=json"}, "y = z\n");
  auto object = nlohmann::json::parse(finished.err);
  CHECK(object["code"] == "E0103");
  CHECK(object["line"] == 1);
  CHECK(object["column"] == 5);
}

TEST_CASE("check without data keeps free dims apart") {
  CHECK(run_bpc({"check", "-"}, "dim N\ninput x : [N, 3]\ny = x @ ones([3])\n").code == 0);
  CHECK(run_bpc({"check", "-"}, "dim N\ninput x : [N, 3]\ny = x @ ones([4])\n").code == 1);
  CHECK(run_bpc({"check", "-"}, "dim N\ninput x : [N]\ny = x + ones([100])\n").code == 1);
}

TEST_CASE("check --grad shows its table and the cost") {
  Finished finished = run_bpc({"check", "--grad", "examples/tutorial.bp"});
  INFO(finished.out << finished.err);
  CHECK(finished.code == 0);
  CHECK_THAT(finished.out, StartsWith("param"));
  CHECK_THAT(finished.out, Contains("w1") && Contains("ok") && Contains("central differences:") && Contains("backprop:"));
  Finished kink = run_bpc({"check", "--grad", "-"}, "param w = 0\nloss J = relu(w)\n");
  CHECK(kink.code == 0);
  CHECK_THAT(kink.out, Contains("kink"));
  CHECK_THAT(kink.err, Contains("W0302"));
}

TEST_CASE("opt rejects what is no IR") {
  Finished finished = run_bpc({"opt", "-"}, "func main {\n  %x = nonsense\n}\n");
  CHECK(finished.code == 1);
  CHECK_THAT(finished.err, Contains("E0508"));
  Finished pass = run_bpc({"opt", "-", "--passes=simplfy"}, "");
  CHECK(pass.code == 2);
  CHECK_THAT(pass.err, Contains("did you mean `simplify`"));
}

TEST_CASE("fmt writes in place, and only if something changes") {
  TemporaryFile script("s.bp", "x=1 # one\ny  =  x+2\n");
  CHECK(run_bpc({"fmt", "--check", script.path()}).code == 1);
  CHECK_THAT(run_bpc({"fmt", "--diff", script.path()}).out, Contains("-y  =  x+2\n"));
  CHECK(run_bpc({"fmt", script.path()}).code == 0);
  std::string once = script.text();
  CHECK_THAT(once, Contains("y = x+2") && Contains("# one"));
  CHECK(run_bpc({"fmt", "--check", script.path()}).code == 0);
  CHECK(run_bpc({"fmt", "-"}, "x=1 # one\ny  =  x+2\n").out == once);
  CHECK(run_bpc({"fmt", "-"}, "x = (1\n").code == 1);
  TemporaryFile unwritable(std::string(252, 'a') + ".bp", "x=1\n");  // no room for a temporary name beside it
  Finished finished = run_bpc({"fmt", unwritable.path()});
  CHECK(finished.code == 2);
  CHECK_THAT(finished.err, Contains("E0507"));
}

TEST_CASE("test tells what does not hold") {
  Finished good = run_bpc({"test", "-"}, "x = 2\n# expect: x = 2\n# expect: x = 2.1 within 0.2\n");
  INFO(good.err);
  CHECK(good.code == 0);
  Finished bad = run_bpc({"test", "-"}, "x = 2\n# expect: x = 3\n# expect: y = 3\n# expect-error: E0201\n");
  CHECK(bad.code == 1);
  CHECK_THAT(bad.err, Contains("E0509") && Contains("`x` is 2, not 3") && Contains("there is no value `y`") && Contains("E0201"));
  CHECK_THAT(bad.out, Contains("0 passed, 1 failed"));
  CHECK(run_bpc({"test", "-"}, "x = y\n# expect-error: E0103\n").code == 0);
  CHECK(run_bpc({"test", "-"}, "x = y\n").code == 1);
}

TEST_CASE("limits") {
  Finished memory = run_bpc({"run", "-", "--max-memory=1M"}, "x = sin(arange(0, 4000000))\ny = sum(x)\nprint x\n");
  CHECK(memory.code == 1);
  CHECK_THAT(memory.err, Contains("E0406"));
}

TEST_CASE("Ctrl-C stops an endless loop") {
  for (const char* backend : {"--backend=jit", "--backend=interp"}) {
    TemporaryFile script("endless.bp", "x = 1\nwhile x > 0 { x = x + 1; x = x - 1 }\n");
    Finished finished =
        bpc::test::run({"timeout", "--preserve-status", "-s", "INT", "2", bpc::test::bpc_path(), "run", script.path(), backend});
    CHECK(finished.code == 130);
    CHECK_FALSE(finished.timed_out);
  }
}

TEST_CASE("rules shows an operator with its derivative, or a library function") {
  Finished tanh = run_bpc({"rules", "tanh"});
  CHECK(tanh.out ==
        "tanh(x)\n    hyperbolic tangent\n    shape: that of x\n    dx = dy * (1 - y * y)\n    example: tanh([-1, 0, 1]) gives "
        "[-0.7615942, 0, 0.7615942]\n");
  CHECK(tanh.code == 0);
  CHECK_THAT(run_bpc({"rules", "*"}).out, Contains("da = dy * b\n    db = dy * a\n"));
  CHECK_THAT(run_bpc({"rules", "sum"}).out, Contains("y = sum(x, axis=1) with x [2, 3]:\n"));
  CHECK_THAT(run_bpc({"rules", "gelu"}).out, Contains("fn gelu(x) = "));
  CHECK_THAT(run_bpc({"rules"}).out, Contains("---- Contractions ----"));
  CHECK_THAT(run_bpc({"rules", "@"}).out, StartsWith("a @ b\n") && Contains("da = dy @ b.T\n"));
  CHECK_THAT(run_bpc({"rules", ".T"}).out, StartsWith("x.T\n") && Contains("dx = dy.T\n"));
  for (const std::string form : {"a @ b", "x.T", "x[i]", "x[a..b by s]", "x[i] += v", "not x", "a // b"})
    CHECK(run_bpc({"rules", form}).code == 0);
  Finished wrong = run_bpc({"rules", "softmx"});
  CHECK_THAT(wrong.err, Contains("no operator or function `softmx`") && Contains("did you mean `softmax`?"));
  CHECK(wrong.code == 2);
}

TEST_CASE("rules says where the words of the language are told of that are no operators") {
  const std::string page = bpc::test::read_file(bpc::test::source_dir() + "/docs/language.md");
  for (const std::string word :
       {"if",     "else", "for",    "while", "by",      "in",    "param", "loss",     "print", "assert", "input", "const", "dim", "fn",
        "return", "from", "import", "seed",  "adjoint", "train", "break", "continue", "..",    "+=",     "=",     "pi",    "true"}) {
    Finished finished = run_bpc({"rules", word});
    INFO(finished.err);
    CHECK(finished.code == 2);
    CHECK_THAT(finished.err, Contains("`" + word + "` is ") && Contains(", and no operator or function\n"));
    const std::size_t open = finished.err.find("see \"") + 5, close = finished.err.find("\" in docs/language.md\n");
    REQUIRE(close < finished.err.size());
    const std::size_t section = page.find("\n## " + finished.err.substr(open, close - open) + "\n");
    REQUIRE(section < page.size());
    CHECK(page.substr(section, page.find("\n## ", section + 4) - section).find(word) < page.size());
  }
  CHECK_THAT(run_bpc({"rules", "ln"}).err, Contains(" = help: the natural logarithm is `log(…)`\n"));
}

TEST_CASE("the seed of the command line changes draws") {
  TemporaryFile script("draw.bp", "seed 3\nx = normal(0, 1, [2])\n");
  const std::string own = run_bpc({"run", script.path()}).out;
  CHECK(own == run_bpc({"run", "--seed=3", "--backend=interp", script.path()}).out);
  CHECK(own != run_bpc({"run", "--seed=4", script.path()}).out);
}
