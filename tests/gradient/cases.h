// What the table tests know of each operator: operands where it is smooth, and literal values.
#pragma once

#include <optional>
#include <vector>

#include "ir/op.h"
#include "runtime/tensor.h"

namespace bpc::test {

struct Operand {
  std::vector<std::int64_t> sizes;
  double lo = -2, hi = 2;          // reals lie between; an integer is lo
  Element element = Element::f64;  // f64 stands for the real type under test
  bool definite = false;           // the operator gets x x^T + I, of matrices x that take the values
};

struct Case {
  std::vector<Operand> operands;
  ir::Attributes attrs = {};
  std::optional<std::vector<std::int64_t>> declared = {};  // sizes, for the operators whose result type is declared
};

// Operands of several shapes, broadcasting ones included, away from kinks and poles. Empty for an operator without a derivative to test:
// those are exempt, see the reasons in cases.cpp. A new operator does not compile before it has its row.
std::vector<Case> smooth_cases(ir::Opcode code);

// A literal value: `code` applied to operands gives `result`, all written out.
struct Known {
  ir::Opcode code;
  std::vector<runtime::Tensor> operands;
  runtime::Tensor result;
  ir::Attributes attrs = {};
};
const std::vector<Known>& known_values();

// Distinct values between lo and hi, the same in every run.
runtime::Tensor values_for(const Operand& operand, Element real, int position);

}  // namespace bpc::test
