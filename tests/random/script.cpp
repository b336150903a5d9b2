// The whole script: params, functions, statements, the loss, and what check.cpp compares.
#include <fmt/format.h>
#include <algorithm>

#include "tests/random/generator.h"

namespace bpc::test {

void Generator::make_params() {
  sizes_ = {draw_.between(2, 3), draw_.between(3, 4)};
  if (draw_.chance(0.4)) {
    dim_ = "D";
    dim_size_ = draw_.of(sizes_);
    add(program_.lines, fmt::format("dim D = {}", dim_size_));
  }
  auto declare_one = [&](const std::string& word, const std::string& letter, const Shape& shape) {
    const std::string name = fresh(letter);
    add(program_.lines, fmt::format("{}{}{} = {}", word, name, shape.empty() ? "" : " : " + shape_text(shape), tensor_literal(shape)));
    bind(name, shape, 1, true);
  };
  for (int n = draw_.between(2, 4); n > 0; --n) {
    const Shape shape = random_shape(2);
    const bool is_known = draw_.chance(0.3);
    declare_one(is_known ? either("", "param ") : "param ", shape.empty() ? "a" : shape.size() == 1 ? "u" : "W", shape);
  }
  params_ = static_cast<std::ptrdiff_t>(variables_.size());
  if (draw_.chance(0.3)) {
    const std::string name = fresh("z");
    add(program_.lines, fmt::format("{}{} : [3] = [0, {}, 0]", either("", "param "), name, number(-1, 1).text));
    bind(name, {3}, 1, true);
    kinked_ = variables_.back();
    variables_.pop_back();
  }
  if (draw_.chance(0.3)) {  // no value to differentiate by
    declare_one(either("const ", "input "), "c", {});
    variables_.back().given = true;
  }
}

// The loss, from what there is; then derivatives of some y, for the check to compare.
void Generator::finish() {
  Lines& lines = program_.lines;
  std::vector<Variable> params(variables_.begin(), variables_.begin() + params_);
  if (kinked_) params.push_back(*kinked_);
  auto scalar = [](const Variable& x) { return x.shape.empty() ? x.name : fmt::format("sum({})", x.name); };
  std::string direct;
  for (const Variable& x : params) direct += (direct.empty() ? "" : " + ") + scalar(x);
  add(lines, fmt::format("total = 0.1 * ({})", direct));
  std::vector<Variable> last(variables_.begin() + params_, variables_.end());
  while (last.size() > 6) last.erase(last.begin() + static_cast<std::ptrdiff_t>(draw_.below(last.size())));
  for (const Variable& x : last) {
    const std::string weight = number(0.3, 1).text;
    add(lines, x.shape.empty()                              ? fmt::format("total += {} * {}", weight, x.name)
               : draw_.chance(0.5) && has_elements(x.shape) ? fmt::format("total += {} * mean({})", weight, x.name)
                                                            : fmt::format("total += {} * sum({} * {})", weight, x.name, x.name));
  }
  if (draw_.chance(0.7)) mixed_derivative(lines, params);
  add(lines, "loss J = total");

  Shape shape = last.empty() ? Shape{} : draw_.of(last).shape;
  used_.clear();
  Expr y = leaf(shape);
  const std::set<int> reads = used_;
  add(lines, fmt::format("y = sin({}) + 0.1 * total", y.text));
  add(lines, fmt::format("cotangent = {}", tensor_literal(shape)));
  std::vector<Variable> xs = params;
  for (const Variable& x : last)
    if (reads.contains(x.version) && !x.given && !x.turned) xs.push_back(x);
  for (std::size_t k = 0; k < xs.size(); ++k) {
    const Variable& x = xs[k];
    auto add_both = [&](const std::string& text) { add(lines, k < params.size() ? text : either(text, "")); };
    add_both(fmt::format("direction{} = {}", k, tensor_literal(x.shape)));
    add_both(fmt::format("forward{} = jvp(y, {}, direction{})", k, x.name, k));
    add_both(fmt::format("backward{} = vjp(y, {}, cotangent)", k, x.name));
  }
}

Program Generator::run(std::uint64_t seed) {
  add(program_.lines, fmt::format("# seed {}", seed));
  make_params();
  add(program_.lines, "fn pass(f, x) = f(x)");
  for (int n = draw_.between(0, 2); n > 0; --n) new_index(program_.lines);
  make_functions();
  add(program_.lines, "residual = 0");
  order_ = 0;
  statements(program_.lines, draw_.between(3, 9));
  if (draw_.chance(0.15)) long_loop(program_.lines);
  finish();
  if (draw_.chance(0.3)) carried_loss();
  return std::move(program_);
}

Program random_program(std::uint64_t seed) {
  return Generator(seed).run(seed);
}

}  // namespace bpc::test
