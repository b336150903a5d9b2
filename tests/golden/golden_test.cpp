// The text of every stage, recorded: tests/golden/<stage>/<script>.txt. And the exact message of every error: tests/errors/*.txt.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <set>

#include "support/diagnostics.h"
#include "tests/support/process.h"

namespace {

using bpc::test::Finished;
using bpc::test::run_bpc;

std::string stem(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

}  // namespace

TEST_CASE("each stage writes what is recorded") {
  const struct {
    const char* name;
    std::vector<std::string> flags;
  } stages[] = {
      {"lowered", {"--as=ir"}},          {"adjoint", {"--as=ir", "--grad"}}, {"optimized", {"--as=ir", "--grad", "--stage=optimized"}},
      {"plan", {"--as=plan", "--grad"}}, {"script", {"--as=bp", "--grad"}},  {"short", {"--as=bp", "--grad", "--style=short"}}};
  std::vector<std::string> scripts = bpc::test::files_in("tests/golden", ".bp");
  scripts.insert(scripts.end(), {"examples/tutorial.bp", "examples/newton.bp"});
  for (const auto& stage : stages) {
    for (const std::string& script : scripts) {
      std::vector<std::string> words{"emit", script, "-q"};
      words.insert(words.end(), stage.flags.begin(), stage.flags.end());
      Finished finished = run_bpc(words);
      INFO(script << ", " << stage.name << "\n" << finished.err);
      REQUIRE(finished.code == 0);
      std::string difference =
          bpc::test::compare_with_golden(fmt::format("tests/golden/{}/{}.txt", stage.name, stem(script)), finished.out);
      INFO(difference);
      CHECK(difference.empty());
    }
  }
}

TEST_CASE("explanations are as recorded") {
  std::vector<std::string> scripts = bpc::test::files_in("tests/explain", ".bp");
  for (const char* example : {"tutorial", "xor", "lstm", "gp", "sqrt_while", "maml", "lenet", "newton", "vae"})
    scripts.push_back(fmt::format("examples/{}.bp", example));
  for (const std::string& script : scripts) {
    std::vector<std::string> words{"explain", script, "-q"};
    for (const std::string& flag : bpc::test::flags_of(script)) words.push_back(flag);
    Finished finished = run_bpc(words);
    INFO(script << "\n" << finished.err);
    REQUIRE(finished.code == 0);
    const std::string difference = bpc::test::compare_with_golden(fmt::format("tests/explain/{}.txt", stem(script)), finished.out);
    INFO(difference);
    CHECK(difference.empty());
  }
  const struct {
    const char *command, *script, *form;
  } documents[] = {{"explain", "tutorial", "md"}, {"explain", "tutorial", "latex"}, {"emit", "tutorial", "dot"}, {"emit", "lstm", "dot"}};
  for (const auto& [command, script, form] : documents) {
    const Finished finished = run_bpc({command, fmt::format("examples/{}.bp", script), fmt::format("--as={}", form)});
    REQUIRE(finished.code == 0);
    const std::string difference = bpc::test::compare_with_golden(fmt::format("tests/explain/{}.{}", script, form), finished.out);
    INFO(difference);
    CHECK(difference.empty());
  }
}

TEST_CASE("each error has the message that is recorded") {
  std::set<std::string> covered;
  for (const std::string& script : bpc::test::files_in("tests/errors", ".bp")) {
    std::string name = stem(script), code = name.substr(0, 5);
    std::vector<std::string> words{"run", script};
    for (const std::string& flag : bpc::test::flags_of(script)) words.push_back(flag);
    Finished finished = run_bpc(words);
    INFO(script << "\n" << finished.err);
    CHECK(finished.code == (code[0] == 'W' ? 0 : code.starts_with("E05") && code != "E0509" ? 2 : 1));
    CHECK(finished.err.find("[" + code + "]") != std::string::npos);
    std::string difference = bpc::test::compare_with_golden("tests/errors/" + name + ".txt", finished.err);
    INFO(difference);
    CHECK(difference.empty());
    covered.insert(code);
  }
  // Codes that no script can raise by itself, with what does.
  const std::set<std::string> elsewhere{
      "E0410",                             // a matter of time: tests/command
      "E0412",                             // bpc explain: tests/command
      "E0413", "E0512", "E0514", "W0504",  // bpc train: tests/command
      "E0513",                             // bpc predict: tests/command
      "W0401", "W0402", "W0403",           // bpc train: tests/command
      "E0507",                             // bpc fmt of a file that cannot be written: tests/command
      "E0508",                             // bpc opt: tests/command
      "E0510",                             // flags and words of the command line: tests/command
      "E0509",                             // bpc test: tests/command
      "W0501",                             // data files: tests/command
      "W0502",                             // data files: tests/command
      "W0503",                             // data files: tests/command
      "W0302",                             // bpc check --grad: tests/command
  };
  for (const bpc::CodeInfo& info : bpc::all_codes()) {
    INFO("no script in tests/errors raises " << info.name);
    CHECK(covered.contains(std::string(info.name)) != elsewhere.contains(std::string(info.name)));
  }
}
