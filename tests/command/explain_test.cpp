// `bpc explain`: what it says is what `bpc run` gives, and adds up.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/process.h"

using bpc::test::Finished;
using bpc::test::run_bpc;
using Json = nlohmann::json;

namespace {

double number(const Json& json) {
  return json.is_string() ? std::strtod(json.get<std::string>().c_str(), nullptr) : json.get<double>();
}

void flatten(const Json& json, std::vector<double>& into) {
  if (json.is_array())
    for (const Json& item : json) flatten(item, into);
  else if (json.is_number() || json.is_string())
    into.push_back(number(json));
}

std::vector<double> numbers(const Json& json) {
  std::vector<double> all;
  flatten(json, all);
  return all;
}

void check_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  double size = 1e-3;
  for (double x : b) size = std::max(size, std::fabs(x));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(b[i])) CHECK(std::fabs(a[i] - b[i]) <= tolerance * size);
  }
}

Json explained(const std::string& script, const std::vector<std::string>& flags) {
  std::vector<std::string> words{"explain", script, "--as=json", "-q"};
  words.insert(words.end(), flags.begin(), flags.end());
  const Finished finished = run_bpc(words);
  INFO(script << "\n" << finished.err);
  REQUIRE(finished.code == 0);
  return Json::parse(finished.out);
}

}  // namespace

TEST_CASE("the gradients that are explained are those of a run, and each is the sum of its parts") {
  std::vector<std::string> scripts = bpc::test::files_in("tests/explain", ".bp");
  for (const std::string& example : bpc::test::files_in("examples", ".bp")) scripts.push_back(example);
  std::size_t compared = 0;
  for (const std::string& script : scripts) {
    INFO(script);
    std::vector<std::string> flags = bpc::test::flags_of(script);
    flags.push_back("--real=f64");
    const Json explanation = explained(script, flags);
    std::vector<std::string> words{"run", script, "--json", "-q", "--real=f64"};
    const Json run = Json::parse(run_bpc(words).out);
    const Json& values = explanation["values"];
    if (explanation.contains("cost")) {  // of the loss
      for (const Json& by : explanation["by"]) {
        const Json& value = values[by.get<std::size_t>()];
        const auto found = run["grads"].find(value["name"].get<std::string>());
        if (found == run["grads"].end() || value["gradient"].is_null() || value["gradient"].is_object()) continue;
        INFO(value["name"]);
        check_close(numbers(value["gradient"]), numbers(*found), 1e-9);
        ++compared;
      }
    }
    std::map<std::size_t, std::vector<double>> sums;
    for (const Json& contribution : explanation["contributions"]) {
      std::vector<double>& sum = sums[contribution["to"].get<std::size_t>()];
      const std::vector<double> part = numbers(contribution["value"]);
      sum.resize(std::max(sum.size(), part.size()), 0);
      for (std::size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
      if (contribution["from"].is_null() || !contribution["factor_value"].is_number() || !contribution["value"].is_number()) continue;
      const Json& arriving = values[contribution["from"].get<std::size_t>()]["gradient"];
      if (arriving.is_number())
        check_close({number(arriving) * number(contribution["factor_value"])}, {number(contribution["value"])}, 1e-9);
    }
    for (const auto& [id, sum] : sums) {
      if (values[id]["gradient"].is_null() || values[id]["gradient"].is_object() || Json(id) == explanation["of"]) continue;
      INFO(values[id]["name"]);
      check_close(sum, numbers(values[id]["gradient"]), 1e-9);
      ++compared;
    }
  }
  CHECK(compared > 100);
}

TEST_CASE("the walk of a derivative in forward mode ends with what a run gives") {
  const std::pair<const char*, const char*> cases[] = {{"tests/explain/forward.bp", "u"},
                                                       {"tests/explain/forward_scalars.bp", "u"},
                                                       {"tests/explain/forward_loop.bp", "u"},
                                                       {"tests/explain/hvp.bp", "p"}};
  for (const auto& [script, name] : cases) {
    INFO(script);
    const Json explanation = explained(script, {"--real=f64", std::string("--of=") + name});
    const Json run = Json::parse(run_bpc({"run", script, "--json", "-q", "--real=f64"}).out);
    const Json &y = explanation["values"][explanation["of"].get<std::size_t>()],
               &x = explanation["values"][explanation["by"][0].get<std::size_t>()],
               &along = explanation["values"][explanation["along"].get<std::size_t>()];
    check_close(numbers(y["gradient"]), numbers(run["values"][name]), 1e-12);
    CHECK(numbers(x["gradient"]) == numbers(along["value"]));
    const std::vector<std::size_t> walk = explanation["backward"];
    CHECK(explanation["values"][walk.front()] == x);
    CHECK(explanation["values"][walk.back()] == y);
  }
  // A function of the script, one of the library without a formula, a branch and an author's rule are gone through as well.
  const std::string script =
      "fn ste(x) = floor(x)\nadjoint ste(x) -> y { dx = dy }\nfn f(x) {\n  if x > 0 { return softmax([x, 2*x, 1]) }\n  return [x, x, "
      "x]\n}\n"
      "x = 1.5\ny = sum(f(ste(x) * x) * [1, 2, 4])\nu = jvp(y, x, 1)\ng = grad(y, x)\nprint u - g\n";
  const Finished run = run_bpc({"run", "-", "--real=f64"}, script), walk = run_bpc({"explain", "-", "--real=f64", "--of=u"}, script);
  INFO(walk.out << walk.err << run.out);
  CHECK(std::fabs(std::stod(run.out)) < 1e-12);
  CHECK(walk.code == 0);
  CHECK(run_bpc({"explain", "-", "--of=u", "--at=x"}, script).err.find("E0510") != std::string::npos);
  CHECK(walk.out.find("Forward mode") != std::string::npos);
  for (const char* form : {"md", "latex", "html", "json"})
    CHECK(run_bpc({"explain", "-", "--of=u", std::string("--as=") + form}, script).code == 0);
}

TEST_CASE("names of an explanation are each of one value") {
  for (const char* script : {"examples/lstm.bp", "examples/maml.bp", "tests/explain/calls.bp", "tests/explain/branches.bp"}) {
    std::set<std::string> names;
    for (const Json& value : explained(script, {"--unfold=all"})["values"]) {
      INFO(script << " " << value["name"]);
      CHECK(names.insert(value["name"].get<std::string>()).second);
    }
  }
}

TEST_CASE("every example is explained on a screen, and each step of it where that is asked for") {
  std::vector<std::string> scripts = bpc::test::files_in("examples", ".bp");
  for (const std::string& model : bpc::test::files_in("examples/models", ".bp")) scripts.push_back(model);
  for (const std::string& script : scripts) {
    const Finished finished = run_bpc({"explain", script, "-q"});
    INFO(script << "\n" << finished.out << finished.err);
    CHECK(finished.code == 0);
    CHECK(std::count(finished.out.begin(), finished.out.end(), '\n') <= 56);
  }
  // The steps of a line are one: they hand on what all of them do.
  const std::string folded = run_bpc({"explain", "examples/vae.bp", "-q"}).out,
                    whole = run_bpc({"explain", "examples/vae.bp", "-q", "--unfold=all"}).out;
  const auto gradients = [](const std::string& text) {
    std::map<std::string, std::string> found;  // "dJ/dmean.dense.W": "[64, 2] norm 2.02, …"
    std::istringstream lines(text.substr(text.find("\nBackward")));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("  dJ/d") && line.find(" = ") != std::string::npos)
        found[line.substr(2, line.find(' ', 2) - 2)] = line.substr(line.rfind(" = "));
    return found;
  };
  CHECK(folded.find("picture = dense(tanh(dense(z, 64)), 64)") != std::string::npos);
  CHECK(folded.find("The steps of one line are one step here") != std::string::npos);
  CHECK(whole.find("The steps of one line are one step here") == std::string::npos);
  std::map<std::string, std::string> each = gradients(whole);
  for (const auto& [name, value] : gradients(folded)) {
    INFO(name);
    CHECK(each[name] == value);
  }
}

TEST_CASE("textbook names give way to the author's") {
  const std::string script = "param z1 = 2\nparam a1 = 1\na2 = tanh(z1 * a1)\nloss J = sin(cos(a2 * z1))\n";
  const Finished finished = run_bpc({"explain", "-"}, script);
  INFO(finished.out << finished.err);
  CHECK(finished.code == 0);
  CHECK(finished.out.find("z2 = z1 * a1") != std::string::npos);
  CHECK(finished.out.find("a2 = tanh(z2)") != std::string::npos);
  CHECK(finished.out.find("z3 = a2 * z1") != std::string::npos);
}

TEST_CASE("what cannot be explained is said") {
  const std::string script = "param w = [1, 2]\nloss J = sum(w^2)\ng = grad(J, w)\n";
  const struct {
    std::vector<std::string> flags;
    std::string says;
    int code;
  } cases[] = {
      {{"--param=v"}, "E0505", 2}, {{"--at=w[2]"}, "E0510", 2}, {{"--at=w[x]"}, "E0510", 2}, {{"--at=w"}, "E0510", 2},
      {{"--at=v[0]"}, "E0505", 2}, {{"--of=h"}, "E0505", 2},    {{"--as=pdf"}, "E0510", 2},  {{"--iteration=-1"}, "E0510", 2},
  };
  for (const auto& each : cases) {
    std::vector<std::string> words{"explain", "-"};
    words.insert(words.end(), each.flags.begin(), each.flags.end());
    const Finished finished = run_bpc(words, script);
    INFO(each.flags[0] << "\n" << finished.out << finished.err);
    CHECK(finished.code == each.code);
    CHECK(finished.err.find(each.says) != std::string::npos);
  }
  // A failure of the run is that of the run.
  CHECK(run_bpc({"explain", "-"}, "x = [1, 2]\nparam i = 1\nk = i32(i * 5)\nloss J = x[k] * i\n").err.find("E0401") != std::string::npos);
  // A script without derivatives shows its values.
  const Finished forward = run_bpc({"explain", "-"}, "a = 2\nb = sin(a) * 3.5\n");
  CHECK(forward.code == 0);
  CHECK(forward.out.find("Forward") != std::string::npos);
  // A run that is too long to keep.
  CHECK(run_bpc({"explain", "-"}, "param w = 1\nh = w\nfor i in 0..1000000 { h = sin(h) + w }\nloss J = h\n").err.find("E0412") !=
        std::string::npos);
}

TEST_CASE("a loop that never ends and takes derivatives is explained, or refused, in time") {
  const std::string endless = "param w = 1\nwhile w > 0 {\n  g = grad(w^2, w)\n  w -= 0*g\n}\n";
  const Finished turn = run_bpc({"explain", "-"}, endless);
  CHECK(turn.code == 0);
  CHECK(turn.out.find("2·w") != std::string::npos);
  // The loss is behind the loop, so that all turns would have to be kept.
  const Finished all = run_bpc({"explain", "-", "--max-seconds=60"}, endless + "loss J = w\n");
  CHECK(all.code == 1);
  CHECK(all.err.find("E0412") != std::string::npos);
  // The loss does not need the loop.
  const Finished aside = run_bpc({"explain", "-", "--max-seconds=60"}, "param w = 3\nk = 0\nwhile w > 0 { k += 1 }\nloss J = w\n");
  CHECK(aside.code == 0);
  // The turn that is looked at does not come by the derivative.
  const Finished past =
      run_bpc({"explain", "-", "--max-seconds=60"}, "param w = 1\nwhile w > 0 {\n  if w > 1 { g = grad(w^2, w); w -= 0*g }\n}\n");
  CHECK(past.code == 2);
  CHECK(past.err.find("--iteration") != std::string::npos);
}

TEST_CASE("words of backpropagation are explained") {
  for (const char* word : {"backprop", "gradient", "loss", "param", "chain rule", "Backpropagation", "learning rate", "dead unit"}) {
    const Finished finished = run_bpc({"explain", word});
    INFO(word << finished.err);
    CHECK(finished.code == 0);
    CHECK(finished.out.find("docs/course/0") != std::string::npos);
    CHECK(finished.out.find("](") == std::string::npos);
  }
  CHECK(run_bpc({"explain", "chain", "rule"}).code == 0);
  CHECK(run_bpc({"explain", "gradeint"}).err.find("did you mean `gradient`?") != std::string::npos);
  CHECK(run_bpc({"explain", "examples/tutorial.bp", "--param=w"}).err.find("did you mean `w1`?") != std::string::npos);
}

TEST_CASE("a code and a function can be explained, and a function looked for in a script") {
  const Finished code = run_bpc({"explain", "E0201"});
  CHECK(code.code == 0);
  CHECK(code.out.starts_with("E0201: shapes do not fit\n"));
  CHECK(code.out.find("\nWrong:\n\n    input x") != std::string::npos);
  CHECK(run_bpc({"explain", "E0299"}).code == 2);
  const Finished relu = run_bpc({"explain", "relu", "examples/tutorial.bp"});
  CHECK(relu.code == 0);
  CHECK(relu.out.find("dx = step(x) * dy") != std::string::npos);
  CHECK(relu.out.find("● relu(x)") != std::string::npos);
  CHECK(relu.out.find("    10: a2 = relu(w2*a1 + b2)\n") != std::string::npos);
  // Only a function of each element for itself has a curve.
  CHECK(run_bpc({"explain", "softmax"}).out.find("●") == std::string::npos);
  CHECK(run_bpc({"explain", "gelu"}).out.find("●") != std::string::npos);
  CHECK(run_bpc({"explain", "@", "examples/xor.bp"}).out.find("    10: fn network") != std::string::npos);
  CHECK(run_bpc({"explain", "gelu", "examples/tutorial.bp"}).out.find("does not use it") != std::string::npos);
  const Finished unknown = run_bpc({"explain", "rleu"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("did you mean `relu`?") != std::string::npos);
  CHECK(run_bpc({"explain", "no_such_file.bp"}).err.find("E0502") != std::string::npos);
}

TEST_CASE("a graph of many steps is laid out in time, and one that is too large is refused") {
  const auto chain = [](int steps) {
    const auto name = [](int i) { return "v" + std::to_string(i); };
    std::string script = "param w = 0.5\nv0 = sin(w)\n";
    for (int i = 1; i < steps; ++i) script += name(i) + " = 0.5*sin(" + name(i - 1) + ") + 0.3*w\n";
    return script + "loss J = " + name(steps - 1) + "^2\n";
  };
  const Finished large = run_bpc({"emit", "--as=svg", "--max-seconds=60", "-"}, chain(150));
  CHECK(large.code == 0);
  CHECK(large.out.find("v149") != std::string::npos);
  const Finished too_large = run_bpc({"emit", "--as=svg", "--max-seconds=60", "-"}, chain(900));
  CHECK(too_large.code == 1);
  CHECK(too_large.err.find("E0412") != std::string::npos);
  CHECK(run_bpc({"explain", "--as=html", "--max-seconds=60", "-"}, chain(900)).out.find("too large to be drawn") != std::string::npos);
}

TEST_CASE("a graph is drawn, with values and derivatives on its edges") {
  for (const char* script : {"examples/tutorial.bp", "examples/maml.bp", "tests/explain/branches.bp", "tests/explain/calls.bp"}) {
    const Finished drawn = run_bpc({"emit", script, "--as=svg", "-q"});
    INFO(script << drawn.err);
    CHECK(drawn.code == 0);
    CHECK(drawn.out.starts_with("<?xml"));
    CHECK(drawn.out.find("</svg>") != std::string::npos);
  }
  const std::string tutorial = run_bpc({"emit", "examples/tutorial.bp", "--as=svg"}).out;
  CHECK(tutorial.find(">z1 = 2<") != std::string::npos);
  CHECK(tutorial.find(">dJ/dz1 = 6<") != std::string::npos);
  // What names and texts may hold does no harm.
  CHECK(run_bpc({"emit", "-", "--as=dot"}, "param w = 2\nz = where(w < 3 and w > 1, w, 0)\nloss J = z * w\n").code == 0);
  CHECK(run_bpc({"emit", "-", "--as=svg"}, "x = [1, 2]\ny = einsum(\"i,i->\", x, x)\nz = y < 3\n").code == 0);
  CHECK(run_bpc({"emit", "-", "--as=dot", "--of=g"}, "w = 2\ng = grad(w^2, w)\n").out.find("w^2") != std::string::npos);
}
