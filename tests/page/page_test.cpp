// The page of an explanation, and the program of its numbers, which must be the numbers that the explanation itself would have.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "backend/interpreter/interpreter.h"
#include "explain/render.h"
#include "tests/support/process.h"
#include "tools/bpc/explain_script.h"

namespace {

using namespace bpc;
using bpc::test::Finished;
using bpc::test::run_bpc;
using Catch::Matchers::Contains;
using nlohmann::ordered_json;
using runtime::Tensor;

struct Told {
  tool::Explained explained;
  ordered_json json;
};

Told tell(const std::string& file, const std::vector<std::string>& sets) {
  tool::Options options;
  options.files = {test::source_dir() + "/" + file};
  options.real = Element::f64;
  options.format = "html";
  options.sets = sets;
  tool::Session session(options);
  std::optional<tool::Script> script = tool::lower_script(session, options.files.front(), tool::DataNeed::values);
  REQUIRE(script);
  std::optional<tool::Explained> explained = tool::explain_script(session, *script, 40);
  INFO(file);
  REQUIRE(explained);
  ordered_json json = explain::to_json(explained->explanation, session.sources);
  return {std::move(*explained), std::move(json)};
}

std::vector<double> numbers_in(const ordered_json& json) {
  if (json.is_number()) return {json.get<double>()};
  if (json.is_boolean()) return {json.get<bool>() ? 1.0 : 0.0};
  if (json == "nan") return {NAN};
  if (json == "inf" || json == "-inf") return {json == "inf" ? INFINITY : -INFINITY};
  std::vector<double> all;
  for (const ordered_json& each : json) {
    const std::vector<double> inner = numbers_in(each);
    all.insert(all.end(), inner.begin(), inner.end());
  }
  return all;
}

bool is_close(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-11 * (1 + std::abs(b));
}

// Runs the program of the numbers with these inputs; false where a guard says that the run goes another way.
bool check_numbers(const explain::Live& live, const std::vector<Tensor>& arguments, const ordered_json& expected) {
  const runtime::RunResult result = backend::interpret(live.function)->run(arguments, {});
  REQUIRE_FALSE(result.failure);
  for (std::size_t i = 0; i < live.function.outputs.size(); ++i) {
    const std::string& path = live.function.outputs[i].path;
    if (path.starts_with("/guards/") && result.outputs[i].int_at(0) != live.guards.at(std::stoull(path.substr(8))).value) return false;
  }
  std::size_t compared = 0;
  for (std::size_t i = 0; i < live.function.outputs.size(); ++i) {
    const std::string& path = live.function.outputs[i].path;
    const Tensor& found = result.outputs[i];
    if (path.starts_with("/guards/") || found.count() > 4096) continue;
    INFO(path);
    const std::vector<double> numbers = numbers_in(expected.at(ordered_json::json_pointer(path)));
    if (path.starts_with("/loops/") && found.type().rank() > 0) {
      CHECK(is_close(explain::norm_of(found), numbers.at(0)));
      continue;
    }
    REQUIRE(static_cast<std::size_t>(found.count()) == numbers.size());
    for (std::int64_t k = 0; k < found.count(); ++k) {
      if (!is_close(found.real_at(k), numbers[static_cast<std::size_t>(k)])) {
        CAPTURE(k, found.real_at(k), numbers[static_cast<std::size_t>(k)]);
        FAIL_CHECK("the page has another number");
        break;
      }
      ++compared;
    }
  }
  CHECK(compared > 0);
  return true;
}

ordered_json model_of(const std::string& page) {
  const std::string start = "<script type=\"application/json\" id=\"model\">";
  const std::size_t from = page.find(start) + start.size();
  return ordered_json::parse(page.substr(from, page.find("</script>", from) - from));
}

}  // namespace

TEST_CASE("the program of the numbers gives the numbers of the explanation, also after an input has changed") {
  std::vector<std::string> scripts = test::files_in("examples", ".bp");
  for (const std::string& script : test::files_in("tests/explain", ".bp")) scripts.push_back(script);
  std::size_t changed = 0;
  for (const std::string& script : scripts) {
    INFO(script);
    const Told told = tell(script, {});
    const explain::Live& live = told.explained.live;
    if (!live.why_not.empty()) continue;
    CHECK(check_numbers(live, live.arguments, told.json));
    for (std::size_t i = 0; i < live.arguments.size(); ++i) {
      const ir::Parameter& parameter = live.function.parameters[i];
      const Type& type = live.arguments[i].type();
      if (!type.is_scalar() || !is_real(type.element) || parameter.path.find('#') != std::string::npos) continue;
      std::vector<Tensor> arguments = live.arguments;
      arguments[i] = Tensor::scalar(type.element, arguments[i].real_at(0) * 1.0625 + 0.125);
      const std::string set = fmt::format("{}={}", parameter.path, arguments[i].real_at(0));
      INFO(set);
      const runtime::RunResult ran = backend::interpret(live.function)->run(arguments, {});
      if (ran.failure) continue;
      const Told again = tell(script, {set});
      if (again.json["values"].size() != told.json["values"].size()) continue;  // another way, which a guard sees
      if (check_numbers(live, arguments, again.json)) ++changed;
    }
  }
  CHECK(changed > 20);
}

TEST_CASE("an input that sends the run another way is seen") {
  const Told told = tell("tests/explain/branches.bp", {});
  const explain::Live& live = told.explained.live;
  std::vector<Tensor> arguments = live.arguments;
  arguments[0] = Tensor::scalar(Element::f64, 1.375);
  CHECK_FALSE(check_numbers(live, arguments, told.json));
}

TEST_CASE("a page stands alone, and holds the script's own code") {
  for (const char* script : {"examples/tutorial.bp", "examples/lenet.bp", "examples/lstm.bp", "tests/explain/turns.bp"}) {
    INFO(script);
    const Finished finished = run_bpc({"explain", "--as=html", script});
    INFO(finished.err);
    REQUIRE(finished.code == 0);
    CHECK(run_bpc({"emit", "--as=html", "--unfold=nothing", script}).code == 0);
    std::string page = finished.out;
    for (const char* space : {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"})  // names, not addresses
      for (std::size_t at = 0; (at = page.find(space, at)) != std::string::npos;) page.erase(at, std::string(space).size());
    CHECK_THAT(page, !Contains("http://") && !Contains("https://") && !Contains("@model@") && Contains("default-src 'none'"));
    const ordered_json model = model_of(page), &live = model["page"]["live"];
    REQUIRE(live.is_object());
    CHECK_THAT(live["code"].get<std::string>(), Catch::StartsWith("AGFzbQEAAAA"));  // "\0asm", version 1
    CHECK(live["outputs"].size() > model["values"].size());
  }
}

TEST_CASE("every script has a page") {
  for (const std::string& script : test::every_script()) {
    std::vector<std::string> words = test::flags_of(script);
    words.insert(words.begin(), {"explain", "--as=html", "-q"});
    words.push_back(script);
    const Finished finished = run_bpc(words);
    INFO(script << "\n" << finished.err);
    if (finished.err.starts_with("error[E0412]")) continue;  // derivatives in too many turns
    CHECK(finished.code == 0);
    CHECK(model_of(finished.out).contains("page"));
  }
}

TEST_CASE("a page says why its numbers cannot be changed") {
  const Finished solver = run_bpc({"explain", "--as=html", "examples/gp.bp"});
  INFO(solver.err);
  CHECK_THAT(model_of(solver.out)["page"]["why_not"].get<std::string>(), Contains("cholesky"));
  const Finished large =
      run_bpc({"explain", "--as=html", "-"}, "param w = 0.5\nx = [sin(i) for i in 0..2000000]\nloss J = mean((w*x)^2)\n");
  INFO(large.err);
  CHECK_THAT(model_of(large.out)["page"]["why_not"].get<std::string>(), Contains("MiB"));
}

TEST_CASE("a script cannot put tags into its page") {
  const Finished finished = run_bpc({"explain", "--as=html", "-"}, "# </script><script>alert(1)</script>\nparam w = 2\nloss J = w^2\n");
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  CHECK_THAT(finished.out, !Contains("<script>alert"));
}
