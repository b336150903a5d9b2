#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "tests/random/generator.h"

namespace bpc::test {

namespace {

struct Pointwise {
  const char* format;
  Level operand, level;
  double (*bound)(double);
  double largest = 1e9;  // operand
};

constexpr double one(double) {
  return 1;
}
constexpr double same(double b) {
  return b;
}

// Each stays within its domain, whatever the operand.
constexpr Pointwise kPointwise[] = {
    {"sin({})", kConditional, kAtom, one},
    {"cos({})", kConditional, kAtom, one},
    {"tanh({})", kConditional, kAtom, one},
    {"sigmoid({})", kConditional, kAtom, one},
    {"erf({})", kConditional, kAtom, one},
    {"atan({})", kConditional, kAtom, [](double b) { return std::min(b, 1.6); }},
    {"softplus({})", kConditional, kAtom, [](double b) { return b + 0.7; }},
    {"log_sigmoid({})", kConditional, kAtom, [](double b) { return b + 0.7; }},
    {"relu({})", kConditional, kAtom, same},
    {"leaky_relu({}, slope=0.2)", kConditional, kAtom, same},
    {"elu({})", kConditional, kAtom, same},
    {"gelu({})", kConditional, kAtom, same},
    {"silu({})", kConditional, kAtom, same},
    {"abs({})", kConditional, kAtom, same},
    {"clamp({}, -0.53, 0.71)", kConditional, kAtom, [](double) { return 0.71; }},
    {"max({}, 0.13)", kConditional, kAtom, same},
    {"min({}, 0.47)", kConditional, kAtom, same},
    {"-{}", kUnary, kUnary, same},
    {"\1abs({0})\2{0}\3^2", kAtom, kPower, [](double b) { return b * b; }, 3},
    {"square({})", kConditional, kAtom, [](double b) { return b * b; }, 3},
    {"{}^2", kAtom, kPower, [](double b) { return b * b; }, 3},
    {"variable({})", kConditional, kAtom, same},
    {"{}^0", kAtom, kPower, one},
    {"{}^1", kAtom, kPower, same},
    {"{}^3", kAtom, kPower, [](double b) { return b * b * b; }, 2},
    {"exp(-{}^2)", kAtom, kAtom, one},
    {"exp(min({}, 0.9))", kConditional, kAtom, [](double) { return 2.5; }},
    {"expm1(0.5 * {})", kUnary, kAtom, [](double b) { return std::exp(b / 2); }, 3},
    {"2^{}", kAtom, kPower, [](double b) { return std::pow(2, b); }, 2.5},
    {"log(1 + {}^2)", kAtom, kAtom, [](double b) { return std::log1p(b * b); }},
    {"log1p(abs({}))", kConditional, kAtom, [](double b) { return std::log1p(b); }},
    {"sqrt({}^2 + 0.3)", kAtom, kAtom, [](double b) { return b + 0.6; }},
    {"rsqrt({}^2 + 0.4)", kAtom, kAtom, [](double) { return 1.6; }},
    {"1 / (1.2 + {}^2)", kAtom, kProduct, one},
    {"sinh({})", kConditional, kAtom, [](double b) { return std::sinh(b); }, 2},
    {"cosh({})", kConditional, kAtom, [](double b) { return std::cosh(b); }, 2},
    {"tan(0.8 * sin({}))", kConditional, kAtom, [](double) { return 1.1; }},
    {"asin(0.9 * sin({}))", kConditional, kAtom, [](double) { return 1.2; }},
    {"acos(0.9 * tanh({}))", kConditional, kAtom, [](double) { return 2.7; }},
    {"polygamma(1, {}^2 + 0.7)", kAtom, kAtom, [](double) { return 3.0; }},
    {"lgamma({}^2 + 0.7)", kAtom, kAtom, [](double) { return 2.0; }, 2},
    {"asinh({})", kConditional, kAtom, same},
    {"erfc({})", kConditional, kAtom, [](double) { return 2.0; }},
    {"norm_cdf({})", kConditional, kAtom, one},
    {"norm_logcdf({})", kConditional, kAtom, [](double b) { return 0.7 + b + b * b; }, 2},
    {"sinc({})", kConditional, kAtom, one},
    {"erfcx({}^2)", kAtom, kAtom, one},
    {"log10(1.2 + {}^2)", kAtom, kAtom, [](double b) { return std::log10(1.2 + b * b); }},
    {"acosh(1.3 + {}^2)", kAtom, kAtom, [](double b) { return std::log(2.6 + 2 * b * b); }},
    {"log2(1 + {}^2)", kAtom, kAtom, [](double b) { return 1.45 * std::log1p(b * b); }},
    {"cbrt({}^2 + 0.3)", kAtom, kAtom, [](double b) { return std::cbrt(b * b + 0.3); }},
    {"exp2(0.5 * {})", kUnary, kAtom, [](double b) { return std::exp2(b / 2); }, 3},
    {"atanh(0.8 * sin({}))", kConditional, kAtom, [](double) { return 1.1; }},
    {"erfinv(0.8 * sin({}))", kConditional, kAtom, one},
    {"bessel_j(1, {})", kConditional, kAtom, one},
    {"bessel_i(0, {})", kConditional, kAtom, [](double b) { return std::cosh(b); }, 2},
    {"gammainc({}^2 + 0.6, 1.7)", kAtom, kAtom, one},
    {"gammaincc(1.3, {}^2 + 0.2)", kAtom, kAtom, one},
    {"betainc(1.5, {}^2 + 0.4, 0.3)", kAtom, kAtom, one},
    {"normal_logpdf({}, 0.2, 1.3)", kConditional, kAtom, [](double b) { return 1.2 + 0.3 * (b + 0.2) * (b + 0.2); }, 3},
    {"student_t_logpdf({}, 4)", kConditional, kAtom, [](double b) { return 1 + 2.5 * std::log1p(b * b / 4); }},
    {"gamma_logpdf({}^2 + 0.3, 2.5, 1.2)", kAtom, kAtom, [](double b) { return 3 + 1.2 * b * b; }, 3},
    {"beta_logpdf(sigmoid({}), 2, 1.5)", kConditional, kAtom, [](double b) { return 2 + 1.5 * b; }},
    {"poisson_logpmf(2, {}^2 + 0.4)", kAtom, kAtom, [](double b) { return 3 + b * b; }, 3},
    {"bernoulli_logit_logpmf(1, {})", kConditional, kAtom, [](double b) { return b + 0.7; }},
    {"(0.4 * {}) % 1.5", kUnary, kProduct, [](double) { return 1.5; }},
};

// Those of the operator table whose derivative is zero: floor, sign ….
const std::vector<std::string_view>& flat_functions() {
  static const std::vector<std::string_view> kFlat = [] {
    std::vector<std::string_view> names;
    for (const ir::OpInfo& op : ir::all_ops())
      if (op.group == ir::Group::elementwise && op.min_operands == 1 && op.derivative == ir::Derivative::zero &&
          (op.domain == ir::Domain::real || op.domain == ir::Domain::number))
        names.push_back(op.spelling);
    return names;
  }();
  return kFlat;
}

}  // namespace

std::string at(const Expr& e, Level level) {
  return e.level < level ? "(" + e.text + ")" : e.text;
}

Expr Generator::expr(const Shape& shape, int depth) {
  static constexpr struct {
    int weight;
    Production make;
    bool elementwise = false;
  } kProductions[] = {
      {16, &Generator::elementwise, true},
      {16, &Generator::binary, true},
      {4, &Generator::choice, true},
      {3, &Generator::guarded, true},
      {2, &Generator::squared_kink},
      {2, &Generator::conditional},
      {2, &Generator::stopped},
      {2, &Generator::checkpointed},
      {8, &Generator::reduction},
      {6, &Generator::contraction},
      {6, &Generator::movement},
      {3, &Generator::along_axis},
      {2, &Generator::list},
      {3, &Generator::folded_rows},
      {4, &Generator::library},
      {3, &Generator::linear_algebra},
      {8, &Generator::comprehension},
      {5, &Generator::folded_comprehension},
      {12, &Generator::read},
      {12, &Generator::called, true},
      {6, &Generator::derivative},
  };
  int total = 0;
  for (const auto& production : kProductions) total += production.weight;
  for (int tries = 0; depth > 0 && tries < 12; ++tries) {
    int dice = draw_.between(0, total - 1);
    const auto* production = kProductions;
    for (; dice >= production->weight; ++production) dice -= production->weight;
    if (only_elementwise_ && !production->elementwise) continue;
    const std::set<int> reads = used_;
    if (auto made = (this->*production->make)(shape, depth)) {
      Expr e = tamed(std::move(*made), 6);
      parts_.emplace_back(shape, e.text);
      return e;
    }
    used_ = reads;
  }
  return leaf(shape);
}

Expr Generator::number(double lo, double hi) {
  double value = std::round(1000 * (lo + (hi - lo) * draw_.unit())) / 1000;
  return {fmt::format("{}", value), std::abs(value), value < 0 ? kUnary : kAtom};
}

std::string Generator::tensor_literal(const Shape& shape) {
  if (shape.empty()) return number(-1, 1).text;
  if (!has_elements(shape)) return fmt::format("zeros({})", shape_text(shape));
  std::string text;
  for (int i = 0; i < shape[0]; ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", tensor_literal(Shape(shape.begin() + 1, shape.end())));
  return "[" + text + "]";
}

const Variable* Generator::variable(const Shape& shape) {
  std::vector<const Variable*> fitting;
  for (const Variable& x : variables_)
    if (x.shape == shape) fitting.push_back(&x);
  if (fitting.empty()) return nullptr;
  return fitting[std::max(draw_.below(fitting.size()), draw_.below(fitting.size()))];
}

Expr Generator::use(const Variable& x) {
  if (!cut_) {
    used_.insert(x.version);
    used_.insert(x.reads.begin(), x.reads.end());
  }
  return {x.name, x.bound, kAtom};
}

Expr Generator::leaf(const Shape& shape) {
  if (shape.empty() && !indices_.empty() && draw_.chance(0.15)) {
    const Index& i = draw_.of(indices_);
    if (i.shape.empty()) return {fmt::format("0.2 * {}", i.name), 0.8, kProduct};
  }
  if (shape.empty() && draw_.chance(0.12)) return number(-1.5, 1.5);
  if (const Variable* x = variable(shape)) return use(*x);
  if (shape.empty()) return read(shape, 0).value_or(number(-1, 1));
  if (draw_.chance(0.4))
    if (auto e = read(shape, 0)) return *e;
  for (std::size_t k = 1; k < shape.size(); ++k)
    if (const Variable* x = variable(Shape(shape.begin() + static_cast<std::ptrdiff_t>(k), shape.end())))
      return {fmt::format("broadcast_to({}, {})", use(*x).text, shape_text(shape)), x->bound};
  Expr fill = leaf({});
  bool stretch = variable({}) && draw_.chance(0.5);
  return {stretch ? fmt::format("broadcast_to({}, {})", fill.text, shape_text(shape))
                  : fmt::format("full({}, {})", shape_text(shape), fill.text),
          fill.bound};
}

Expr Generator::clean_leaf(const Shape& shape) {
  std::vector<const Variable*> fitting;
  for (const Variable& x : variables_)
    if (x.clean && x.shape == shape) fitting.push_back(&x);
  if (!fitting.empty() && draw_.chance(0.8)) return use(*draw_.of(fitting));
  Expr fill = number(-1, 1);
  return shape.empty() ? fill : Expr{fmt::format("full({}, {})", shape_text(shape), fill.text), fill.bound};
}

Expr Generator::tamed(Expr e, double limit) {
  if (e.bound <= limit) return e;
  if (draw_.chance(0.4)) return {fmt::format("{:.2g} * {}", limit / e.bound, at(e, kUnary)), limit, kProduct};
  const std::string bounded = fmt::format("{}({})", draw_.chance(0.6) ? "tanh" : "sin", e.text);
  return limit < 1 ? Expr{fmt::format("{:.2g} * {}", limit, bounded), limit, kProduct} : Expr{bounded, 1};
}

std::optional<Expr> Generator::elementwise(const Shape& shape, int depth) {
  if (draw_.chance(0.08)) {
    Expr x = expr(shape, depth - 1);
    // Not at their steps, where they would show how a variance of equal numbers, say, was rounded.
    return Expr{fmt::format("(0.3 * {} + {}({} + 0.01371))", at(x, kUnary), draw_.of(flat_functions()), x.text), 1.3 * x.bound + 1};
  }
  const Pointwise& f = draw_.of(kPointwise);
  Expr x = tamed(expr(shape, depth - 1), f.largest);
  return Expr{fmt::format(fmt::runtime(f.format), at(x, f.operand)), f.bound(x.bound), f.level};
}

// The other operand stretches: a scalar, the end of the shape, a size 1.
std::optional<Expr> Generator::binary(const Shape& shape, int depth) {
  Shape other = shape;
  if (!only_elementwise_ && !shape.empty() && draw_.chance(0.4)) {
    switch (draw_.below(3)) {
      case 0:
        other.clear();
        break;
      case 1:
        other.erase(other.begin());
        break;
      default:
        other[draw_.below(other.size())] = 1;
    }
  }
  Expr a = expr(shape, depth - 1), b = expr(other, depth - 1);
  if (draw_.chance(0.3)) std::swap(a, b);
  switch (draw_.below(10)) {
    case 0:
    case 1:
      return Expr{at(a, kSum) + " + " + at(b, kProduct), a.bound + b.bound, kSum};
    case 2:
      return Expr{at(a, kSum) + " - " + at(b, kProduct), a.bound + b.bound, kSum};
    case 3:
    case 4:
      return Expr{at(a, kProduct) + " * " + at(b, kUnary), a.bound * b.bound, kProduct};
    case 5:
      return Expr{fmt::format("{} / (1.1 + {}^2)", at(a, kProduct), at(b, kAtom)), a.bound, kProduct};
    case 6: {
      a = tamed(std::move(a), 2);
      b = tamed(std::move(b), 2);
      return Expr{fmt::format("({}^2 + 0.4)^{}", at(a, kAtom), at(b, kAtom)), std::pow(a.bound * a.bound + 1.5, b.bound), kPower};
    }
    case 7:
      return Expr{fmt::format("logaddexp({}, {})", a.text, b.text), std::max(a.bound, b.bound) + 0.7};
    case 8:
      return Expr{fmt::format("hypot({}, {}^2 + 0.5)", a.text, at(b, kAtom)), a.bound + b.bound * b.bound + 0.5};
    default:
      return Expr{fmt::format("atan2({}, {}^2 + 0.5)", a.text, at(b, kAtom)), 1.6};
  }
}

// A value that is infinite, or has an infinite derivative, just where it is not taken. The switch is not at 0 itself: a variance of equal
// numbers is 0 or 1e-33, as the order of the sum has it, and a jump there would tell the backends apart.
std::optional<Expr> Generator::guarded(const Shape& shape, int) {
  static constexpr const char* kGuards[] = {
      "where({0} > 0.07, log({0}), 0.3)",      "where({0} > 0.07, sqrt({0}), 0.2)",
      "where({0} > 0.07, {0} * log({0}), 0)",  "where(abs({0}) > 0.1, 0.1 / {0}, 0.4)",
      "where({0} > 0.05, {0}^-0.5, {0})",      "sqrt(where({0} > 0, {0}, 0)^3)",
      "where(abs({0}) < 0.9, asin({0}), {0})", "where(abs({0}) < 0.07, 0, 0.2 * {0} / abs({0}))",
  };
  Expr x = leaf(shape);
  if (x.level < kAtom || x.text.size() > 24) return std::nullopt;
  return Expr{fmt::format(fmt::runtime(draw_.of(kGuards)), x.text), std::max(4.0, x.bound * x.bound)};
}

// Kinks, just where they are, that are squared away.
std::optional<Expr> Generator::squared_kink(const Shape& shape, int) {
  static constexpr std::pair<const char*, const char*> kOfElements[] = {
      {"abs({0})^2", "{0}^2"}, {"abs({0}) * abs({0})", "{0} * {0}"}, {"abs({0})^4", "{0}^4"}, {"sqrt({0}^2)^2", "{0}^2"}};
  static constexpr std::pair<const char*, const char*> kOfAll[] = {{"norm({0})^2", "sum({0}^2)"},
                                                                   {"square(norm(0 * {0}))", "sum(square(0 * {0}))"},
                                                                   {"std({0} - {0}[0])^2", "var({0})"},
                                                                   {"norm([{0}[0], {0}[2]])^2", "({0}[0]^2 + {0}[2]^2)"}};
  if (!kinked_ || (!shape.empty() && shape != kinked_->shape)) return std::nullopt;
  const auto& [kink, smooth] = shape.empty() ? draw_.of(kOfAll) : draw_.of(kOfElements);
  const std::string x = use(*kinked_).text;
  return Expr{either(fmt::format(fmt::runtime(kink), x), fmt::format(fmt::runtime(smooth), x)), 3, kSum};
}

// where, and the larger or smaller of two.
std::optional<Expr> Generator::choice(const Shape& shape, int depth) {
  Expr a = expr(shape, depth - 1), b = expr(shape, depth - 1);
  double bound = std::max(a.bound, b.bound);
  if (draw_.chance(0.4)) return Expr{fmt::format("{}({}, {})", draw_.chance(0.5) ? "max" : "min", a.text, b.text), bound};
  ++cut_;
  Expr compared = expr(shape, depth - 2);
  --cut_;
  return Expr{
      fmt::format("where({} {} {}, {}, {})", at(compared, kSum), draw_.chance(0.5) ? ">" : "<", number(-0.5, 0.5).text, a.text, b.text),
      bound};
}

std::string Generator::condition(int depth) {
  ++cut_;
  std::string text;
  const Index* i = indices_.empty() ? nullptr : &draw_.of(indices_);
  if (i && i->shape.empty() && draw_.chance(0.4)) {
    text = draw_.chance(0.5) ? fmt::format("{} % 2 == {}", i->name, draw_.between(0, 1))
                             : fmt::format("{} < {}", i->name, draw_.between(0, 2));
  } else {
    text = fmt::format("{} {} {}", at(expr({}, depth), kSum), draw_.chance(0.5) ? ">" : "<", number(-0.4, 0.4).text);
  }
  if (draw_.chance(0.1)) text = fmt::format("not ({})", text);
  if (draw_.chance(0.1)) text = fmt::format("{} {} {} < {}", text, draw_.chance(0.5) ? "and" : "or", at(leaf({}), kSum), number(0, 1).text);
  --cut_;
  return text;
}

std::optional<Expr> Generator::conditional(const Shape& shape, int depth) {
  std::string c = condition(depth - 2);
  // A condition between numbers leaves one side, so that only what both read is surely read.
  auto side = [&](std::set<int>& reads) {
    std::swap(reads, used_);
    ++inner_;
    Expr e = expr(shape, depth - 1);
    --inner_;
    std::swap(reads, used_);
    return e;
  };
  std::set<int> by_a, by_b;
  Expr a = side(by_a), b = side(by_b);
  std::set_intersection(by_a.begin(), by_a.end(), by_b.begin(), by_b.end(), std::inserter(used_, used_.end()));
  return Expr{fmt::format("{} if {} else {}", at(a, kSum), c, at(b, kSum)), std::max(a.bound, b.bound), kConditional};
}

std::optional<Expr> Generator::stopped(const Shape& shape, int depth) {
  if (in_function_ || depth_ > 0 || inner_ > 0) return std::nullopt;
  ++cut_;
  Expr x = expr(shape, depth - 1);
  --cut_;
  return Expr{fmt::format("stop_grad({})", x.text), x.bound};
}

std::optional<Expr> Generator::checkpointed(const Shape& shape, int depth) {
  ++inner_;
  Expr x = expr(shape, depth - 1);
  --inner_;
  return Expr{fmt::format("checkpoint({})", x.text), x.bound};
}

}  // namespace bpc::test
