#include "explain/trace.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "backend/interpreter/interpreter.h"
#include "explain/recorder.h"
#include "explain/variables.h"
#include "ir/adjoint/existence.h"
#include "ir/adjoint/forward.h"
#include "ir/clone.h"
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

// The derivative that was asked for is there, and nothing else is wanted.
struct Done {};

class Tracer {
 public:
  Tracer(const Function& source, const TraceOptions& options)
      : source_(source), options_(options), needed_(source, options), recorder_(source, needed_) {}

  Trace run(std::span<const Tensor> arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) know(source_.parameters[i].value, arguments[i]);
    for (const ir::Parameter& parameter : source_.parameters) recorder_.flat(parameter.value);
    const std::vector<bool> needed = needed_.at_top();
    try {
      const auto& ops = source_.block(source_.body()).ops;
      for (std::size_t i = 0; i < ops.size(); ++i)
        if (needed[i]) execute(ops[i]);
    } catch (const Done&) {
    }
    name_as_at_top();
    pass_over_variables(recorder_.main);
    return std::move(recorder_.main);
  }

  std::vector<Taken> each_time(std::span<const Tensor> arguments) {
    std::vector<Taken> taken;
    taken_ = &taken;
    try {
      run(arguments);
    } catch (const Stop&) {
    }
    return taken;
  }

  // The results of one op, from those of its operands and of what its regions read.
  std::vector<Tensor> evaluate(OpId op, const std::vector<Tensor>& values) {
    std::set<ValueId> read(source_.op(op).operands.begin(), source_.op(op).operands.end());
    for (BlockId region : source_.op(op).regions) ir::for_each_use(source_, region, [&](ValueId v) { read.insert(v); });
    for (ValueId v : read)
      if (is_from_outside(v, source_.op(op))) know(v, values[v.index]);
    execute(op);
    std::vector<Tensor> results;
    for (ValueId result : source_.op(op).results) results.push_back(recorder_.value(result));
    return results;
  }

 private:
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

  // Appends what an op of the source is in straight code, and evaluates it.
  void straight(const Op& op) {
    Op copy{op.code, {}, {}, op.attrs, {}, {}, {}};
    for (ValueId operand : op.operands) copy.operands.push_back(recorder_.flat(operand));
    copy.origin = recorder_.origin(op);
    const ValueId result = recorder_.append(std::move(copy), source_.type(op.results[0]), op);
    evaluate_flat(recorder_.trace().function.value(result).op);
    recorder_.bind(op.results[0], result);
  }

  // Of an op of the trace at hand whose operands have values.
  void evaluate_flat(OpId id) {
    Function& function = recorder_.trace().function;
    const Op& op = function.op(id);
    recorder_.trace().values.resize(function.value_count());
    recorder_.trace().names.resize(function.value_count());
    if (!op.regions.empty() || op.results.size() != 1) {
      const std::vector<Tensor> results = Tracer(function, {}).evaluate(id, recorder_.trace().values);
      for (std::size_t i = 0; i < results.size(); ++i) recorder_.trace().values[function.op(id).results[i].index] = results[i];
      return;
    }
    std::vector<Tensor*> operands;
    for (ValueId operand : op.operands) operands.push_back(&recorder_.trace().values[operand.index]);
    Tensor result = interpreter::evaluate(function, op, operands, false);
    recorder_.trace().values[op.results[0].index] = std::move(result);
  }

  void effect(const Op& op) {
    if (op.code != Opcode::assert_true || needed_.is_authors_assert(op) || integer(op.operands[0]) != 0) return;
    std::vector<Tensor> shown;
    for (std::size_t i = 1; i < op.operands.size(); ++i) shown.push_back(value(op.operands[i]));
    throw Stop{backend::assert_failure(backend::site_of(source_, op), shown, false)};
  }

  void tape(const Op& op) {
    std::shared_ptr<std::vector<Known>> tape =
        op.code == Opcode::tape ? std::make_shared<std::vector<Known>>() : recorder_.known(op.operands[0]).tape;
    if (op.code == Opcode::push) tape->push_back(recorder_.taken(op.operands[1]));
    if (op.code == Opcode::pop && !tape->empty()) {
      recorder_.known(op.results[1]) = std::move(tape->back());
      tape->pop_back();
      recorder_.name(op.results[1]);
    } else if (op.code == Opcode::pop) {
      know(op.results[1], Tensor::zeros(source_.type(op.results[1])));
    }
    recorder_.known(op.results[0]).tape = std::move(tape);
  }

  // ---- control flow ----

  std::vector<Known> block(BlockId id, std::vector<Known> arguments) {
    const ir::Block& block = source_.block(id);
    for (std::size_t i = 0; i < arguments.size(); ++i) recorder_.known(block.arguments[i]) = std::move(arguments[i]);
    for (OpId op : block.ops) execute(op);
    std::vector<Known> yields;
    for (ValueId yield : block.yields) yields.push_back(recorder_.taken(yield));
    return yields;
  }

  void control(OpId id, const Op& op) {
    std::vector<Known> results;
    switch (op.code) {
      case Opcode::if_else: {
        const bool taken = integer(op.operands[0]) != 0;
        const ir::Origin& place = source_.origin(op.origin);
        recorder_.trace().branches.push_back(
            {recorder_.scope(place), recorder_.trace().function.op_count(), place.span, recorder_.flat(op.operands[0]), taken});
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
      recorder_.known(op.results[i]) = std::move(results[i]);
      recorder_.name(op.results[i]);
    }
  }

  // One turn, kept or not: one that is not kept leaves its numbers alone.
  template <class Body>
  std::vector<Known> turn(const Op& op, bool is_kept, std::int64_t k, Body body) {
    if (is_kept) return kept_turn(op, recorder_.scope(source_.origin(op.origin)), k, body);
    std::vector<Known> result = recorder_.in_scratch([&] { return kept_turn(op, 0, k, body); });
    for (Known& known : result) known.where = 0, known.is_left = true;
    return result;
  }

  template <class Body>
  std::vector<Known> kept_turn(const Op& op, std::size_t parent, std::int64_t k, Body body) {
    const ir::Origin& place = source_.origin(op.origin);
    const std::size_t loop = recorder_.inner_scope(parent, Scope::Kind::loop, place.span, 0);
    std::size_t& turns = recorder_.trace().scopes[loop].turns;
    turns = std::max(turns, static_cast<std::size_t>(k) + 1);
    return recorder_.within(recorder_.inner_scope(loop, Scope::Kind::turn, place.span, k), place.calls.size(), body);
  }

  std::vector<Known> loop(OpId id, const Op& op) {
    const std::size_t uncarried = ir::uncarried_operands(op.code);
    std::vector<Known> state;
    for (std::size_t i = uncarried; i < op.operands.size(); ++i) state.push_back(recorder_.taken(op.operands[i]));
    for (ValueId result : op.results) carried_[result].clear();
    const bool is_for = op.code == Opcode::for_loop;
    const std::int64_t lo = is_for ? integer(op.operands[0]) : 0, by = is_for ? integer(op.operands[2]) : 1;
    if (by == 0) throw Stop{backend::step_failure(backend::site_of(source_, op))};
    for (std::size_t i = 0; is_for && i < uncarried; ++i)
      recorder_.trace().counts.push_back({source_.origin(op.origin).span, recorder_.flat(op.operands[i])});
    const std::uint64_t count = is_for ? ir::turn_count(lo, integer(op.operands[1]), by) : UINT64_MAX;
    const std::uint64_t most = options_.max_iterations;
    if (most != 0 && is_for && count > most) throw Stop{backend::iteration_failure(backend::site_of(source_, op), most)};
    const bool is_around = needed_.is_around(id);
    const std::int64_t wanted = options_.iteration.value_or(0);
    for (std::uint64_t k = 0; k < count; ++k) {
      const auto number = static_cast<std::int64_t>(k);
      const bool is_kept = needed_.is_differentiated(id) || (is_around && number == wanted && !taken_);
      if (!is_for && !continues(op, is_kept, number, state)) break;
      if (!is_for && most != 0 && k == most) throw Stop{backend::iteration_failure(backend::site_of(source_, op), most)};
      state = turn(op, is_kept, number, [&] {
        std::vector<Known> arguments = std::move(state);
        if (is_for) arguments.insert(arguments.begin(), index(op, lo + number * by));
        return block(op.regions.back(), std::move(arguments));
      });
      if (recorder_.is_main())
        for (std::size_t i = 0; i < state.size(); ++i) carried_[op.results[i]].push_back(state[i].flat);
      const bool is_passed = is_around && number == wanted && recorder_.is_main() && !taken_ && !needed_.is_differentiated(id);
      if (is_passed) throw Done();  // without the derivative, which no other turn is looked at for
    }
    return state;
  }

  Known index(const Op& op, std::int64_t number) {
    const Type& type = source_.type(source_.block(op.regions[0]).arguments[0]);
    return {Tensor::from_ints(type, {&number, 1}), {}, 0};
  }

  bool continues(const Op& op, bool is_kept, std::int64_t number, const std::vector<Known>& state) {
    const std::vector<Known> again = turn(op, is_kept, number, [&] { return block(op.regions[0], state); });
    if (is_kept) recorder_.trace().counts.push_back({source_.origin(op.origin).span, again[0].flat});
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
      Type joined = recorder_.trace().function.type(rows[i][0]);
      joined.dims[0].size = count;
      Op concat{Opcode::concat,       rows[i], {}, ir::with_defaults(Opcode::concat, {{Attr::axis, std::int64_t{0}}}), {},
                recorder_.origin(op), {}};
      const ValueId all = recorder_.append(std::move(concat), joined, op);
      evaluate_flat(recorder_.trace().function.value(all).op);
      Op reshape{Opcode::reshape, {all}, {}, ir::with_defaults(Opcode::reshape, {}), {}, recorder_.origin(op), {}};
      const ValueId result = recorder_.append(std::move(reshape), type, op);
      evaluate_flat(recorder_.trace().function.value(result).op);
      recorder_.bind(op.results[i], result);
    }
  }

  // With one more axis in front.
  ValueId reshaped(const Op& op, ValueId x, std::int64_t size) {
    Type type = recorder_.trace().function.type(x);
    type.dims.insert(type.dims.begin(), Dim{size, {}});
    Op reshape{Opcode::reshape, {x}, {}, ir::with_defaults(Opcode::reshape, {}), {}, recorder_.origin(op), {}};
    const ValueId result = recorder_.append(std::move(reshape), type, op);
    recorder_.trace().names[result.index].clear();
    evaluate_flat(recorder_.trace().function.value(result).op);
    return result;
  }

  // A function with an adjoint of its author's stays one op; its inside is run for its numbers.
  void custom(OpId id, const Op& op) {
    std::set<ValueId> read(op.operands.begin(), op.operands.end());
    for (BlockId region : op.regions) ir::for_each_use(source_, region, [&](ValueId v) { read.insert(v); });
    ir::Builder builder(recorder_.trace().function);
    ir::Cloner cloner(builder, source_);
    cloner.keep_origins();
    for (ValueId v : read)
      if (is_from_outside(v, op)) cloner.set(v, recorder_.flat(v));
    const OpId copy = cloner.clone(id);
    recorder_.trace().scope_of.resize(recorder_.trace().function.op_count(), recorder_.scope(source_.origin(op.origin)));
    recorder_.trace().scope_of[copy.index] = recorder_.scope(source_.origin(op.origin));
    const std::vector<Known> results = recorder_.in_scratch([&] {
      std::vector<Known> arguments;
      for (ValueId operand : op.operands) arguments.push_back(recorder_.taken(operand));
      return recorder_.within(0, source_.origin(op.origin).calls.size(), [&] { return block(op.regions[0], std::move(arguments)); });
    });
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ValueId result = recorder_.trace().function.op(copy).results[i];
      recorder_.note(result, source_.value(op.results[i]).name, results[i].value);
      recorder_.bind(op.results[i], result);
    }
  }

  bool is_from_outside(ValueId v, const Op& op) const {
    return std::none_of(op.regions.begin(), op.regions.end(),
                        [&](BlockId region) { return ir::is_enclosed(source_, source_.value(v).block, region); });
  }

  // ---- names ----

  // What a function has given is called as the script calls it at the top, `s = root(b)`, and so are the turns that lead there.
  void name_as_at_top() {
    Trace& main = recorder_.main;
    for (const ir::Output& output : source_.outputs) {
      const Known& known = recorder_.known(output.value);
      const ir::Op* made = known.flat.valid() && known.where == 1 ? main.function.def(known.flat) : nullptr;
      if (output.kind != ir::Output::Kind::value || output.path == source_.loss || !made) continue;
      const std::string inner = main.names[known.flat.index];
      const bool is_at_top = main.scope_of[main.function.value(known.flat).op.index] == 0;
      const bool keeps_name = std::any_of(source_.outputs.begin(), source_.outputs.end(),
                                          [&](const ir::Output& other) { return other.value == output.value && other.path == inner; });
      if (is_at_top || keeps_name) continue;
      main.names[known.flat.index] = output.path;
      const auto turns = carried_.find(output.value);
      if (turns == carried_.end()) continue;
      for (ValueId each : turns->second)
        if (each.valid() && main.names[each.index] == inner) main.names[each.index] = output.path;
    }
  }

  // The loss `J = h` is a step of its own, where h is another value's name.
  ValueId as_loss(const Op& op, ValueId y) {
    const std::string name = recorder_.trace().names[y.index];
    if (name.empty() || name == source_.loss) return y;
    const ir::OriginId origin = recorder_.trace().function.add_origin({options_.loss, {}, {}, {}, {}});
    Op same{Opcode::reshape, {y}, {}, ir::with_defaults(Opcode::reshape, {}), {}, origin, {}};
    const ValueId loss = recorder_.append(std::move(same), Type(recorder_.trace().function.type(y)), op);
    recorder_.trace().names[loss.index] = source_.loss;
    evaluate_flat(recorder_.trace().function.value(loss).op);
    return loss;
  }

  // ---- derivatives ----

  void derivative(OpId id, const Op& op) {
    recorder_.count_sweep(op);
    const bool is_asked_for = id == options_.derivative && recorder_.is_main() && !taken_;
    std::vector<ValueId> xs, sources;
    std::vector<std::string> names;
    const std::vector<ValueId> by = ir::differentiated_by(op);
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (ir::is_of_loss(op) && !is_output(op.results[i])) continue;  // a param that does not reach the loss
      xs.push_back(recorder_.flat(by[i]));
      sources.push_back(op.results[i]);
      names.push_back(source_.value(op.results[i]).name);
    }
    const ValueId of = recorder_.flat(op.operands[0]), y = is_asked_for && ir::is_of_loss(op) ? as_loss(op, of) : of,
                  seed = op.code == Opcode::grad ? ValueId() : recorder_.flat(op.operands[op.code == Opcode::vjp ? 1 : 2]);
    Function& function = recorder_.trace().function;
    ir::Builder builder(function);
    builder.set_origin(recorder_.origin(op));
    const std::size_t first = function.block(function.body()).ops.size();
    std::vector<ValueId> results;
    const std::size_t calls = source_.origin(op.origin).calls.size();
    Sweep swept{id, source_.origin(op.origin).span, calls, y, xs, {}, names, {}, {}, {}};
    if (op.code == Opcode::jvp) {
      Diagnostics diagnostics;
      ir::ForwardSweep sweep(builder, xs[0], seed, diagnostics);
      results.push_back(sweep.run(y));
      if (diagnostics.has_errors()) throw Stop{{false, diagnostics.all().front()}};
      swept.along = seed;
      for (std::uint32_t v = 0; v < function.value_count() && is_asked_for; ++v) swept.derivatives.push_back(sweep.tangent(ValueId{v}));
    } else {
      ir::ReverseSweep sweep(builder, xs);
      if (is_asked_for) sweep.note_parts(swept.parts);
      sweep.run(y, seed, ir::is_of_loss(op) ? source_.loss : "");
      for (ValueId x : xs) results.push_back(sweep.gradient(x));
      for (std::uint32_t v = 0; v < function.value_count() && recorder_.is_main(); ++v) {
        const ValueId cotangent = sweep.cotangent(ValueId{v});
        swept.derivatives.push_back(cotangent);
        if (cotangent.valid() && !is_asked_for)
          recorder_.main.cotangent_of.try_emplace(cotangent.index, Trace::Cotangent{y, ValueId{v}, calls});
      }
    }
    finish(op, first);
    for (std::size_t i = 0; i < results.size(); ++i) {
      recorder_.bind(sources[i], results[i]);
      recorder_.name(sources[i]);
    }
    if (taken_ && id == options_.derivative) note_taken(op, xs, results);
    if (!is_asked_for) return;
    swept.results = results;
    recorder_.main.sweep = std::move(swept);
    throw Done();
  }

  void note_taken(const Op& op, const std::vector<ValueId>& xs, const std::vector<ValueId>& results) {
    const auto size = [](const Tensor& tensor) {
      double sum = 0;
      for (std::int64_t i = 0; i < tensor.count(); ++i) sum += tensor.real_at(i) * tensor.real_at(i);
      return tensor.type().is_scalar() ? tensor.real_at(0) : std::sqrt(sum);
    };
    Taken& now = taken_->emplace_back();
    now.y = size(value(op.operands[0]));
    for (ValueId x : xs) now.xs.push_back(size(recorder_.trace().value(x)));
    for (ValueId result : results) now.results.push_back(size(recorder_.trace().value(result)));
    if (taken_->size() == kMostTimes) throw Done();
  }

  // Evaluates what a sweep has appended.
  void finish(const Op& op, std::size_t first) {
    Function& function = recorder_.trace().function;
    const std::vector<OpId> ops(function.block(function.body()).ops.begin() + static_cast<std::ptrdiff_t>(first),
                                function.block(function.body()).ops.end());
    recorder_.require_room(op);
    const std::size_t place = recorder_.inner_scope(recorder_.scope(source_.origin(op.origin)), Scope::Kind::derivative,
                                                    source_.origin(op.origin).span, static_cast<std::int64_t>(first));
    recorder_.trace().scope_of.resize(function.op_count(), place);
    for (OpId each : ops) recorder_.trace().scope_of[each.index] = place;
    const std::vector<OpId>& all = function.block(function.body()).ops;
    if (std::any_of(all.begin(), all.end(), [&](OpId each) { return function.op(each).code == Opcode::tape; })) return evaluate_again();
    for (OpId each : ops) evaluate_flat(each);
  }

  // The whole trace at once, where loops of an author's rule are in it: for their adjoint they have been given tapes, which are no numbers.
  void evaluate_again() {
    Function program = recorder_.trace().function;
    std::vector<Tensor>& values = recorder_.trace().values;
    values.resize(program.value_count());
    recorder_.trace().names.resize(program.value_count());
    std::vector<Tensor> arguments;
    for (const ir::Parameter& parameter : program.parameters) arguments.push_back(values[parameter.value.index]);
    std::vector<ValueId> shown;
    for (OpId id : program.block(program.body()).ops)
      for (ValueId result : program.op(id).results)
        if (!program.type(result).tape) shown.push_back(result);
    for (ValueId each : shown) program.outputs.push_back({ir::Output::Kind::value, std::to_string(each.index), each});
    runtime::RunResult result = backend::interpret(program)->run(arguments, {});
    if (result.failure) throw Stop{std::move(*result.failure)};
    for (std::size_t i = 0; i < shown.size(); ++i) values[shown[i].index] = std::move(result.outputs[i]);
  }

  bool is_output(ValueId id) const {
    return std::any_of(source_.outputs.begin(), source_.outputs.end(), [&](const ir::Output& output) { return output.value == id; });
  }

  void know(ValueId id, Tensor value) { recorder_.know(id, std::move(value)); }
  const Tensor& value(ValueId id) const { return recorder_.value(id); }
  std::int64_t integer(ValueId id) const { return value(id).int_at(0); }

  const Function& source_;
  const TraceOptions& options_;
  const Needed needed_;
  Recorder recorder_;
  std::vector<Taken>* taken_ = nullptr;              // where each time of the derivative is noted, and nothing is kept
  std::map<ValueId, std::vector<ValueId>> carried_;  // by the result of a loop: what stands for it after each turn
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

std::vector<Taken> each_time(const ir::Function& source, std::span<const Tensor> arguments, const TraceOptions& options) {
  constexpr std::uint64_t kMostTurns = 20'000;
  TraceOptions limited = options;
  limited.max_iterations = options.max_iterations == 0 ? kMostTurns : std::min(kMostTurns, options.max_iterations);
  try {
    return Tracer(source, limited).each_time(arguments);
  } catch (const ir::LimitReached&) {
    return {};
  }
}

}  // namespace bpc::explain
