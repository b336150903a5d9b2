// Maps as batched programs: what they become. That they give the same numbers is tested by running scripts.
#include <catch2/catch.hpp>

#include "ir/passes/passes.h"
#include "ir/verify.h"
#include "tests/unit/ir/text.h"

using namespace bpc;
using namespace bpc::ir;

namespace {

std::string batched(const std::string& body) {
  std::string error;
  auto module = test::read_text(test::module_text(body), error);
  INFO(error);
  REQUIRE(module);
  Diagnostics diagnostics;
  module->main = drop_dead(vectorise_maps(module->main, diagnostics), diagnostics);
  for (const std::string& violation : verify(*module)) FAIL_CHECK(violation);
  return print(*module);
}

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a comprehension over a function of a tensor is the batched function") {
  std::string text = batched(R"(  %x = input "x" : f32[5, 3]
  %W = input "W" : f32[3, 4]
  %b = input "b" : f32[4]
  %y = map : f32[5, 4] (%i : i32) {
    %row = slice %x, %i {starts = [0, 0], sizes = [1, 3], steps = [1, 1], dynamic = [0], drop = [0]} : f32[3]
    %z = einsum %row, %W {spec = "k,kj->j"} : f32[4]
    %s = add %z, %b : f32[4]
    %t = tanh %s : f32[4]
    yield %t
  }
  output value "y" %y
)");
  CHECK_FALSE(has(text, "map"));
  CHECK_FALSE(has(text, "for_loop"));
  CHECK_FALSE(has(text, "gather"));  // of all rows: x itself
  CHECK(has(text, "{spec = \"ak,kj->aj\"} : f32[5, 4]"));
  CHECK(has(text, "tanh"));
}

TEST_CASE("a branch that only some indices take is a choice, unless a side may fail") {
  auto with_side = [](const std::string& side) {
    return batched(R"(  %x = input "x" : f32[5]
  %k = input "k" : i32
  %y = map : f32[5] (%i : i32) {
    %v = slice %x, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32
    %zero = constant {value = 0} : f32
    %c = gt %v, %zero : bool
    %r = if_else %c : f32 {
)" + side + R"(      yield %s
    } else {
      yield %zero
    }
    yield %r
  }
  output value "y" %y
)");
  };
  std::string pure = with_side("      %s = log %v : f32\n");
  CHECK(has(pure, "select"));
  CHECK_FALSE(has(pure, "if_else"));
  std::string failing = with_side("      %s = slice %x, %k {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32\n");
  CHECK(has(failing, "for_loop"));
  CHECK(has(failing, "if_else"));
}

TEST_CASE("a loop inside a comprehension carries all indices at once") {
  std::string text = batched(R"(  %x = input "x" : f32[5]
  %lo = constant {value = 0} : i32
  %hi = constant {value = 3} : i32
  %by = constant {value = 1} : i32
  %y = map : f32[5] (%i : i32) {
    %v = slice %x, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32
    %r = for_loop %lo, %hi, %by, %v : f32 (%k : i32, %a : f32) {
      %b = mul %a, %v : f32
      yield %b
    }
    yield %r
  }
  output value "y" %y
)");
  CHECK(has(text, "for_loop %lo, %hi, %by, %x : f32[5]"));
  CHECK(has(text, "mul %a, %x : f32[5]"));
}

TEST_CASE("effects keep their order: such a comprehension is a loop that writes in place") {
  std::string text = batched(R"(  %x = input "x" : f32[2, 3]
  %y = map : f32[2, 3] (%i : i32, %j : i32) {
    %v = slice %x, %i, %j {starts = [0, 0], sizes = [1, 1], steps = [1, 1], dynamic = [0, 1], drop = [0, 1]} : f32
    print %v {text = ["", ""]}
    yield %v
  }
  output value "y" %y
)");
  CHECK(has(text, "print"));
  CHECK(has(text, "update"));
}

TEST_CASE("draws of an index are drawn for all turns at once") {
  std::string text = batched(R"(  %k = input "k" : i64
  %y = map : f32[5, 4, 2] (%i : i32, %j : i32) {
    %w = cast %i : i64
    %t = mul %w, %k : i64
    %v = cast %j : i64
    %u = add %t, %v : i64
    %r = random_normal %u {stream = 3, seed = 1} : f32[2]
    yield %r
  }
  output value "y" %y
)");
  CHECK_FALSE(has(text, "map"));
  CHECK_FALSE(has(text, "for_loop"));
  CHECK(has(text, "{stream = 3, seed = 1} : f32[5, 4, 2]"));
}
