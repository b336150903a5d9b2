// From the syntax tree to the IR: types, shapes, dims; functions inlined at each call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "frontend/program.h"
#include "frontend/training.h"
#include "ir/function.h"
#include "support/selector.h"

namespace bpc::frontend {

// What lowering has found out of a name, or of what a call gives, by its place: "f32[N, 64]", "i32 = 4".
using TypeTable = std::map<Span, std::string>;

// What a script is lowered for.
enum class Entry : std::uint8_t {
  run,       // all that a run shows
  step,      // of training: the loss and the metrics, the new params and what their rule keeps
  gradient,  // half a step: the loss, the metrics, and the gradients of the params
  update,    // the other half: from gradients, the new params and what their rule keeps
  evaluate,  // the loss and the metrics, of a model that learns no more
  predict,   // what a run shows but prints, of such a model
};

// Whether it is a step of training, or half of one.
inline bool learns(Entry entry) {
  return entry == Entry::step || entry == Entry::gradient || entry == Entry::update;
}

// Inputs hold the rows of a whole set, of which a run uses some: so many from a place on, in an order that it is given.
struct Rows {
  std::string dim;        // which counts them
  std::int64_t size;      // of the dim in a run
  std::int64_t in_order;  // how many the order names
};

// How many categories an input has: so many, each of which has a name; or, of codes alone, at least so many.
struct Classes {
  std::int64_t count = 0;
  bool are_named = false;
};

struct LowerOptions {
  Element real = Element::f32;               // --real
  std::map<std::string, std::int64_t> dims;  // --set H=256 for dims
  std::map<std::string, Type> bound;         // types of the tensors bound to inputs and params (--set, --data, from, --params)
  std::map<std::string, Classes> classes;    // of inputs that are declared with `of`
  std::set<std::string> unread;              // inputs and params whose values a file holds that was not read; of which type, it would say
  std::optional<std::uint64_t> seed;         // --seed
  Entry entry = Entry::run;
  std::optional<Rows> rows;      // step, gradient, evaluate
  std::int64_t steps = 0;        // of the whole training, for its schedule
  Training* training = nullptr;  // where to enter what the script says of it, if anywhere
  bool stand_in_dims = false;    // `check` without data: a free dim gets a size of its own, unequal to every other
  TypeTable* types = nullptr;    // where to enter them, if anywhere: those of the first call, in a function
};

// What an input or a param of the top level asks for, before lowering: the tool loads the data and gives its types back in
// LowerOptions::bound.
struct DataRequest {
  std::string name;
  bool is_param = false;
  Span span;            // the declaration
  std::string element;  // "i32", "real", …: what the declared type says, or empty
  bool has_default = false;
  bool has_classes = false;  // declared with `of`
  std::string class_dim;     // the dim that counts them, or empty
  std::string path;          // of the `from` clause, resolved against the script's folder; empty when there is none
  Span path_span;
  Selector selector;
  bool is_refused = false;  // the selector is none
};
// E0511 for selectors that are none.
std::vector<DataRequest> data_requests(const Program& program, Diagnostics& diagnostics);
// What stands in brackets behind a file, as a script writes it: `0..4`, `-1`, `"y"`, `["y", 0]`; nullopt for anything else.
std::optional<Selector> read_selector(std::string_view text);

// Names of the script's dims, consts, inputs and params at the top level: to tell what --set may name.
std::vector<std::string> dim_names(const Program& program);

// Lowers the whole script (see ir::Module). `grad` ops are not expanded; when there is a loss
// and params, main ends in an implicit grad op whose results are its gradient outputs. Appends E01 to E03 and E05 diagnostics, and
// puts all in the order of their places; nullopt when there were errors, also of `load`.
std::optional<ir::Module> lower(const Program& program, const LowerOptions& options, Diagnostics& diagnostics);

}  // namespace bpc::frontend
