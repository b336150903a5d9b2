// The adjoints of control flow: what they keep, what they compute again. Their numbers are tested against central differences by running
// scripts.
#include <catch2/catch.hpp>

#include "ir/adjoint.h"
#include "ir/passes/passes.h"
#include "ir/verify.h"
#include "tests/unit/ir/text.h"

using namespace bpc;
using namespace bpc::ir;

namespace {

std::string expand(const std::string& body, Function (*before)(const Function&, Diagnostics&) = nullptr) {
  std::string error;
  auto module = test::read_text(test::module_text(body), error);
  INFO(error);
  REQUIRE(module);
  Diagnostics diagnostics;
  Function& function = module->main;
  if (before) function = before(function, diagnostics);
  function = expand_gradients(function, diagnostics);
  CHECK(diagnostics.all().empty());
  for (const std::string& violation : verify(*module)) FAIL_CHECK(violation);
  return print(*module);
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

const std::string kBounds = R"(  %lo = constant {value = 0} : i32
  %hi = constant {value = 100} : i32
  %by = constant {value = 1} : i32
)";
const std::string kGradient = "  %g = grad %J, %w : f32\n  output value \"g\" %g\n";

}  // namespace

TEST_CASE("the adjoint of a loop runs backwards over a tape of what it cannot compute again") {
  std::string text = expand("  %w = param \"w\" : f32\n" + kBounds + R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %z = mul %h, %w : f32
    %t = tanh %z : f32
    yield %t
  }
)" + kGradient);
  INFO(text);
  CHECK(times(text, "= push ") == 1);  // h; the end of a turn is the start of the next, and z is not needed
  CHECK(times(text, "= pop ") == 1);
  CHECK(times(text, "constant {value = 99} : i32") == 1);
  CHECK(times(text, "tanh %") == 1);
}

TEST_CASE("derivatives of one value that are taken one by one come from one sweep") {
  const std::string loop =
      "  %w = param \"w\" : f32\n  %v = param \"v\" : f32\n" + kBounds + R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %z = mul %h, %w : f32
    %s = add %z, %v : f32
    %t = tanh %s : f32
    yield %t
  }
  %c = tanh %v : f32
)";
  for (const std::string derivatives : {"  %g = grad %J, %w : f32\n  %k = grad %J, %v : f32\n  %l = grad %J, %w : f32\n",
                                        "  %g = vjp %J, %c, %w : f32\n  %k = vjp %J, %c, %v : f32\n  %l = vjp %J, %c, %w : f32\n"}) {
    std::string text = expand(loop + derivatives + "  output value \"g\" %g\n  output value \"k\" %k\n  output value \"l\" %l\n");
    INFO(text);
    CHECK(times(text, "= for_loop ") == 2);
    CHECK(times(text, "= push ") == 1);
  }
  // Of another value, or of another cotangent of it, there is another.
  std::string text =
      expand(loop + "  %K = mul %J, %c : f32\n  %g = grad %J, %w : f32\n  %k = grad %K, %v : f32\n  %l = vjp %J, %c, %w : f32\n" +
             "  output value \"g\" %g\n  output value \"k\" %k\n  output value \"l\" %l\n");
  INFO(text);
  CHECK(times(text, "= for_loop ") == 4);
}

TEST_CASE("what is cheap is computed again, and the index is never kept") {
  std::string text = expand("  %w = param \"w\" : f32\n" + kBounds + R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %x = cast %i : f32
    %z = mul %h, %x : f32
    yield %z
  }
)" + kGradient);
  INFO(text);
  CHECK(times(text, "= push ") == 0);  // the loop is linear in h
  CHECK(times(text, "cast %i") == 1);  // where its adjoint needs it: the loop itself has become dead
}

TEST_CASE("a linear loop keeps nothing") {
  std::string text = expand("  %w = param \"w\" : f32\n  %x = input \"x\" : f32[100]\n  %zero = constant {value = 0} : f32\n" + kBounds +
                            R"(  %J = for_loop %lo, %hi, %by, %zero : f32 (%i : i32, %s : f32) {
    %v = slice %x, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32
    %p = mul %v, %w : f32
    %n = add %s, %p : f32
    yield %n
  }
)" + kGradient);
  INFO(text);
  CHECK(times(text, "tape") == 0);
}

TEST_CASE("a tape of an inner loop runs through the outer one") {
  std::string text = expand("  %w = param \"w\" : f32\n" + kBounds + R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %r = for_loop %lo, %hi, %by, %h : f32 (%k : i32, %a : f32) {
      %b = sin %a : f32
      %c = mul %b, %w : f32
      yield %c
    }
    yield %r
  }
)" + kGradient);
  INFO(text);
  CHECK(times(text, "= tape ") == 1);
  CHECK(times(text, "= push ") == 1);
}

TEST_CASE("only the side that was taken is on the tape") {
  std::string text = expand("  %w = param \"w\" : f32\n" + kBounds + R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %c = gt %h, %w : bool
    %r = if_else %c : f32 {
      %e = exp %h : f32
      yield %e
    } else {
      yield %w
    }
    yield %r
  }
)" + kGradient);
  INFO(text);
  CHECK(times(text, "= if_else ") == 2);
  CHECK(times(text, "= push ") <= 2);
}

TEST_CASE("a while counts its turns") {
  std::string text = expand(R"(  %w = param "w" : f32
  %limit = input "limit" : f32
  %J = while_loop %w : f32 (%a : f32) {
    %c = lt %a, %limit : bool
    yield %c
  } do (%b : f32) {
    %n = mul %b, %b : f32
    yield %n
  }
)" + kGradient);
  INFO(text);
  CHECK(times(text, "turns") >= 2);
  CHECK(times(text, "= for_loop ") == 1);
}

TEST_CASE("forward mode does not run again what its variable does not reach, be there tapes") {
  std::string text = expand(R"(  %w = param "w" : f32
  %x = param "x" : f32
  %limit = input "limit" : f32
  %v = constant {value = 1} : f32
  %J = while_loop %w : f32 (%a : f32) {
    %c = lt %a, %limit : bool
    yield %c
  } do (%b : f32) {
    %n = mul %b, %b : f32
    yield %n
  }
  %g = grad %J, %w : f32
  %y = mul %g, %x : f32
  %u = jvp %y, %x, %v : f32
  output value "u" %u
)");
  INFO(text);
  CHECK(times(text, "while_loop ") == 1);
}

TEST_CASE("forward mode writes one element where the value does") {
  std::string text = expand("  %x = param \"x\" : f32[100]\n" + kBounds +
                            R"(  %y = for_loop %lo, %hi, %by, %x : f32[100] (%i : i32, %h : f32[100]) {
    %e = slice %x, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32
    %s = sin %e : f32
    %n = update %h, %s, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32[100]
    yield %n
  }
  %u = jvp %y, %x, %x : f32[100]
  output value "u" %u
)");
  INFO(text);
  CHECK(times(text, "= add ") == 0);
  CHECK(times(text, "= update ") == 2);  // cleared there, then added to
}

TEST_CASE("reading one element in a loop adds to one element") {
  std::string text = expand("  %w = param \"w\" : f32[100]\n  %zero = constant {value = 0} : f32\n" + kBounds +
                            R"(  %J = for_loop %lo, %hi, %by, %zero : f32 (%i : i32, %s : f32) {
    %v = slice %w, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32
    %q = mul %v, %v : f32
    %n = add %s, %q : f32
    yield %n
  }
  %g = grad %J, %w : f32[100]
  output value "g" %g
)");
  INFO(text);
  CHECK(times(text, "add = true") == 1);
  CHECK(times(text, "constant {value = 0} : f32[100]") == 1);  // before the loop, not in it
}

TEST_CASE("a checkpoint keeps nothing of its inside") {
  std::string text = expand("  %w = param \"w\" : f32\n" + kBounds + R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %r = checkpoint : f32 {
      %a = exp %h : f32
      %b = sin %a : f32
      %c = exp %b : f32
      yield %c
    }
    yield %r
  }
)" + kGradient);
  INFO(text);
  CHECK(times(text, "= checkpoint ") == 2);
  CHECK(times(text, "= push ") == 1);  // h
  CHECK(times(text, "sin %") == 2);    // and again, before its derivative
}

TEST_CASE("long loops are cut into segments that run again") {
  const std::string body = "  %w = param \"w\" : f32\n" + kBounds + R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %z = mul %h, %w : f32
    %t = tanh %z : f32
    yield %t
  }
)" + kGradient;
  std::string text = expand(body, checkpoint_all_loops);
  INFO(text);
  CHECK(times(text, "= checkpoint ") == 2);
  CHECK(times(text, "constant {value = 10} : i32") >= 1);  // segments of ten turns
  CHECK(times(text, "= push ") == 2);                      // the start of a segment; and inside, of a turn
  CHECK(expand(body, checkpoint_long_loops) == expand(body));
}

TEST_CASE("forward mode runs beside the values, without tapes") {
  std::string text = expand("  %w = param \"w\" : f32\n  %v = input \"v\" : f32\n" + kBounds +
                            R"(  %J = for_loop %lo, %hi, %by, %w : f32 (%i : i32, %h : f32) {
    %z = mul %h, %w : f32
    %t = tanh %z : f32
    yield %t
  }
  %g = jvp %J, %w, %v : f32
  output value "g" %g
)");
  INFO(text);
  CHECK(times(text, "tape") == 0);
  CHECK(times(text, "= for_loop ") == 1);  // the loop alone is dead
}
