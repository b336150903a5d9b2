// Standard streams that are full, closed or not read: every command says so and ends.
#include <catch2/catch.hpp>

#include "tests/support/process.h"

namespace {

using bpc::test::Finished;
using Catch::Matchers::Contains;

struct Case {
  std::string command, good, bad;  // words that print results; words that fail with exit code `code`
  int code = 2;
};
const std::vector<Case> kCases{
    {"run", "examples/tutorial.bp", "no_such.bp"},
    {"run --json", "examples/tutorial.bp", "no_such.bp"},
    {"check", "examples/tutorial.bp", "no_such.bp"},
    {"check --grad", "examples/tutorial.bp", "no_such.bp"},
    {"emit --as=ir", "examples/tutorial.bp", "no_such.bp"},
    {"emit --as=asm", "examples/tutorial.bp", "no_such.bp"},
    {"opt", "- <<X\nX", "no_such.ir"},
    {"fmt", "- < examples/tutorial.bp", "no_such.bp"},
    {"fmt --diff", "- <<X\nx=1\nX", "no_such.bp"},
    {"test", "tests/run/arithmetic.bp", "no_such.bp", 1},
    {"bench --count", "examples/tutorial.bp", "no_such.bp"},
    {"rules", "", "softmx"},
    {"rules --markdown", "", "--nonsense"},
    {"--help", "", "me"},
    {"--version", "", "--nonsense"},
    {"run --help", "", "", 0},
};

Finished shell(const std::string& words, const std::string& redirection) {
  const std::size_t document = words.find('\n');  // a here-document follows the line
  const std::string line = words.substr(0, document), rest = document == std::string::npos ? "" : words.substr(document);
  return bpc::test::run({"sh", "-c", "\"" + bpc::test::bpc_path() + "\" " + line + " " + redirection + rest}, {}, 30);
}

}  // namespace

TEST_CASE("results that cannot be written are exit 2 and a sentence") {
  for (const Case& each : kCases)
    for (const std::string redirection : {">/dev/full", ">&-"}) {
      if (each.command == "opt") continue;  // an empty module prints nothing
      Finished finished = shell(each.command + " " + each.good, redirection);
      INFO(each.command << " " << redirection << "\n" << finished.err);
      CHECK(finished.code == 2);
      CHECK_THAT(finished.err, Contains("error[E0507]: cannot write to standard output: "));
    }
  Finished opt = bpc::test::run({"sh", "-c", "B='" + bpc::test::bpc_path() + "'; $B emit examples/tutorial.bp | $B opt - >/dev/full"});
  CHECK(opt.code == 2);
  CHECK_THAT(opt.err, Contains("E0507"));
}

TEST_CASE("messages that cannot be written change nothing else") {
  for (const Case& each : kCases)
    for (const std::string redirection : {"2>/dev/full", "2>&-"}) {
      Finished finished = shell(each.command.starts_with("--") ? each.bad : each.command + " " + each.bad, redirection);
      INFO(each.command << " " << redirection);
      CHECK(finished.code == each.code);
    }
  Finished finished = shell("run examples/tutorial.bp", "2>&-");
  CHECK(finished.code == 0);
  CHECK_THAT(finished.out, Contains("J = 2"));
}

TEST_CASE("a loop that prints ends when nobody can read it") {
  const std::string script = " - <<X\ni = 0\nwhile i < 1 { print i }\nX";
  for (const std::string backend : {"--backend=jit", "--backend=interp"}) {
    CHECK(shell("run " + backend + script, ">/dev/full").code == 2);
    Finished pipe = bpc::test::run({"bash", "-c",
                                    "trap '' PIPE; { " + bpc::test::bpc_path() + " run " + backend +
                                        " <(printf 'while true { print 1 }\\n'); echo $? >&2; } | head -1"});
    INFO(pipe.err);
    CHECK_THAT(pipe.err, Contains("Broken pipe") && Contains("\n2\n"));
  }
}

TEST_CASE("a closed stream does not become a file that is written to") {
  // fmt opens files while standard output is closed; what goes there must not end up in them.
  Finished finished = bpc::test::run(
      {"sh", "-c", "f=$(mktemp); printf 'x=1\\n' > $f; '" + bpc::test::bpc_path() + "' fmt $f >&- 2>&- <&-; echo $?; cat $f; rm $f"});
  CHECK(finished.out == "0\nx = 1\n");
}

TEST_CASE("nothing that LLVM notices reaches the user") {
  const Finished finished = bpc::test::run_bpc({"run", "-", "--real=f64"},
                                               "param a0 = -0.2\nparam W2 : [2, 2] = [[0.278, -0.8], [0.35, 0.557]]\n"
                                               "n4 = argmax(round(16 * (broadcast_to(a0, [2]) * full([1], -1.126))))\n"
                                               "v = square(norm(W2[:, [i % 2 for i in 0..4]], axis=-2))\n"
                                               "y = expm1(0.5 * tanh(sum(v for j in 0..n4))) + 0.2 * v\n");
  CHECK(finished.code == 0);
  CHECK(finished.err.empty());
}

TEST_CASE("in a folder where nothing can be written") {
  for (const Case& each : kCases) {
    if (each.good.find("-") == 0) continue;
    Finished finished = bpc::test::run(
        {"sh", "-c",
         "f=$PWD; cd /proc && \"" + bpc::test::bpc_path() + "\" " + each.command + " " + (each.good.empty() ? "" : "$f/" + each.good)});
    INFO(each.command << "\n" << finished.err);
    CHECK(finished.code == 0);
    CHECK(finished.err.empty());
  }
}
