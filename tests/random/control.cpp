// Statements with statements in them: branches and loops.
#include <fmt/format.h>
#include <algorithm>

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
  }
  Line line{fmt::format("for {} in {}", name, range), {}, true};
  const std::size_t indices = indices_.size();
  const int around = loop_;
  loop_ = ++loops_;
  indices_.push_back(i);
  expect_growth(turns);
  block(line.body, draw_.between(0, 2));
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
  if (draw_.chance(0.5)) line.text += fmt::format(" and ({})", condition(1));
  indices_.push_back({counter, 0, turns});
  expect_growth(turns);
  block(line.body, draw_.between(0, 2));
  add(line.body, counter + " += 1");
  loop_ = around;
  lines.push_back(std::move(line));
}

}  // namespace bpc::test
