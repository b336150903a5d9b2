// Random well-typed scripts that can be differentiated: one seed, one program.
//
// Every script has two to four params of rank 0 to 2, functions, control flow and indexing of every kind, derivatives inside, and one loss
// J. It ends in derivatives of a tensor y, which check.cpp compares with each other:
//   forward_k = jvp(y, x, direction_k), backward_k = vjp(y, x, cotangent); and `residual`, a sum of squares that must be zero
// Its twin (program.h) has params where the script has known numbers, arguments apart where the script gives one value twice, turns in
// place of loops, no rules of the author's, and takes derivatives in other ways. Values stay small: each expression carries a bound of its
// size, and a large one is tamed. stop_grad stands at the top level alone, where a difference can hold its value.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/random/draw.h"
#include "tests/random/program.h"

namespace bpc::test {

Program random_program(std::uint64_t seed);

// ---- the parts of the generator ----

// Sizes; a negative one is a generic dim of the function that is being written (dim_name).
using Shape = std::vector<int>;
constexpr int kLeastGeneric = 2;  // generic dims are at least this
constexpr int kFar = 1000;        // the end of a range that a generic dim gives
std::string dim_name(int size);
bool has_elements(const Shape& shape);

// How tightly an expression binds: the levels of the grammar.
enum Level { kConditional, kSum, kProduct, kUnary, kPower, kAtom };

struct Expr {
  std::string text;
  double bound = 1;  // of its absolute value, roughly
  Level level = kAtom;
};
// The text, in parentheses where it binds less tightly than `level`.
std::string at(const Expr& e, Level level);

struct Variable {
  std::string name;
  Shape shape;
  double bound = 1;
  bool fixed = false;        // never assigned again
  bool clean = false;        // fixed, and bound outside of loops: no path through earlier turns leads to it
  bool given = false;        // comes from outside of the function that is being written, or is a known number
  bool turned = false;       // what a loop has left that is unrolled in the twin, where more is computed from it
  int loop = 0;              // where it was assigned last: the innermost loop
  int version = 0;           // of its value
  std::set<int> reads = {};  // versions that its value was computed from; fewer where control flow hides them
};

// An integer scalar or tensor; its elements are indices of an axis of size n where -n <= lo and hi < n, or of the generic dim `of`.
struct Index {
  std::string name;
  int lo, hi;
  int of = 0;
  Shape shape = {};
};

struct Function {
  std::string name;
  struct Parameter {
    std::string name;
    Shape shape;
    bool literal = false;  // has a default, and takes any number
  };
  std::vector<Parameter> parameters;
  std::vector<Shape> results;
  bool any_shape = false;  // elementwise: every parameter and the result have the caller's shape
  int order = 0;           // of the derivatives inside
  double bound = 2;
};

struct Call {
  std::string text;
  std::string first;                   // the name that is the first argument, if it is one
  std::string first_argument, others;  // as they are written; `others` begins with a comma, if there are any
  Shape first_shape, result;
  double bound;
  int order;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : draw_(seed) {}
  Program run(std::uint64_t seed);

 private:
  using Lines = std::vector<Line>;
  using Production = std::optional<Expr> (Generator::*)(const Shape& shape, int depth);

  // ---- expressions.cpp ----
  // An expression of this shape; the deeper, the longer.
  Expr expr(const Shape& shape, int depth);
  Expr leaf(const Shape& shape);
  Expr clean_leaf(const Shape& shape);  // no path through earlier turns of a loop leads to it
  Expr number(double lo, double hi);
  std::string tensor_literal(const Shape& shape);
  Expr tamed(Expr e, double limit);
  std::string condition(int depth);  // a single bool
  std::optional<Expr> elementwise(const Shape& shape, int depth);
  std::optional<Expr> binary(const Shape& shape, int depth);
  std::optional<Expr> guarded(const Shape& shape, int depth);
  std::optional<Expr> choice(const Shape& shape, int depth);
  std::optional<Expr> conditional(const Shape& shape, int depth);
  std::optional<Expr> squared_kink(const Shape& shape, int depth);
  std::optional<Expr> stopped(const Shape& shape, int depth);
  std::optional<Expr> checkpointed(const Shape& shape, int depth);

  // ---- tensors.cpp ----
  std::optional<Expr> reduction(const Shape& shape, int depth);
  std::optional<Expr> contraction(const Shape& shape, int depth);
  std::optional<Expr> movement(const Shape& shape, int depth);
  std::optional<Expr> windows(const Shape& shape, int depth);
  std::optional<Expr> along_axis(const Shape& shape, int depth);
  std::optional<Expr> list(const Shape& shape, int depth);
  std::optional<Expr> folded_rows(const Shape& shape, int depth);
  std::optional<Expr> comprehension(const Shape& shape, int depth);
  std::optional<Expr> folded_comprehension(const Shape& shape, int depth);
  std::optional<Expr> library(const Shape& shape, int depth);
  std::optional<Expr> linear_algebra(const Shape& shape, int depth);
  std::string generator(int size, std::string_view name);
  Shape wider(const Shape& shape, std::size_t& axis);  // with one axis more, there already if possible

  // ---- indices.cpp ----
  struct Place {
    std::string text;  // `x[…]`
    Shape shape;
  };
  std::string index(int size);  // of an axis
  std::optional<Place> place(const Variable& x, bool by_tensors);
  std::optional<Expr> read(const Shape& shape, int depth);
  std::string integer_tensor(const Shape& shape, int size);  // indices of an axis, as an expression

  // ---- functions.cpp ----
  void make_functions();
  std::string elementwise_body(const std::vector<Function::Parameter>& parameters);
  void make_elementwise();
  void make_generic();
  void return_in_loop(Lines& lines, const Shape& shape);
  std::optional<Call> call(const Function& f, std::size_t result, const Shape* wanted, bool derived, int depth);
  std::optional<Expr> called(const Shape& shape, int depth);

  // ---- rules.cpp ----
  void make_custom();
  void make_ruled();
  void add_with_rule(const std::string& function, const std::string& rule);

  // ---- derivatives.cpp ----
  std::optional<Call> derivable(const Shape* first, const Shape* result, int highest_order);
  std::optional<Expr> derivative(const Shape& shape, int depth);
  void mixed_derivative(Lines& lines, const std::vector<Variable>& params);

  // ---- control.cpp ----
  void block(Lines& lines, int count);
  void branch(Lines& lines);
  void expect_growth(int turns);
  // `before` are the lines in front of the loop; `step` is what each turn must do, however it ends.
  void loop_body(Lines& before, Line& line, const std::string& step = {});
  void way_out(Lines& before, Line& line, const std::string& step);
  void for_loop(Lines& lines);
  void while_loop(Lines& lines);
  void descent(Lines& lines);
  void long_loop(Lines& lines);

  // ---- mistakes.cpp ----
  void carried_loss();

  // ---- statements.cpp ----
  void statements(Lines& lines, int count);
  void statement(Lines& lines);
  void assign_new(Lines& lines);
  void assign_old(Lines& lines);
  void assign_one_of(Lines& lines, std::size_t among);
  void assign_part(Lines& lines);
  void assign_part_of(Lines& lines, std::size_t at_variable);
  void several_results(Lines& lines);
  void new_index(Lines& lines);
  void split(Lines& lines);
  void stack(Lines& lines);
  void gradient_of_name(Lines& lines);
  void add_residual(Lines& lines);
  void assertion(Lines& lines);
  void declare(Lines& lines, const std::string& name, const Shape& shape, Expr value, bool fixed);
  void bind(const std::string& name, const Shape& shape, double bound, bool fixed);
  void assigned(Variable& x);
  void make_params();
  void finish();

  // ---- helpers ----
  std::string fresh(const std::string& letter) { return letter + std::to_string(names_++); }
  std::string fresh(const Shape& shape);
  Shape random_shape(std::size_t highest_rank);
  int random_size();
  int large_size();  // at least kLeastGeneric
  std::string size_text(int size);
  std::string shape_text(const Shape& shape);
  const Variable* variable(const Shape& shape);  // a recent one, read by the expression that is being written
  Expr use(const Variable& x);
  Line& add(Lines& lines, std::string text) { return lines.emplace_back(Line{std::move(text)}); }
  bool may_index(int size) const;
  // `either`, unless the calls in the text count: each call of a function with params is another function.
  std::string twice(const std::string& script, const std::string& twin) const { return has_params_ ? script : either(script, twin); }
  bool may_unroll() { return !has_params_ && draw_.chance(0.6); }
  bool may_turn() const { return loop_ > 0 || in_function_; }

  Draw draw_;
  Program program_;
  std::vector<Variable> variables_;
  std::optional<Variable> kinked_;  // a vector with zeros, for squared_kink alone
  std::vector<Index> indices_;
  std::vector<Function> functions_;
  std::vector<int> sizes_;    // of most axes
  std::vector<int> generic_;  // dims of the function that is being written
  std::string dim_;           // a declared dim, and its size
  int dim_size_ = 0;
  std::ptrdiff_t params_ = 0;  // the first variables
  int names_ = 0, versions_ = 0, loops_ = 0;
  int loop_ = 0, depth_ = 0;  // the innermost loop that is being written; how many blocks
  int maps_ = 0, inner_ = 0;  // comprehensions around the expression; branches and checkpoints
  bool in_function_ = false, only_elementwise_ = false;
  bool has_params_ = false;                           // some function holds a param
  bool named_gradients_ = false;                      // gradient_of_name was there
  int cut_ = 0;                                       // what is being written has no derivative
  int order_ = 0;                                     // highest order of derivative in the expression so far
  std::set<int> used_;                                // versions that the expression reads
  std::vector<std::pair<Shape, std::string>> parts_;  // expressions inside the one that is being written
};

}  // namespace bpc::test
