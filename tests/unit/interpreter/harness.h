// Small functions built op by op, and their values.
#pragma once

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "backend/interpreter/interpreter.h"
#include "ir/builder.h"
#include "ir/verify.h"
#include "runtime/number_text.h"
#include "tests/unit/ir/text.h"

namespace bpc::test {

using ir::Attr;
using ir::Attributes;
using ir::Function;
using ir::Opcode;
using ir::ValueId;
using runtime::Tensor;

inline Type tensor_type(Element element, std::vector<std::int64_t> sizes) {
  return Type::of_sizes(element, sizes);
}

inline Tensor tensor(Element element, std::vector<std::int64_t> sizes, std::vector<double> values) {
  return Tensor::from_reals(tensor_type(element, std::move(sizes)), values);
}

inline void output(Function& function, ValueId value) {
  function.outputs.push_back({ir::Output::Kind::value, "out", value});
}

inline runtime::RunResult run(const Function& function, std::vector<Tensor> arguments = {}, const runtime::RunOptions& options = {}) {
  return backend::interpret(function)->run(arguments, options);
}

// The first output as text, or the failure as "E0401 message".
inline std::string shown(const runtime::RunResult& result) {
  if (!result.failure) return runtime::tensor_text(result.outputs.at(0), true);
  const Diagnostic& diagnostic = result.failure->diagnostic;
  return result.failure->interrupted ? "interrupted" : std::string(code_info(diagnostic.code).name) + " " + diagnostic.message;
}

// Every output as text, one after the other, or the failure.
inline std::string all_shown(const runtime::RunResult& result) {
  std::string text;
  for (const Tensor& output : result.outputs) text += fmt::format("{}{}", text.empty() ? "" : " ", runtime::tensor_text(output, true));
  return result.failure ? shown(result) : text;
}

// The most bytes that a run holds beyond those that its arguments do.
inline std::size_t peak_of(const Function& function, const std::vector<Tensor>& arguments = {}) {
  const auto executable = backend::interpret(function);
  Tensor::reset_peak();
  const std::size_t before = Tensor::live_bytes();
  const runtime::RunResult result = executable->run(arguments, {});
  if (result.failure) FAIL(shown(result));
  return Tensor::peak_bytes() - before;
}

// One op applied to parameters x0, x1, ….
inline std::string apply(Opcode code, const std::vector<Tensor>& operands, const Attributes& attrs = {}, const Type* declared = nullptr) {
  Function function;
  ir::Builder builder(function);
  std::vector<ValueId> values;
  for (const Tensor& operand : operands)
    values.push_back(function.add_parameter(ir::Parameter::Kind::input, fmt::format("x{}", values.size()), operand.type()));
  output(function, builder.emit(code, values, attrs, declared));
  return shown(run(function, operands));
}

}  // namespace bpc::test
