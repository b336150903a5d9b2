// One script, every way: each script of tests/run and examples runs interpreted and compiled, at -O0 and -O3, in f32 and f64, goes through
// the IR's text form, and runs as the script of its own gradient. All must agree, and every `# expect` comment must hold.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/close.h"
#include "tests/support/process.h"

namespace {

using bpc::test::every_script;
using bpc::test::Finished;
using bpc::test::run_bpc;
using nlohmann::json;

Finished with_flags(std::vector<std::string> words, const std::string& script, std::string_view input = {}) {
  for (std::string& flag : bpc::test::flags_of(script)) words.push_back(std::move(flag));
  return run_bpc(std::move(words), input);
}

json run_json(std::vector<std::string> words, const std::string& script) {
  words.insert(words.begin(), {"run", script, "--json", "-q"});
  Finished finished = with_flags(words, script);
  INFO(script << "\n" << finished.err);
  REQUIRE(finished.code == 0);
  return json::parse(finished.out);
}

void flatten(const json& value, std::vector<double>& into) {
  if (value.is_array()) {
    for (const json& item : value) flatten(item, into);
  } else if (value.is_string()) {
    into.push_back(value == "nan" ? NAN : value == "inf" ? INFINITY : -INFINITY);
  } else {
    into.push_back(value.is_boolean() ? value.get<bool>() : value.get<double>());
  }
}

void require_close(const std::string& what, const json& a, const json& b, double tolerance) {
  std::vector<double> xs, ys;
  flatten(a, xs);
  flatten(b, ys);
  INFO(what);
  REQUIRE(xs.size() == ys.size());
  if (const auto at = bpc::test::first_difference(xs, ys, tolerance))
    FAIL(what << ", element " << *at << ": " << xs[*at] << " and " << ys[*at]);
}

void require_same(const std::string& what, const json& a, const json& b, double tolerance) {
  for (const char* group : {"values", "grads"}) {
    INFO(what << ", " << group);
    REQUIRE(a.at(group).size() == b.at(group).size());
    for (const auto& [name, value] : a.at(group).items()) require_close(what + ", " + name, value, b.at(group).at(name), tolerance);
  }
}

// "J" of `loss J = …`; "loss" when it has no name.
std::string loss_of(const std::string& script) {
  std::istringstream lines(bpc::test::read_file(script));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, name;
    if (words >> first >> name; first == "loss") return name == "=" ? first : name;
  }
  return {};
}

json run_emitted(const std::string& text, const std::string& precision) {
  Finished finished = run_bpc({"run", "-", "--json", "-q", precision}, text);
  INFO(text << finished.err);
  REQUIRE(finished.code == 0);
  return json::parse(finished.out);
}

constexpr struct {
  const char* flag;
  double tolerance;
} kPrecisions[] = {{"--real=f64", 1e-12}, {"--real=f32", 1e-5}};

}  // namespace

TEST_CASE("expectations hold", "[script]") {
  for (const std::string& script : every_script()) {
    const bool says = bpc::test::read_file(script).find("# expect") != std::string::npos;  // otherwise it asserts
    for (const char* backend : {"--backend=interp", "--backend=jit"}) {
      for (const auto& precision : kPrecisions) {
        Finished finished = with_flags({says ? "test" : "run", script, backend, precision.flag}, script);
        INFO(script << " " << backend << " " << precision.flag << "\n" << finished.err << finished.out);
        CHECK(finished.code == 0);
      }
    }
  }
}

TEST_CASE("interpreted and compiled code agree", "[script]") {
  for (const std::string& script : every_script()) {
    for (const auto& precision : kPrecisions) {
      json reference = run_json({precision.flag, "--backend=interp"}, script);
      for (const char* level : {"-O0", "-O3"})
        require_same(fmt::format("{} {} {}", script, precision.flag, level), reference, run_json({precision.flag, level}, script),
                     precision.tolerance);
    }
  }
}

TEST_CASE("IR text reads back", "[script]") {
  for (const std::string& script : every_script()) {
    INFO(script);
    std::string lowered = with_flags({"emit", script, "--as=ir", "--grad", "-q"}, script).out;
    Finished same = run_bpc({"opt", "-"}, lowered);
    INFO(same.err);
    REQUIRE(same.code == 0);
    CHECK(same.out == lowered);
    std::string optimized = with_flags({"emit", script, "--as=ir", "--grad", "--stage=optimized", "-q"}, script).out;
    Finished again = run_bpc({"opt", "-", "--passes=hoist,adjoint,simplify,cse,hoist,dce"}, lowered);
    INFO(again.err);
    CHECK(again.out == optimized);
  }
}

TEST_CASE("the emitted gradient is a script that runs to the same numbers", "[script]") {
  for (const std::string& script : every_script()) {
    for (const auto& precision : kPrecisions) {
      // Each style in one of the precisions: in f32 as a person would write it, which is where a moved product would show.
      const std::string style = precision.flag == std::string("--real=f32") ? "--style=short" : "--style=steps";
      INFO(script << " " << precision.flag << " " << style);
      json original = run_json({precision.flag}, script);
      Finished emitted = with_flags({"emit", script, "--as=bp", "--grad", "-q", style, precision.flag}, script);
      INFO(emitted.err);
      REQUIRE(emitted.code == 0);
      json again = run_emitted(emitted.out, precision.flag);
      for (const auto& [path, gradient] : original.at("grads").items()) {
        std::string name = fmt::format("d{}_d{}", loss_of(script), path);
        std::replace(name.begin(), name.end(), '.', '_');
        while (original.at("values").contains(name)) name += "_";  // an author's name
        INFO("gradient of " << path);
        REQUIRE(again.at("values").contains(name));
        require_close(path, gradient, again.at("values").at(name), 1e-12);  // the same operations, in f32 too
      }
      for (const auto& [name, value] : original.at("values").items()) require_close(name, value, again.at("values").at(name), 1e-12);
    }
  }
}

TEST_CASE("a script that is written from the IR runs to the same numbers, and is written the same once more", "[script]") {
  for (const std::string& script : every_script()) {
    for (const char* grad : {"", "--grad"}) {
      INFO(script << " " << grad);
      auto words = [&](const std::string& file) {
        std::vector<std::string> all{"emit", file, "--as=bp", "-q", "--real=f64"};
        if (*grad) all.push_back(grad);
        return all;
      };
      Finished first = with_flags(words(script), script);
      INFO(first.err << first.out);
      REQUIRE(first.code == 0);
      CHECK(run_bpc({"fmt", "-"}, first.out).out == first.out);
      json original = run_json({"--real=f64"}, script), again = run_emitted(first.out, "--real=f64");
      for (const auto& [name, value] : original.at("values").items()) require_close(name, value, again.at("values").at(name), 1e-12);
      Finished second = run_bpc(words("-"), first.out);
      INFO(second.err << second.out);
      REQUIRE(second.code == 0);
      CHECK(run_bpc(words("-"), second.out).out == second.out);
    }
  }
}

TEST_CASE("printed text is as recorded", "[script]") {
  for (const std::string& script : every_script()) {
    std::string golden = script.substr(0, script.size() - 3) + ".out";
    for (const char* backend : {"--backend=jit", "--backend=interp"}) {
      Finished finished = with_flags({"run", script, "-q", backend}, script);
      INFO(script << " " << backend << "\n" << finished.err);
      REQUIRE(finished.code == 0);
      if (script.starts_with("tests/run/print")) {
        std::string difference = bpc::test::compare_with_golden(golden, finished.out);
        INFO(difference);
        CHECK(difference.empty());
      }
    }
  }
}
