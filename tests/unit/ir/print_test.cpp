#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "ir/builder.h"
#include "ir/verify.h"
#include "tests/unit/ir/text.h"

using namespace bpc;
using namespace bpc::ir;
using test::module_text;
using test::read_text;

namespace {

std::string round_trip(const std::string& text) {
  std::string error;
  auto module = read_text(text, error);
  return module ? print(*module) : error;
}

std::string complaint(const std::string& text) {
  std::string error;
  REQUIRE_FALSE(read_text(text, error));
  return error;
}

}  // namespace

TEST_CASE("a module of every construct reads back to itself") {
  const std::string text = R"(module real=f64 seed=18446744073709551615
file 0 "tutorial.bp"
file 1 "a \"quoted\\ name\n.bp"

func init {
  %1 = constant {value = 0.5} : f64
  output value "w" %1
}

func main loss "J" {
  %x = input "x" : f64[N=64, 3] from "\"iris.csv\"[[\"y\", \"x\"]]"
  %species = input "species" : i32[N=64] of 3 from "\"iris.csv\"[\"label\"]"
  %h1.dense.W = param "h1.dense.W" : f64[3]
  %"x.2" = input "odd name" : bool
  %1 = mul %x, %h1.dense.W : f64[N=64, 3]               @0:8:11-8:15
  %x.2 = mul %1, %1 : f64[N=64, 3]                      @0:8:11-8:15 in 0:12:3-12:9, 1:1:1-2:3 path "h1.dense" by "mul" also 0:3:4-3:9, ?
  %2 = reduce_sum %x.2 {axes = [0, 1]} : f64            @? by "mul"
  %3 = constant {value = 0} : i32
  %4 = constant {value = 10} : i32
  %5 = constant {value = 1} : i32
  %σ₁, %k = for_loop %3, %4, %5, %2, %3 : f64, i32      @0:9:1-11:2 (%i : i32, %σ₁.2 : f64, %k.2 : i32) {
    %σ₁.3 = if_else %"x.2" : f64 {
      %6 = neg %σ₁.2 : f64
      yield %6
    } else {
      yield %σ₁.2
    }
    yield %σ₁.3, %i
  }
  %7 = while_loop %σ₁ : f64 (%8 : f64) {
    yield %"x.2"
  } do (%9 : f64) {
    yield %9
  }
  if_else %"x.2" {
    print %7, %k {text = ["a ", " \t", ""]}
    yield
  } else {
    print {text = [""]}
    yield
  }
  assert_true %"x.2" {message = "no"}
  output value "σ₁" %7
  output gradient "h1.dense.W" %1
}
)";
  CHECK(round_trip(text) == text);
}

TEST_CASE("numbers keep every bit but those of a NaN") {
  for (double value : {0.1, -0.0, 1.0, 12345678901234567890.0, 1e300, 5e-324, 1.0 / 3, std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity()}) {
    Module module;
    Builder builder(module.main);
    builder.constant(value, Type(Element::f64));
    builder.constant(value, Type(Element::f32));
    std::string error;
    auto read = read_text(print(module), error);
    REQUIRE(read);
    for (std::uint32_t i = 0; i < 2; ++i) {
      double expected = std::get<double>(*module.main.op(OpId{i}).attrs.find(Attr::value));
      double actual = std::get<double>(*read->main.op(OpId{i}).attrs.find(Attr::value));
      CHECK(actual == expected);
      CHECK(std::signbit(actual) == std::signbit(expected));
    }
  }
  CHECK(round_trip(module_text("  %1 = constant {value = -nan} : f32\n")) == module_text("  %1 = constant {value = nan} : f32\n"));
  CHECK(round_trip(module_text("  %1 = constant {value = 0.1} : f32\n")) == module_text("  %1 = constant {value = 0.1} : f32\n"));
  const std::string list =
      module_text("  %1 = constant {reals = [0.1, 2, -0, 1.5e+300, -inf]} : f64[5]\n  %2 = constant {ints = []} : i64[0]\n");
  CHECK(round_trip(list) == list);
}

TEST_CASE("values that share a name are told apart") {
  Module module;
  Function& function = module.main;
  Builder builder(function);
  ValueId x = function.add_parameter(Parameter::Kind::input, "x", Type(Element::f32));
  for (const char* name : {"x", "x.2", "", "1", "a b", "x.y", "\"", "x."}) x = builder.emit(Opcode::neg, {x}, {}, nullptr, name);
  std::string text = print(module);
  CHECK(text == module_text("  %x = input \"x\" : f32\n  %x.2 = neg %x : f32\n  %\"x.2\" = neg %x.2 : f32\n  %1 = neg %\"x.2\" : f32\n"
                            "  %\"1\" = neg %1 : f32\n  %\"a b\" = neg %\"1\" : f32\n  %x.y = neg %\"a b\" : f32\n"
                            "  %\"\\\"\" = neg %x.y : f32\n  %x. = neg %\"\\\"\" : f32\n"));
  std::string error;
  auto read = read_text(text, error);
  REQUIRE(read);
  for (std::uint32_t i = 0; i < function.value_count(); ++i) CHECK(read->main.value(ValueId{i}).name == function.value(ValueId{i}).name);
}

TEST_CASE("comments and blanks are free") {
  CHECK(round_trip("# a\nmodule real=f32 seed=0 // b\nfunc main{ %x=input \"x\":f32# c\n %y = add %x,\n   %x : f32\n}") ==
        module_text("  %x = input \"x\" : f32\n  %y = add %x, %x : f32\n"));
}

TEST_CASE("malformed text is told where it goes wrong") {
  CHECK(complaint("") == "1:1: `module` should stand here");
  CHECK(complaint("module real=i32 seed=0") == "1:17: `f32` or `f64` should stand here");
  CHECK(complaint(module_text("  %y = neg %x : f32\n")) == "4:12: there is no %x yet");
  CHECK(complaint(module_text("  %x = input \"x\" : f32\n  %y = nag %x : f32\n")) == "5:8: there is no op `nag`");
  CHECK(complaint(module_text("  %x = input \"x\" : f32\n  %x = neg %x : f32\n")) == "5:3: a second definition of %x");
  CHECK(complaint(module_text("  %x = input \"x\" : f32\n  %y = neg %x : f64\n")) == "5:3: neg has a result of type f64, not f32");
  CHECK(complaint(module_text("  %x = input \"x\" : f32\n  %y = add %x : f32\n")) == "5:3: add `+` does not take 1 operands");
  CHECK(complaint(module_text("  %x = input \"x\" : f32[2, -1]\n")) == "4:20: a type has a negative size");
  CHECK(complaint(module_text("  %x = input \"x\" : f32[1099511627776, 2]\n")).find("2^40") != std::string::npos);
  CHECK(complaint(module_text("  %x = input \"x\" : f32[1099511627776, 16777216]\n")).find("2^40") != std::string::npos);
  CHECK(complaint(module_text("  %x = input \"x\" : tape<f32[4294967296, 4294967296]>\n")).find("2^40") != std::string::npos);
  std::string axes = "1";
  for (int i = 0; i < 40; ++i) axes += ", 1";
  CHECK(complaint(module_text("  %x = input \"x\" : f32[" + axes + "]\n")) == "4:20: a type has 33 axes, and the most are 32");
  CHECK(complaint(module_text("  %x = input \"x\" : f32 %y = neg %x : f32\n")) == "4:24: one op a line: this is left over");
  CHECK(complaint(module_text("  %x = input \"x\" : f32\n  %y = neg %x : f32 @0:1:1-1:2\n")).find("not listed") != std::string::npos);
  CHECK(complaint(module_text("  %x = input \"x\" : f32\n  %y = input \"x\" : f32\n")) == "3:1: main: two parameters are called x");
  CHECK(complaint(module_text(
            "  %c = input \"c\" : bool\n  if_else %c {\n    %a = logical_not %c : bool\n    yield\n  } else {\n    yield %a\n  }\n")) ==
        "9:11: %a belongs to another region");
  CHECK(complaint(module_text("  %c = input \"c\" : bool\n  %r = if_else %c : bool {\n    yield %c\n  } else {\n    yield\n  }\n"))
            .find("does not yield the types") != std::string::npos);
}

TEST_CASE("no text, cut or changed anywhere, crashes the reader") {
  const std::string text = R"(module real=f32 seed=7
file 0 "t.bp"

func main loss "J" {
  %x = input "x" : f32[N=4, 3]
  %1 = slice %x {starts = [0, 2], sizes = [4, 1], steps = [1, -1], drop = [1]} : f32[4] @0:1:1-1:2
  %2 = einsum %x, %1 {spec = "ij,i->j"} : f32[3]
  %c = constant {ints = [1, 0]} : bool[2]
  %d = reduce_any %c {axes = [0], keep = false} : bool
  %r = if_else %d : f32[3] {
    yield %2
  } else {
    %3 = mul %2, %2 : f32[3]
    yield %3
  }
  output value "r" %r
}
)";
  REQUIRE(round_trip(text) != "");
  for (std::size_t i = 0; i < text.size(); ++i) {
    round_trip(text.substr(0, i));
    for (char c : {'\0', '"', '9', '-', '%', '{', '\n', '\xff'}) {
      std::string changed = text;
      changed[i] = c;
      round_trip(changed);
    }
  }
  std::string deep = "  %c = input \"c\" : bool\n";
  for (int i = 0; i < 100000; ++i) deep += "if_else %c {\n";
  CHECK(complaint(module_text(deep)).find("nested too deeply") != std::string::npos);
  CHECK(complaint(module_text("  %x = input \"x\" : f32[" + std::string(100000, '[') + "\n")) != "");
}

TEST_CASE("an output in the memory of a parameter reads back") {
  const std::string text = module_text("  %w = param \"w\" : f32[2]\n  %1 = neg %w : f32[2]\n  output value \"next\" %1 in \"w\"\n");
  std::string error;
  const auto module = read_text(text, error);
  REQUIRE(module);
  CHECK(print(*module) == text);
  CHECK(module->main.outputs[0].donor == "w");
}
