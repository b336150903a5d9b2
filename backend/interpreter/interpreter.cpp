#include "backend/interpreter/interpreter.h"

#include <cstring>
#include <new>
#include <variant>

#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "backend/interpreter/last_reads.h"
#include "backend/interpreter/tape.h"
#include "ir/ranges.h"
#include "support/internal_error.h"

namespace bpc::interpreter {

namespace {

using ir::BlockId;
using ir::Function;
using ir::Op;
using ir::Opcode;
using ir::ValueId;
using runtime::Tensor;

using Value = std::variant<Tensor, Tape>;

// One run: the value of each SSA value that is alive.
class Run {
 public:
  Run(const Function& function, const LastReads& last_reads, const backend::Observer& observer, backend::Counter* counter,
      const runtime::RunOptions& options)
      : function_(function),
        last_reads_(last_reads),
        observer_(observer),
        counter_(counter),
        options_(options),
        values_(function.value_count()) {}

  runtime::RunResult run(std::span<const Tensor> arguments) {
    runtime::RunResult result;
    const runtime::MemoryMayRunOut here;
    try {
      for (std::size_t i = 0; i < arguments.size(); ++i) values_[function_.parameters[i].value.index] = arguments[i];
      for (ir::OpId op : function_.block(function_.body()).ops) execute(op);
      for (const ir::Output& output : function_.outputs) result.outputs.push_back(tensor(output.value));
    } catch (Stop& stop) {
      result.failure = std::move(stop.failure);
    } catch (const std::bad_alloc&) {
      result.failure = out_of_memory(0).failure;
    }
    return result;
  }

 private:
  Value& value(ValueId id) { return values_[id.index]; }
  Tensor& tensor(ValueId id) { return std::get<Tensor>(value(id)); }
  std::int64_t integer(ValueId id) { return tensor(id).int_at(0); }
  bool boolean(ValueId id) { return tensor(id).int_at(0) != 0; }
  Value take(ValueId id, bool is_last) { return is_last ? std::move(value(id)) : value(id); }

  // Bytes in use once the results of the current op are there. A region's ops make the results of most ops that have regions.
  std::size_t needed() const {
    std::size_t bytes = Tensor::live_bytes();
    if (!current_ || current_->code == Opcode::tape || (!current_->regions.empty() && current_->code != Opcode::map)) return bytes;
    for (ValueId result : current_->results) {
      const Type& type = function_.type(result);
      if (current_->code != Opcode::pop || !type.tape) bytes += static_cast<std::size_t>(type.count()) * element_size(type.element);
    }
    return bytes;
  }

  backend::Site site_of(const Op& op) const { return backend::site_of(function_, op); }
  Stop out_of_memory(std::size_t limit) const {
    if (!current_) return {backend::memory_failure(nullptr, needed(), limit)};
    const backend::Site site = site_of(*current_);
    return {backend::memory_failure(&site, needed(), limit)};
  }

  void execute(ir::OpId id) {
    const Op& op = function_.op(id);
    if (runtime::interrupt_requested.load(std::memory_order_relaxed)) throw Stop{backend::interrupted()};
    current_ = &op;
    if (options_.max_memory != 0 && needed() > options_.max_memory) throw out_of_memory(options_.max_memory);
    std::vector<Tensor> observed;  // which no op may change in place
    if (observer_) observed = shown(op.operands);
    switch (ir::op_info(op.code).group) {
      case ir::Group::elementwise:
      case ir::Group::reduction:
      case ir::Group::contraction:
      case ir::Group::movement:
      case ir::Group::library:
      case ir::Group::source:
      case ir::Group::random:
      case ir::Group::derivative:
        compute(id, op);
        break;
      case ir::Group::tape:
        tape(op);
        break;
      case ir::Group::control:
        control(id, op);
        break;
      case ir::Group::effect:
        effect(op);
        break;
    }
    if (counter_) counter_->ran(id);
    if (observer_) observe(op, observed);
    for (ValueId dead : last_reads_.ends_after(id)) value(dead) = Tensor();
  }

  void compute(ir::OpId id, const Op& op) {
    operands_.clear();
    for (ValueId operand : op.operands) operands_.push_back(&tensor(operand));
    Tensor result = evaluate(function_, op, operands_, !op.operands.empty() && last_reads_.is_last_read(id, 0));
    value(op.results[0]) = std::move(result);
  }

  // Tapes are linear: an operand that is one may always be moved from.
  void tape(const Op& op) {
    Value tape = op.code == Opcode::tape ? Tape(function_.type(op.results[0]).as_entry()) : std::move(value(op.operands[0]));
    if (op.code == Opcode::push) std::get<Tape>(tape).push(tensor(op.operands[1]));
    if (op.code == Opcode::pop) value(op.results[1]) = std::get<Tape>(tape).pop();
    value(op.results[0]) = std::move(tape);
  }

  std::vector<Tensor> shown(std::span<const ValueId> ids) {
    std::vector<Tensor> tensors;
    for (ValueId id : ids) tensors.push_back(function_.type(id).tape ? Tensor() : tensor(id));
    return tensors;
  }

  void observe(const Op& op, const std::vector<Tensor>& operands) {
    std::vector<const Tensor*> pointers;
    for (const Tensor& operand : operands) pointers.push_back(&operand);
    observer_(op, pointers, shown(op.results));
  }

  // What the block yields for these arguments.
  std::vector<Value> block(BlockId id, std::vector<Value> arguments) {
    const ir::Block& block = function_.block(id);
    for (std::size_t i = 0; i < arguments.size(); ++i) value(block.arguments[i]) = std::move(arguments[i]);
    for (ir::OpId op : block.ops) execute(op);
    std::vector<Value> yields;
    for (std::size_t i = 0; i < block.yields.size(); ++i) yields.push_back(take(block.yields[i], last_reads_.is_last_yield(id, i)));
    for (ValueId dead : last_reads_.ends_with(id)) value(dead) = Tensor();
    return yields;
  }

  void control(ir::OpId id, const Op& op) {
    std::vector<Value> results = region_results(id, op);
    for (std::size_t i = 0; i < results.size(); ++i) value(op.results[i]) = std::move(results[i]);
  }

  std::vector<Value> region_results(ir::OpId id, const Op& op) {
    if (op.code == Opcode::for_loop) return for_loop(id, op);
    if (op.code == Opcode::while_loop) return while_loop(id, op);
    if (op.code == Opcode::map) return map(op);
    if (op.code == Opcode::if_else) return block(op.regions[boolean(op.operands[0]) ? 0 : 1], {});
    return block(op.regions[0], arguments(id, op, 0));  // checkpoint, custom
  }

  // The operands from `first` on, for a region. Those that nobody reads later are moved, so that the region may update them in place.
  std::vector<Value> arguments(ir::OpId id, const Op& op, std::size_t first) {
    std::vector<Value> result;
    for (std::size_t i = first; i < op.operands.size(); ++i) result.push_back(take(op.operands[i], last_reads_.is_last_read(id, i)));
    return result;
  }

  std::vector<Value> for_loop(ir::OpId id, const Op& op) {
    const std::int64_t lo = integer(op.operands[0]), hi = integer(op.operands[1]), by = integer(op.operands[2]);
    if (by == 0) throw Stop{backend::step_failure(site_of(op))};
    std::vector<Value> state = arguments(id, op, 3);
    const Type& index_type = function_.type(function_.block(op.regions[0]).arguments[0]);
    const std::uint64_t count = ir::turn_count(lo, hi, by), most = options_.max_iterations;
    if (most != 0 && count > most) throw Stop{backend::iteration_failure(site_of(op), most)};
    for (std::uint64_t turn = 0; turn < count; ++turn) {
      const std::int64_t index = static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + turn * static_cast<std::uint64_t>(by));
      state.insert(state.begin(), Tensor::from_ints(index_type, {&index, 1}));
      state = block(op.regions[0], std::move(state));
      poll();
    }
    return state;
  }

  std::vector<Value> while_loop(ir::OpId id, const Op& op) {
    std::vector<Value> state = arguments(id, op, 0);
    for (std::uint64_t turn = 0; holds(op.regions[0], state); ++turn) {
      if (options_.max_iterations != 0 && turn == options_.max_iterations) throw Stop{backend::iteration_failure(site_of(op), turn)};
      state = block(op.regions[1], std::move(state));
      poll();
    }
    return state;
  }

  bool holds(BlockId condition, const std::vector<Value>& state) { return std::get<Tensor>(block(condition, state)[0]).int_at(0) != 0; }

  // The region for every index, in row-major order; what it yields goes to its place in the results.
  std::vector<Value> map(const Op& op) {
    const std::size_t axes = function_.block(op.regions[0]).arguments.size();
    std::vector<Tensor> results;
    for (ValueId result : op.results) results.emplace_back(function_.type(result));
    std::vector<std::int64_t> sizes = function_.type(op.results[0]).sizes(), index(axes, 0);
    sizes.resize(axes);
    const std::int64_t count = Type::of_sizes(Element::i32, sizes).count();
    for (std::int64_t turn = 0; turn < count; ++turn) {
      std::vector<Value> indices;
      for (std::int64_t i : index) indices.emplace_back(Tensor::scalar(Element::i32, static_cast<double>(i)));
      const std::vector<Value> yields = block(op.regions[0], std::move(indices));
      for (std::size_t i = 0; i < results.size(); ++i) {
        const Tensor& part = std::get<Tensor>(yields[i]);
        std::memcpy(results[i].raw() + static_cast<std::size_t>(turn) * part.bytes(), part.raw(), part.bytes());
      }
      for (std::size_t axis = axes; axis-- > 0 && ++index[axis] == sizes[axis];) index[axis] = 0;
      poll();
    }
    return {std::make_move_iterator(results.begin()), std::make_move_iterator(results.end())};
  }

  // Also a loop whose body holds no op can be stopped.
  void poll() const {
    if (runtime::interrupt_requested.load(std::memory_order_relaxed)) throw Stop{backend::interrupted()};
  }

  void effect(const Op& op) {
    if (op.code == Opcode::assert_true) {
      if (boolean(op.operands[0])) return;
      throw Stop{backend::assert_failure(site_of(op), shown(std::span(op.operands).subspan(1)), options_.full)};
    }
    if (options_.print) options_.print(backend::printed_line(site_of(op), shown(op.operands), options_.full));
  }

  const Function& function_;
  const LastReads& last_reads_;
  const backend::Observer& observer_;
  backend::Counter* counter_;  // or null
  const runtime::RunOptions& options_;
  std::vector<Value> values_;      // by ValueId
  std::vector<Tensor*> operands_;  // of the op being computed
  const Op* current_ = nullptr;
};

class Interpreter : public runtime::TensorExecutable {
 public:
  Interpreter(const Function& function, backend::Observer observer, backend::Counter* counter)
      : TensorExecutable(backend::signature_of(function)),
        function_(function),
        observer_(std::move(observer)),
        counter_(counter),
        last_reads_(function) {}

  runtime::RunResult run(std::span<const Tensor> arguments, const runtime::RunOptions& options) override {
    require_fitting(arguments);
    return Run(function_, last_reads_, observer_, counter_, options).run(arguments);
  }

 private:
  const Function& function_;
  backend::Observer observer_;
  backend::Counter* counter_;
  LastReads last_reads_;
};

}  // namespace

}  // namespace bpc::interpreter

namespace bpc::backend {

std::unique_ptr<runtime::Executable> interpret(const ir::Function& function, Observer observer, Counter* counter) {
  return std::make_unique<interpreter::Interpreter>(function, std::move(observer), counter);
}

}  // namespace bpc::backend
