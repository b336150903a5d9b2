// Formulas: put together as a textbook would, as text and as LaTeX.
#include "explain/formula.h"

#include <catch2/catch.hpp>

#include "explain/explanation.h"
#include "explain/phrases.h"
#include "explain/render.h"
#include "frontend/syntax/parse.h"

using namespace bpc;
using namespace bpc::explain;

namespace {

Formula read(const std::string& text) {
  SourceMap sources;
  Diagnostics diagnostics;
  const auto ast = frontend::parse(sources, sources.add("formula.bp", "y = " + text + "\n"), diagnostics);
  REQUIRE(ast);
  return formula_of(*ast, std::get<frontend::AssignStmt>(ast->stmt(ast->top[0]).node).values[0]);
}

std::string tidy(const std::string& text) {
  return text_of(tidied(read(text)));
}

}  // namespace

TEST_CASE("numbers of a product come together") {
  CHECK(tidy("1 * 0.5 * (2 * (a - y))") == "a − y");
  CHECK(tidy("2 * x * 3") == "6·x");
  CHECK(tidy("x / 4") == "x/4");
  CHECK(tidy("0.25 * x") == "x/4");
  CHECK(tidy("-(-x)") == "x");
  CHECK(tidy("x * -(y / x)") == "-y");
  CHECK(tidy("a / b / c") == "a/(b·c)");
  CHECK(tidy("x * x * x") == "x^3");
  CHECK(tidy("x^2 * x") == "x^3");
  CHECK(tidy("1 - y * y") == "1 − y^2");
  CHECK(tidy("a - (b - c)") == "a − b + c");
  CHECK(tidy("1 + x - 1") == "x");
  CHECK(tidy("3 * x^1") == "3·x");
  CHECK(tidy("2 * x^(2 - 1)") == "2·x");
}

TEST_CASE("what only shapes need is left out") {
  CHECK(tidy("broadcast_to(dy / 5, [5])") == "dy/5");
  CHECK(tidy("reshape(real(x), [2, 3]) * ones([2])") == "x");
  CHECK(tidy("strong_mul(dy, x)") == "dy·x");
  CHECK(tidy("dy * where(dy == 0 and 1 / x - 1 / x != 0, 0, 1 / x)") == "dy/x");
}

TEST_CASE("brackets stand where they are needed") {
  CHECK(tidy("(a + b) * c") == "(a + b)·c");
  CHECK(tidy("(a + b) @ W.T") == "(a + b) @ W.T");
  CHECK(tidy("(a * b) @ c") == "(a·b) @ c");
  CHECK(tidy("x.T @ (g * h)") == "x.T @ (g·h)");
  CHECK(tidy("(a - b)^2") == "(a − b)^2");
  CHECK(tidy("exp(-(x + 1))") == "exp(-(x + 1))");
}

TEST_CASE("a local derivative is what is multiplied with what arrives") {
  Formula rest;
  CHECK(is_multiple(read("step(z) * dy"), "dy", rest));
  CHECK(text_of(rest) == "step(z)");
  CHECK(is_multiple(read("-(2 * (dy / 4) * x)"), "dy", rest));
  CHECK(text_of(rest) == "-x/2");
  CHECK_FALSE(is_multiple(read("x.T @ dy"), "dy", rest));
  CHECK_FALSE(is_multiple(read("dy * dy"), "dy", rest));
  CHECK_FALSE(is_multiple(read("dy + x"), "dy", rest));
  CHECK_FALSE(is_multiple(read("x / dy"), "dy", rest));
}

TEST_CASE("names are set as in mathematics") {
  CHECK(latex_name("w1") == "w_{1}");
  CHECK(latex_name("dJ/dz1") == "\\frac{\\partial J}{\\partial z_{1}}");
  CHECK(latex_name("θ") == "\\theta");
  CHECK(latex_name("h⁽³⁾") == "h^{(3)}");
  CHECK(latex_name("d(dJ/dw)/dw") == "\\frac{\\partial \\left(\\frac{\\partial J}{\\partial w}\\right)}{\\partial w}");
  CHECK(latex_text("50% of h⁽³⁾ & x_1") == "50\\% of h${}^{(3)}$ \\& x\\_1");
  CHECK(derivative_name("dJ/dw", "w") == "d(dJ/dw)/dw");
}

TEST_CASE("the text keeps to the width of the terminal") {
  Explanation e;
  e.y = "J";
  const auto number = [](double value) { return runtime::Tensor::scalar(Element::f64, value); };
  e.quantities = {{"a_rather_long_name", Quantity::Kind::param, {}, number(2), number(3), {}},
                  {"J", Quantity::Kind::computed, {}, number(6), number(1), {}}};
  e.of = 1;
  e.xs = {0};
  Step step;
  step.kind = Step::Kind::operation;
  step.results = {1}, step.inputs = {0};
  step.expression = "3 * a_rather_long_name";
  e.steps = {step};
  e.visible = {0};
  e.contributions = {{1, 0, 0, read("3 * dJ"), read("3"), "", "", number(3), number(3)}};
  e.chains = {{0, {{0}}, "", FiniteCheck{"a_rather_long_name", 0.001, 0.003, 0.003}}};
  for (std::size_t width : {60, 80, 120}) {
    const std::string text = to_text(e, {false, width, ""});
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      INFO(text);
      CHECK(width_of(text.substr(at, text.find('\n', at) - at)) <= width);
    }
  }
  CHECK(to_text(e, {true, 0, ""}).find("\x1b[") != std::string::npos);
  CHECK(to_text(e, {false, 0, ""}).find('\x1b') == std::string::npos);
}
