#include "frontend/query.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

using namespace bpc;
using namespace bpc::frontend;

namespace {

// A script with carets under it: what is known of the name above each `^`.
struct Asked {
  SourceMap sources;
  Diagnostics diagnostics;
  TypeTable types;
  std::optional<Program> program;

  explicit Asked(const std::string& text) {
    auto read = [](const std::string& path) {
      return path == "lib.bp" ? std::optional<std::string>("dim K = 3\nfn twice(x) {\n  y = 2*x\n  return y\n}\n") : std::nullopt;
    };
    program = load(sources, sources.add("main.bp", text), read, diagnostics);
    REQUIRE(program);
    LowerOptions options;
    options.stand_in_dims = true;
    options.types = &types;
    lower(*program, options, diagnostics);
  }

  // "kind name (line:column of its first binding): type", or "nothing".
  std::string at(std::uint32_t line, std::uint32_t column, FileId file = 0) const {
    const auto found = name_at(*program, types, file, line, column);
    if (!found) return "nothing";
    const Span& bound = found->meaning->span;
    const std::string where =
        bound.valid() ? fmt::format("{}{}:{}", bound.file == 0 ? "" : "lib.bp:", bound.line, bound.column) : "built in";
    return fmt::format("{} {} ({}): {}", kind_name(found->meaning->kind), found->meaning->name, where, found->type);
  }
};

}  // namespace

TEST_CASE("an editor asks what a name is, where it was bound and of which type it is") {
  const Asked asked(
      "dim H = 4\n"
      "input x : [2, H] = 1\n"
      "param w : [H] = ones()\n"
      "y = x @ w\n"
      "for i in 0..3 { y += w[i] * pi }\n"
      "loss J = sum((y))\n");
  CHECK(asked.at(1, 5) == "a dim H (1:5): i32 = 4");
  CHECK(asked.at(2, 15) == "a dim H (1:5): i32 = 4");
  CHECK(asked.at(2, 7) == "an input x (2:7): f32[2, H=4]");
  CHECK(asked.at(4, 1) == "a value y (4:1): f32[2]");
  CHECK(asked.at(4, 5) == "an input x (2:7): f32[2, H=4]");
  CHECK(asked.at(4, 9) == "a param w (3:7): f32[H=4]");
  CHECK(asked.at(5, 5) == "a value i (5:5): i32");
  CHECK(asked.at(5, 17) == "a value y (4:1): f32[2]");
  CHECK(asked.at(5, 24) == "a value i (5:5): i32");
  CHECK(asked.at(5, 29) == "a value pi (built in): number = 3.141592653589793");
  CHECK(asked.at(6, 10) == "a function sum (built in): f32");
  CHECK(asked.at(6, 15) == "a value y (4:1): f32[2]");
  CHECK(asked.at(6, 6) == "the loss J (6:6): f32");
  CHECK(asked.at(4, 3) == "nothing");
  CHECK(asked.at(9, 1) == "nothing");
}

TEST_CASE("in a function a name has the type of the first call, or what its type says") {
  const Asked asked(
      "import \"lib.bp\"\n"
      "fn f(a: [n], k, σ=2) { b = a * σ; return b*n + k }\n"
      "fn g(a: [3], c) = a + c + K\n"
      "y = f([1, 2], twice(1))\n"
      "z = f([1, 2, 3], 1)\n");
  CHECK(asked.at(2, 6) == "a value a (2:6): f32[2]");
  CHECK(asked.at(2, 10) == "a dim n (2:10): i32 = 2");
  CHECK(asked.at(2, 17) == "a value σ (2:17): number = 2");
  CHECK(asked.at(2, 24) == "a value b (2:24): f32[2]");
  CHECK(asked.at(2, 44) == "a dim n (2:10): i32 = 2");
  CHECK(asked.at(3, 19) == "a value a (3:6): f32[3]");
  CHECK(asked.at(3, 23) == "a value c (3:14): ");
  CHECK(asked.at(3, 27) == "a dim K (lib.bp:1:5): i32 = 3");
  CHECK(asked.at(4, 5) == "a function f (2:4): f32[2]");
  CHECK(asked.at(4, 15) == "a function twice (lib.bp:2:4): f32");
  CHECK(asked.at(3, 3, 1) == "a value y (lib.bp:3:3): f32");
}

TEST_CASE("an editor asks while there are mistakes") {
  const Asked asked("dim N\ninput x : [N, 3]\ny = = 2\nz = x + q\nw = sum(x, axis=1)\nv = y\n");
  CHECK(asked.at(5, 1) == "a value w (5:1): f32[N]");
  CHECK(asked.at(4, 5) == "an input x (2:7): f32[N, 3]");
  CHECK(asked.at(4, 9) == "nothing");
  CHECK(asked.at(4, 1) == "a value z (4:1): ");
  CHECK(asked.at(6, 5) == "a value y (3:1): ");
}

TEST_CASE("an argument's name is that of the parameter") {
  const Asked asked(
      "import \"lib.bp\"\n"
      "fn f(a: real, b=2) = a * b\n"
      "y = f(1, b=3) + f(b=1, a=i32(2)) + twice(x=2.5)\n"
      "z = sum([[1, 2]], axis=0, keep=true) + softmax([1, 2], axis=0)\n"
      "s = f(1, c=3)\n");
  CHECK(asked.at(3, 10) == "a value b (2:15): number = 3");
  CHECK(asked.at(3, 19) == "a value b (2:15): number = 1");
  CHECK(asked.at(3, 24) == "a value a (2:6): f32");
  CHECK(asked.at(3, 42) == "a value x (lib.bp:2:10): number = 2.5");
  CHECK(asked.at(4, 19) == "a value axis (built in): number = 0");
  CHECK(asked.at(4, 27) == "a value keep (built in): bool = true");
  CHECK(asked.at(4, 56) == "a value axis (built in): number = 0");
  CHECK(asked.at(5, 10) == "nothing");
}

TEST_CASE("an argument's name means the parameter where the call is wrong otherwise") {
  const Asked asked("fn f(a, b) = a @ b\ny = f(b=2, c=3)\nz = f([1, 2], b=[1, 2, 3])\n");
  CHECK(asked.at(2, 7) == "a value b (1:9): ");
  CHECK(asked.at(3, 15) == "a value b (1:9): [number = 1, number = 2, number = 3]");
}
