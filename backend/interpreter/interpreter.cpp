#include "backend/interpreter/interpreter.h"

#include <new>

#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "backend/interpreter/lifetimes.h"
#include "runtime/number_text.h"
#include "support/internal_error.h"

namespace bpc::interpreter {

namespace {

using ir::Attr;
using ir::BlockId;
using ir::Function;
using ir::Op;
using ir::Opcode;
using ir::ValueId;
using runtime::Tensor;

// lo, lo + by, … up to hi, exclusive. by is not 0.
std::uint64_t trip_count(std::int64_t lo, std::int64_t hi, std::int64_t by) {
  if (by > 0 ? lo >= hi : lo <= hi) return 0;
  const auto distance = by > 0 ? static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo)
                               : static_cast<std::uint64_t>(lo) - static_cast<std::uint64_t>(hi);
  const auto stride = by > 0 ? static_cast<std::uint64_t>(by) : -static_cast<std::uint64_t>(by);
  return (distance - 1) / stride + 1;
}

// One run: the value of each SSA value that is alive.
class Run {
 public:
  Run(const Function& function, const Lifetimes& lifetimes, const backend::Observer& observer, const runtime::RunOptions& options)
      : function_(function), lifetimes_(lifetimes), observer_(observer), options_(options), values_(function.value_count()) {}

  runtime::RunResult run(std::span<const Tensor> arguments) {
    runtime::RunResult result;
    try {
      for (std::size_t i = 0; i < arguments.size(); ++i) values_[function_.parameters[i].value.index] = arguments[i];
      for (ir::OpId op : function_.block(function_.body()).ops) execute(op);
      for (const ir::Output& output : function_.outputs) result.outputs.push_back(values_[output.value.index]);
    } catch (Stop& stop) {
      result.failure = std::move(stop.failure);
    } catch (const std::bad_alloc&) {
      result.failure = backend::memory_failure(function_, current_, needed(), 0);
    }
    return result;
  }

 private:
  Tensor& value(ValueId id) { return values_[id.index]; }
  std::int64_t integer(ValueId id) { return value(id).int_at(0); }
  bool boolean(ValueId id) { return value(id).int_at(0) != 0; }

  // Bytes in use once the results of the current op are there.
  std::size_t needed() const {
    std::size_t bytes = Tensor::live_bytes();
    if (current_)
      for (ValueId result : current_->results)
        bytes += static_cast<std::size_t>(function_.type(result).count()) * element_size(function_.type(result).element);
    return bytes;
  }

  void execute(ir::OpId id) {
    const Op& op = function_.op(id);
    if (runtime::interrupt_requested.load(std::memory_order_relaxed)) throw Stop{backend::interrupted()};
    current_ = &op;
    if (options_.max_memory != 0 && needed() > options_.max_memory)
      throw Stop{backend::memory_failure(function_, &op, needed(), options_.max_memory)};
    switch (ir::op_info(op.code).group) {
      case ir::Group::elementwise:
      case ir::Group::reduction:
      case ir::Group::contraction:
      case ir::Group::movement:
      case ir::Group::source:
      case ir::Group::random:
      case ir::Group::derivative:
        compute(id, op);
        break;
      case ir::Group::control:
        control(id, op);
        break;
      case ir::Group::effect:
        effect(op);
        break;
    }
    if (observer_) observe(op);
    for (ValueId dead : lifetimes_.ends_after(id)) value(dead) = Tensor();
  }

  void compute(ir::OpId id, const Op& op) {
    operands_.clear();
    for (ValueId operand : op.operands) operands_.push_back(&value(operand));
    Tensor result = evaluate(function_, op, operands_, !observer_ && !op.operands.empty() && lifetimes_.is_last_read(id, 0));
    value(op.results[0]) = std::move(result);
  }

  void observe(const Op& op) {
    std::vector<const Tensor*> operands;
    std::vector<Tensor> results;
    for (ValueId operand : op.operands) operands.push_back(&value(operand));
    for (ValueId result : op.results) results.push_back(value(result));
    observer_(op, operands, results);
  }

  // What the block yields for these arguments.
  std::vector<Tensor> block(BlockId id, std::vector<Tensor> arguments) {
    const ir::Block& block = function_.block(id);
    for (std::size_t i = 0; i < arguments.size(); ++i) value(block.arguments[i]) = std::move(arguments[i]);
    for (ir::OpId op : block.ops) execute(op);
    std::vector<Tensor> yields;
    for (ValueId yielded : block.yields) yields.push_back(value(yielded));
    for (ValueId dead : lifetimes_.ends_with(id)) value(dead) = Tensor();
    return yields;
  }

  void control(ir::OpId id, const Op& op) {
    std::vector<Tensor> results;
    if (op.code == Opcode::if_else)
      results = block(op.regions[boolean(op.operands[0]) ? 0 : 1], {});
    else if (op.code == Opcode::for_loop)
      results = for_loop(id, op);
    else
      results = while_loop(id, op);
    for (std::size_t i = 0; i < results.size(); ++i) value(op.results[i]) = std::move(results[i]);
  }

  // The initial values of what a loop carries. Those that nobody reads later are moved, so that the body may update them in place.
  std::vector<Tensor> carried(ir::OpId id, const Op& op, std::size_t first) {
    std::vector<Tensor> result;
    for (std::size_t i = first; i < op.operands.size(); ++i) {
      Tensor& initial = value(op.operands[i]);
      result.push_back(!observer_ && lifetimes_.is_last_read(id, i) ? std::move(initial) : initial);
    }
    return result;
  }

  std::vector<Tensor> for_loop(ir::OpId id, const Op& op) {
    const std::int64_t lo = integer(op.operands[0]), hi = integer(op.operands[1]), by = integer(op.operands[2]);
    if (by == 0) throw Stop{backend::step_failure(function_, op)};
    std::vector<Tensor> state = carried(id, op, 3);
    const Type& index_type = function_.type(function_.block(op.regions[0]).arguments[0]);
    const std::uint64_t count = trip_count(lo, hi, by);
    for (std::uint64_t turn = 0; turn < count; ++turn) {
      const std::int64_t index = static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + turn * static_cast<std::uint64_t>(by));
      state.insert(state.begin(), Tensor::from_ints(index_type, {&index, 1}));
      state = block(op.regions[0], std::move(state));
      poll();
    }
    return state;
  }

  std::vector<Tensor> while_loop(ir::OpId id, const Op& op) {
    std::vector<Tensor> state = carried(id, op, 0);
    for (std::uint64_t turn = 0; block(op.regions[0], state)[0].int_at(0) != 0; ++turn) {
      if (options_.max_iterations != 0 && turn == options_.max_iterations) throw Stop{backend::iteration_failure(function_, op, turn)};
      state = block(op.regions[1], std::move(state));
      poll();
    }
    return state;
  }

  // Also a loop whose body holds no op can be stopped.
  void poll() const {
    if (runtime::interrupt_requested.load(std::memory_order_relaxed)) throw Stop{backend::interrupted()};
  }

  void effect(const Op& op) {
    if (op.code == Opcode::assert_true) {
      if (boolean(op.operands[0])) return;
      std::vector<Tensor> shown;
      for (std::size_t i = 1; i < op.operands.size(); ++i) shown.push_back(value(op.operands[i]));
      throw Stop{backend::assert_failure(function_, op, shown, options_.full)};
    }
    const auto& text = op.attrs.strings(Attr::text);
    std::string line = text.empty() ? std::string() : text[0];
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      line += runtime::tensor_text(value(op.operands[i]), options_.full);
      if (i + 1 < text.size()) line += text[i + 1];
    }
    if (options_.print) options_.print(line);
  }

  const Function& function_;
  const Lifetimes& lifetimes_;
  const backend::Observer& observer_;
  const runtime::RunOptions& options_;
  std::vector<Tensor> values_;     // by ValueId
  std::vector<Tensor*> operands_;  // of the op being computed
  const Op* current_ = nullptr;
};

class Interpreter : public runtime::Executable {
 public:
  Interpreter(const Function& function, backend::Observer observer)
      : function_(function), observer_(std::move(observer)), lifetimes_(function) {}

  runtime::RunResult run(std::span<const Tensor> arguments, const runtime::RunOptions& options) override {
    if (arguments.size() != function_.parameters.size()) throw InternalError("interpret", "wrong number of arguments");
    for (std::size_t i = 0; i < arguments.size(); ++i)
      if (!same_type(arguments[i].type(), function_.type(function_.parameters[i].value)))
        throw InternalError("interpret", "argument " + function_.parameters[i].path + " is a " + type_text(arguments[i].type()));
    return Run(function_, lifetimes_, observer_, options).run(arguments);
  }

 private:
  const Function& function_;
  backend::Observer observer_;
  Lifetimes lifetimes_;
};

}  // namespace

}  // namespace bpc::interpreter

namespace bpc::backend {

std::unique_ptr<runtime::Executable> interpret(const ir::Function& function, Observer observer) {
  return std::make_unique<interpreter::Interpreter>(function, std::move(observer));
}

}  // namespace bpc::backend
