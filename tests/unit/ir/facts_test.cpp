// What is known of values without running: ranges of integers, constant bounds, what may be infinite.
#include "ir/ranges.h"
#include "ir/static_facts.h"
#include "tests/unit/ir/text.h"

namespace bpc::ir {

namespace {

const std::string kInputs = R"(  %n = input "n" : i32
  %x = input "x" : f32
  %v = input "v" : i32[4]
  %p = input "p" : i64
  %1 = constant {value = 1} : i32
  %3 = constant {value = 3} : i32
  %5 = constant {value = 5} : i32
  %m2 = constant {value = -2} : i32
)";

// The value that is called y, among those of regions too.
ValueId named(const Function& function, const std::string& name) {
  for (std::uint32_t i = 0; i < function.value_count(); ++i)
    if (function.value({i}).name == name) return {i};
  FAIL("no value " << name);
  return {};
}

// "lo..hi" of %y, or "unknown".
std::string range(const std::string& body) {
  const Function function = test::read_main(kInputs + body);
  const auto found = integer_range(function, named(function, "y"));
  return found ? std::to_string(found->lo) + ".." + std::to_string(found->hi) : "unknown";
}

std::string loop(const std::string& lo, const std::string& hi, const std::string& by, const std::string& inside) {
  return "  for_loop " + lo + ", " + hi + ", " + by + " (%i : i32) {\n" + inside + "    yield\n  }\n";
}

}  // namespace

TEST_CASE("ranges of integers") {
  CHECK(range("  %y = constant {value = 7} : i32\n") == "7..7");
  CHECK(range("  %y = add %n, %1 : i32\n") == "unknown");
  CHECK(range("  %y = sub %5, %m2 : i32\n") == "7..7");
  CHECK(range("  %y = iota {axis = 0} : i32[6]\n") == "0..5");
  CHECK(range("  %y = argmax %v {axes = [0]} : i32\n") == "0..3");
  CHECK(range("  %y = neg %5 : i32\n") == "-5..-5");
  CHECK(range("  %a = iota {axis = 0} : i32[6]\n  %y = mul %a, %m2 : i32[6]\n") == "-10..0");
  CHECK(range("  %y = mod %n, %3 : i32\n") == "0..2");
  CHECK(range("  %y = mod %n, %m2 : i32\n") == "unknown");
  CHECK(range("  %a = minimum %n, %5 : i32\n  %y = maximum %a, %1 : i32\n") == "1..5");
  CHECK(range("  %c = input \"c\" : bool\n  %y = select %c, %1, %5 : i32\n") == "1..5");
  CHECK(range("  %a = constant {value = 2147483647} : i32\n  %y = add %a, %1 : i32\n") != "2147483648..2147483648");  // it wraps
}

TEST_CASE("ranges of what loops count") {
  const std::string zero = "  %0 = constant {value = 0} : i32\n";
  CHECK(range(zero + loop("%0", "%5", "%1", "    %y = add %i, %1 : i32\n")) == "1..5");
  CHECK(range(zero + loop("%5", "%0", "%m2", "    %y = mul %i, %1 : i32\n")) == "1..5");
  CHECK(range(zero + loop("%0", "%n", "%1", "    %y = add %i, %1 : i32\n")) == "unknown");
}

TEST_CASE("bounds of loops that are constants") {
  auto turns = [](const std::string& lo, const std::string& hi, const std::string& by) -> std::int64_t {
    const Function function = test::read_main(kInputs + loop(lo, hi, by, ""));
    for (std::uint32_t i = 0; i < function.op_count(); ++i)
      if (function.op({i}).code == Opcode::for_loop) {
        const auto bounds = constant_bounds(function, function.op({i}));
        return bounds ? bounds->turns : -1;
      }
    return -2;
  };
  CHECK(turns("%1", "%5", "%1") == 4);
  CHECK(turns("%1", "%5", "%3") == 2);
  CHECK(turns("%5", "%1", "%m2") == 2);
  CHECK(turns("%5", "%1", "%1") == 0);
  CHECK(turns("%1", "%n", "%1") == -1);
}

TEST_CASE("what may be infinite") {
  auto nonfinite = [](const std::string& body) {
    const Function function = test::read_main(kInputs + body);
    return StaticFacts(function).may_be_nonfinite(named(function, "y"));
  };
  CHECK_FALSE(nonfinite("  %y = mul %x, %x : f32\n"));
  CHECK_FALSE(nonfinite("  %y = tanh %x : f32\n"));
  CHECK(nonfinite("  %y = log %x : f32\n"));
  CHECK(nonfinite("  %y = div %x, %x : f32\n"));
  CHECK(nonfinite("  %a = log %x : f32\n  %y = add %a, %x : f32\n"));
  CHECK_FALSE(nonfinite("  %y = constant {value = 2.5} : f32\n"));
  CHECK(nonfinite("  %y = constant {value = inf} : f32\n"));
  // What a loop carries, by what its turns make of it.
  auto carried = [](const std::string& turn) {
    return "  %y = for_loop %1, %5, %1, %x : f32 (%i : i32, %c : f32) {\n" + turn + "    yield %d\n  }\n";
  };
  CHECK_FALSE(nonfinite(carried("    %d = mul %c, %x : f32\n")));
  CHECK(nonfinite(carried("    %d = log %c : f32\n")));
}

TEST_CASE("numbers that values hold") {
  const Function function = test::read_main(kInputs + "  %y = constant {value = 2.5} : f32[3]\n  %z = mul %y, %x : f32[3]\n");
  CHECK(constant_value(function, named(function, "y")) == 2.5);
  CHECK(constant_value(function, named(function, "z")) == std::nullopt);
}

}  // namespace bpc::ir
