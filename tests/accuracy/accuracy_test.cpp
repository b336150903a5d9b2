// How far the elementwise functions are from the correctly rounded values of reference.txt (make_reference.py), in units in the last place,
// interpreted and compiled, in f64 and f32, over their whole range. BPC_ACCURACY_TABLE=1 prints the table of docs/accuracy.md.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <random>
#include <sstream>

#include "backend/interpreter/interpreter.h"
#include "backend/llvm/jit.h"
#include "ir/builder.h"
#include "tests/support/process.h"
#include "tests/support/sharing.h"

namespace {

using namespace bpc;
using ir::Opcode;
using runtime::Tensor;

struct Function {
  Opcode code;
  double most_f64, most_f32;  // ulps
  // lgamma between the poles on the negative axis and Bessel functions have roots, near which the error is that of an absolute value of 1.
  bool has_roots = false;
};

constexpr Function kFunctions[] = {
    {Opcode::exp, 1, 1},
    {Opcode::expm1, 1, 0.51},
    {Opcode::log, 1, 1},
    {Opcode::log1p, 1, 0.51},
    {Opcode::sqrt, 0.5, 0.5},
    {Opcode::rsqrt, 1.5, 1},
    {Opcode::sin, 1, 1},
    {Opcode::cos, 1, 1},
    {Opcode::tan, 1, 0.51},
    {Opcode::asin, 2, 0.51},
    {Opcode::acos, 1, 0.51},
    {Opcode::atan, 2, 0.51},
    {Opcode::sinh, 2, 0.51},
    {Opcode::cosh, 2, 0.51},
    {Opcode::tanh, 1, 1},
    {Opcode::erf, 1, 1},
    {Opcode::sigmoid, 1, 1},
    {Opcode::softplus, 1, 0.51},
    {Opcode::lgamma, 5, 0.51, true},
    {Opcode::polygamma, 1, 0.51},
    {Opcode::pow, 1, 0.51},
    {Opcode::atan2, 2, 0.51},
    {Opcode::exp2, 1, 1},
    {Opcode::log2, 1, 0.51},
    {Opcode::log10, 1, 0.51},
    {Opcode::cbrt, 1, 0.51},
    {Opcode::asinh, 2, 0.51},
    {Opcode::acosh, 2, 0.51},
    {Opcode::atanh, 2, 0.51},
    {Opcode::hypot, 1, 0.51},
    {Opcode::erfc, 2, 0.51},
    {Opcode::erfcx, 2, 0.51},
    {Opcode::erfinv, 1, 0.51},
    {Opcode::bessel_j, 1, 0.51, true},
    {Opcode::bessel_i, 1, 0.51},
};

// In reference.txt.
std::string name_of(const Function& f) {
  return f.code == Opcode::polygamma ? "digamma" : std::string(ir::op_info(f.code).name);
}

struct Reference {
  std::vector<std::vector<double>> operands;  // one list per operand
  std::vector<double> results;
};

Reference read_reference(const std::string& name, std::size_t arity) {
  std::istringstream file(test::read_file("tests/accuracy/reference.txt"));
  Reference reference;
  reference.operands.resize(arity);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word != name) continue;
    auto number = [&] { return words >> word, std::strtod(word.c_str(), nullptr); };
    for (std::vector<double>& operand : reference.operands) operand.push_back(number());
    reference.results.push_back(number());
  }
  return reference;
}

// The lines whose arguments f32 holds exactly.
Reference exact_in_f32(const Reference& all) {
  Reference some;
  some.operands.resize(all.operands.size());
  auto is_exact = [](double x) { return std::isnan(x) || static_cast<double>(static_cast<float>(x)) == x; };
  for (std::size_t i = 0; i < all.results.size(); ++i) {
    if (!std::all_of(all.operands.begin(), all.operands.end(), [&](const auto& operand) { return is_exact(operand[i]); })) continue;
    for (std::size_t k = 0; k < all.operands.size(); ++k) some.operands[k].push_back(all.operands[k][i]);
    some.results.push_back(all.results[i]);
  }
  return some;
}

// |y - exact| in units in the last place of exact; infinite where one is a NaN, an infinity or a signed zero and the other is not.
double ulps(double y, double exact, Element element, bool has_roots) {
  const bool is_f64 = element == Element::f64;
  const double rounded = is_f64 ? exact : static_cast<float>(exact);
  if (std::isnan(rounded) || std::isnan(y)) return std::isnan(rounded) && std::isnan(y) ? 0 : INFINITY;
  if (y == rounded && (y == 0 || std::isinf(y))) return std::signbit(y) == std::signbit(rounded) ? 0 : INFINITY;
  if (std::isinf(rounded) || std::isinf(y)) return INFINITY;
  const double size = has_roots ? std::max(1.0, std::abs(rounded)) : std::abs(rounded);
  const double unit =
      is_f64 ? std::nextafter(size, INFINITY) - size
             : static_cast<double>(std::nextafter(static_cast<float>(size), INFINITY)) - static_cast<double>(static_cast<float>(size));
  return std::abs(y - exact) / unit;
}

ir::Function applied(const Function& f, const std::vector<Tensor>& operands) {
  ir::Function function;
  ir::Builder builder(function);
  std::vector<ir::ValueId> values;
  for (std::size_t i = 0; i < operands.size(); ++i)
    values.push_back(function.add_parameter(ir::Parameter::Kind::input, fmt::format("x{}", i), operands[i].type()));
  ir::Attributes attrs;
  if (ir::takes_order(f.code)) attrs.set(ir::Attr::order, std::int64_t{0});
  function.outputs.push_back({ir::Output::Kind::value, "y", builder.emit(f.code, values, attrs)});
  return function;
}

// The largest error, and where.
struct Worst {
  double ulps = 0, at = 0;
};

Worst worst(runtime::Executable& executable, const std::vector<Tensor>& operands, const Reference& reference, Element element,
            bool has_roots) {
  runtime::RunResult result = executable.run(operands, {});
  REQUIRE(!result.failure);
  Worst worst;
  for (std::size_t i = 0; i < reference.results.size(); ++i) {
    double error = ulps(result.outputs[0].real_at(static_cast<std::int64_t>(i)), reference.results[i], element, has_roots);
    if (error > worst.ulps) worst = {error, reference.operands[0][i]};
  }
  return worst;
}

}  // namespace

TEST_CASE("the elementwise functions are as accurate as documented") {
  const bool prints = std::getenv("BPC_ACCURACY_TABLE");
  for (const Function& f : kFunctions) {
    const Reference all = read_reference(name_of(f), static_cast<std::size_t>(ir::op_info(f.code).min_operands));
    REQUIRE(all.results.size() >= 60);
    std::string row = fmt::format("| `{}` |", name_of(f));
    for (Element element : {Element::f64, Element::f32}) {
      const Reference reference = element == Element::f64 ? all : exact_in_f32(all);
      std::vector<Tensor> operands;
      for (const std::vector<double>& operand : reference.operands)
        operands.push_back(Tensor::from_reals(Type::of_sizes(element, {static_cast<std::int64_t>(operand.size())}), operand));
      const ir::Function function = applied(f, operands);
      const double most = element == Element::f64 ? f.most_f64 : f.most_f32;
      double largest = 0;
      auto check = [&](const char* how, runtime::Executable& executable) {
        const Worst found = worst(executable, operands, reference, element, f.has_roots);
        INFO(name_of(f) << " " << element_name(element) << " " << how << " at " << fmt::format("{:a} = {}", found.at, found.at));
        CHECK(found.ulps <= most);
        largest = std::max(largest, found.ulps);
      };
      check("interpreted", *backend::interpret(function));
      check("at -O0", *backend::compile(function, {0}));
      check("at -O3", *backend::compile(function, {3}));
      const test::Threads set(3);
      check("in parts, by three threads", *backend::compile_for(function, {2}, test::sharing_target()));
      row += fmt::format(" {} | {:.2f} | {} |", reference.results.size(), largest, most);
    }
    if (prints) fmt::print("{}\n", row);
  }
}

// Numbers of all sizes, those near 1 the most.
Tensor drawn(Element element, std::uint64_t seed) {
  constexpr std::size_t kCount = 100'000;
  std::mt19937_64 draw(seed);
  std::uniform_real_distribution<double> fraction(1, 2);
  std::vector<double> values;
  while (values.size() < kCount) {
    const int most = values.size() % 8 == 0 ? (element == Element::f64 ? 1020 : 120) : 2;
    const int exponent = std::uniform_int_distribution<int>(-most, most)(draw);
    values.push_back(std::ldexp(fraction(draw), exponent) * (draw() % 2 == 0 ? 1 : -1));
  }
  return Tensor::from_reals(Type::of_sizes(element, {static_cast<std::int64_t>(kCount)}), values);
}

TEST_CASE("interpreted and compiled, the elementwise functions give the same bits") {
  for (const Function& f : kFunctions)
    for (Element element : {Element::f64, Element::f32}) {
      std::vector<Tensor> operands;
      for (int i = 0; i < ir::op_info(f.code).min_operands; ++i) operands.push_back(drawn(element, 7 + static_cast<std::uint64_t>(i)));
      const ir::Function function = applied(f, operands);
      const Tensor expected = backend::interpret(function)->run(operands, {}).outputs.at(0);
      for (int level : {0, 3}) {
        const Tensor found = backend::compile(function, {level})->run(operands, {}).outputs.at(0);
        std::int64_t differing = 0, at = 0;
        for (std::int64_t i = 0; i < found.count(); ++i) {
          const double a = expected.real_at(i), b = found.real_at(i);
          const bool is_same = std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
          if (!is_same && differing++ == 0) at = i;
        }
        INFO(name_of(f) << " " << element_name(element) << " at -O" << level << ", first at " << operands[0].real_at(at));
        CHECK(differing == 0);
      }
    }
}

TEST_CASE("every function that is more than instructions is among them") {
  for (scalar::Operator op : scalar::kOperators) {
    const scalar::Source source = scalar::source_of(op);
    if (source == scalar::Source::emit || source == scalar::Source::mixed) continue;
    INFO(scalar::operator_name(op));
    CHECK(std::ranges::any_of(kFunctions, [&](const Function& f) { return ir::scalar_operator(f.code) == op; }));
  }
}
