// What must be an error of differentiation: a derivative in a loop, where what is differentiated, or what by, comes from an earlier turn.
#include <fmt/format.h>

#include "tests/random/generator.h"

namespace bpc::test {

namespace {

// The bodies of loops. {e} is a loss that was computed before the loop from {p}, by {f}; {d} a derivative of {e} by {p}, {dq} one by q; {u}
// gives {p} another value.
constexpr const char* kBodies[] = {
    "{d}; {u}; {e} = {f}",
    "{d}; {e} = {f}",
    "{d}; {u}",
    "{e} += {f}; {d}",
    "{d}; {e} = {f}; {u}",
    "q = 2 * {p}; {dq}; {e} = sum(q * q)",
    "{d}; {e} = c; c = {f}; {u}",
    "if {i} > 0 { {e} = {f} }; {d}; {u}",
    "if {i} > 0 { {d} }; {u}; {e} = {f}",
    "for l in 0..2 { {d} }; {u}; {e} = {f}",
    "for l in 0..2 { {d}; {u}; {e} = {f} }",
    "k = {e} + 0.1; {e} = {f}; g = grad(k, {p}); r += sum(g); {u}",
};
constexpr const char* kDerivatives[] = {"grad({e}, {x})",     "jvp({e}, {x}, {v})", "vjp({e}, {x}, 0.7)",
                                        "hvp({e}, {x}, {v})", "hessian({e}, {x})",  "jacobian({e}, {x})"};

std::string filled(std::string text, std::initializer_list<std::pair<std::string_view, std::string_view>> places) {
  for (const auto& [place, by] : places)
    for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += by.size()) text.replace(at, place.size(), by);
  return text;
}

}  // namespace

void Generator::carried_loss() {
  const Shape shape = random_shape(1);
  const std::string fill = shape.empty() ? "0.6" : fmt::format("full({}, 0.6)", shape_text(shape));
  const std::string p = fresh("p"), e = fresh("e");
  const std::vector<Variable> outside = std::move(variables_);
  variables_.assign(outside.begin(), outside.begin() + params_);
  indices_.clear();
  bind(p, shape, 1, true);
  const std::string loss = fmt::format("{} + sum({} * {})", at(expr({}, 2), kSum), p, p);
  variables_ = outside;

  auto derivative_by = [&](std::string_view x) { return "r += sum(" + filled(draw_.of(kDerivatives), {{"{x}", x}, {"{v}", fill}}) + ")"; };
  const char* update = draw_.chance(0.5) ? "{p} = sin({p})" : "{p} -= 0.1 * {p}";
  const bool counts = draw_.chance(0.4);
  const std::string index = counts ? "n" : "i";
  std::string turn = filled(draw_.of(kBodies), {{"{d}", derivative_by("{p}")}, {"{dq}", derivative_by("q")}, {"{u}", update}});
  turn = filled(std::move(turn), {{"{f}", loss}, {"{e}", e}, {"{p}", p}, {"{i}", index}});
  std::string loop = counts ? fmt::format("n : i32 = 0; while n < 3 {{ {}; n += 1 }}", turn) : fmt::format("for i in 0..3 {{ {} }}", turn);
  if (draw_.chance(0.2)) loop = fmt::format("if {} > -9 {{ {} }}", e, loop);

  const std::string all = fmt::format("{} = {}; c = {}; r = 0; {}", e, loss, e, loop);
  Lines& lines = program_.mistake;
  if (draw_.chance(0.4)) {
    const std::string f = fresh("f");
    add(lines, fmt::format("fn {}({}) {{ {}; return r }}", f, p, all));
    add(lines, fmt::format("{} = {}({})", fresh("s"), f, fill));
  } else {
    add(lines, fmt::format("{} = {}", p, fill));
    add(lines, all);
  }
}

}  // namespace bpc::test
