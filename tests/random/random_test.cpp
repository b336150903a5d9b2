// Random well-typed programs, differentiated every way (check.h).
//
//   BPC_RANDOM_SEED=1234 build/…/test_random                     one seed: prints the program, and whether it holds
//   BPC_RANDOM_FROM=1 BPC_RANDOM_TO=20000 build/…/test_random    a range, with what it took
//
// A program that fails is cut down, and shown with its seed.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <set>

#include "ir/op.h"
#include "tests/random/check.h"
#include "tests/random/generator.h"

namespace {

using namespace bpc::test;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Every third program is compiled, which takes most of the time, and every tenth also goes through its own gradient script.
Ways ways_of(std::uint64_t seed, bool alone) {
  return {!std::getenv("BPC_RANDOM_INTERP") && (alone || seed % 3 == 0), seed % 2 == 0,
          !std::getenv("BPC_RANDOM_NOSCRIPT") && (alone || seed % 10 == 0), 2 + static_cast<int>(seed / 3 % 3)};
}

std::string report(const Program& program, const Verdict& verdict, std::uint64_t seed, Ways ways) {
  Program small = shrink(program, [&](const Program& smaller) { return check(smaller, ways).kind == verdict.kind; });
  const std::string text = small.text();
  return fmt::format("seed {}: {}\ncut down:\n\n{}\n{}\n\nthe whole program: BPC_RANDOM_SEED={} test_random\n", seed, verdict.failure, text,
                     check(small, ways).failure, seed);
}

}  // namespace

TEST_CASE("random programs and their derivatives") {
  const bool alone = std::getenv("BPC_RANDOM_SEED");
  const std::uint64_t from = number_from("BPC_RANDOM_SEED", number_from("BPC_RANDOM_FROM", 1));
  const std::uint64_t to = alone ? from : number_from("BPC_RANDOM_TO", from + 199);
  std::int64_t compared = 0, skipped = 0, unsteady = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t seed = from; seed <= to; ++seed) {
    CAPTURE(seed);
    const Program program = random_program(seed);
    if (alone) fmt::print("{}\n", program.text());
    const Verdict verdict = check(program, ways_of(seed, alone));
    compared += verdict.compared;
    skipped += verdict.skipped;
    unsteady += verdict.is_unsteady;
    if (verdict.kind.empty()) continue;
    fmt::print("{}\n", report(program, verdict, seed, ways_of(seed, alone)));  // Catch would break its lines
    FAIL_CHECK(verdict.failure);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(
      "seeds {} to {}: {} coordinates compared with differences, {} skipped near kinks; {} programs that rounding decides; {:.1f} s\n",
      from, to, compared, skipped, unsteady, seconds);
  CHECK(20 * skipped <= compared);
  CHECK(1000 * unsteady <= static_cast<std::int64_t>(to - from + 1) + 1000);
}

TEST_CASE("random programs call every function of the operator table") {
  // Integers and bools, which nothing differentiates; strong_mul, which derivatives make.
  const std::set<std::string_view> others{"not", "and", "or", "any", "all", "argmax", "argmin", "argsort", "strong_mul"};
  std::string text;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) text += random_program(seed).text();
  for (const bpc::ir::OpInfo& op : bpc::ir::all_ops()) {
    if (op.example.empty() || !std::isalpha(static_cast<unsigned char>(op.spelling[0])) || others.contains(op.spelling)) continue;
    INFO(op.spelling);
    CHECK(text.find(fmt::format("{}(", op.spelling)) != std::string::npos);
  }
}
