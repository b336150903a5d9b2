// Words of the command line that are wrong, each answered in a sentence of our own (E0510), exit 2.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/process.h"

namespace {

using bpc::test::Finished;
using bpc::test::run_bpc;
using Catch::Matchers::Contains;

void check_message(std::vector<std::string> words, const std::string& message, const std::string& help = "") {
  Finished finished = run_bpc(words);
  INFO(words.back() << "\n" << finished.err);
  CHECK(finished.code == 2);
  CHECK(finished.out.empty());
  CHECK_THAT(finished.err, Contains("error[E0510]: " + message + "\n") && Contains(help));
}

const std::string kTutorial = "examples/tutorial.bp";

}  // namespace

TEST_CASE("what people write for a flag says what to write here") {
  check_message({"run", kTutorial, "--set", "s", "=", "3"}, "there is a space before `=`", "`--set NAME=VALUE`");
  check_message({"run", kTutorial, "--set", "s", "=3"}, "there is a space before `=`");
  check_message({"emit", "-o", "out.bp", kTutorial}, "`bpc emit` has no flag `-o`", "`> FILE` keeps them");
  check_message({"emit", kTutorial, "--output=out.bp"}, "`bpc emit` has no flag `--output`", "`> FILE` keeps them");
}

TEST_CASE("what does not begin with a command is answered by the whole line") {
  const std::string run = "`bpc run " + kTutorial;
  check_message({"--set", "w1=3", "run", kTutorial}, "`--set` stands before the command",
                "flags stand after the command: " + run + " --set w1=3`\n");
  check_message({"--set=x=[1, 2]", "run", kTutorial, "--full"}, "`--set` stands before the command", run + " --full '--set=x=[1, 2]'`\n");
  check_message({"-v", "--grad", "check", kTutorial}, "`-v` stands before the command", "`bpc check " + kTutorial + " -v --grad`\n");
  check_message({kTutorial, "emit", "--as=bp"}, "`" + kTutorial + "` stands before the command", "`bpc emit --as=bp " + kTutorial + "`\n");
  check_message({"rn", kTutorial}, "there is no command `rn`", "did you mean " + run + "`?\n");
  check_message({"chekc", kTutorial, "--grad"}, "there is no command `chekc`", "did you mean `bpc check " + kTutorial + " --grad`?\n");
  check_message({"rn"}, "there is no command `rn`", "did you mean `run`?\n");  // it would need a FILE
  check_message({kTutorial, "--json"}, "there is no command `" + kTutorial + "`", "write " + run + " --json`\n");
  check_message({"--grad", kTutorial}, "there is no command before `--grad`", "write `bpc check --grad " + kTutorial + "`\n");
  check_message({"examples/tutorial"}, "there is no command `examples/tutorial`", "write " + run + "`\n");
  check_message({"lint", kTutorial}, "there is no command `lint`", "`bpc --help` lists the commands\n");
  check_message({"--nonsense", "run", kTutorial}, "there is no flag `--nonsense`", "`bpc --help` lists the commands\n");
}

TEST_CASE("a file that is not there but for its ending or a letter") {
  const bpc::test::Folder folder;
  const std::string script = folder.write("model.bp", "import \"layers\"\ninput x : [2] from \"data.cvs\"[\"x\"]\ny = sum(x)\n");
  const std::string data = folder.write("data.csv", "x\n1\n2\n"), stem = script.substr(0, script.size() - 3);
  const auto says = [](const std::vector<std::string>& words, const std::string& help) {
    const Finished finished = run_bpc(words);
    INFO(finished.err);
    CHECK(finished.code == 2);
    CHECK_THAT(finished.err, Contains("error[E0502]: cannot read ") && Contains(" = help: " + help));
  };
  says({"run", stem}, "did you mean `" + script + "`?\n");
  says({"fmt", stem + ".pb"}, "did you mean `" + script + "`?\n");
  folder.write("layers.bp", "fn f(x) = x\n");
  says({"check", script}, "write `import \"layers.bp\"`\n");
  folder.write("layers", "fn f(x) = x\n");
  says({"check", script, "--data", "x=" + data.substr(0, data.size() - 4)}, "did you mean `" + data + "`?\n");
  says({"run", script}, "did you mean `" + data + "`?\n");
}

TEST_CASE("a flag says what it takes") {
  const std::string seeds = "a whole number from 0 to 18446744073709551615";
  check_message({"run", kTutorial, "--real", "f16"}, "`--real` takes f32 or f64, not `f16`");
  check_message({"run", kTutorial, "--backend=llvm"}, "`--backend` takes interp or jit, not `llvm`");
  check_message({"emit", kTutorial, "--stage=middle"}, "`--stage` takes lowered or optimized, not `middle`");
  check_message({"run", kTutorial, "-O7"}, "`-O` takes a whole number from 0 to 3, not `7`");
  for (const std::string seed : {"-1", "18446744073709551616", "1.5", "x"})
    check_message({"run", kTutorial, "--seed=" + seed}, "`--seed` takes " + seeds + ", not `" + seed + "`");
  for (const std::string bytes : {"1X", "-1", "0", "M", "99999999999999999999", "99999999T", "1.5G"})
    check_message({"run", kTutorial, "--max-memory=" + bytes}, "`--max-memory` takes a number of bytes, such as 500M, not `" + bytes + "`");
  for (const std::string count : {"-1", "0", "99999999999999999999"})
    check_message({"run", kTutorial, "--max-iterations=" + count},
                  "`--max-iterations` takes a whole number from 1 to 18446744073709551615, not `" + count + "`");
  check_message({"run", kTutorial, "--threads=0"}, "`--threads` takes a whole number from 1 to 1024, not `0`");
  for (const std::string bytes : {"1G", "64m", "100000KB", "64MiB", "1000000000"})
    CHECK(run_bpc({"run", kTutorial, "--max-memory", bytes}).code == 0);
}

TEST_CASE("a flag has one value, or none") {
  check_message({"run", kTutorial, "--seed"}, "`--seed` needs a value: `--seed N`");
  check_message({"run", kTutorial, "--set"}, "`--set` needs a value: `--set NAME=VALUE`");
  check_message({"run", kTutorial, "--seed=1", "--seed=2"}, "`--seed` is given more than once");
  check_message({"run", kTutorial, "--json=3"}, "`--json` takes no value");
  check_message({"fmt", kTutorial, "--check=3"}, "`--check` takes no value");
}

TEST_CASE("files") {
  check_message({"run"}, "`bpc run` needs a FILE");
  check_message({"fmt"}, "`bpc fmt` needs a FILE");
  check_message({"run", kTutorial, "b.bp"}, "`bpc run` takes one FILE, and was given `examples/tutorial.bp`, `b.bp`");
  // A second value after --set is no FILE, and not swallowed.
  for (const std::string command : {"run", "check", "test"}) {
    check_message({command, kTutorial, "--set", "x=1", "w1=2"}, "`w1=2` is no file", "`--set w1=2`");
    check_message({command, "--data", "x=a.csv", "y=b.csv", kTutorial}, "`y=b.csv` is no file", "`--data y=b.csv`");
  }
  CHECK(run_bpc({"run", "--set", "x=1", kTutorial}).code == 0);
  CHECK(run_bpc({"check", kTutorial, "examples/xor.bp"}).out == "examples/tutorial.bp: ok\nexamples/xor.bp: ok\n");
  Finished mixed = run_bpc({"check", "no_such.bp", kTutorial});
  CHECK(mixed.code == 2);
  CHECK(mixed.out == "examples/tutorial.bp: ok\n");
  CHECK_THAT(run_bpc({"check", "--grad", kTutorial, "examples/xor.bp"}).out, Contains("---- examples/xor.bp ----\n"));
}

TEST_CASE("two dashes end the flags") {
  CHECK(run_bpc({"run", "--", kTutorial}).code == 0);
  CHECK(run_bpc({"run", "--json", "--", kTutorial}).code == 0);
  Finished finished = run_bpc({"run", "--", "--seed"});
  CHECK(finished.code == 2);
  CHECK_THAT(finished.err, Contains("cannot read --seed"));
  CHECK_THAT(run_bpc({"rules", "--", "-"}).out, Contains("difference"));
}

TEST_CASE("the script says what real is, unless a flag does") {
  const bpc::test::Folder folder;
  const std::string script = folder.write("third.bp", "real f64\nparam a = 3\nloss J = 1 / a\n");
  CHECK_THAT(run_bpc({"run", script}).out, Contains("J = 0.3333333333333333\n"));
  CHECK_THAT(run_bpc({"run", script, "--backend=interp"}).out, Contains("J = 0.3333333333333333\n"));
  CHECK_THAT(run_bpc({"run", script, "--real=f32"}).out, Contains("J = 0.33333334\n"));
  const std::string gradient = folder.write("gradient.bp", run_bpc({"emit", script, "--as=bp", "--grad"}).out);
  CHECK_THAT(run_bpc({"run", gradient}).out, Contains("dJ_da = -0.1111111111111111\n"));
  const std::string twice = folder.write("twice.bp", "real f64\nreal f32\ny = 1\n");
  CHECK_THAT(run_bpc({"check", twice}).err, Contains("error[E0104]: the script says already what `real` is"));
  const std::string variable = folder.write("variable.bp", "real = 2\ny = real * 2\n");
  CHECK_THAT(run_bpc({"run", variable}).err + run_bpc({"run", variable}).out, Contains("y = 4"));
}

TEST_CASE("words that are wrong are said as --diagnostics wants") {
  Finished finished = run_bpc({"run", kTutorial, "--seed=-1", "--diagnostics=json"});
  CHECK(nlohmann::json::parse(finished.err)["code"] == "E0510");
}

TEST_CASE("the version names LLVM and what it compiles for") {
  CHECK_THAT(run_bpc({"--version"}).out, Catch::Matchers::Matches("bpc [0-9.]+\nLLVM [0-9.]+, [^ ]+, [^ ]+\n"));
}

TEST_CASE("formats that do not exist yet are not offered") {
  Finished finished = run_bpc({"emit", "--as=c", kTutorial});
  CHECK(finished.code == 2);
  CHECK_THAT(finished.err, Contains("error[E0510]: there is no format `c`\n") &&
                               Contains("the formats are bp, ir, llvm, asm, plan, dot, svg, latex, html\n"));
  CHECK_THAT(run_bpc({"opt", "--passes=simplfy", kTutorial}).err, Contains("error[E0510]: there is no pass `simplfy`\n"));
  CHECK_THAT(run_bpc({"run", "--set", "x", kTutorial}).err, Contains("error[E0510]: `--set x` cannot be read\n"));
  CHECK_THAT(run_bpc({"emit", "--as=jsn", kTutorial}).err, !Contains("did you mean"));
}

TEST_CASE("a test without expectations fails") {
  for (const std::string script : {"x = 2\n", "x = 2 # 2\n", ""}) {
    Finished finished = run_bpc({"test", "-"}, script);
    CHECK(finished.code == 1);
    CHECK_THAT(finished.err, Contains("has no `# expect` comment"));
    CHECK_THAT(finished.out, Contains("0 passed, 1 failed"));
  }
}

TEST_CASE("a misspelled expectation is no comment") {
  for (const std::string comment : {"# expext: x = 2", "# expct: x = 2", "# expect-gard: w = 2", "# expect-eror: E0201", "# Expect: x = 2",
                                    "# expect x = 2", "# expect : x is 2", "# EXPECT: x = 2"}) {
    Finished finished = run_bpc({"test", "-"}, "x = 2\n# expect: x = 2\n" + comment + "\n");
    INFO(comment << finished.err);
    CHECK(finished.code == 1);
    CHECK_THAT(finished.err, Contains("E0101"));
  }
  CHECK(run_bpc({"test", "-"}, "x = 2  # except: in winter\n# expected: the square\n# expect: x = 2\n#expect: x = 2\n").code == 0);
}

TEST_CASE("a test that is interrupted is not ok") {
  Finished finished = bpc::test::run({"timeout", "--preserve-status", "-s", "INT", "1", bpc::test::bpc_path(), "test", "-"},
                                     "x = 1\nwhile x > 0 { x = x + 1; x = x - 1 }\n# expect: x = 1\n");
  CHECK(finished.code == 130);
  CHECK(finished.out.empty());
}
