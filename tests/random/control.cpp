// Statements with statements in them: branches and loops.
#include <fmt/format.h>
#include <algorithm>
#include <numeric>
#include <utility>

#include "tests/random/generator.h"

namespace bpc::test {

// What is bound inside is not seen outside, so that something from outside should change.
void Generator::block(Lines& lines, int count) {
  const std::size_t variables = variables_.size(), indices = indices_.size();
  ++depth_;
  statements(lines, count);
  assign_one_of(lines, variables);
  --depth_;
  variables_.resize(std::min(variables, variables_.size()));
  indices_.resize(indices);
}

void Generator::branch(Lines& lines) {
  Line line{fmt::format("if {}", condition(1)), {}, true};
  const std::size_t variables = variables_.size(), indices = indices_.size();
  const bool both = draw_.chance(0.5);  // a new name on both sides
  Shape shape = random_shape(2);
  const std::string name = fresh(shape);
  double bound = 0;
  auto side = [&](Lines& body) {
    ++depth_;
    statements(body, draw_.between(0, 2));
    if (!both) assign_one_of(body, variables);
    if (both) {
      used_.clear();
      parts_.clear();
      Expr e = expr(shape, 2);
      bound = std::max(bound, e.bound);
      add(body, fmt::format("{} = {}", name, e.text))
          .simpler.push_back(fmt::format("{} = {}", name, shape.empty() ? "0.5" : fmt::format("full({}, 0.5)", shape_text(shape))));
    }
    --depth_;
    variables_.resize(variables);
    indices_.resize(indices);
  };
  side(line.body);
  if (both || draw_.chance(0.3)) side(line.otherwise);
  lines.push_back(std::move(line));
  used_.clear();
  if (both) bind(name, shape, bound, draw_.chance(0.3));
}

// What a loop adds to, turn by turn.
void Generator::expect_growth(int turns) {
  for (Variable& x : variables_)
    if (!x.fixed) x.bound += 0.5 * turns;
}

void Generator::loop_body(Lines& before, Line& line, const std::string& step) {
  const int version = versions_;
  block(line.body, draw_.between(0, 2));
  for (Variable& x : variables_) x.turned |= line.unrolled && x.version > version;
  if (!step.empty()) add(line.body, step);
  if (draw_.chance(0.3)) way_out(before, line, step);
}

// `break` or `continue` somewhere in the turn. The twin leaves out the rest under an `if`.
void Generator::way_out(Lines& before, Line& line, const std::string& step) {
  const bool ends = draw_.chance(0.6);
  const std::string flag = fresh("q"), going = either("", fmt::format("if not {}", flag)), unset = either("", flag + " = false");
  const auto at = static_cast<std::ptrdiff_t>(draw_.below(line.body.size() + 1));
  Line leave{fmt::format("if {}", condition(1)), {}, true}, rest{going, {}, true};
  used_.clear();
  if (!ends && !step.empty() && at < static_cast<std::ptrdiff_t>(line.body.size())) add(leave.body, step);
  add(leave.body, either(ends ? "break" : "continue", flag + " = true"));
  rest.body.assign(line.body.begin() + at, line.body.end());
  line.body.erase(line.body.begin() + at, line.body.end());
  line.body.push_back(std::move(leave));
  line.body.push_back(std::move(rest));
  if (!ends) {
    line.body.insert(line.body.begin(), Line{unset});
    return;
  }
  add(before, unset);
  if (line.text.starts_with("while ")) line.text.insert(6, either("", fmt::format("not {} and ", flag)));
  Line whole{going, {}, true};
  whole.body = std::move(line.body);
  line.body = {std::move(whole)};
}

void Generator::for_loop(Lines& lines) {
  if (draw_.chance(0.6)) {  // something to carry
    Shape shape = random_shape(2);
    const std::string name = fresh(shape);
    used_.clear();
    parts_.clear();
    declare(lines, name, shape,
            draw_.chance(0.5) ? expr(shape, 1) : Expr{shape.empty() ? "0" : fmt::format("zeros({})", shape_text(shape)), 0}, false);
  }
  const std::string name = fresh("j");
  Index i{name, 0, 0};
  int turns = 4;
  std::string range;
  std::optional<Turns> unrolled;
  std::vector<const Index*> bounds;
  for (const Index& n : indices_)
    if (n.shape.empty() && n.hi < kFar && n.hi - n.lo <= 4) bounds.push_back(&n);
  if (!generic_.empty() && draw_.chance(0.4)) {
    i.of = draw_.of(generic_);
    i.hi = kFar;
    range = draw_.chance(0.7) ? "0.." + dim_name(i.of) : fmt::format("{} - 1..-1 by -1", dim_name(i.of));
  } else if (!bounds.empty() && draw_.chance(0.5)) {  // only known at run time
    const Index& n = *draw_.of(bounds);
    switch (draw_.below(3)) {
      case 0:
        i.hi = std::max(0, n.hi - 1);
        range = "0.." + n.name;
        break;
      case 1:
        i.lo = 1, i.hi = std::max(1, n.hi);
        range = n.name + "..0 by -1";
        break;
      default:
        i.lo = n.lo, i.hi = n.hi + 2;
        range = fmt::format("{}..{} + 3 by 2", n.name, n.name);
    }
  } else {
    const int lo = draw_.between(-1, 2);
    int step = draw_.between(1, 2);
    turns = depth_ == 0 && draw_.chance(0.15) ? draw_.between(9, 12) : draw_.between(0, 3);  // nine are enough to be checkpointed
    const bool down = draw_.chance(0.3);
    if (down) step = -step;
    range = fmt::format("{}..{}{}", lo, lo + turns * step - (step == 2 && turns > 0 ? draw_.between(0, 1) : 0),
                        step == 1 ? "" : fmt::format(" by {}", step));
    const int last = lo + std::max(0, turns - 1) * step;
    i.lo = std::min(lo, last), i.hi = std::max(lo, last);
    if (may_unroll()) unrolled = Turns{name, {}};
    for (int turn = 0; unrolled && turn < turns; ++turn) unrolled->values.push_back(lo + turn * step);
  }
  Line line{fmt::format("for {} in {}", name, range), {}, true};
  line.unrolled = std::move(unrolled);
  const std::size_t indices = indices_.size();
  const int around = loop_;
  loop_ = ++loops_;
  indices_.push_back(i);
  expect_growth(turns);
  loop_body(lines, line);
  loop_ = around;
  indices_.resize(indices);
  lines.push_back(std::move(line));
}

void Generator::while_loop(Lines& lines) {
  const std::string counter = fresh("k");
  const int turns = draw_.between(0, 4);
  add(lines, fmt::format("{} : i32 = 0", counter));
  Line line{fmt::format("while {} < {}", counter, turns), {}, true};
  const int around = loop_;
  loop_ = ++loops_;  // the condition is part of every turn
  if (draw_.chance(0.5))
    line.text += fmt::format(" and ({})", condition(1));
  else if (may_unroll())
    line.unrolled = Turns{"", std::vector<int>(static_cast<std::size_t>(turns))};
  indices_.push_back({counter, 0, turns});
  expect_growth(turns);
  loop_body(lines, line, counter + " += 1");
  loop_ = around;
  lines.push_back(std::move(line));
}

// Steps by a derivative of a loss that each turn computes anew from what it carries.
void Generator::descent(Lines& lines) {
  static constexpr const char* kSteps[] = {"grad({0}, {1})", "{2} * jvp({0}, {1}, {2})", "vjp({0}, {1}, 0.7)", "hvp({0}, {1}, {2})"};
  if (order_ > 1) return assign_new(lines);
  const Shape shape = random_shape(1);
  const std::string p = fresh(shape), e = fresh("e"), g = fresh("g"), sum = fresh("s"), i = fresh("j");
  const std::string v = shape.empty() ? "0.6" : fmt::format("full({}, 0.6)", shape_text(shape));
  used_.clear();
  parts_.clear();
  declare(lines, p, shape, tamed(expr(shape, 1), 1.5), false);
  // Where it is another name for something that the loss reads as well, only an unrolled loop's first turn would count that.
  add(lines, fmt::format("{0} = variable({0})", p));
  add(lines, sum + " = 0");

  const auto count = static_cast<std::size_t>(draw_.between(1, 4));
  std::vector<int> turns(count);
  std::iota(turns.begin(), turns.end(), 0);
  Line line{fmt::format("for {} in 0..{}", i, count), {}, true};
  const int around = loop_;
  loop_ = ++loops_;
  indices_.push_back({i, 0, turns.back()});
  ++depth_, ++order_;
  const Expr loss = tamed(expr({}, 2), 2);
  --depth_;
  add(line.body, fmt::format("{} = {} + sum(sin({}) * {})", e, at(loss, kSum), p, p));
  add(line.body, fmt::format("{} = {}", g, fmt::format(fmt::runtime(draw_.of(kSteps)), e, p, v)));
  add(line.body, fmt::format("{} -= 0.1 * tanh({})", p, g));
  add(line.body, fmt::format("{} += tanh(sum({}))", sum, g));  // derivatives have no bound
  indices_.pop_back();
  loop_ = around;
  if (may_unroll()) line.unrolled = Turns{i, std::move(turns)};
  assigned(variables_.back());
  variables_.back().turned = line.unrolled.has_value();
  lines.push_back(std::move(line));
  used_.clear();
  bind(sum, {}, static_cast<double>(count), false);
  ++order_;
}

// A loop over as many turns as check.cpp wants, each of which costs the same: it reads and writes elements, or rows, by the index.
void Generator::long_loop(Lines& lines) {
  const int width = draw_.chance(0.4) ? draw_.of(sizes_) : 0;
  const Shape row = width > 0 ? Shape{width} : Shape{};
  const std::string all = fresh("x"), state = fresh(row), i = fresh("j"), sum = fresh("s");
  const std::string from = fmt::format("sum({})", use(variables_[0]).text);
  add(lines, "dim L = 5");
  add(lines, width > 0 ? fmt::format("{} = [0.3 * sin(0.7 * i + k + {}) for i in 0..L, k in 0..{}]", all, from, width)
                       : fmt::format("{} = [0.3 * sin(0.7 * i + {}) for i in 0..L]", all, from));
  used_.clear();
  parts_.clear();
  declare(lines, state, row, tamed(expr(row, 1), 1), false);

  // Only what each turn can afford is seen.
  const std::vector<Variable> outside = variables_;
  const std::vector<Index> indices = std::exchange(indices_, {});
  for (const char* element : {"{}[{} - 1]", "{}[(3 * {}) % L]"}) bind(fmt::format(fmt::runtime(element), all, i), row, 1.5, true);
  for (Variable& x : variables_) x.given = true;
  const int around = loop_;
  loop_ = ++loops_;
  ++depth_;
  Lines body;
  auto one = [&](double limit) { return tamed(expr(row, 2), limit).text; };
  for (int n = draw_.between(1, 3); n > 0; --n) {
    switch (draw_.below(6)) {
      case 0:
        add(body, fmt::format("{}[{}] = {}", all, i, one(1.5)));
        break;
      case 1:
        add(body, fmt::format("{}[(7 * {}) % L] += {}", all, i, one(0.4)));
        break;
      case 2:
        add(body, fmt::format("{}[L - {}] *= {}", all, i, one(1)));
        break;
      case 3: {
        Line branch{fmt::format("if {}", condition(1)), {}, true};
        add(branch.body, fmt::format("{}[{}] = {}", all, i, one(1.5)));
        body.push_back(std::move(branch));
        break;
      }
      case 4: {
        add(body, fmt::format("z = {}", one(1)));
        add(body, fmt::format("{}[{}] = z * grad(sum(sin(z) * {}), z)", all, i, state));
        break;
      }
      default:
        add(body, fmt::format("{} = {}", state, one(1)));
    }
  }
  add(body, fmt::format("{} = 0.5 * sin({} + {}[{}])", state, state, all, i));
  --depth_;
  loop_ = around;
  variables_ = outside;
  indices_ = indices;

  Line line{fmt::format("for {} in 1..L", i), {}, true};
  if (draw_.chance(0.3)) {
    add(lines, fmt::format("{} : i32 = 1", i));
    line.text = fmt::format("while {} < L", i);
    add(body, i + " += 1");
  }
  line.body = std::move(body);
  lines.push_back(std::move(line));
  add(lines, fmt::format("{} = mean({}) + sum({})", sum, all, state));
  used_.clear();
  bind(sum, {}, 3, false);
}

}  // namespace bpc::test
