#include <fmt/format.h>
#include <algorithm>
#include <span>

#include "tests/random/generator.h"

namespace bpc::test {

std::string dim_name(int size) {
  return size == -1 ? "N" : "K";
}

bool has_elements(const Shape& shape) {
  return std::find(shape.begin(), shape.end(), 0) == shape.end();
}

std::string Generator::size_text(int size) {
  if (size < 0) return dim_name(size);
  return size > 0 && size == dim_size_ && draw_.chance(0.5) ? dim_ : std::to_string(size);
}

std::string Generator::shape_text(const Shape& shape) {
  std::vector<std::string> sizes;
  for (int size : shape) sizes.push_back(size_text(size));
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

int Generator::random_size() {
  return generic_.empty() && draw_.chance(0.03) ? 0 : large_size();
}

int Generator::large_size() {
  if (!generic_.empty() && draw_.chance(0.9)) return draw_.of(generic_);
  return draw_.chance(0.9) ? draw_.of(sizes_) : draw_.between(2, 4);
}

Shape Generator::random_shape(std::size_t highest_rank) {
  Shape shape(draw_.below(highest_rank + 1));
  for (int& size : shape) size = draw_.chance(0.08) ? 1 : random_size();
  return shape;
}

std::string Generator::fresh(const Shape& shape) {
  static constexpr const char* kLetters[] = {"s", "v", "m", "t"};
  return fresh(std::string(kLetters[std::min<std::size_t>(shape.size(), 3)]));
}

void Generator::bind(const std::string& name, const Shape& shape, double bound, bool fixed) {
  Variable x{name, shape, bound, fixed, fixed && loop_ == 0};
  x.loop = loop_;
  x.version = ++versions_;
  x.reads = std::move(used_);
  used_.clear();
  variables_.push_back(std::move(x));
}

// Its value is another now. Inside a block that may not run, or runs again, who knows what it was computed from.
void Generator::assigned(Variable& x) {
  x.version = ++versions_;
  x.loop = loop_;
  x.turned = false;
  x.reads = depth_ == 0 ? std::move(used_) : std::set<int>{};
  used_.clear();
}

void Generator::declare(Lines& lines, const std::string& name, const Shape& shape, Expr value, bool fixed) {
  Line& line = add(lines, fmt::format("{} = {}", name, value.text));
  line.simpler.push_back(fmt::format("{} = {}", name, shape.empty() ? "0.5" : fmt::format("full({}, 0.5)", shape_text(shape))));
  for (const auto& [part, text] : parts_)
    if (part == shape && text.size() < value.text.size()) line.simpler.push_back(fmt::format("{} = {}", name, text));
  std::stable_sort(line.simpler.begin(), line.simpler.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  parts_.clear();
  bind(name, shape, value.bound, fixed);
}

void Generator::assign_new(Lines& lines) {
  Shape shape = random_shape(draw_.chance(0.15) ? 3 : 2);
  used_.clear();
  parts_.clear();
  Expr e = expr(shape, draw_.between(1, 3));
  declare(lines, fresh(shape), shape, std::move(e), draw_.chance(0.3));
}

// A name that was bound before gets another value of its shape.
void Generator::assign_old(Lines& lines) {
  assign_one_of(lines, variables_.size());
}

// One of the first `among` variables.
void Generator::assign_one_of(Lines& lines, std::size_t among) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < among; ++i)
    if (!variables_[i].fixed) open.push_back(i);
  if (open.empty()) return assign_new(lines);
  const std::size_t at_variable = std::max(draw_.of(open), draw_.of(open));
  if (!variables_[at_variable].shape.empty() && draw_.chance(0.4)) return assign_part_of(lines, at_variable);
  const Variable x = variables_[at_variable];
  used_.clear();
  parts_.clear();
  const double limit = std::max(x.bound, 1.5);
  double bound = limit;
  switch (draw_.below(4)) {
    case 0:
    case 1: {
      Expr e = tamed(expr(x.shape, draw_.between(1, 3)), limit);
      Line& line = add(lines, fmt::format("{} = {}", x.name, e.text));
      for (const auto& [part, text] : parts_)
        if (part == x.shape && text.size() < e.text.size()) line.simpler.push_back(fmt::format("{} = {}", x.name, text));
      break;
    }
    case 2: {
      Expr e = tamed(expr(x.shape, 2), 0.5);
      add(lines, fmt::format("{} {} {}", x.name, draw_.chance(0.7) ? "+=" : "-=", e.text));
      use(x);
      bound = x.bound + 4 * e.bound;
      break;
    }
    default: {
      Expr e = tamed(expr(x.shape, 2), limit);
      add(lines, fmt::format("{} = 0.5 * {} + 0.5 * {}", x.name, x.name, at(e, kUnary)));
      use(x);
    }
  }
  variables_[at_variable].bound = bound;
  assigned(variables_[at_variable]);
}

void Generator::assign_part(Lines& lines) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < variables_.size(); ++i)
    if (!variables_[i].fixed && !variables_[i].shape.empty()) open.push_back(i);
  if (open.empty()) {
    Shape shape{random_size()};
    if (draw_.chance(0.4)) shape.push_back(random_size());
    const std::string name = fresh(shape);
    add(lines, fmt::format("{} = zeros({})", name, shape_text(shape)));
    used_.clear();
    bind(name, shape, 1, false);
    return;
  }
  assign_part_of(lines, draw_.of(open));
}

void Generator::assign_part_of(Lines& lines, std::size_t at_variable) {
  const Variable x = variables_[at_variable];
  const bool adds = draw_.chance(0.5);
  auto part = place(x, adds);
  if (!part) return;
  used_.clear();
  parts_.clear();
  Expr e = tamed(expr(draw_.chance(0.2) ? Shape{} : part->shape, 2), adds ? 1 : std::max(x.bound, 1.0));
  const char* sign = adds ? (draw_.chance(0.75) ? "+=" : "-=") : draw_.chance(0.2) ? "*=" : "=";
  Line& line = add(lines, fmt::format("{} {} {}", part->text, sign, e.text));
  line.simpler.push_back(fmt::format("{} {} 0.5", part->text, sign));
  use(x);
  variables_[at_variable].bound = x.bound + (adds ? 3 * e.bound : 0);
  assigned(variables_[at_variable]);
}

void Generator::several_results(Lines& lines) {
  std::vector<Function> several;
  for (const Function& f : functions_)
    if (f.results.size() == 2) several.push_back(f);
  if (several.empty()) return assign_new(lines);
  const Function f = draw_.of(several);
  used_.clear();
  auto made = call(f, 0, nullptr, false, 2);
  if (!made) return assign_new(lines);
  // The other result's sizes were settled by the call; only shapes that say themselves are bound here.
  Shape second = f.any_shape ? made->result : f.results[1];
  if (!f.any_shape && second != f.results[0] && !second.empty()) return assign_new(lines);
  if (!f.any_shape && second == f.results[0]) second = made->result;
  const std::string a = fresh(made->result), b = fresh(second);
  add(lines, fmt::format("{}, {} = {}", a, b, made->text));
  const std::set<int> reads = used_;
  bind(a, made->result, made->bound, false);
  used_ = reads;
  bind(b, second, made->bound, false);
}

// Integers: a counter's bound, one that the data decides, tensors of indices with duplicates.
void Generator::new_index(Lines& lines) {
  ++cut_;
  const std::string name = fresh("n");
  switch (draw_.below(4)) {
    case 0: {
      int value = draw_.between(0, 3);
      add(lines, fmt::format("{} : i32 = {}", name, value));
      indices_.push_back({name, value, value});
      break;
    }
    case 1:
      add(lines, fmt::format("{} = i32(1 + 2 * sigmoid({}))", name, expr({}, 1).text));
      indices_.push_back({name, 1, 3});
      break;
    case 2: {
      int n = draw_.between(2, 3);
      // Rounded, because values that are equal but for the order of a sum have the first as their largest.
      add(lines, fmt::format("{} = argmax(round(16 * {}))", name, at(expr({n}, 1), kUnary)));
      indices_.push_back({name, 0, n - 1});
      break;
    }
    default: {
      int valid = draw_.between(2, 3), count = draw_.between(2, 4);
      std::string values;
      for (int i = 0; i < count; ++i) values += fmt::format("{}{}", i == 0 ? "" : ", ", draw_.between(-valid, valid - 1));
      add(lines, fmt::format("{} : i32[{}] = [{}]", name, count, values));
      indices_.push_back({name, -valid, valid - 1, 0, {count}});
    }
  }
  --cut_;
}

void Generator::split(Lines& lines) {
  Shape shape = random_shape(1);
  shape.insert(shape.begin(), 2 * draw_.between(1, 2));
  used_.clear();
  parts_.clear();
  Expr e = expr(shape, 2);
  shape[0] /= 2;
  const std::string a = fresh(shape), b = fresh(shape);
  add(lines, fmt::format("{}, {} = split({}, 2)", a, b, e.text));
  const std::set<int> reads = used_;
  bind(a, shape, e.bound, false);
  used_ = reads;
  bind(b, shape, e.bound, false);
}

// Values pushed on a tape in one loop and popped in another, perhaps more than there are.
void Generator::stack(Lines& lines) {
  const Shape shape = random_shape(1);
  const std::string tape = fresh("q"), sum = fresh(shape), i = fresh("j");
  const int pushes = draw_.between(0, 3), pops = draw_.between(0, 4);
  add(lines, tape + " = tape()");
  Line push{fmt::format("for {} in 0..{}", i, pushes), {}, true}, pop{fmt::format("for {} in 0..{}", i, pops), {}, true};
  used_.clear();
  parts_.clear();
  const int around = loop_;
  loop_ = ++loops_;
  indices_.push_back({i, 0, std::max(0, pushes - 1)});
  ++depth_;
  Expr e = tamed(expr(shape, 2), 2);
  --depth_;
  indices_.pop_back();
  loop_ = around;
  add(push.body, fmt::format("{} = push({}, {})", tape, tape, e.text));
  lines.push_back(std::move(push));
  used_.clear();
  declare(lines, sum, shape, {shape.empty() ? "0" : fmt::format("zeros({})", shape_text(shape)), 0}, false);
  const std::string top = fresh(shape);
  add(pop.body, fmt::format("{}, {} = pop({})", tape, top, tape));
  add(pop.body,
      draw_.chance(0.5) ? fmt::format("{} = 0.6 * {} + sin({})", sum, sum, top) : fmt::format("{} += 0.5 * {} * {}", sum, top, top));
  lines.push_back(std::move(pop));
  variables_.back().bound = 3;
  variables_.back().reads.clear();
}

// `g = grad(y, x)` for a name y that was computed from x. How a derivative depends on what is computed on the way to it, rules may say in
// several ways, so that after the first such g, x is a param.
void Generator::gradient_of_name(Lines& lines) {
  struct Pair {
    std::string y, x;
    Shape shape;
  };
  std::vector<Pair> pairs;
  const auto params = std::min(variables_.size(), static_cast<std::size_t>(params_));
  const auto xs = std::span(variables_).first(named_gradients_ ? params : variables_.size());
  for (const Variable& y : variables_)
    for (const Variable& x : xs)
      if (y.shape.empty() && y.reads.contains(x.version) && !x.given && !x.turned && (loop_ == 0 || x.loop == loop_))
        pairs.push_back({y.name, x.name, x.shape});
  if (pairs.empty() || order_ > 1) return assign_new(lines);
  named_gradients_ = true;
  const Pair pair = draw_.of(pairs);
  ++order_;
  used_.clear();
  parts_.clear();
  declare(lines, fresh(pair.shape), pair.shape, {fmt::format("grad({}, {})", pair.y, pair.x), 3}, draw_.chance(0.3));
}

// <c, jvp(y, x, u)> - <vjp(y, x, c), u>, anywhere, by the size of the first: its square is added up.
void Generator::add_residual(Lines& lines) {
  used_.clear();
  auto made = in_function_ ? std::nullopt : derivable(nullptr, nullptr, 0);
  if (!made) return;
  const std::string y = fresh(made->result);
  add(lines, fmt::format("{} = {}", y, made->text));
  bind(y, made->result, made->bound, true);
  auto inner = [](const Shape& shape, const std::string& a, const std::string& b) {
    return shape.empty() ? fmt::format("{} * {}", a, b) : fmt::format("sum({} * {})", a, b);
  };
  Expr u = clean_leaf(made->first_shape), c = clean_leaf(made->result);
  const std::string forward = fresh(Shape{});
  add(lines, fmt::format("{} = {}", forward, inner(made->result, at(c, kUnary), fmt::format("jvp({}, {}, {})", y, made->first, u.text))));
  add(lines, fmt::format("residual += (({} - {}) / (1 + abs({})))^2", forward,
                         inner(made->first_shape, at(u, kUnary), fmt::format("vjp({}, {}, {})", y, made->first, c.text)), forward));
  used_.clear();
}

void Generator::assertion(Lines& lines) {
  if (variables_.empty()) return;
  const Variable& x = draw_.of(variables_);
  add(lines, x.shape.empty() ? fmt::format("assert {} < 1000", x.name) : fmt::format("assert all({} < 1000), \"large\"", x.name));
}

void Generator::statement(Lines& lines) {
  static constexpr struct {
    int weight;
    void (Generator::*make)(Lines&);
    bool nests = false;
  } kStatements[] = {
      {10, &Generator::assign_new},      {8, &Generator::assign_old},    {7, &Generator::assign_part},    {2, &Generator::several_results},
      {3, &Generator::new_index},        {5, &Generator::branch, true},  {8, &Generator::for_loop, true}, {4, &Generator::while_loop, true},
      {3, &Generator::gradient_of_name}, {2, &Generator::add_residual},  {2, &Generator::split},          {2, &Generator::stack},
      {1, &Generator::assertion},        {3, &Generator::descent, true},
  };
  int total = 0;
  for (const auto& kind : kStatements) total += kind.weight;
  for (;;) {
    int dice = draw_.between(0, total - 1);
    const auto* kind = kStatements;
    for (; dice >= kind->weight; ++kind) dice -= kind->weight;
    if (kind->nests && depth_ >= 2) continue;
    return (this->*kind->make)(lines);
  }
}

void Generator::statements(Lines& lines, int count) {
  for (int i = 0; i < count; ++i) statement(lines);
}

}  // namespace bpc::test
