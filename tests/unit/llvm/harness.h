// A function run by the interpreter and compiled, which must agree.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "backend/interpreter/interpreter.h"
#include "backend/llvm/jit.h"
#include "backend/plan/verify.h"
#include "ir/verify.h"
#include "runtime/number_text.h"
#include "tests/support/close.h"
#include "tests/support/sharing.h"
#include "tests/unit/ir/program.h"
#include "tests/unit/ir/text.h"

namespace bpc::test {

using runtime::Tensor;

// Values that differ from each other, between -2 and 2 (integers: -7 to 7), not symmetric, none at a kink.
inline Tensor sample(const Type& type, int salt = 0) {
  Tensor tensor(type);
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    double x = std::sin(1.7 * static_cast<double>(i + 1) + salt) * 2;
    if (is_integer(type.element)) x = std::round(3.5 * x);
    if (type.element == Element::boolean) x = x > 0 ? 1 : 0;
    tensor.set_real(i, x);
  }
  return tensor;
}

struct Observed {
  runtime::RunResult result;
  std::vector<std::string> lines;
};

inline Observed observe(runtime::Executable& executable, std::span<const Tensor> arguments, runtime::RunOptions options = {}) {
  Observed observed;
  options.print = [&](std::string_view line) { observed.lines.emplace_back(line); };
  observed.result = executable.run(arguments, options);
  return observed;
}

inline bool close(const Tensor& a, const Tensor& b) {
  if (!same_type(a.type(), b.type())) return false;
  const double tolerance = a.type().element == Element::f32 ? 1e-5 : a.type().element == Element::f64 ? 1e-12 : 0;
  return !first_difference(elements(a), elements(b), tolerance);
}

inline void expect_same(const Observed& wanted, const Observed& got) {
  CHECK(got.lines == wanted.lines);
  REQUIRE(got.result.failure.has_value() == wanted.result.failure.has_value());
  if (wanted.result.failure) {
    const Diagnostic &a = wanted.result.failure->diagnostic, &b = got.result.failure->diagnostic;
    CHECK(std::string(code_info(b.code).name) + " " + b.message == std::string(code_info(a.code).name) + " " + a.message);
    CHECK(b.notes == a.notes);
    return;
  }
  REQUIRE(got.result.outputs.size() == wanted.result.outputs.size());
  for (std::size_t i = 0; i < got.result.outputs.size(); ++i) {
    const Tensor &a = wanted.result.outputs[i], &b = got.result.outputs[i];
    if (close(a, b)) continue;
    CAPTURE(i, type_text(a.type()));
    CHECK(runtime::tensor_text(b, false) == runtime::tensor_text(a, false));
    FAIL("compiled and interpreted values differ");
  }
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  for (std::int64_t i = 0; i < a.count(); ++i) {
    const double x = a.real_at(i), y = b.real_at(i);
    if (!(x == y && std::signbit(x) == std::signbit(y)) && !(std::isnan(x) && std::isnan(y))) return false;
  }
  return true;
}

// Where every step is cut into parts, these make the same bits, in one thread and in several.
inline void agree_in_parts(const Function& function, std::span<const Tensor> arguments, const runtime::RunOptions& options,
                           const Observed& wanted) {
  CHECK(plan::verify(plan::make_plan(function, sharing_target())) == std::vector<std::string>{});
  std::vector<Tensor> first;
  for (int level : {0, 3}) {
    auto compiled = backend::compile_for(function, {level}, sharing_target());
    for (int threads : {1, 8}) {
      CAPTURE(level, threads);
      const Threads set(threads);
      const Observed got = observe(*compiled, arguments, options);
      expect_same(wanted, got);
      if (first.empty()) first = got.result.outputs;
      for (std::size_t i = 0; i < first.size(); ++i) CHECK(same_bits(first[i], got.result.outputs[i]));
    }
  }
}

// Interpreted, compiled at -O0 and at -O3, which give the same bits; each executable runs twice. And in parts.
inline Observed agree(const Function& function, std::span<const Tensor> arguments, const runtime::RunOptions& options = {}) {
  CHECK(plan::verify(plan::make_plan(function, {})) == std::vector<std::string>{});
  Observed wanted = observe(*backend::interpret(function), arguments, options);
  std::vector<Tensor> plain;  // at -O0
  for (int level : {0, 3}) {
    CAPTURE(level);
    auto compiled = backend::compile(function, {level});
    for (int turn = 0; turn < 2; ++turn) {
      const Observed got = observe(*compiled, arguments, options);
      expect_same(wanted, got);
      if (level == 0) plain = got.result.outputs;
      for (std::size_t i = 0; i < plain.size(); ++i) CHECK(same_bits(plain[i], got.result.outputs[i]));
    }
  }
  agree_in_parts(function, arguments, options, wanted);
  return wanted;
}

inline Observed agree(const Function& function) {
  std::vector<Tensor> arguments;
  for (const ir::Parameter& parameter : function.parameters)
    arguments.push_back(sample(function.type(parameter.value), static_cast<int>(arguments.size())));
  return agree(function, arguments);
}

// Every output as text, one after the other, or the failure.
inline std::string text_of(const Observed& observed) {
  if (observed.result.failure) {
    const Diagnostic& diagnostic = observed.result.failure->diagnostic;
    return std::string(code_info(diagnostic.code).name) + " " + diagnostic.message;
  }
  std::string text;
  for (const Tensor& output : observed.result.outputs) text.append(text.empty() ? "" : " ").append(runtime::tensor_text(output, true));
  return text;
}

inline Tensor integers(const std::vector<std::int64_t>& values) {
  return Tensor::from_ints(shaped(Element::i32, {static_cast<std::int64_t>(values.size())}), values);
}
inline Tensor integer(std::int64_t value, Element element = Element::i32) {
  return Tensor::from_ints(shaped(element), std::vector{value});
}

}  // namespace bpc::test
