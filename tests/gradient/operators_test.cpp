// The operator table walks itself: for every row of ir/ops.def its literal values, its first and second derivative against central
// differences in f64, and the interpreter against compiled code.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <set>

#include "backend/interpreter/interpreter.h"
#include "backend/llvm/jit.h"
#include "ir/adjoint.h"
#include "ir/builder.h"
#include "ir/verify.h"
#include "tests/gradient/cases.h"
#include "tests/support/close.h"
#include "tools/bpc/numeric_derivative.h"

namespace {

using namespace bpc;
using ir::Attr;
using ir::Opcode;
using runtime::Tensor;
using test::Case;

std::vector<Tensor> run(runtime::Executable& executable, const std::vector<Tensor>& arguments) {
  runtime::RunResult result = executable.run(arguments, {});
  if (result.failure) FAIL(result.failure->diagnostic.message);
  return result.outputs;
}

std::vector<Tensor> interpret(const ir::Function& function, const std::vector<Tensor>& arguments) {
  return run(*backend::interpret(function), arguments);
}

// A scalar from any tensor, to which every element contributes differently.
ir::ValueId weighted_sum(ir::Builder& builder, ir::ValueId x, double phase) {
  const Type type = builder.function().type(x);
  std::vector<double> weights(static_cast<std::size_t>(type.count()));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1 + std::round(128 * std::sin(phase + static_cast<double>(i))) / 256;
  ir::ValueId w = builder.emit(Opcode::constant, {}, {{Attr::reals, weights}}, &type);
  std::vector<std::int64_t> axes(type.rank());
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  return builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::mul, {x, w}), axes, false);
}

std::vector<ir::ValueId> gradients(ir::Builder& builder, ir::ValueId y, const std::vector<ir::ValueId>& xs) {
  std::vector<ir::ValueId> operands{y};
  std::vector<Type> types;
  for (ir::ValueId x : xs) {
    operands.push_back(x);
    types.push_back(builder.function().type(x));
  }
  return builder.function().op(builder.emit_op(Opcode::grad, operands, {}, types)).results;
}

// x x^T + I.
ir::ValueId definite(ir::Builder& builder, ir::ValueId x) {
  const Type type = builder.function().type(x);
  const std::string batch(type.rank() - 2, 'b');
  ir::ValueId square = builder.emit(Opcode::einsum, {x, x}, {{Attr::spec, fmt::format("{0}ij,{0}kj->{0}ik", batch)}});
  Type matrix = type.with_element(Element::i32);
  matrix.dims.erase(matrix.dims.begin(), matrix.dims.end() - 2);
  auto index = [&](std::int64_t axis) { return builder.emit(Opcode::iota, {}, {{Attr::axis, axis}}, &matrix); };
  ir::ValueId one = builder.cast(builder.emit(Opcode::eq, {index(0), index(1)}), type.element);
  return builder.emit(Opcode::add, {square, one});
}

// Outputs: the op's result, a scalar s of it, its gradients, a scalar of those, its gradients again.
struct Built {
  ir::Function function;
  std::size_t reals;  // number of real operands
  std::vector<std::size_t> real_positions;
};

Built build(Opcode code, const Case& test, Element real) {
  Built built;
  ir::Function function;
  ir::Builder builder(function);
  std::vector<ir::ValueId> operands, xs;
  for (std::size_t i = 0; i < test.operands.size(); ++i) {
    Element element = test.operands[i].element == Element::f64 ? real : test.operands[i].element;
    operands.push_back(
        function.add_parameter(ir::Parameter::Kind::input, fmt::format("x{}", i), Type::of_sizes(element, test.operands[i].sizes)));
    if (!is_real(element)) continue;
    xs.push_back(operands.back());
    built.real_positions.push_back(i);
    if (test.operands[i].definite) operands.back() = definite(builder, operands.back());
  }
  std::optional<Type> declared;
  if (test.declared) declared = Type::of_sizes(real, *test.declared);
  ir::ValueId result = builder.emit(code, operands, test.attrs, declared ? &*declared : nullptr);
  auto output = [&](const std::string& path, ir::ValueId value) { function.outputs.push_back({ir::Output::Kind::value, path, value}); };
  output("result", result);
  ir::ValueId s = weighted_sum(builder, result, 0.3);
  output("s", s);
  std::vector<ir::ValueId> first = gradients(builder, s, xs);
  ir::ValueId s2 = builder.constant(0, Type(real));
  for (std::size_t i = 0; i < first.size(); ++i) {
    output(fmt::format("first {}", i), first[i]);
    s2 = builder.emit(Opcode::add, {s2, weighted_sum(builder, first[i], 1.1 + static_cast<double>(i))});
  }
  output("s2", s2);
  std::vector<ir::ValueId> second = gradients(builder, s2, xs);
  for (std::size_t i = 0; i < second.size(); ++i) output(fmt::format("second {}", i), second[i]);
  Diagnostics diagnostics;
  built.function = ir::expand_gradients(function, diagnostics);
  built.reals = xs.size();
  for (const Diagnostic& diagnostic : diagnostics.all()) FAIL(diagnostic.message);
  for (const std::string& violation : ir::verify(built.function)) FAIL(violation);
  return built;
}

std::vector<Tensor> arguments_for(const Case& test, Element real) {
  std::vector<Tensor> arguments;
  for (std::size_t i = 0; i < test.operands.size(); ++i) arguments.push_back(test::values_for(test.operands[i], real, static_cast<int>(i)));
  return arguments;
}

// d output / d x against differences, for every element of every real operand.
void check_derivative(const Built& built, const std::vector<Tensor>& arguments, std::size_t output, std::size_t first_gradient) {
  auto executable = backend::interpret(built.function);
  std::vector<Tensor> base = run(*executable, arguments);
  for (std::size_t k = 0; k < built.reals; ++k) {
    std::size_t position = built.real_positions[k];
    const Tensor& gradient = base[first_gradient + k];
    for (std::int64_t i = 0; i < gradient.count(); ++i) {
      auto at = [&](double x) -> std::optional<double> {
        std::vector<Tensor> moved = arguments;
        moved[position].set_real(i, x);
        return run(*executable, moved)[output].real_at(0);
      };
      auto numeric = tool::differentiate(at, arguments[position].real_at(i));
      REQUIRE(numeric);
      double analytic = gradient.real_at(i);
      INFO("operand " << position << ", element " << i << ": analytic " << analytic << ", numeric " << numeric->value);
      CHECK(std::abs(analytic - numeric->value) <= 1e-7 * std::max({1.0, std::abs(analytic), std::abs(numeric->value)}));
    }
  }
}

void check_close(const Tensor& a, const Tensor& b, double tolerance) {
  REQUIRE(same_type(a.type(), b.type()));
  const auto at = bpc::test::first_difference(bpc::test::elements(a), bpc::test::elements(b), tolerance);
  if (at)
    FAIL_CHECK("element " << *at << ": " << a.real_at(static_cast<std::int64_t>(*at)) << " and "
                          << b.real_at(static_cast<std::int64_t>(*at)));
}

}  // namespace

TEST_CASE("every operator's derivatives agree with central differences") {
  for (const ir::OpInfo& info : ir::all_ops()) {
    for (const Case& test : test::smooth_cases(info.code)) {
      INFO(info.name << " on " << type_text(Type::of_sizes(Element::f64, test.operands[0].sizes)));
      Built built = build(info.code, test, Element::f64);
      std::vector<Tensor> arguments = arguments_for(test, Element::f64);
      check_derivative(built, arguments, 1, 2);
      check_derivative(built, arguments, 2 + built.reals, 3 + built.reals);
    }
  }
}

TEST_CASE("interpreted and compiled code agree on every operator and its derivatives") {
  for (const ir::OpInfo& info : ir::all_ops()) {
    for (const Case& test : test::smooth_cases(info.code)) {
      for (Element real : {Element::f64, Element::f32}) {
        Built built = build(info.code, test, real);
        std::vector<Tensor> arguments = arguments_for(test, real);
        std::vector<Tensor> expected = interpret(built.function, arguments);
        for (int level : {0, 2}) {
          std::vector<Tensor> actual = run(*backend::compile(built.function, {level}), arguments);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            INFO(info.name << " " << element_name(real) << " -O" << level << ", output " << built.function.outputs[i].path);
            check_close(expected[i], actual[i], real == Element::f64 ? 1e-12 : 1e-5);
          }
        }
      }
    }
  }
}

TEST_CASE("every operator gives its literal values") {
  std::set<Opcode> seen;
  for (const test::Known& known : test::known_values()) {
    seen.insert(known.code);
    ir::Function function;
    ir::Builder builder(function);
    std::vector<ir::ValueId> operands;
    for (std::size_t i = 0; i < known.operands.size(); ++i)
      operands.push_back(function.add_parameter(ir::Parameter::Kind::input, fmt::format("x{}", i), known.operands[i].type()));
    ir::ValueId result = builder.emit(known.code, operands, known.attrs, &known.result.type());
    function.outputs.push_back({ir::Output::Kind::value, "result", result});
    INFO(ir::op_info(known.code).name);
    check_close(known.result, interpret(function, known.operands).at(0), 1e-14);
    check_close(known.result, run(*backend::compile(function, {2}), known.operands).at(0), 1e-14);
  }
  for (const ir::OpInfo& info : ir::all_ops()) {
    // Random draws have published vectors in tests/unit/runtime; tapes, control, effects and derivatives are no functions of tensors.
    bool exempt = info.group == ir::Group::random || info.group == ir::Group::tape || info.group == ir::Group::control ||
                  info.group == ir::Group::effect || info.group == ir::Group::derivative;
    INFO(info.name);
    CHECK(seen.contains(info.code) != exempt);
  }
}
