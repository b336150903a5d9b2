// Functions with a rule of their own, which is the true derivative. The twin has no rule.
#include <fmt/format.h>

#include "tests/random/generator.h"

namespace bpc::test {

namespace {

struct Custom {
  const char* fn;
  const char* adjoint;
  std::vector<Shape> parameters, results;
  bool any_shape;
  double bound;
};
const std::vector<Custom>& customs() {
  static const std::vector<Custom> all{
      {"fn {}(x) = tanh(x)", "adjoint {}(x) -> y {{ dx = (1 - y^2) * dy }}", {{}}, {{}}, true, 1},
      {"fn {}(x) = x * x * x", "adjoint {}(x) -> y {{ dx = 3 * x^2 * dy }}", {{}}, {{}}, true, 8},
      {"fn {}(x, w) = x * sin(w)", "adjoint {}(x, w) -> y {{ dx = sin(w) * dy; dw = x * cos(w) * dy }}", {{}, {}}, {{}}, true, 2},
      {"fn {}(x : [N]) = sum(x * x)", "adjoint {}(x) -> y {{ dx = 2 * x * dy }}", {{-1}}, {{}}, false, 16},
      {"fn {}(A : [N, K], x : [K]) -> [N] = A @ x",
       "adjoint {}(A, x) -> y {{ dA = outer(dy, x); dx = dy @ A }}",
       {{-1, -2}, {-2}},
       {{-1}},
       false,
       16},
      {"fn {}(x) {{ return sin(x), x * x }}", "adjoint {}(x) -> s, q {{ dx = cos(x) * ds + 2 * x * dq }}", {{}}, {{}, {}}, true, 4},
      // Newton's iteration for sqrt(x^2 + 0.5).
      {"fn {}(x) {{ c = x^2 + 0.5; r = 1 + abs(x); for i in 0..7 {{ r = 0.5 * (r + c / r) }}; return r }}",
       "adjoint {}(x) -> y {{ dx = x / y * dy }}",
       {{}},
       {{}},
       false,
       2.2},
      // The implicit function x^3 + x = a, whose rule takes derivatives.
      {"fn {}(a) {{ x = 1; for i in 0..12 {{ x -= (x^3 + x - a) / (3 * x^2 + 1) }}; return x }}",
       "adjoint {}(a) -> x {{ F = x^3 + x - a; da = -dx * grad(F, a) / grad(F, x) }}",
       {{}},
       {{}},
       false,
       2},
  };
  return all;
}

// Rules that take derivatives. {e} is what the function computes of x and w, {f} a function that computes it, {t} what it computes of `t`,
// which is tanh(x).
struct Rule {
  const char* text;
  bool of_t = false;  // what the function computes is {t}
};
constexpr Rule kRules[] = {
    {"e = {e}; dx = vjp(e, x, dy); dw = vjp(e, w, dy)"},
    {"dx = vjp({e}, x, dy); dw = dy * grad(sum({e}), w)"},
    {"dx = dy * jvp({e}, x, 1); dw = jvp({e}, w, dy)"},
    {"dx = vjp({f}(x, w), x, dy); dw = grad(sum({f}(x, w)), w) * dy"},
    {"s = 0 * x; r = 0 * w; for i in 0..2 { e = {e}; s += vjp(e, x, dy); r += grad(sum(e), w) }; dx = s / 2; dw = 0.5 * r * dy"},
    {"s = 0 * x; k : i32 = 0; while k < 2 { s += dy * grad(sum({f}(x, w)), x) / 2; k += 1 }; dx = s; dw = vjp({e}, w, dy)"},
    {"c = x + w; e = {e} + 0 * c; g, h = grad(sum(e), x, w); dx = g * dy; dw = h * dy"},
    {"t = tanh(x); e = {t}; dx = vjp(t, x, vjp(e, t, dy)); dw = vjp(e, w, dy)", true},
    {"t = tanh(x); e = {t}; dx = (1 - t^2) * grad(sum(e), t) * dy; dw = grad(sum(e), w) * dy", true},
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

}  // namespace

void Generator::add_with_rule(const std::string& function, const std::string& rule) {
  add(program_.lines, function);
  add(program_.lines, either(rule, ""));
}

void Generator::make_custom() {
  const Custom& custom = draw_.of(customs());
  Function f{fresh("c"), {}, custom.results, custom.any_shape, 0, custom.bound};
  for (const Shape& shape : custom.parameters) f.parameters.push_back({"x", shape});
  if (f.parameters.size() > 1) f.parameters.back().name = custom.any_shape ? "w" : "x";
  if (f.parameters.size() > 1 && !custom.any_shape) f.parameters.front().name = "A";
  add_with_rule(fmt::format(fmt::runtime(custom.fn), f.name), fmt::format(fmt::runtime(custom.adjoint), f.name));
  functions_.push_back(std::move(f));
}

void Generator::make_ruled() {
  const Rule& rule = draw_.of(kRules);
  Function f{fresh("c"), {{"x", {}, false}, {"w", {}, false}}, {{}}, true, 1, 2};
  const std::string inner = elementwise_body({{rule.of_t ? "t" : "x", {}, false}, {"w", {}, false}});
  const std::string body = fmt::format("{} + 0.3 * {} * w", inner, rule.of_t ? "t" : "x"), helper = fresh("g");
  std::string text = replaced(rule.text, rule.of_t ? "{t}" : "{e}", body);
  if (text.find("{f}") != std::string::npos) add(program_.lines, fmt::format("fn {}(x, w) = {}", helper, body));
  text = replaced(std::move(text), "{f}", helper);
  f.order += order_;
  add_with_rule(
      rule.of_t ? fmt::format("fn {}(x, w) {{ t = tanh(x); return {} }}", f.name, body) : fmt::format("fn {}(x, w) = {}", f.name, body),
      fmt::format("adjoint {}(x, w) -> y {{ {} }}", f.name, text));
  functions_.push_back(std::move(f));
}

}  // namespace bpc::test
