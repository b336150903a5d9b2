// `check --grad` over each script of tests/run and examples: every verdict that is not `ok` is one of this list, with its reason.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/support/process.h"

namespace {

using bpc::test::Finished;
using bpc::test::run_bpc;

struct Explained {
  std::string verdict, why;
};

const std::multimap<std::string, Explained> kExplained{
    {"tests/run/adjoints.bp", {"custom", "rules that are not the derivatives, on purpose"}},
    {"tests/run/adjoints.bp", {"kink", "where(r > 0, log(r), 0) at 0"}},
    {"tests/run/batched_conditions.bp", {"kink", "x = 1 decides a branch whose sides differ there"}},
    {"tests/run/conventions.bp", {"kink", "relu, step, floor and where at their kinks, which the conventions are about"}},
    {"tests/run/conventions.bp", {"uncertain", "0^z at 0: infinite to the left"}},
    {"tests/run/forward_mode.bp", {"kink", "a while whose number of turns jumps at x"}},
    {"tests/run/gradient_while.bp", {"kink", "a while whose number of turns jumps at b"}},
    {"tests/run/distributions.bp", {"uncertain", "outside of a support the density's logarithm is -inf"}},
    {"tests/run/incomplete.bp", {"uncertain", "at 0: nothing to the left"}},
    {"tests/run/known_operands.bp", {"uncertain", "powers of 0: nothing to the left, or infinite"}},
    {"tests/run/ported_control.bp", {"kink", "a product of what is not zero, at zeros"}},
    {"tests/run/ported_special.bp", {"kink", "entropy with a share of zero"}},
    {"tests/run/random_distributions.bp", {"custom", "draws, which vary with the parameters of gamma by a rule alone"}},
    {"tests/run/singular_determinants.bp", {"kink", "where(x > 0, …) at 0, and logdet at a singular matrix"}},
    {"tests/run/squared_kinks.bp", {"uncertain", "sqrt(s)^2 at 0: nothing to the left"}},
    {"tests/run/zero_cotangents.bp", {"kink", "where at its kink"}},
    {"tests/run/zero_cotangents.bp", {"uncertain", "asin, log and others outside of where they are defined"}},
    {"tests/run/pooling.bp", {"kink", "ties in windows share the gradient"}},
    {"tests/run/stable.bp", {"kink", "std of elements near 1e15: the first step is larger than what lies between them"}},
    {"tests/run/stable.bp", {"uncertain", "elements near 1e30 swallow the step, and masked ones of -inf cannot move"}},
    {"tests/run/traps.bp", {"kink", "relu, step and where at their kinks"}},
    {"tests/run/traps.bp", {"uncertain", "sqrt and log at 0: nothing to the left"}},
    {"examples/ste.bp", {"custom", "the straight-through estimator's rule"}},
};

std::set<std::string> verdicts_in(const std::string& table) {
  std::set<std::string> found;
  for (const char* verdict : {"kink", "uncertain", "custom", "WRONG"})
    if (table.find(std::string("  ") + verdict) != std::string::npos) found.insert(verdict);
  return found;
}

}  // namespace

TEST_CASE("every gradient passes its check against central differences, or the reason is known", "[script]") {
  for (const std::string& script : bpc::test::every_script()) {
    std::vector<std::string> words{"check", "--grad", script, "-q"};
    for (std::string& flag : bpc::test::flags_of(script)) words.push_back(std::move(flag));
    const Finished finished = run_bpc(words);
    INFO(script << "\n" << finished.out << finished.err);
    CHECK(finished.code == 0);
    std::set<std::string> explained;
    for (auto [entry, end] = kExplained.equal_range(script); entry != end; ++entry) explained.insert(entry->second.verdict);
    CHECK(verdicts_in(finished.out) == explained);
  }
}

namespace {

// Whether a row of the table begins so and ends with the verdict.
void check_row(const std::string& script, const std::string& begins, const std::string& verdict, int code = 0) {
  const Finished finished = run_bpc({"check", "--grad", "-"}, script);
  INFO(script << finished.out << finished.err);
  CHECK(finished.code == code);
  const std::string table = "\n" + finished.out;
  const std::size_t row = table.find("\n" + begins + " ");
  REQUIRE(row != std::string::npos);
  const std::string line = table.substr(row + 1, table.find('\n', row + 1) - row - 1);
  CHECK(line.find("  " + verdict) != std::string::npos);
}

}  // namespace

TEST_CASE("a gradient that is no number where differences are one is wrong") {
  check_row("param x = 0\ny = sqrt(x * x)\ng = grad(y, x)\n", "g = dy/dx", "WRONG", 1);
  check_row("param x = 0\nloss J = sqrt(x^2)\n", "x", "WRONG", 1);
  check_row("param x = 0\ny = log(x)\ng = grad(x * y, x)\n", "g = d(x * y)/dx", "uncertain: not finite near here");
}

TEST_CASE("at a kink a gradient is between the one-sided derivatives, or wrong") {
  check_row("param x = 0\nloss J = relu(x)\n", "x", "kink");
  check_row("fn f(x) = abs(x)\nadjoint f(x) -> y { dx = 5 * dy }\nparam x = 0\nloss J = f(x)\n", "x", "custom, differs by 5.0e+00");
}

TEST_CASE("rules are judged: by how much they differ, or ok") {
  const std::string rules =
      "fn h(x) = x^2\nadjoint h(x) -> y { dx = silu(dy) }\nfn k(x) = x^2\nadjoint k(x) -> y { dx = 2 * x * dy }\nparam w = 1\n";
  check_row(rules + "a = grad(h(w), w)\n", "a = d(h(w))/dw", "custom, differs by 1.3e+00");
  check_row(rules + "a = grad(k(w), w)\n", "a = d(k(w))/dw", "ok");
}

TEST_CASE("derivatives by values on the way are compared") {
  const std::string script = "param x = 0.5\ny = tanh(x)\na = grad(y^2, y)\nb = grad(y, x)\nc = grad(a, x)\n";
  check_row(script, "a = d(y^2)/dy", "ok");
  check_row(script, "b = dy/dx", "ok");
  check_row(script, "c = da/dx", "ok");
}

TEST_CASE("every kind of derivative is compared, wherever it stands") {
  const std::string start = "param w = [1, 2, 3]\nfn g(v) = sum(v^3)\n";
  check_row(start + "H = hessian(g(w), w)\n", "hessian(g(w), w)[2]", "ok (9 elements");
  check_row(start + "A = jacobian(w^2, w)\n", "jacobian(w^2, w)[0]", "ok (9 elements");
  check_row(start + "p = hvp(g(w), w, ones([3]))\n", "p = hvp(g(w), w, ones([3]))[2]", "ok (3 elements");
  check_row(start + "u = jvp(w^2, w, [1, 0, 2])\n", "u = jvp(w^2, w, [1, 0, 2])[0]", "ok (3 elements");
  check_row(start + "c = vjp(w^2, w, [1, 0, 2])\n", "c = vjp(w^2, w, [1, 0, 2])[0]", "ok (3 elements");
  check_row(start + "for i in 0..10 {\n  h = grad(g(w), w)\n  w = w - 0.01 * h\n}\n", "h = d(g(w))/dw[0]", "ok (18 elements");
  check_row(start + "z = [grad(w[i]^3, w) for i in 0..3]\n", "d(w[i]^3)/dw[0]", "ok (9 elements");
  check_row("param n = 2\nfn root(x) {\n  for i in 0..5 { x = x - (x^2 - n) / grad(x^2 - n, x) }\n  return x\n}\nq = grad(root(n), n)\n",
            "q = dx/dn", "ok");
  check_row("param n = 2\ns = n\nif n > 1 { s = grad(n^3, n) } else { s = grad(n^2, n) }\n", "s = d(n^3)/dn", "ok");
}

TEST_CASE("where differences cannot tell, they say how good they are") {
  check_row("param t = 0.76\na = grad(f64(sin(f32(t))), t)\n", "a = d(f64(sin(f32(t))))/dt", "uncertain: numeric is good to");
  check_row("param a = 3.7\nx = 0.4\nfor i in 0..60 { x = a * x * (1 - x) }\nloss J = x\n", "a", "uncertain: numeric is good to");
  check_row("param a = 3.2\nx = 0.4\nfor i in 0..2000 { x = a * x * (1 - x) }\nloss J = x\n", "a", "ok");
}
