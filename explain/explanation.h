// What there is to say of a script's derivative: one model, from which every form (text, JSON, Markdown, LaTeX) is made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "explain/formula.h"
#include "runtime/tensor.h"
#include "support/source.h"

namespace bpc::explain {

// Index into Explanation::quantities.
using QuantityId = std::size_t;
inline constexpr QuantityId kNoQuantity = SIZE_MAX;

// A value that a formula names.
struct Quantity {
  enum class Kind : std::uint8_t { input, param, given, computed };
  std::string name;  // of no other quantity
  Kind kind;
  Span place;  // the author's expression, or the declaration
  runtime::Tensor value;
  // The derivative of y by it, or in forward mode its own along the direction; none where it is not on the way, or the way is flat.
  std::optional<runtime::Tensor> derivative;
  std::optional<std::int64_t> turn;  // of the loop that it is a value of
};

// How a step reads one of its inputs, and what goes there of the derivative of its result; in forward mode, what goes on to its result of
// that of the input.
struct Contribution {
  QuantityId from = kNoQuantity;  // whose derivative arrives, the step's result, or in forward mode its input; none for a step with several
  QuantityId to = kNoQuantity;
  std::size_t step = 0;           // into the visible steps
  std::optional<Formula> part;    // made of what arrives
  std::optional<Formula> factor;  // where the part is a product with what arrives: the local derivative
  std::string notation;           // of the factor, as "relu'(z1)"; empty: as the formula says
  std::string why;                // what decided about it: "2 > 0"
  runtime::Tensor factor_value;   // where there is a factor
  runtime::Tensor value;          // the part
};

struct Step {
  enum class Kind : std::uint8_t { operation, statement, call, loop, turns, derivative };  // statement: all steps of one line
  Kind kind;
  std::vector<QuantityId> results;
  std::vector<QuantityId> inputs;  // on the way
  std::vector<QuantityId> given;   // what else its formula names
  Span place;
  std::string function;               // what is called, where it is one function
  std::string expression;             // as the author wrote it, with the names of the quantities
  std::string numbers;                // the same in numbers; empty where there are tensors
  std::string numbered;               // the same with {0}, {1} … for the numbers
  std::vector<runtime::Tensor> read;  // these numbers
  std::optional<Formula> formula;
  std::vector<std::size_t> inside;  // steps of a call, loop, turn or derivative
  bool is_open = false;             // whether these are shown instead of it
  std::size_t parent = SIZE_MAX;
  std::int64_t first_turn = 0, last_turn = 0;  // of turns
};

// One value of a loop, turn by turn.
struct History {
  std::string name;
  std::vector<double> values, derivatives;  // norms; of scalars, the numbers themselves
  bool is_scalar = false;
  bool is_one_walk = true;  // or each turn has a derivative of its own, taken there
};

struct LoopSummary {
  std::size_t step;
  std::size_t turns;
  std::vector<History> histories;
};

// Which way an `if` went.
struct Decision {
  Span place;
  std::string condition, numbers;
  bool taken;
  std::optional<std::int64_t> turn;
  runtime::Tensor each;  // of a comprehension, where each element takes its own way: for which the condition holds; else no elements
};

// That raising an element does what the gradient says.
struct FiniteCheck {
  std::string name;  // "w1", "W[0, 2]"
  double step, predicted, measured;
  double lowered;  // what lowering it by the step changes
};

// The chain rule of one of the values that the derivative is taken by; in forward mode, of y.
struct Chain {
  QuantityId of;
  std::vector<std::vector<std::size_t>> paths;  // contributions, from y to x; none where they are many, or of tensors
  std::string why_zero;                         // where the gradient is zero throughout
  std::optional<FiniteCheck> check;
};

// One element on its way through the steps.
struct ElementTerm {
  std::string element;  // "z1[0, 7]"
  double local, cotangent;
};
struct ElementStep {
  std::string element;
  double value, cotangent;
  std::vector<ElementTerm> terms;  // the largest
  std::size_t more;                // terms that are not shown
  double total;                    // of all
  std::vector<std::size_t> stuck;  // visible steps that read it, and in which it moves nothing
};

struct Cost {
  std::uint64_t forward, both;  // scalar operations
  std::uint64_t params;         // scalars
};

struct Explanation {
  std::string y;  // what derivatives are of, as they say it: "J"
  QuantityId of = kNoQuantity;
  QuantityId along = kNoQuantity;  // forward mode: the direction in which x moves; none: reverse mode
  bool has_differentials = false;  // forward mode: the script has a name like dx, so that derivatives are written d(x)
  std::vector<Quantity> quantities;
  std::vector<Step> steps;                  // all; a part comes after the whole
  std::vector<std::size_t> visible;         // those that are shown, in order
  std::vector<Contribution> contributions;  // of visible steps
  std::vector<LoopSummary> loops;
  std::vector<Decision> decisions;
  std::vector<QuantityId> xs;
  std::vector<Chain> chains;
  std::vector<ElementStep> element;
  std::optional<Cost> cost;
  std::vector<std::string> others;  // derivatives that can be asked for by name
  std::vector<std::string> folded;  // functions that can be unfolded
  std::vector<std::string> notes;
};

bool is_forward(const Explanation& explanation);
// The step's input and its result, whichever way it goes.
QuantityId input_of(const Explanation& explanation, const Contribution& contribution);
QuantityId result_of(const Explanation& explanation, const Contribution& contribution);
// The parts that a quantity's derivative is the sum of, in order.
std::vector<std::size_t> contributions_to(const Explanation& explanation, QuantityId quantity);
// "dJ/dz1"; in forward mode "dz1", which is how fast z1 moves.
std::string derivative_name(const Explanation& explanation, QuantityId quantity);
bool is_scalar(const runtime::Tensor& tensor);
double norm_of(const runtime::Tensor& tensor);
bool is_zero(const runtime::Tensor& tensor);

}  // namespace bpc::explain
