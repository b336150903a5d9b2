// Derivatives as expressions. The twin takes each in another way: in the other mode, or one direction at a time.
#include <fmt/format.h>
#include <algorithm>

#include "tests/random/generator.h"

namespace bpc::test {

namespace {

std::string summed(const std::string& text, const Shape& shape) {
  return shape.empty() ? text : "sum(" + text + ")";
}

// A derivative of y by x (a name), whose shapes are these.
struct Taken {
  std::string y;
  Shape y_shape;
  std::string x;
  Shape x_shape;
  std::string n;      // what the size of x is written as, if it is a vector
  std::string m;      // and that of y
  std::string index;  // a name that is free
};

// ---- other ways to take it; nullopt where there is none ----
using Other = std::optional<std::string>;

Other other_gradient(const Taken& d) {
  if (d.x_shape.empty()) return fmt::format("jvp({}, {}, 1)", d.y, d.x);
  if (d.x_shape.size() == 1) return fmt::format("[jvp({0}, {1}, one_hot({2}, {3})) for {2} in 0..{3}]", d.y, d.x, d.index, d.n);
  return fmt::format("vjp({}, {}, 1)", d.y, d.x);
}

Other other_jvp(const Taken& d, const std::string& v) {
  if (d.y_shape.empty()) return summed(fmt::format("(grad({}, {}) * ({}))", d.y, d.x, v), d.x_shape);
  if (d.x_shape.empty()) return fmt::format("(jacobian({}, {}) * ({}))", d.y, d.x, v);
  if (d.x_shape.size() == 1 && d.y_shape.size() == 1) return fmt::format("(jacobian({}, {}) @ ({}))", d.y, d.x, v);
  return std::nullopt;
}

Other other_vjp(const Taken& d, const std::string& v) {
  if (d.x_shape.empty()) return summed(fmt::format("(jvp({}, {}, 1) * ({}))", d.y, d.x, v), d.y_shape);
  if (d.y_shape.empty()) return fmt::format("(grad({}, {}) * ({}))", d.y, d.x, v);
  if (d.x_shape.size() == 1 && d.y_shape.size() == 1) return fmt::format("(({}) @ jacobian({}, {}))", v, d.y, d.x);
  return std::nullopt;
}

Other other_hvp(const Taken& d, const std::string& v) {
  if (d.x_shape.empty()) return fmt::format("(({}) * jvp(grad({}, {}), {}, 1))", v, d.y, d.x, d.x);
  return fmt::format("vjp(grad({}, {}), {}, {})", d.y, d.x, d.x, v);
}

Other other_hessian(const Taken& d) {
  if (d.x_shape.empty()) return fmt::format("grad(jvp({}, {}, 1), {})", d.y, d.x, d.x);
  if (d.x_shape.size() == 1) return fmt::format("[hvp({0}, {1}, one_hot({2}, {3})) for {2} in 0..{3}]", d.y, d.x, d.index, d.n);
  return fmt::format("jacobian(grad({}, {}), {})", d.y, d.x, d.x);
}

Other other_jacobian(const Taken& d) {
  if (d.x_shape.empty()) return fmt::format("jvp({}, {}, 1)", d.y, d.x);
  if (d.y_shape.empty()) return fmt::format("grad({}, {})", d.y, d.x);
  if (d.y_shape.size() == 1) return fmt::format("[vjp({0}, {1}, one_hot({2}, {3})) for {2} in 0..{3}]", d.y, d.x, d.index, d.m);
  return std::nullopt;
}

}  // namespace

std::optional<Call> Generator::derivable(const Shape* first, const Shape* result, int highest_order) {
  std::vector<const Function*> fitting;
  for (const Function& f : functions_)
    if (f.results.size() == 1 && f.order <= highest_order) fitting.push_back(&f);
  for (int tries = 0; !fitting.empty() && tries < 6; ++tries) {
    const Function f = *draw_.of(fitting);
    const std::set<int> before = used_;
    auto made = call(f, 0, result, true, 1);
    if (made && (!first || made->first_shape == *first)) return made;
    used_ = before;
  }
  return std::nullopt;
}

std::optional<Expr> Generator::derivative(const Shape& shape, int depth) {
  if (only_elementwise_ || maps_ > 1) return std::nullopt;
  std::optional<Call> y;
  std::string text;
  Other other;
  int order = 1;
  auto taken = [&](bool sums) {
    Taken d{sums ? summed(y->text, y->result) : y->text, sums ? Shape{} : y->result, y->first, y->first_shape, {}, {}, fresh("j")};
    if (d.x_shape.size() == 1) d.n = size_text(d.x_shape[0]);
    if (d.y_shape.size() == 1) d.m = size_text(d.y_shape[0]);
    return d;
  };
  auto direction = [&](const Shape& of) { return tamed(expr(of, depth - 1), 2).text; };
  switch (draw_.below(7)) {
    case 0:
    case 1: {
      if (!(y = derivable(&shape, nullptr, 2))) return std::nullopt;
      const Taken d = taken(true);
      text = fmt::format("grad({}, {})", d.y, d.x);
      other = other_gradient(d);
      break;
    }
    case 2: {
      if (!(y = derivable(nullptr, &shape, 1))) return std::nullopt;
      const Taken d = taken(false);
      const std::string v = direction(d.x_shape);
      text = fmt::format("jvp({}, {}, {})", d.y, d.x, v);
      other = other_jvp(d, v);
      break;
    }
    case 3: {
      if (!(y = derivable(&shape, nullptr, 1))) return std::nullopt;
      const Taken d = taken(false);
      const std::string v = direction(d.y_shape);
      text = fmt::format("vjp({}, {}, {})", d.y, d.x, v);
      other = other_vjp(d, v);
      break;
    }
    case 4: {
      order = 2;
      if (!(y = derivable(&shape, nullptr, 1))) return std::nullopt;
      const Taken d = taken(true);
      const std::string v = direction(d.x_shape);
      text = fmt::format("hvp({}, {}, {})", d.y, d.x, v);
      other = other_hvp(d, v);
      break;
    }
    case 5: {
      order = 2;
      if (shape.size() % 2 != 0) return std::nullopt;
      Shape half(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(shape.size() / 2));
      if (!std::equal(half.begin(), half.end(), shape.end() - static_cast<std::ptrdiff_t>(half.size()))) return std::nullopt;
      if (!(y = derivable(&half, nullptr, 1))) return std::nullopt;
      const Taken d = taken(true);
      text = fmt::format("hessian({}, {})", d.y, d.x);
      other = other_hessian(d);
      break;
    }
    default: {
      const auto split = static_cast<std::ptrdiff_t>(draw_.below(shape.size() + 1));
      Shape result(shape.begin(), shape.begin() + split), first(shape.begin() + split, shape.end());
      if (!(y = derivable(&first, &result, 1))) return std::nullopt;
      const Taken d = taken(false);
      text = fmt::format("jacobian({}, {})", d.y, d.x);
      other = other_jacobian(d);
    }
  }
  order_ = std::max(order_, y->order + order);
  if (other) text = twice(text, *other);
  // In a loop, a derivative of what the loop carries may grow faster than any bound.
  return loop_ != 0 ? Expr{fmt::format("tanh({})", text), 1} : Expr{text, 3};
}

// `mixed`: the derivative of `total` along one to three directions of params. The twin takes them in another order, and each in any mode.
void Generator::mixed_derivative(Lines& lines, const std::vector<Variable>& params) {
  if (has_params_ || order_ > 2) return;
  const int count = draw_.between(1, std::min(3, 4 - order_));
  std::vector<std::pair<Variable, std::string>> along;
  for (int k = 0; k < count; ++k) {
    const Variable& x = draw_.of(params);
    along.emplace_back(x, fresh("u"));
    add(lines, fmt::format("{} = {}", along.back().second, tensor_literal(x.shape)));
  }
  auto one = [&](const std::string& y, const auto& by) {
    const auto& [x, u] = by;
    if (draw_.chance(0.5)) return fmt::format("jvp({}, {}, {})", y, x.name, u);
    return summed(fmt::format("grad({}, {}) * {}", y, x.name, u), x.shape);
  };
  std::vector<std::size_t> order(along.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::swap(order.front(), order[draw_.below(order.size())]);
  std::string y = "total", twins = "total";
  for (std::size_t k = 0; k < along.size(); ++k) {
    const std::string name = fresh("d"), twins_name = fresh("d");
    add(lines, fmt::format("{} = {}", either(name, twins_name), either(one(y, along[k]), one(twins, along[order[k]]))));
    y = name, twins = twins_name;
  }
  add(lines, "mixed = " + either(y, twins));
  order_ += count;
  if (order_ < 4 && draw_.chance(0.5)) add(lines, "total += 0.1 * tanh(mixed)");
}

}  // namespace bpc::test
