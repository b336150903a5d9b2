#include <catch2/catch.hpp>

#include "ir/pipeline.h"
#include "tests/unit/ir/text.h"

using namespace bpc;
using test::module_text;

namespace {

// The lines of `main` after the pass; parameters and outputs stay.
std::string after(std::initializer_list<std::string_view> passes, const std::string& body) {
  std::string error;
  auto module = test::read_text(module_text(body), error);
  INFO(error);
  REQUIRE(module);
  Diagnostics diagnostics;
  ir::run_passes(*module, std::span(passes.begin(), passes.size()), diagnostics, true);
  CHECK(diagnostics.all().empty());
  std::string text = ir::print(*module);
  std::string head = module_text("").substr(0, module_text("").size() - 2);
  REQUIRE(text.substr(0, head.size()) == head);
  return text.substr(head.size(), text.size() - head.size() - 2);
}

const std::string kParameters =
    "  %x = input \"x\" : f32[3]\n  %s = input \"s\" : f32\n  %m = input \"m\" : f32[2, 3]\n  %n = input \"n\" : i32\n  %b = input \"b\" : "
    "bool\n";

// What one output becomes: `body` defines %y; the expected lines come after the parameters.
std::string simplified(const std::string& body) {
  std::string text = after({"simplify", "cse", "dce"}, kParameters + body + "  output value \"y\" %y\n");
  REQUIRE(text.substr(0, kParameters.size()) == kParameters);
  return text.substr(kParameters.size());
}

std::string output(const std::string& value) {
  return "  output value \"y\" " + value + "\n";
}

}  // namespace

TEST_CASE("simplify drops neutral operands") {
  const std::string one = "  %1 = constant {value = 1} : f32\n", zero = "  %0 = constant {value = 0} : f32\n";
  const std::string minus_zero = "  %0 = constant {value = -0} : f32\n", none = "  %2 = constant {value = 0} : i32\n";
  CHECK(simplified(one + "  %y = mul %x, %1 : f32[3]\n") == output("%x"));
  CHECK(simplified(one + "  %y = mul %1, %x : f32[3]\n") == output("%x"));
  CHECK(simplified(one + "  %y = div %x, %1 : f32[3]\n") == output("%x"));
  CHECK(simplified(one + "  %y = pow %x, %1 : f32[3]\n") == output("%x"));
  CHECK(simplified(zero + "  %y = sub %x, %0 : f32[3]\n") == output("%x"));
  CHECK(simplified(minus_zero + "  %y = add %0, %x : f32[3]\n") == output("%x"));
  CHECK(simplified(none + "  %y = add %n, %2 : i32\n") == output("%n"));
  CHECK(simplified("  %1 = constant {value = 1} : f32[2, 3]\n  %y = mul %x, %1 : f32[2, 3]\n") ==
        "  %y = broadcast %x : f32[2, 3]\n" + output("%y"));
}

TEST_CASE("simplify keeps what could change a NaN or the sign of zero") {
  const std::string zero = "  %1 = constant {value = 0} : f32\n", minus_zero = "  %1 = constant {value = -0} : f32\n";
  for (const std::string& body :
       {zero + "  %y = mul %s, %1 : f32\n", zero + "  %y = add %s, %1 : f32\n", zero + "  %y = sub %1, %s : f32\n",
        minus_zero + "  %y = sub %s, %1 : f32\n", std::string("  %y = sub %s, %s : f32\n"), std::string("  %y = div %s, %s : f32\n"),
        zero + "  %y = strong_mul %s, %1 : f32\n"})
    CHECK(simplified(body) == body + output("%y"));
}

TEST_CASE("simplify folds numbers in their own precision") {
  auto folded = [](const std::string& type, const std::string& a, const std::string& op, const std::string& b,
                   const std::string& result_type) {
    return simplified("  %1 = constant {value = " + a + "} : " + type + "\n  %2 = constant {value = " + b + "} : " + type +
                      "\n  %y = " + op + " %1, %2 : " + result_type + "\n");
  };
  auto constant = [](const std::string& value, const std::string& type) {
    return "  %y = constant {value = " + value + "} : " + type + "\n" + output("%y");
  };
  CHECK(folded("f32", "0.1", "add", "0.2", "f32") == constant("0.3", "f32"));
  CHECK(folded("f64", "0.1", "add", "0.2", "f64") == constant("0.30000000000000004", "f64"));
  CHECK(folded("f32", "1", "div", "-0", "f32") == constant("-inf", "f32"));
  CHECK(folded("f32", "0", "div", "0", "f32") == constant("nan", "f32"));
  CHECK(folded("i32", "2147483647", "add", "1", "i32") == constant("-2147483648", "i32"));
  CHECK(folded("i64", "9223372036854775807", "add", "1", "i64") == constant("-9223372036854775808", "i64"));
  CHECK(folded("i64", "-9223372036854775807", "floordiv", "-1", "i64") == constant("9223372036854775807", "i64"));
  CHECK(folded("i32", "-7", "floordiv", "2", "i32") == constant("-4", "i32"));
  CHECK(folded("i32", "-7", "mod", "2", "i32") == constant("1", "i32"));
  CHECK(folded("i32", "7", "mod", "-2", "i32") == constant("-1", "i32"));
  CHECK(folded("f32", "nan", "eq", "nan", "bool") == constant("0", "bool"));
  CHECK(folded("i32", "1", "floordiv", "0", "i32").find("floordiv") != std::string::npos);
}

TEST_CASE("simplify moves negations and expands powers") {
  const std::string minus = "  %1 = neg %s : f32\n";
  CHECK(simplified(minus + "  %y = neg %1 : f32\n") == output("%s"));
  CHECK(simplified(minus + "  %y = add %x, %1 : f32[3]\n") == "  %y = sub %x, %s : f32[3]\n" + output("%y"));
  CHECK(simplified(minus + "  %y = sub %x, %1 : f32[3]\n") == "  %y = add %x, %s : f32[3]\n" + output("%y"));
  CHECK(simplified("  %2 = constant {value = -1} : f32\n  %y = mul %2, %x : f32[3]\n") == "  %y = neg %x : f32[3]\n" + output("%y"));
  CHECK(simplified("  %2 = constant {value = 2} : f32\n  %y = pow %x, %2 : f32[3]\n") == "  %y = mul %x, %x : f32[3]\n" + output("%y"));
  CHECK(simplified("  %2 = constant {value = 0} : f32\n  %y = pow %x, %2 : f32[3]\n") ==
        "  %y = constant {value = 1} : f32[3]\n" + output("%y"));
}

TEST_CASE("simplify shortens movement") {
  CHECK(simplified("  %1 = transpose %m {perm = [1, 0]} : f32[3, 2]\n  %y = transpose %1 {perm = [1, 0]} : f32[2, 3]\n") == output("%m"));
  CHECK(simplified("  %1 = reshape %m : f32[6]\n  %y = reshape %1 : f32[3, 2]\n") == "  %y = reshape %m : f32[3, 2]\n" + output("%y"));
  CHECK(simplified("  %1 = broadcast %s : f32[3]\n  %y = broadcast %1 : f32[2, 3]\n") ==
        "  %y = broadcast %s : f32[2, 3]\n" + output("%y"));
  CHECK(simplified("  %y = slice %x {starts = [0], sizes = [3], steps = [1]} : f32[3]\n") == output("%x"));
  CHECK(simplified("  %1 = cast %n : f64\n  %y = cast %1 : f32\n") == "  %y = cast %n : f32\n" + output("%y"));
  CHECK(simplified("  %1 = cast %s : f64\n  %y = cast %1 : f32\n") == output("%s"));
  CHECK(simplified("  %1 = transpose %m {perm = [1, 0]} : f32[3, 2]\n  %y = einsum %1, %m {spec = \"ij,jk->ik\"} : f32[3, 3]\n") ==
        "  %y = einsum %m, %m {spec = \"ji,jk->ik\"} : f32[3, 3]\n" + output("%y"));
  CHECK(simplified("  %y = reduce_sum %x {axes = []} : f32[3]\n") == output("%x"));
}

TEST_CASE("simplify lets operands stretch by themselves") {
  CHECK(simplified("  %1 = broadcast %x : f32[2, 3]\n  %y = mul %1, %m : f32[2, 3]\n") == "  %y = mul %x, %m : f32[2, 3]\n" + output("%y"));
  CHECK(simplified("  %1 = broadcast %x : f32[2, 3]\n  %2 = broadcast %s : f32[2, 3]\n  %y = mul %1, %2 : f32[2, 3]\n") ==
        "  %1 = broadcast %s : f32[2, 3]\n  %y = mul %x, %1 : f32[2, 3]\n" + output("%y"));
  CHECK(simplified("  %1 = constant {value = 2} : f32[3]\n  %y = mul %1, %x : f32[3]\n") ==
        "  %1 = constant {value = 2} : f32\n  %y = mul %1, %x : f32[3]\n" + output("%y"));
  CHECK(simplified("  %1 = broadcast %x : f32[2, 3]\n  %y = exp %1 : f32[2, 3]\n") ==
        "  %1 = exp %x : f32[3]\n  %y = broadcast %1 : f32[2, 3]\n" + output("%y"));
}

TEST_CASE("simplify takes the branch that a constant chooses") {
  const std::string yes = "  %1 = constant {value = 1} : bool\n";
  CHECK(simplified(yes + "  %y = select %1, %x, %s : f32[3]\n") == output("%x"));
  CHECK(simplified("  %y = select %b, %s, %s : f32\n") == output("%s"));
  CHECK(simplified(yes + "  %y = if_else %1 : f32 {\n    %2 = neg %s : f32\n    yield %2\n  } else {\n    yield %s\n  }\n") ==
        "  %y = neg %s : f32\n" + output("%y"));
}

TEST_CASE("simplify settles logic that a constant decides") {
  const std::string no = "  %1 = constant {value = 0} : bool\n", yes = "  %1 = constant {value = 1} : bool\n";
  CHECK(simplified(no + "  %y = logical_and %b, %1 : bool\n") == no + output("%1"));
  CHECK(simplified(yes + "  %y = logical_or %1, %b : bool\n") == yes + output("%1"));
  CHECK(simplified(yes + "  %y = logical_and %b, %1 : bool\n") == output("%b"));
}

TEST_CASE("functions that still hold grad ops are not simplified") {
  const std::string body =
      "  %w = param \"w\" : f32\n  %1 = constant {value = 0} : f32\n  %2 = pow %w, %1 : f32\n  %3 = pow %w, %1 : f32\n"
      "  %g = grad %3, %w : f32\n  output value \"g\" %g\n  output value \"u\" %2\n";
  CHECK(after({"simplify", "cse"}, body) == body);
}

TEST_CASE("cse merges equal ops, into regions too, and joins their places") {
  std::string error;
  auto module = test::read_text(R"(module real=f32 seed=0
file 0 "t.bp"

func main {
  %x = input "x" : f32
  %y = input "y" : f32
  %b = input "b" : bool
  %1 = mul %x, %y : f32 @0:1:1-1:2
  %2 = mul %y, %x : f32 @0:2:1-2:2
  %3 = div %x, %y : f32 @0:3:1-3:2
  %4 = div %y, %x : f32 @0:4:1-4:2
  %5 = if_else %b : f32 {
    %6 = mul %x, %y : f32 @0:5:1-5:2
    %7 = exp %6 : f32 @0:6:1-6:2
    yield %7
  } else {
    %8 = exp %1 : f32 @0:7:1-7:2
    yield %8
  }
  %9 = exp %1 : f32 @0:8:1-8:2
  %10 = constant {value = 0} : f32
  %11 = constant {value = -0} : f32
  output value "a" %2
  output value "b" %5
  output value "c" %9
  output value "d" %3
  output value "e" %4
  output value "f" %10
  output value "g" %11
}
)",
                                error);
  REQUIRE(module);
  Diagnostics diagnostics;
  const std::string_view passes[] = {"cse"};
  ir::run_passes(*module, passes, diagnostics, true);
  CHECK(ir::print(*module) == R"(module real=f32 seed=0
file 0 "t.bp"

func main {
  %x = input "x" : f32
  %y = input "y" : f32
  %b = input "b" : bool
  %1 = mul %x, %y : f32                                 @0:1:1-1:2 also 0:2:1-2:2, 0:5:1-5:2
  %2 = div %x, %y : f32                                 @0:3:1-3:2
  %3 = div %y, %x : f32                                 @0:4:1-4:2
  %4 = if_else %b : f32 {
    %5 = exp %1 : f32                                   @0:6:1-6:2
    yield %5
  } else {
    %6 = exp %1 : f32                                   @0:7:1-7:2
    yield %6
  }
  %7 = exp %1 : f32                                     @0:8:1-8:2
  %8 = constant {value = 0} : f32
  %9 = constant {value = -0} : f32
  output value "a" %1
  output value "b" %4
  output value "c" %7
  output value "d" %2
  output value "e" %3
  output value "f" %8
  output value "g" %9
}
)");
}

TEST_CASE("effects are never merged or dropped") {
  const std::string body =
      "  %b = input \"b\" : bool\n  print {text = [\"a\"]}\n  print {text = [\"a\"]}\n  assert_true %b\n"
      "  assert_true %b\n";
  CHECK(after({"simplify", "cse", "dce"}, body) == body);
}

TEST_CASE("dce drops unused ops, results and carried values") {
  CHECK(after({"dce"}, R"(  %b = input "b" : bool
  %x = input "x" : f32
  %n = input "n" : i32
  %1 = constant {value = 1} : i32
  %dead = exp %x : f32
  %used, %unused = if_else %b : f32, f32 {
    %2 = neg %x : f32
    %3 = exp %x : f32
    yield %2, %3
  } else {
    yield %x, %dead
  }
  %s, %t, %u = for_loop %1, %n, %1, %x, %x, %x : f32, f32, f32 (%i : i32, %s.2 : f32, %t.2 : f32, %u.2 : f32) {
    %s.3 = mul %s.2, %t.2 : f32
    %t.3 = neg %t.2 : f32
    %u.3 = add %u.2, %s.2 : f32
    yield %s.3, %t.3, %u.3
  }
  %lonely = for_loop %1, %n, %1, %x : f32 (%j : i32, %l : f32) {
    %l.2 = neg %l : f32
    yield %l.2
  }
  %q = floordiv %1, %n : i32
  output value "used" %used
  output value "s" %s
)") == R"(  %b = input "b" : bool
  %x = input "x" : f32
  %n = input "n" : i32
  %1 = constant {value = 1} : i32
  %used = if_else %b : f32 {
    %2 = neg %x : f32
    yield %2
  } else {
    yield %x
  }
  %s, %t = for_loop %1, %n, %1, %x, %x : f32, f32 (%i : i32, %s.2 : f32, %t.2 : f32) {
    %s.3 = mul %s.2, %t.2 : f32
    %t.3 = neg %t.2 : f32
    yield %s.3, %t.3
  }
  %q = floordiv %1, %n : i32
  output value "used" %used
  output value "s" %s
)");
}

TEST_CASE("dce keeps loops for the sake of what they print") {
  const std::string body = R"(  %n = input "n" : i32
  %1 = constant {value = 1} : i32
  %k = for_loop %1, %n, %1, %n : i32 (%i : i32, %k.2 : i32) {
    print %k.2 {text = ["", ""]}
    %k.3 = add %k.2, %i : i32
    yield %k.3
  }
  while_loop {
    %2 = constant {value = 0} : bool
    yield %2
  } do {
    yield
  }
)";
  CHECK(after({"dce"}, body) == body);
}
