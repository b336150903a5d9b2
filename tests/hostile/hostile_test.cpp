// Input that asks for more than there is: each ends soon, in 8 GB of address space, with a coded message.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <functional>

#include "tests/support/process.h"

namespace {

using namespace bpc::test;

constexpr double kSoon = 20;  // seconds; two on a machine that does nothing else

// `bpc` with these words, under a limit of memory that sanitizers need more than.
Finished run_limited(std::vector<std::string> words, std::string_view input) {
#ifdef __SANITIZE_ADDRESS__
  return run_bpc(std::move(words), input, 20 * kSoon);
#else
  words.insert(words.begin(), {"sh", "-c", "ulimit -v 8000000; exec \"$@\"", "sh", bpc_path()});
  return run(words, input, kSoon);
#endif
}

std::string lines(int from, int to, const std::function<std::string(int)>& line) {
  std::string text;
  for (int i = from; i < to; ++i) text += line(i) + "\n";
  return text;
}

std::string sizes(std::size_t count) {
  std::string text = "1";
  for (std::size_t i = 1; i < count; ++i) text += ", 1";
  return "[" + text + "]";
}

struct Case {
  std::string script, code;
  std::vector<std::string> words{"run"};
};

void check(const Case& example) {
  std::vector<std::string> words = example.words;
  words.insert(words.begin() + 1, "-");
  const Finished finished = run_limited(words, example.script);
  INFO(
      fmt::format("{}\n{}\nexit {}: {}", fmt::join(words, " "), example.script.substr(0, 300), finished.code, finished.err.substr(0, 500)));
  CHECK_FALSE(finished.timed_out);
  CHECK(finished.code == (example.code.starts_with("E05") && example.code != "E0508" ? 2 : 1));
  CHECK(finished.err.find("error[" + example.code + "]") != std::string::npos);
  CHECK(finished.err.find("error[", 1) == std::string::npos);  // one fault, one message
}

}  // namespace

TEST_CASE("calls that expand without end are stopped") {
  for (const char* body : {"{0}(x) + {0}(x)", "{0}({0}(x))", "{0}(x) * {0}(x + 1)", "sum([{0}(x) for i in 0..2]) + {0}(x)"}) {
    const std::string functions = "fn g0(x) = x\n" + lines(1, 60, [&](int i) {
                                    return fmt::format("fn g{}(x) = ", i) + fmt::format(fmt::runtime(body), fmt::format("g{}", i - 1));
                                  });
    check({functions + "input a = 1\ny = g59(a)\n", "E0107", {"check"}});
    check({functions + "y = g59(1.5)\nz = [g59(2), 1]\n", "E0107"});
  }
  const std::string sizes = "fn g0(n) = n\n" + lines(1, 60, [](int i) { return fmt::format("fn g{0}(n) = g{1}(n) + g{1}(n)", i, i - 1); });
  check({sizes + "dim N = 1\ny = zeros([g59(N)])\n", "E0107"});
}

TEST_CASE("derivatives that expand without end are stopped") {
  auto nested = [](const std::string& start, int levels) {
    return "param x = 0.5\n" + start + lines(1, levels, [](int i) { return fmt::format("y{} = grad(y{}, x)", i, i - 1); });
  };
  check({nested("y0 = sin(x) * exp(x) / (1 + x^2)\n", 15), "E0107", {"check"}});
  check({nested("y0 = x\nfor i in 0..3 { y0 = sin(y0) * exp(x) }\n", 15), "E0107", {"check"}});
  check({nested("y0 = x\nk = 0\nwhile k < 3 {\n  y0 = y0 * exp(x) + tanh(y0)\n  k += 1\n}\n", 15), "E0107", {"check"}});
}

TEST_CASE("shapes that no tensor has are refused") {
  check({"y = zeros([4294967296, 4294967296])\n", "E0210"});
  check({"input x : [4294967296, 4294967296] = 0\ny = x\n", "E0210"});
  check({"y = reshape(ones([4]), [4294967296, 4294967296, 4])\n", "E0210"});
  check({"y = sum(eye(4294967296))\n", "E0210"});
  check({"y = zeros(" + sizes(300) + ")\n", "E0204"});
  check({"y = zeros(" + sizes(60000) + ")\n", "E0204", {"run", "--backend=interp"}});
  check({"x = zeros(" + sizes(32) + ")\ny = stack([x, x])\n", "E0204"});
  check({"x = zeros(" + sizes(32) + ")\ny = [x for i in 0..2]\n", "E0204"});
  check({"param w : " + sizes(17) + " = 1\nH = hessian(sum(w^2), w)\n", "E0204"});
  check({std::string("y = ") + std::string(150, '[') + "1" + std::string(150, ']') + "\n", "E0204"});
  check({"param w : [1024] = 1\nH = hessian(sum(broadcast_to(w, [536870912, 1024])^2), w)\n", "E0210"});
  auto module = [](const std::string& type) { return "module real=f32 seed=0\n\nfunction main {\n  %x = input \"x\" : " + type + "\n}\n"; };
  for (const std::string& type :
       {std::string("f32[4294967296, 4294967296]"), std::string("f32[1099511627776, 16777216]"), "f32" + sizes(300)})
    check({module(type), "E0508", {"opt"}});
}

TEST_CASE("memory that is not there is told with its place") {
  for (const char* backend : {"--backend=jit", "--backend=interp"}) {
    for (const char* script : {"input n = 1\ny = sort(zeros([4000000000]) + n)\n", "input n = 1\nx = n + 1\ny = zeros([4000000000]) + x\n",
                               "input n = 1\nx = broadcast_to(n, [100000, 100000])\ny = x @ x\n"}) {
      check({script, "E0406", {"run", backend}});
      check({script, "E0406", {"run", backend, "--max-memory=1M"}});
      const Finished finished = run_bpc({"run", "-", backend, "--max-memory=1M"}, script);
      INFO(finished.err);
      CHECK(finished.err.find("--> <stdin>:") != std::string::npos);
    }
  }
}

TEST_CASE("limits of turns and of time end what takes too long") {
  for (const char* backend : {"--backend=jit", "--backend=interp"}) {
    check({"x = 0\nfor i in 0..2000000000 { x += 1 }\n", "E0405", {"run", backend, "--max-iterations=1000"}});
    check(
        {"x = 0\nk : i32 = 5\nwhile k > 0 {\n  for i in 0..k * 1000 { x += 1 }\n}\n", "E0405", {"run", backend, "--max-iterations=4999"}});
    check({"x = 1\nwhile x > 0 { x = x + 1 }\n", "E0410", {"run", backend, "--max-seconds=0.5"}});
  }
  check({"y = sum(broadcast_to(1.0, [1000000000000]))\n", "E0410", {"run", "--max-seconds=0.5"}});
  const std::string many = lines(0, 3000, [](int i) { return fmt::format("param p{0} = {0}\nq{0} = sin(p{0}) * p{0}", i); });
  check({many, "E0410", {"check", "--max-seconds=0.001"}});
}

TEST_CASE("the deepest nesting that is allowed fits any stack") {
  auto repeated = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  const std::string functions =
      "fn f0(x) = sin(x)\n" + lines(1, 250, [](int i) { return fmt::format("fn f{}(x) = f{}(x) * x", i, i - 1); });
  const std::string scripts[] = {
      "param x = 1\ny = " + repeated("(", 199) + "x" + repeated(")", 199) + "\nloss J = y * x\n",
      "param x = 1\nz = 0\n" + repeated("if x > 0 {\n", 150) + "z = x\n" + repeated("}\n", 150) + "loss J = z * x\n",
      functions + "param x = 0.5\nloss J = f249(x)\n"};
  for (const std::string& script : scripts)
    for (const char* command : {"check", "run", "fmt"}) {
      const Finished finished = run({"sh", "-c", "ulimit -s 256; exec \"$0\" \"$1\" -", bpc_path(), command}, script, kSoon);
      INFO(command << " " << script.substr(0, 200) << finished.err);
      CHECK((finished.code == 0 || finished.err.find("error[E0107]") != std::string::npos));
    }
}

TEST_CASE("long programs of scalars compile soon, and say what the interpreter says") {
  for (const char* turn : {"sin(y)*x", "y*x", "y^2 + x", "sin(y)"}) {
    const std::string script = fmt::format("param x = 0.5\ny = x\nfor i in 0..3 {{ y = {} }}\n", turn) + "g0 = grad(y, x)\n" +
                               lines(1, 7, [](int i) { return fmt::format("g{} = grad(g{}, x)", i, i - 1); });
    const Finished wanted = run_limited({"run", "-", "--real=f64", "--backend=interp"}, script);
    const Finished compiled = run_limited({"run", "-", "--real=f64"}, script);
    INFO(script << compiled.err);
    CHECK(compiled.code == 0);
    CHECK(compiled.out == wanted.out);
  }
}
