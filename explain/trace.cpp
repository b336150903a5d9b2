#include "explain/trace.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>

#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "ir/adjoint/existence.h"
#include "ir/adjoint/forward.h"
#include "ir/clone.h"
#include "ir/dependence.h"
#include "ir/limits.h"
#include "ir/ranges.h"
#include "support/internal_error.h"

namespace bpc::explain {

namespace {

using interpreter::Stop;
using ir::Attr;
using ir::BlockId;
using ir::Function;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;
using runtime::Tensor;

constexpr std::size_t kMostOps = 400'000;  // that a trace keeps

// What is known of a value of the source.
struct Known {
  Tensor value;
  ValueId flat;                                   // what stands for it in the trace `where`
  std::size_t where = 0;                          // 0: in none
  std::shared_ptr<std::vector<Known>> tape = {};  // what a tape holds; one that is used linearly needs no copies
};

// The derivative that was asked for is there, and nothing else is wanted.
struct Done {};

class Tracer {
 public:
  Tracer(const Function& source, const TraceOptions& options) : source_(source), options_(options), known_(source.value_count()) {
    find_differentiated_loops();
  }

  Trace run(std::span<const Tensor> arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) know(source_.parameters[i].value, arguments[i]);
    for (const ir::Parameter& parameter : source_.parameters) flat(parameter.value);
    const std::vector<bool> needed = needed_at_top();
    try {
      const auto& ops = source_.block(source_.body()).ops;
      for (std::size_t i = 0; i < ops.size(); ++i)
        if (needed[i]) execute(ops[i]);
    } catch (const Done&) {
    }
    return std::move(main_);
  }

  // The results of one op, from those of its operands and of what its regions read.
  std::vector<Tensor> evaluate(OpId op, const std::vector<Tensor>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i].type().rank() > 0 || values[i].count() > 0) know(ValueId{static_cast<std::uint32_t>(i)}, values[i]);
    execute(op);
    std::vector<Tensor> results;
    for (ValueId result : source_.op(op).results) results.push_back(known_[result.index].value);
    return results;
  }

 private:
  // ---- what is run at all ----

  // Loops through which some derivative outside them goes: all their turns are kept. Of others, one turn is.
  void find_differentiated_loops() {
    is_differentiated_.assign(source_.op_count(), false);
    for (std::uint32_t d = 0; d < source_.op_count(); ++d) {
      const Op& derivative = source_.op(OpId{d});
      if (!ir::is_derivative(derivative)) continue;
      const std::vector<bool> seen = ir::ancestors(source_, derivative.operands[0]);
      for (std::uint32_t l = 0; l < source_.op_count(); ++l) {
        const Op& loop = source_.op(OpId{l});
        if (is_differentiated_[l] || !(ir::is_loop(loop.code) || loop.code == Opcode::map)) continue;
        const bool is_outside = std::none_of(loop.regions.begin(), loop.regions.end(),
                                             [&](BlockId region) { return ir::is_enclosed(source_, derivative.block, region); });
        is_differentiated_[l] =
            is_outside && std::any_of(loop.results.begin(), loop.results.end(), [&](ValueId result) { return seen[result.index]; });
      }
    }
  }

  bool holds(OpId op, OpId inner) const {
    const Op& outer = source_.op(op);
    return op == inner || std::any_of(outer.regions.begin(), outer.regions.end(),
                                      [&](BlockId region) { return ir::is_enclosed(source_, source_.op(inner).block, region); });
  }

  // By op of the body.
  std::vector<bool> needed_at_top() const {
    const auto& ops = source_.block(source_.body()).ops;
    std::vector<bool> needed(ops.size(), !options_.derivative.valid());
    if (!options_.derivative.valid()) {
      for (std::size_t i = 0; i < ops.size(); ++i)
        needed[i] = source_.op(ops[i]).code != Opcode::print && !is_authors_assert(source_.op(ops[i]));
      return needed;
    }
    std::set<ValueId> read;
    std::size_t last = 0;  // that an assert could be about
    for (std::size_t i = ops.size(); i-- > 0;) {
      const Op& op = source_.op(ops[i]);
      const bool is_asked_for = holds(ops[i], options_.derivative);
      const bool is_check = op.code == Opcode::assert_true && !is_authors_assert(op) && i < last;
      needed[i] =
          is_asked_for || is_check || std::any_of(op.results.begin(), op.results.end(), [&](ValueId v) { return read.contains(v); });
      if (!needed[i]) continue;
      if (!is_asked_for) last = std::max(last, i);
      read.insert(op.operands.begin(), op.operands.end());
      for (BlockId region : op.regions) ir::for_each_use(source_, region, [&](ValueId v) { read.insert(v); });
    }
    return needed;
  }

  bool is_in_library(const Span& span) const {
    return span.valid() && span.file < options_.in_library.size() && options_.in_library[span.file];
  }
  bool is_authors_assert(const Op& op) const { return op.code == Opcode::assert_true && !is_in_library(source_.origin(op.origin).span); }

  // ---- values ----

  void know(ValueId id, Tensor value) { known_[id.index] = {std::move(value), {}, 0}; }
  const Tensor& value(ValueId id) const { return known_[id.index].value; }
  std::int64_t integer(ValueId id) const { return value(id).int_at(0); }

  // What stands for a value in the trace at hand: a value from outside becomes a parameter of it.
  ValueId flat(ValueId id) {
    Known& known = known_[id.index];
    if (known.where == trace_id_) return known.flat;
    Function& function = trace_->function;
    const std::string name = source_.value(id).name;
    const Type& type = source_.type(id);
    auto kind = ir::Parameter::Kind::input;
    ir::OriginId place;
    std::string path = fmt::format("{}#{}", name, function.parameters.size());
    for (const ir::Parameter& parameter : source_.parameters)
      if (parameter.value == id) kind = parameter.kind, path = parameter.path, place = parameter.origin;
    if (known.where != 0) shadowed_.push_back({id, known.flat, known.where, trace_id_});
    known.flat = function.add_parameter(kind, path, type);
    known.where = trace_id_;
    if (place.valid()) function.parameters.back().origin = function.add_origin(source_.origin(place));
    note(known.flat, name, known.value);
    return known.flat;
  }

  // With what stands for it, so that copies of it are one value.
  Known taken(ValueId id) {
    if (!source_.type(id).tape) flat(id);
    return known_[id.index];
  }

  void note(ValueId id, const std::string& name, Tensor value) {
    trace_->values.resize(trace_->function.value_count());
    trace_->names.resize(trace_->function.value_count());
    trace_->values[id.index] = std::move(value);
    trace_->names[id.index] = name;
  }

  // ---- ops ----

  void execute(OpId id) {
    const Op& op = source_.op(id);
    if (runtime::interrupt_requested.load(std::memory_order_relaxed)) throw Stop{backend::interrupted()};
    if (options_.max_memory != 0 && Tensor::live_bytes() > options_.max_memory) {
      const backend::Site site = backend::site_of(source_, op);
      throw Stop{backend::memory_failure(&site, Tensor::live_bytes(), options_.max_memory)};
    }
    switch (ir::op_info(op.code).group) {
      case ir::Group::elementwise:
      case ir::Group::reduction:
      case ir::Group::contraction:
      case ir::Group::movement:
      case ir::Group::library:
      case ir::Group::source:
      case ir::Group::random:
        return straight(op);
      case ir::Group::derivative:
        return derivative(id, op);
      case ir::Group::tape:
        return tape(op);
      case ir::Group::control:
        return control(id, op);
      case ir::Group::effect:
        return effect(op);
    }
  }

  ir::OriginId origin(const Op& op) { return trace_->function.add_origin(source_.origin(op.origin)); }

  // Appends what an op of the source is in straight code, and evaluates it.
  void straight(const Op& op) {
    Op copy{op.code, {}, {}, op.attrs, {}, {}, {}};
    for (ValueId operand : op.operands) copy.operands.push_back(flat(operand));
    copy.origin = origin(op);
    const ValueId result = append(std::move(copy), source_.type(op.results[0]), op);
    evaluate_flat(trace_->function.value(result).op);
    bind(op.results[0], result);
  }

  // `at`: the op of the source that it belongs to.
  ValueId append(Op op, const Type& type, const Op& at) {
    Function& function = trace_->function;
    if (function.op_count() >= kMostOps) throw Stop{{false, too_long(at)}};
    const OpId id = function.add_op(function.body(), std::move(op), {&type, 1});
    trace_->scope_of.resize(function.op_count());
    trace_->scope_of[id.index] = scope(source_.origin(at.origin));
    const ValueId result = function.op(id).results[0];
    function.value(result).name = source_.value(at.results.empty() ? ValueId{0} : at.results[0]).name;
    note(result, at.results.empty() ? std::string() : source_.value(at.results[0]).name, {});
    return result;
  }

  Diagnostic too_long(const Op& at) const {
    const ir::Origin& place = source_.origin(at.origin);
    Diagnostic diagnostic{Severity::error, Code::E0412, place.calls.empty() ? place.span : place.calls.back(), {}, {}, {}, {}};
    diagnostic.message = fmt::format("an explanation keeps every step of the run, and this one takes more than {}", kMostOps);
    diagnostic.help = "take fewer turns or a smaller size, as with `--set N=10`";
    return diagnostic;
  }

  void bind(ValueId source, ValueId flat) { known_[source.index] = {trace_->value(flat), flat, trace_id_}; }

  // Of an op of the trace at hand whose operands have values.
  void evaluate_flat(OpId id) {
    Function& function = trace_->function;
    const Op& op = function.op(id);
    trace_->values.resize(function.value_count());
    trace_->names.resize(function.value_count());
    if (!op.regions.empty() || op.results.size() != 1) {
      const std::vector<Tensor> results = Tracer(function, {}).evaluate(id, trace_->values);
      for (std::size_t i = 0; i < results.size(); ++i) trace_->values[function.op(id).results[i].index] = results[i];
      return;
    }
    std::vector<Tensor*> operands;
    for (ValueId operand : op.operands) operands.push_back(&trace_->values[operand.index]);
    Tensor result = interpreter::evaluate(function, op, operands, false);
    trace_->values[op.results[0].index] = std::move(result);
  }

  void effect(const Op& op) {
    if (op.code != Opcode::assert_true || is_authors_assert(op) || integer(op.operands[0]) != 0) return;
    std::vector<Tensor> shown;
    for (std::size_t i = 1; i < op.operands.size(); ++i) shown.push_back(value(op.operands[i]));
    throw Stop{backend::assert_failure(backend::site_of(source_, op), shown, false)};
  }

  void tape(const Op& op) {
    std::shared_ptr<std::vector<Known>> tape =
        op.code == Opcode::tape ? std::make_shared<std::vector<Known>>() : known_[op.operands[0].index].tape;
    if (op.code == Opcode::push) tape->push_back(taken(op.operands[1]));
    if (op.code == Opcode::pop && !tape->empty()) {
      known_[op.results[1].index] = std::move(tape->back());
      tape->pop_back();
    } else if (op.code == Opcode::pop) {
      know(op.results[1], Tensor::zeros(source_.type(op.results[1])));
    }
    known_[op.results[0].index].tape = std::move(tape);
  }

  // ---- scopes ----

  std::size_t inner_scope(std::size_t parent, Scope::Kind kind, const Span& span, std::int64_t turn) {
    const auto key = std::tuple(trace_id_, parent, kind, span, turn);
    const auto known = scope_ids_.find(key);
    if (known != scope_ids_.end()) return known->second;
    trace_->scopes.push_back({kind, parent, span, turn, 0});
    return scope_ids_[key] = trace_->scopes.size() - 1;
  }

  // The scope around which the loops at hand run, and those of the calls that the origin is in.
  std::size_t scope(const ir::Origin& origin) {
    std::size_t at = control_.empty() ? 0 : control_.back().scope;
    const std::size_t depth = control_.empty() ? 0 : control_.back().calls;
    for (std::size_t k = origin.calls.size() - std::min(depth, origin.calls.size()); k-- > 0;) {
      if (trace_->scopes[at].kind == Scope::Kind::library) break;
      const Span& inside = k == 0 ? origin.span : origin.calls[k - 1];
      const bool is_library = is_in_library(inside);
      at = inner_scope(at, is_library ? Scope::Kind::library : Scope::Kind::call, origin.calls[k], 0);
    }
    return at;
  }

  // ---- control flow ----

  std::vector<Known> block(BlockId id, std::vector<Known> arguments) {
    const ir::Block& block = source_.block(id);
    for (std::size_t i = 0; i < arguments.size(); ++i) known_[block.arguments[i].index] = std::move(arguments[i]);
    for (OpId op : block.ops) execute(op);
    std::vector<Known> yields;
    for (ValueId yield : block.yields) yields.push_back(taken(yield));
    return yields;
  }

  void control(OpId id, const Op& op) {
    std::vector<Known> results;
    switch (op.code) {
      case Opcode::if_else: {
        const bool taken = integer(op.operands[0]) != 0;
        const ir::Origin& place = source_.origin(op.origin);
        trace_->branches.push_back({scope(place), trace_->function.op_count(), place.span, flat(op.operands[0]), taken});
        results = block(op.regions[taken ? 0 : 1], {});
        break;
      }
      case Opcode::for_loop:
      case Opcode::while_loop:
        results = loop(id, op);
        break;
      case Opcode::map:
        return map(op);
      case Opcode::checkpoint:
        results = block(op.regions[0], {});
        break;
      case Opcode::custom:
        return custom(id, op);
      default:
        throw InternalError("explain", "a region op that has no trace", source_.origin(op.origin).span);
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      known_[op.results[i].index] = std::move(results[i]);
      name(op.results[i]);
    }
  }

  // What a value is called outside the region that made it.
  void name(ValueId id) {
    const Known& known = known_[id.index];
    const std::string& name = source_.value(id).name;
    if (known.where == trace_id_ && trace_->names[known.flat.index].empty()) trace_->names[known.flat.index] = name;
  }

  // One turn, kept or not: one that is not kept leaves its numbers alone.
  template <class Body>
  auto turn(const Op& op, bool is_kept, std::int64_t k, Body body) {
    Trace scratch;
    const auto outside = std::pair(trace_, trace_id_);
    if (!is_kept) trace_ = &scratch, trace_id_ = ++traces_;
    const ir::Origin& place = source_.origin(op.origin);
    const std::size_t loop = inner_scope(is_kept ? scope(place) : 0, Scope::Kind::loop, place.span, 0);
    trace_->scopes[loop].turns = std::max(trace_->scopes[loop].turns, static_cast<std::size_t>(k) + 1);
    control_.push_back({inner_scope(loop, Scope::Kind::turn, place.span, k), place.calls.size()});
    auto result = body();
    control_.pop_back();
    if (!is_kept) leave_scratch();
    std::tie(trace_, trace_id_) = outside;
    return result;
  }

  // What stood for values before the trace at hand stands for them again.
  void leave_scratch() {
    while (!shadowed_.empty() && shadowed_.back().by == trace_id_) {
      const Shadowed& last = shadowed_.back();
      known_[last.value.index].flat = last.flat;
      known_[last.value.index].where = last.where;
      shadowed_.pop_back();
    }
    std::erase_if(scope_ids_, [&](const auto& each) { return std::get<0>(each.first) == trace_id_; });
  }

  std::vector<Known> loop(OpId id, const Op& op) {
    const std::size_t uncarried = ir::uncarried_operands(op.code);
    std::vector<Known> state;
    for (std::size_t i = uncarried; i < op.operands.size(); ++i) state.push_back(taken(op.operands[i]));
    const bool is_for = op.code == Opcode::for_loop;
    const std::int64_t lo = is_for ? integer(op.operands[0]) : 0, by = is_for ? integer(op.operands[2]) : 1;
    if (by == 0) throw Stop{backend::step_failure(backend::site_of(source_, op))};
    const std::uint64_t count = is_for ? ir::turn_count(lo, integer(op.operands[1]), by) : UINT64_MAX;
    const std::uint64_t most = options_.max_iterations;
    if (most != 0 && is_for && count > most) throw Stop{backend::iteration_failure(backend::site_of(source_, op), most)};
    const bool is_around = options_.derivative.valid() && holds(id, options_.derivative);
    const std::int64_t wanted = options_.iteration.value_or(0);
    for (std::uint64_t k = 0; k < count; ++k) {
      const auto number = static_cast<std::int64_t>(k);
      const bool is_kept = is_differentiated_[id.index] || (is_around && number == wanted);
      if (!is_for && !continues(op, is_kept, number, state)) break;
      if (!is_for && most != 0 && k == most) throw Stop{backend::iteration_failure(backend::site_of(source_, op), most)};
      state = turn(op, is_kept, number, [&] {
        std::vector<Known> arguments = std::move(state);
        if (is_for) arguments.insert(arguments.begin(), index(op, lo + number * by));
        return block(op.regions.back(), std::move(arguments));
      });
    }
    return state;
  }

  Known index(const Op& op, std::int64_t number) {
    const Type& type = source_.type(source_.block(op.regions[0]).arguments[0]);
    return {Tensor::from_ints(type, {&number, 1}), {}, 0};
  }

  bool continues(const Op& op, bool is_kept, std::int64_t number, const std::vector<Known>& state) {
    const std::vector<Known> again = turn(op, is_kept, number, [&] { return block(op.regions[0], state); });
    return again[0].value.int_at(0) != 0;
  }

  // A comprehension that holds derivatives: its elements one after the other, put together.
  void map(const Op& op) {
    const ir::Block& body = source_.block(op.regions[0]);
    const std::size_t axes = body.arguments.size();
    std::vector<std::int64_t> sizes = source_.type(op.results[0]).sizes(), at(axes, 0);
    sizes.resize(axes);
    const std::int64_t count = Type::of_sizes(Element::i32, sizes).count();
    std::vector<std::vector<ValueId>> rows(op.results.size());
    for (std::int64_t k = 0; k < count; ++k) {
      std::vector<Known> arguments;
      for (std::int64_t i : at) arguments.push_back({Tensor::scalar(Element::i32, static_cast<double>(i)), {}, 0});
      const std::vector<Known> yields = turn(op, true, k, [&] { return block(op.regions[0], std::move(arguments)); });
      for (std::size_t i = 0; i < yields.size(); ++i) rows[i].push_back(reshaped(op, yields[i].flat, 1));
      for (std::size_t axis = axes; axis-- > 0 && ++at[axis] == sizes[axis];) at[axis] = 0;
    }
    for (std::size_t i = 0; i < op.results.size(); ++i) {
      const Type& type = source_.type(op.results[i]);
      if (rows[i].empty()) {
        know(op.results[i], Tensor::zeros(type));
        continue;
      }
      Type joined = trace_->function.type(rows[i][0]);
      joined.dims[0].size = count;
      Op concat{Opcode::concat, rows[i], {}, ir::with_defaults(Opcode::concat, {{Attr::axis, std::int64_t{0}}}), {}, origin(op), {}};
      const ValueId all = append(std::move(concat), joined, op);
      evaluate_flat(trace_->function.value(all).op);
      Op reshape{Opcode::reshape, {all}, {}, ir::with_defaults(Opcode::reshape, {}), {}, origin(op), {}};
      const ValueId result = append(std::move(reshape), type, op);
      evaluate_flat(trace_->function.value(result).op);
      bind(op.results[i], result);
    }
  }

  // With one more axis in front.
  ValueId reshaped(const Op& op, ValueId x, std::int64_t size) {
    Type type = trace_->function.type(x);
    type.dims.insert(type.dims.begin(), Dim{size, {}});
    Op reshape{Opcode::reshape, {x}, {}, ir::with_defaults(Opcode::reshape, {}), {}, origin(op), {}};
    const ValueId result = append(std::move(reshape), type, op);
    trace_->names[result.index].clear();
    evaluate_flat(trace_->function.value(result).op);
    return result;
  }

  // A function with an adjoint of its author's stays one op; its inside is run for its numbers.
  void custom(OpId id, const Op& op) {
    std::set<ValueId> read(op.operands.begin(), op.operands.end());
    for (BlockId region : op.regions) ir::for_each_use(source_, region, [&](ValueId v) { read.insert(v); });
    ir::Builder builder(trace_->function);
    ir::Cloner cloner(builder, source_);
    cloner.keep_origins();
    for (ValueId v : read)
      if (is_from_outside(v, op)) cloner.set(v, flat(v));
    const OpId copy = cloner.clone(id);
    trace_->scope_of.resize(trace_->function.op_count(), scope(source_.origin(op.origin)));
    trace_->scope_of[copy.index] = scope(source_.origin(op.origin));
    Trace scratch;
    const auto outside = std::pair(trace_, trace_id_);
    trace_ = &scratch, trace_id_ = ++traces_;
    std::vector<Known> arguments;
    for (ValueId operand : op.operands) arguments.push_back(taken(operand));
    control_.push_back({0, source_.origin(op.origin).calls.size()});
    const std::vector<Known> results = block(op.regions[0], std::move(arguments));
    control_.pop_back();
    leave_scratch();
    std::tie(trace_, trace_id_) = outside;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ValueId result = trace_->function.op(copy).results[i];
      note(result, source_.value(op.results[i]).name, results[i].value);
      bind(op.results[i], result);
    }
  }

  bool is_from_outside(ValueId v, const Op& op) const {
    return std::none_of(op.regions.begin(), op.regions.end(),
                        [&](BlockId region) { return ir::is_enclosed(source_, source_.value(v).block, region); });
  }

  // ---- derivatives ----

  void derivative(OpId id, const Op& op) {
    const bool is_asked_for = id == options_.derivative && trace_ == &main_;
    std::vector<ValueId> xs, sources;
    std::vector<std::string> names;
    const std::vector<ValueId> by = ir::differentiated_by(op);
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (ir::is_of_loss(op) && !is_output(op.results[i])) continue;  // a param that does not reach the loss
      xs.push_back(flat(by[i]));
      sources.push_back(op.results[i]);
      names.push_back(source_.value(op.results[i]).name);
    }
    const ValueId y = flat(op.operands[0]), seed = op.code == Opcode::grad ? ValueId() : flat(op.operands[op.code == Opcode::vjp ? 1 : 2]);
    Function& function = trace_->function;
    ir::Builder builder(function);
    builder.set_origin(origin(op));
    const std::size_t first = function.block(function.body()).ops.size();
    std::vector<ValueId> results;
    const std::size_t calls = source_.origin(op.origin).calls.size();
    Sweep swept{id, source_.origin(op.origin).span, calls, y, xs, {}, names, {}, {}};
    if (op.code == Opcode::jvp) {
      Diagnostics diagnostics;
      results.push_back(ir::ForwardSweep(builder, xs[0], seed, diagnostics).run(y));
      if (diagnostics.has_errors()) throw Stop{{false, diagnostics.all().front()}};
    } else {
      ir::ReverseSweep sweep(builder, xs);
      if (is_asked_for) sweep.note_parts(swept.parts);
      sweep.run(y, seed, ir::is_of_loss(op) ? source_.loss : "");
      for (ValueId x : xs) results.push_back(sweep.gradient(x));
      for (std::uint32_t v = 0; v < function.value_count() && trace_ == &main_; ++v) {
        const ValueId cotangent = sweep.cotangent(ValueId{v});
        swept.cotangents.push_back(cotangent);
        if (cotangent.valid() && !is_asked_for) main_.cotangent_of.try_emplace(cotangent.index, Trace::Cotangent{y, ValueId{v}, calls});
      }
    }
    finish(op, first);
    for (std::size_t i = 0; i < results.size(); ++i) {
      bind(sources[i], results[i]);
      name(sources[i]);
    }
    if (!is_asked_for) return;
    swept.results = results;
    main_.sweep = std::move(swept);
    throw Done();
  }

  // Evaluates what a sweep has appended.
  void finish(const Op& op, std::size_t first) {
    Function& function = trace_->function;
    const std::vector<OpId> ops(function.block(function.body()).ops.begin() + static_cast<std::ptrdiff_t>(first),
                                function.block(function.body()).ops.end());
    if (function.op_count() >= kMostOps) throw Stop{{false, too_long(op)}};
    const std::size_t place = inner_scope(scope(source_.origin(op.origin)), Scope::Kind::derivative, source_.origin(op.origin).span,
                                          static_cast<std::int64_t>(first));
    trace_->scope_of.resize(function.op_count(), place);
    for (OpId each : ops) {
      trace_->scope_of[each.index] = place;
      evaluate_flat(each);
    }
  }

  bool is_output(ValueId id) const {
    return std::any_of(source_.outputs.begin(), source_.outputs.end(), [&](const ir::Output& output) { return output.value == id; });
  }

  struct Shadowed {
    ValueId value, flat;
    std::size_t where, by;
  };

  struct Control {
    std::size_t scope;  // of the turn
    std::size_t calls;  // that the loop itself stands in
  };

  const Function& source_;
  const TraceOptions& options_;
  std::vector<Known> known_;  // by value of the source
  Trace main_;
  Trace* trace_ = &main_;  // the one at hand: `main_`, or one of a turn that is not kept
  std::size_t trace_id_ = 1, traces_ = 1;
  std::vector<bool> is_differentiated_;  // by op of the source
  std::vector<Control> control_;
  std::vector<Shadowed> shadowed_;
  std::map<std::tuple<std::size_t, std::size_t, Scope::Kind, Span, std::int64_t>, std::size_t> scope_ids_;
};

}  // namespace

std::variant<Trace, runtime::Failure> trace(const ir::Function& source, std::span<const Tensor> arguments, const TraceOptions& options) {
  try {
    return Tracer(source, options).run(arguments);
  } catch (Stop& stop) {
    return std::move(stop.failure);
  } catch (const ir::LimitReached& limit) {
    return runtime::Failure{false, limit.diagnostic.value()};
  }
}

}  // namespace bpc::explain
