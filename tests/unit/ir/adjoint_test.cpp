// The structure of generated gradients; their numbers are tested against central differences under tests/gradient.
#include <catch2/catch.hpp>

#include "ir/adjoint.h"
#include "ir/verify.h"
#include "tests/unit/ir/text.h"

using namespace bpc;
using namespace bpc::ir;

namespace {

struct Expanded {
  std::string text;
  Diagnostics diagnostics;
};

// Expands the gradients of a function with the given body.
Expanded expand(const std::string& body) {
  std::string error;
  auto module = test::read_text(test::module_text(body), error);
  INFO(error);
  REQUIRE(module);
  Expanded result;
  module->main = expand_gradients(module->main, result.diagnostics);
  for (const std::string& violation : verify(*module)) FAIL_CHECK(violation);
  result.text = print(*module);
  return result;
}

bool mentions(const Expanded& expanded, const std::string& part) {
  INFO(expanded.text);
  return expanded.text.find(part) != std::string::npos;
}

std::vector<Code> codes(const Expanded& expanded) {
  std::vector<Code> result;
  for (const Diagnostic& diagnostic : expanded.diagnostics.all()) result.push_back(diagnostic.code);
  return result;
}

}  // namespace

TEST_CASE("a gradient is ordinary ops with telling names") {
  auto expanded = expand(R"(  %x = input "x" : f32[3]
  %w = param "w" : f32[3]
  %z = mul %w, %x : f32[3]
  %J = reduce_sum %z {axes = [0]} : f32
  %g = grad %J, %w : f32[3]
  output value "g" %g
)");
  CHECK(codes(expanded).empty());
  CHECK(mentions(expanded, "%dJ_dz = broadcast %"));
  CHECK(mentions(expanded, "%g = mul %dJ_dz, %x"));
  CHECK_FALSE(mentions(expanded, "dJ_dx"));  // not asked for: not computed
}

TEST_CASE("stretched operands are summed back") {
  auto expanded = expand(R"(  %x = input "x" : f32[4, 3]
  %b = param "b" : f32[3]
  %y = add %x, %b : f32[4, 3]
  %J = reduce_sum %y {axes = [0, 1]} : f32
  %g = grad %J, %b : f32[3]
  output value "g" %g
)");
  CHECK(mentions(expanded, "%g = reduce_sum %dJ_dy {axes = [0]"));
}

TEST_CASE("dependence is read off the program as written") {
  SECTION("floor depends, and gives zero") {
    auto expanded = expand("  %w = param \"w\" : f32\n  %J = floor %w : f32\n  %g = grad %J, %w : f32\n  output value \"g\" %g\n");
    CHECK(codes(expanded).empty());
    CHECK(mentions(expanded, "constant {value = 0}"));
  }
  SECTION("stop_grad cuts") {
    auto expanded = expand("  %w = param \"w\" : f32\n  %J = stop_grad %w : f32\n  %g = grad %J, %w : f32\n  output value \"g\" %g\n");
    CHECK(codes(expanded) == std::vector{Code::E0301});
  }
  SECTION("a gradient depends on all that was differentiated, even where it is constant") {
    auto expanded = expand(R"(  %w = param "w" : f32[3]
  %J = reduce_sum %w {axes = [0]} : f32
  %g = grad %J, %w : f32[3]
  %s = reduce_sum %g {axes = [0]} : f32
  %h = grad %s, %w : f32[3]
  output value "h" %h
)");
    CHECK(codes(expanded).empty());
    CHECK(mentions(expanded, "= constant {value = 0} : f32[3]"));
  }
}

TEST_CASE("a param that does not reach the loss loses its gradient with a warning") {
  auto expanded = expand(R"(  %w = param "w" : f32
  %u = param "u" : f32
  %J = mul %w, %w : f32
  %1, %2 = grad %J, %w, %u {names = ["w", "u"], implicit = true} : f32, f32
  output gradient "w" %1
  output gradient "u" %2
)");
  CHECK(codes(expanded) == std::vector{Code::W0301});
  CHECK_FALSE(mentions(expanded, "output gradient \"u\""));
  CHECK(mentions(expanded, "output gradient \"w\" %dJ_dw"));
}

TEST_CASE("only a product behind a where with a factor that may be infinite is a strong one") {
  const std::string head = "  %x = param \"x\" : f32\n  %c = input \"c\" : bool\n  %0 = constant {value = 0} : f32\n";
  const std::string tail = "  %J = select %c, %y, %0 : f32\n  %g = grad %J, %x : f32\n  output value \"g\" %g\n";
  CHECK(mentions(expand(head + "  %e = exp %x : f32\n  %y = mul %e, %e : f32\n" + tail), "strong_mul"));
  CHECK_FALSE(mentions(expand(head + "  %e = sin %x : f32\n  %y = mul %e, %e : f32\n" + tail), "strong_mul"));
  SECTION("logarithms always") {
    const std::string log = "  %x = param \"x\" : f32\n  %l = log %x : f32\n  %J = mul %l, %l : f32\n";
    CHECK(mentions(expand(log + "  %g = grad %J, %x : f32\n  output value \"g\" %g\n"), "strong_mul"));
  }
}

TEST_CASE("a gradient through earlier turns of a loop is refused") {
  auto expanded = expand(R"(  %a = param "a" : f32
  %lo = constant {value = 0} : i32
  %hi = constant {value = 3} : i32
  %by = constant {value = 1} : i32
  %s, %g = for_loop %lo, %hi, %by, %a, %a : f32, f32 (%i : i32, %s.2 : f32, %g.2 : f32) {
    %s.3 = mul %s.2, %a : f32
    %g.3 = grad %s.3, %a : f32
    yield %s.3, %g.3
  }
  output value "g" %g
)");
  CHECK(codes(expanded) == std::vector{Code::E0304});
}

TEST_CASE("a gradient inside a loop by the value carried into the turn is whole") {
  auto expanded = expand(R"(  %a = param "a" : f32
  %lo = constant {value = 0} : i32
  %hi = constant {value = 3} : i32
  %by = constant {value = 1} : i32
  %w = for_loop %lo, %hi, %by, %a : f32 (%i : i32, %w.2 : f32) {
    %J = mul %w.2, %w.2 : f32
    %g = grad %J, %w.2 : f32
    %w.3 = sub %w.2, %g : f32
    yield %w.3
  }
  output value "w" %w
)");
  CHECK(codes(expanded).empty());
  CHECK(mentions(expanded, "sub %w.2, %g"));
}
