// The state of one lowering: the functions under construction, the names in scope, and how to report and emit.
#pragma once

#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "frontend/lower.h"
#include "frontend/lower/items.h"
#include "frontend/lower/tapes.h"
#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/shape_rules.h"

namespace bpc::frontend::lowering {

struct Binding {
  Item item;
  Span span;                     // the statement that bound it
  std::optional<Type> declared;  // `k : i32 = 0` keeps its type
  bool in_init = false;          // a value of the function "init", though its frame is one of "main"
  bool is_const = false;
  bool is_rebound = false;  // it had another value before
};

// The names of one block, in the order of their first binding.
struct Scope {
  std::map<const Definition*, Binding> names;
  std::vector<const Definition*> order;
  std::set<const Definition*> carried;  // of a loop: names whose values come from outside

  void bind(const Definition* name, Binding binding);
};

// A call of a function of the prelude, as the author wrote it: what goes wrong inside is told in these terms.
struct LibraryCall {
  std::string function;
  Span span;
  std::vector<Item> arguments;
};

// A loop that is being lowered, which can carry one more value: a param of a function, that is declared in a turn and assigned afterwards.
class LoopUnderWay {
 public:
  virtual ~LoopUnderWay() = default;
  // The value that a turn starts with, if a statement of the loop assigns the param.
  virtual std::optional<ir::ValueId> carry_param(const Definition* path, ir::ValueId before) = 0;
};

// The top level of a file, or one call of a function.
struct Frame {
  const Ast* ast = nullptr;
  const Meanings* names = nullptr;            // of that Ast
  Frame* globals = nullptr;                   // of a call: what is around the function, which is the top level of its file, or the
                                              // call in which it is written where it is passed
  std::vector<Scope> scopes{1};               // innermost last
  std::vector<LoopUnderWay*> loops;           // around the current statement, innermost last
  Frame* caller = nullptr;                    // of a call
  std::vector<Span> calls;                    // call sites, innermost first
  std::string path;                           // call path, such as "h1.dense"
  std::string binding;                        // the name that is being assigned
  const TypeExpr* declared = nullptr;         // the type that is written behind it, if one is
  std::string function;                       // its name; empty at the top level
  const LibraryCall* authors_call = nullptr;  // in a function of the prelude: the author's call that led here
  std::string ruled;                          // the function with an adjoint rule in whose body it is lowered, if any
  bool returns_unknown = false;               // whether it returns is open, after an error that was reported
  bool in_init = false;                       // its values belong to the function "init"
  bool separates = false;                     // it takes derivatives: its parameters and params are values of their own
};

// A call that is being lowered, for functions that call themselves: how large each argument is, as far as that is known at compile time (a
// number is as large as it is, and a tensor has so many elements), and which function it is, if it is one.
struct ActiveCall {
  const FnStmt* function;
  std::vector<std::optional<std::int64_t>> sizes;
  std::vector<const void*> functions;
  const ActiveCall* around;
};

// Where the size of a dim comes from.
struct DimSize {
  enum class From : std::uint8_t { data, flag, script } from;
  std::string text;              // the input that bound it, "--set N=5", "dim N = 5"
  bool is_free = false;          // without the flag, data would give the size
  bool is_contradicted = false;  // by a value that has another size, which was said
};

// The initialiser under way: what zeros(), normal(mean, std) … mean without a shape.
struct Initialiser {
  std::optional<Type> type;  // the declared type
  std::string path;          // names the random stream
};

// A loop or comprehension around what is being lowered, for the turns of random draws (draws.h).
struct Counter {
  ir::BlockId block;                // of a `while`: its body or condition, which counts only if a draw needs it
  std::vector<ir::ValueId> values;  // its indices
};

// A call of a loss, which metrics may be of.
struct Compared {
  std::string_view function;
  Item output, target;
};

// The derivatives in the text of a function, or of its rule.
struct Differentiation {
  bool is_any = false;
  std::set<const Definition*> of;         // names that it differentiates as they are
  std::set<const Definition*> separated;  // names that it reads as `variable(NAME)` alone
  std::set<const Definition*>
      by;  // names that it differentiates by; a parameter of such a name is a value even where it is given a literal
};

struct Context {
  Context(const Program& program, const LowerOptions& options, Diagnostics& diagnostics);

  const Program& program;
  const LowerOptions& options;
  const SourceMap& sources;
  bool is_muted = false;  // while a proposal is tried: nothing is reported
  bool is_trial = false;  // while a function that nobody calls is checked (uncalled.h)
  ir::Module module;      // being made
  ir::Function &main = module.main, &init = module.initial;
  ir::Builder main_builder, init_builder;
  ir::Builder init_body;   // at the end of init, wherever init_builder is
  ir::Cloner init_copies;  // puts there what init computes as main does
  ir::Builder* builder;

  std::vector<std::unique_ptr<Frame>> files;  // by index into program.asts; null until lowered
  Frame* frame = nullptr;                     // the current one
  Frame* top = nullptr;                       // the main file's
  std::optional<Initialiser> initialiser;
  std::vector<const Definition*> shown;                // names bound by assignment or loss at the top level, in order
  std::set<const Definition*> shown_names;             // the same, to look up
  std::map<const Definition*, DimSize> dim_sources;    // of the dims that have a size
  std::set<std::string> misfits;                       // inputs whose given value has been said to have another rank
  std::size_t open_dims = 0;                           // free dims without data, which got stand-ins for sizes
  const ActiveCall* active_call = nullptr;             // the innermost
  std::set<std::string> call_paths;                    // of functions with params
  std::set<const Definition*> called;                  // functions of the program whose body was lowered
  std::map<Span, Differentiation> differentiations;    // by what they stand in
  std::map<const PreludeFunction*, Callable> prelude;  // those used so far
  std::vector<std::unique_ptr<Ast>> prelude_asts;
  std::vector<std::unique_ptr<Meanings>> prelude_names;
  std::vector<std::unique_ptr<Frame>> prelude_frames;
  OpenTapes open_tapes;
  std::vector<Counter> counters;     // outermost first
  std::map<std::string, int> draws;  // so far, by what names their streams
  std::optional<ir::ValueId> loss;
  std::vector<Compared> compared;   // at the top of `main`, in order
  std::optional<Item> batch;        // the indices of the rows that the run uses (training.h)
  std::optional<ir::ValueId> step;  // of training: its number, from 1
  Span loss_span;                   // its declaration
  int depth = 0;                    // of nested expressions, statements and calls
  std::string_view made_of_ops;     // the function or operator that the front end is making of several ops, if any: what errors name

  Diagnostic* first_report = nullptr;  // since somebody has reset it

  const Expr& expr(ExprId id) const { return frame->ast->expr(id); }
  const Stmt& stmt(StmtId id) const { return frame->ast->stmt(id); }
  ir::Function& function() { return builder->function(); }
  const Type& type(ir::ValueId id) { return builder->function().type(id); }
  const Type& type(const Item& value) { return type(*value.as<ir::ValueId>()); }
  bool is_in_init() const { return builder == &init_builder; }

  // ---- reporting ----

  // Once per place and message, and once per call of a library function. A place in the prelude becomes the author's call; notes say
  // through which calls.
  void report(Diagnostic diagnostic);
  // As it is, unless it has been said.
  void report_once(Diagnostic diagnostic);
  void error(Code code, Span span, std::string message, std::string help = {});
  void not_implemented(Span span, const std::string& construct);  // E0199
  [[noreturn]] void give_up(Span span, std::string message);      // E0107, and the end of lowering (ir/limits.h)
  bool is_in_prelude(const Span& span) const;
  // What the library calls the place of a value: that of the author's argument if it is one, and otherwise `span`.
  Span place_of(const Item& item, Span span) const;
  // The function to name where a builtin finds something wrong: in the library, the one that the author called.
  std::string_view spoken(std::string_view builtin) const;
  // The author's text of an operand, shortened.
  std::string text_of(const Span& span) const;
  // Where the author sees a value: what the library has computed is spoken of as the argument that has its type (nowhere if none has).
  Span seen_at(const Item& item);
  // The author's text followed by its shape: "x [64, 784]".
  std::string described(const Item& item);

  // ---- names ----

  // What a name means, where it is used and where it is bound; null after an error.
  const Definition* meaning(ExprId id) const { return frame->names->of(id); }
  const Definition* meaning(const Name& name) const { return frame->names->of(name); }
  // Its binding, in the current call or at the top level of its file; nullptr when there is none.
  const Binding* find(const Definition* name) const;
  // In the current call alone: what an assignment rebinds. A name of the top level is only read there.
  const Binding* find_own(const Definition* name) const { return find_in(*frame, name); }
  // Its item, as a value of the function under construction. Its place is this one, but for what the author gave to a library function.
  std::optional<Item> lookup(const Definition* name, Span span);
  void bind(const Definition* name, Item item, Span span, std::optional<Type> declared = std::nullopt);
  void bind(const Name& name, Item item, Span span);
  // For whoever asks for the type of what stands there.
  void note_type(Span place, const Item& item);
  // The names that code here could use.
  Symbols visible() const;

  // ---- emission ----

  // Calls are inlined: so many of them, whatever they emit, are too many (E0107).
  void count_call(Span span);
  // Later ops come from `span` of the current call.
  void set_origin(Span span);
  // An op on values, its types inferred with the author's dim names held apart; a misfit is reported at `blame` (by default `span`) and
  // under the operands. An op without result gives `none`.
  std::optional<Item> emit(Span span, ir::Opcode code, const std::vector<Item>& operands, ir::Attributes attrs = {},
                           const Type* declared = nullptr, Span blame = {});

 private:
  friend class Trial;
  std::optional<Item> unbound(const Definition& name, Span span);
  bool check_capture(const Definition& name, const Item& item);
  const Binding* find_in(const Frame& where, const Definition* name) const;

  Diagnostics* diagnostics_;
  std::set<std::tuple<Code, Span, std::string>> reported_;
  std::set<Span> refused_;  // library calls with an error
  std::size_t calls_ = 0;
};

inline constexpr int kDeepestNesting = 600;  // of expressions, statements and calls together

// Sets a variable for the time of a scope.
template <class T>
class Temporarily {
 public:
  Temporarily(T& variable, T value) : variable_(variable), saved_(std::exchange(variable, std::move(value))) {}
  ~Temporarily() { variable_ = std::move(saved_); }
  Temporarily(const Temporarily&) = delete;
  Temporarily& operator=(const Temporarily&) = delete;

 private:
  T& variable_;
  T saved_;
};

// While it lives, what goes wrong is said to `found`, also what has been said before.
class Trial {
 public:
  Trial(Context& c, Diagnostics& found)
      : trial_(c.is_trial, true), found_(c.diagnostics_, &found), refused_(c.refused_, std::set<Span>{}) {}

 private:
  Temporarily<bool> trial_;
  Temporarily<Diagnostics*> found_;
  Temporarily<std::set<Span>> refused_;
};

// Counts nesting while it lives; gives up past the limit.
class Nesting {
 public:
  Nesting(Context& context, Span span);

 private:
  Temporarily<int> nested_;
};

// Whether `inner` lies within `outer` (in one file).
bool covers(const Span& outer, const Span& inner);
Diagnostic error_at(Code code, Span span, std::string message, std::string help = {});

}  // namespace bpc::frontend::lowering
