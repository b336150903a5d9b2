#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "tests/random/generator.h"

namespace bpc::test {

namespace {

bool unify(const Shape& pattern, const Shape& shape, std::map<int, int>& sizes) {
  if (pattern.size() != shape.size()) return false;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (pattern[k] >= 0) {
      if (pattern[k] != shape[k]) return false;
    } else if (auto [found, is_new] = sizes.emplace(pattern[k], shape[k]); !is_new && found->second != shape[k]) {
      return false;
    }
  }
  return true;
}

// A generic dim is at least kLeastGeneric.
bool large_enough(const std::map<int, int>& sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [](const auto& size) { return size.second < 0 || size.second >= kLeastGeneric; });
}

}  // namespace

void Generator::make_functions() {
  for (int n = draw_.between(2, 4); n > 0; --n) {
    switch (draw_.below(8)) {
      case 0:
        make_elementwise();
        break;
      case 1:
        make_custom();
        break;
      case 2:
        make_ruled();
        break;
      default:
        make_generic();
    }
  }
}

// Of these parameters alone. `order_` is then that of the derivatives in it.
std::string Generator::elementwise_body(const std::vector<Function::Parameter>& parameters) {
  const std::vector<Variable> outside = std::move(variables_);
  const std::vector<Index> indices = std::move(indices_);
  variables_.clear();
  indices_.clear();
  for (const auto& parameter : parameters) bind(parameter.name, {}, 2, true);
  in_function_ = only_elementwise_ = true;
  order_ = 0;
  const std::string text = at(tamed(expr({}, 3), 2), kSum);
  in_function_ = only_elementwise_ = false;
  variables_ = outside;
  indices_ = indices;
  return text;
}

void Generator::make_elementwise() {
  Function f{fresh("g"), {{"x", {}, false}}, {{}}, true, 0, 2};
  if (draw_.chance(0.3)) f.parameters.push_back({"z", {}, false});
  if (draw_.chance(0.5)) f.parameters.push_back({"k", {}, true});
  std::string signature;
  for (const auto& parameter : f.parameters)
    signature += (signature.empty() ? "" : ", ") + parameter.name + (parameter.literal ? " = 0.8" : "");
  Line line{fmt::format("fn {}({}) = {} + 0.3 * x", f.name, signature, elementwise_body(f.parameters))};
  f.order = order_;
  line.simpler = {fmt::format("fn {}({}) = x", f.name, signature), fmt::format("fn {}({}) = sin(x)", f.name, signature)};
  program_.lines.push_back(std::move(line));
  functions_.push_back(std::move(f));
}

void Generator::make_generic() {
  Function f{fresh("g"), {}, {}, false, 0, 2.5};
  const std::vector<Shape> shapes =
      draw_.chance(0.6) ? std::vector<Shape>{{}, {-1}, {-1}} : std::vector<Shape>{{}, {-1}, {-2}, {-1, -2}, {-2, -1}};
  f.parameters.push_back({fresh("x"), draw_.of(shapes)});
  for (int n = draw_.between(0, 2); n > 0; --n) f.parameters.push_back({fresh("x"), draw_.of(shapes)});
  generic_.clear();
  for (const auto& parameter : f.parameters)
    for (int dim : parameter.shape)
      if (std::find(generic_.begin(), generic_.end(), dim) == generic_.end()) generic_.push_back(dim);
  if (draw_.chance(0.3)) f.parameters.push_back({fresh("k"), {}, true});

  const std::vector<Variable> outside = variables_;
  const std::vector<Index> indices = indices_;
  std::erase_if(variables_, [&](const Variable&) { return draw_.chance(0.5); });  // the others are captured
  for (Variable& x : variables_) x.given = true;
  std::string signature;
  for (const auto& parameter : f.parameters) {
    bind(parameter.name, parameter.shape, 2.5, true);
    variables_.back().clean = true;
    std::string type =
        parameter.shape.empty() ? (draw_.chance(0.3) && !parameter.literal ? " : real" : "") : " : " + shape_text(parameter.shape);
    signature += (signature.empty() ? "" : ", ") + parameter.name + type + (parameter.literal ? " = 0.6" : "");
  }
  in_function_ = true;
  order_ = 0;
  Line line{"", {}, true};
  if (draw_.chance(0.15)) {
    Shape shape = draw_.of(shapes);
    for (int dim : shape)
      if (std::find(generic_.begin(), generic_.end(), dim) == generic_.end()) shape.clear();
    std::string name = fresh("w");
    add(line.body,
        shape.empty() ? fmt::format("param {} = 0.4", name) : fmt::format("param {} : {} = uniform(-1, 1)", name, shape_text(shape)));
    bind(name, shape, 1, true);
    has_params_ = true;
  }
  statements(line.body, draw_.between(0, 3));
  const auto& x = f.parameters[0];
  std::string results, types;
  for (int n = draw_.chance(0.25) ? 2 : 1; n > 0; --n) {
    Shape shape = draw_.chance(0.4) ? Shape{} : draw_.of(f.parameters).shape;
    Expr e = tamed(expr(shape, 2), 2);
    std::string direct = x.shape == shape || x.shape.empty() ? x.name : fmt::format("mean({})", x.name);
    results += fmt::format("{}{} + 0.2 * {}", results.empty() ? "" : ", ", at(e, kSum), direct);
    types += (types.empty() ? "" : ", ") + (shape.empty() ? "real" : shape_text(shape));
    f.results.push_back(std::move(shape));
  }
  if (f.results.size() == 1 && draw_.chance(0.2)) {  // an early way out
    Line early{fmt::format("if {}", condition(1)), {}, true};
    Expr e = tamed(expr(f.results[0], 2), 2);
    std::string direct = x.shape == f.results[0] || x.shape.empty() ? x.name : fmt::format("mean({})", x.name);
    add(early.body, fmt::format("return {} - 0.3 * {}", at(e, kSum), direct));
    line.body.push_back(std::move(early));
  }
  if (f.results.size() == 1 && !has_params_ && draw_.chance(0.2)) return_in_loop(line.body, f.results[0]);
  add(line.body, "return " + results);
  line.text = fmt::format("fn {}({}){}", f.name, signature, draw_.chance(0.4) ? " -> " + types : "");
  in_function_ = false;
  f.order = order_;
  generic_.clear();
  variables_ = outside;
  indices_ = indices;
  program_.lines.push_back(std::move(line));
  functions_.push_back(std::move(f));
}

// The twin goes on to the end of the loop, and returns then.
void Generator::return_in_loop(Lines& lines, const Shape& shape) {
  const std::string i = fresh("j"), flag = fresh("q"), result = fresh("r");
  add(lines, either("", flag + " = false"));
  add(lines, either("", fmt::format("{} = {}", result, shape.empty() ? "0.0" : fmt::format("zeros({})", shape_text(shape)))));
  const int around = loop_;
  const std::size_t indices = indices_.size();
  loop_ = ++loops_;
  const int turns = draw_.between(0, 3);
  indices_.push_back({i, 0, std::max(0, turns - 1)});
  const std::string leaves = condition(1);
  Line loop{fmt::format("for {} in 0..{}", i, turns), {}, true};
  Line leave{either(fmt::format("if {}", leaves), fmt::format("if not {} and ({})", flag, leaves)), {}, true};
  const std::string value = tamed(expr(shape, 2), 2).text;
  indices_.resize(indices);
  loop_ = around;
  used_.clear();
  add(leave.body, either("return ", result + " = ") + value);
  add(leave.body, either("", flag + " = true"));
  loop.body.push_back(std::move(leave));
  lines.push_back(std::move(loop));
  Line given{either("", "if " + flag), {}, true};
  add(given.body, either("", "return " + result));
  lines.push_back(std::move(given));
}

// `derived`: what is given for the first parameter is a name, to differentiate by.
std::optional<Call> Generator::call(const Function& f, std::size_t result, const Shape* wanted, bool derived, int depth) {
  std::map<int, int> sizes;
  std::optional<Shape> any;
  if (wanted && !f.any_shape && !unify(f.results[result], *wanted, sizes)) return std::nullopt;
  if (wanted && f.any_shape) any = *wanted;
  auto shape_of = [&](const Shape& pattern) {
    if (f.any_shape) return *any;
    Shape shape = pattern;
    for (int& size : shape)
      if (size < 0) size = sizes.emplace(size, large_size()).first->second;
    return shape;
  };
  Call made{f.name + "(", "", "", "", {}, {}, f.bound, f.order};
  std::vector<const Variable*> firsts;
  for (const Variable& x : variables_) {
    auto given = sizes;
    if (derived && (x.given || x.turned)) continue;
    if (f.any_shape ? !any || x.shape == *any : unify(f.parameters[0].shape, x.shape, given) && large_enough(given)) firsts.push_back(&x);
  }
  std::string first;
  if (!firsts.empty() && (derived || draw_.chance(0.5))) {
    const Variable x = *draw_.of(firsts);
    use(x);
    first = made.first = x.name;
    made.first_shape = x.shape;
    if (f.any_shape)
      any = x.shape;
    else
      unify(f.parameters[0].shape, x.shape, sizes);
    if (x.bound > 3 && !derived) first = fmt::format("sin({})", x.name);
    if (x.bound > 3) made.bound *= 3;
  } else if (derived) {
    return std::nullopt;
  } else {
    if (f.any_shape && !any) any = random_shape(2);
    first = tamed(expr(shape_of(f.parameters[0].shape), depth - 1), 2.5).text;
  }
  if (!large_enough(sizes)) return std::nullopt;
  made.first_argument = first;
  // Whether the result depends on the other arguments, only the function knows.
  const std::set<int> reads = used_;
  bool named = false;
  for (std::size_t k = 1; k < f.parameters.size(); ++k) {
    const auto& parameter = f.parameters[k];
    if (parameter.literal && draw_.chance(0.4)) {
      named = true;
      continue;
    }
    Shape shape = parameter.literal ? Shape{} : shape_of(parameter.shape);
    const bool takes = derived || f.order > 0;
    Expr e = takes && !made.first.empty() && shape == made.first_shape && draw_.chance(0.4)
                 ? Expr{either(first, fmt::format("(-(-{}))", first))}  // once more: a parameter is a value of its own
             : parameter.literal && draw_.chance(0.5) ? number(-1, 1)
             : may_turn() && takes                    ? clean_leaf(shape)
                                                      : tamed(expr(shape, depth - 1), 2.5);
    named |= draw_.chance(0.2);
    made.others += fmt::format(", {}{}", named ? parameter.name + "=" : "", e.text);
  }
  used_ = reads;
  made.text += made.first_argument + made.others + ")";
  made.result = shape_of(f.results[result]);
  order_ = std::max(order_, f.order);
  return made;
}

std::optional<Expr> Generator::called(const Shape& shape, int depth) {
  if (functions_.empty()) return std::nullopt;
  const Function f = draw_.of(functions_);
  if (f.results.size() != 1 || (only_elementwise_ && (!f.any_shape || f.parameters.size() > 1))) return std::nullopt;
  auto made = call(f, 0, &shape, false, depth);
  if (!made) return std::nullopt;
  if (has_params_ || draw_.chance(0.7)) return Expr{made->text, made->bound};
  // The function as an argument, or one that calls it.
  const std::string t = fresh("t");
  const std::string passed =
      made->others.empty() && draw_.chance(0.5) ? f.name : fmt::format("fn({0}) = {1}({0}{2})", t, f.name, made->others);
  return Expr{either(fmt::format("pass({}, {})", passed, made->first_argument), made->text), made->bound};
}

}  // namespace bpc::test
