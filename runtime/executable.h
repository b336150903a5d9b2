// What a backend hands back, and what it needs to run.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tensor.h"
#include "support/diagnostics.h"

namespace bpc::runtime {

// Set by the SIGINT handler; loops poll it.
extern std::atomic<bool> interrupt_requested;

// While one lives, std::bad_alloc has a handler that names the operation; where none does, the process ends as soon as memory runs out.
class MemoryMayRunOut {
 public:
  MemoryMayRunOut() { ++living; }
  ~MemoryMayRunOut() { --living; }
  MemoryMayRunOut(const MemoryMayRunOut&) = delete;
  MemoryMayRunOut& operator=(const MemoryMayRunOut&) = delete;
  static bool is_handled() { return living > 0; }

 private:
  static std::atomic<int> living;
};

struct RunOptions {
  std::function<void(std::string_view line)> print;  // a printed line, without its newline
  bool full = false;                                 // print tensors whole
  std::uint64_t max_iterations = 0;                  // of each loop; 0: no limit
  std::size_t max_memory = 0;                        // bytes; 0: no limit
};

// Why a run stopped early.
struct Failure {
  bool interrupted = false;  // Ctrl-C; `diagnostic` is meaningless then
  Diagnostic diagnostic;
};

struct RunResult {
  std::vector<Tensor> outputs;  // as the function's outputs, when there is no failure
  std::optional<Failure> failure;
};

// A value that an executable takes or gives, by the script's name for it.
struct Port {
  std::string name;  // "x", "h1.dense.W"
  Type type;
  std::optional<std::size_t> donor{};  // of an output: the input that gives it its memory
};

struct Signature {
  std::vector<Port> inputs, outputs;
};

// What one run takes, as far as that is known before it. One operation is a scalar one; a product that is added is two.
struct Costs {
  std::optional<double> operations;  // none: only a run can tell how often a loop turns
  double bytes = 0;                  // of inputs and outputs
  std::size_t arena_bytes = 0;       // of memory to work in
};

// What one step of compiled code has taken since the executable was made.
struct StepReport {
  std::string what;                       // "contraction m 64 n 512 k 784"
  std::vector<std::vector<Span>> places;  // of the ops that it computes: the expression, then the calls it was inlined through
  double operations = 0, bytes = 0;       // of one run of the step: computed; read and written
  std::int64_t runs = 0;
  double seconds = 0;  // of all of these
};

// May run many times, one at a time. It keeps what it works in: from the second run on, `call` allocates nothing but what tapes and printed
// lines take.
class Executable {
 public:
  explicit Executable(Signature signature) : signature_(std::move(signature)) {}
  virtual ~Executable() = default;
  const Signature& signature() const { return signature_; }

  // Reads the inputs and writes the outputs, the caller's memory: in the order of the signature, each dense, row by row, aligned to
  // Tensor::kAlignment, overlapping no other, but that an output with a donor is bound to the very memory of that input. Why it stopped
  // early, if it did: what the outputs hold is undefined then.
  virtual std::optional<Failure> call(std::span<const void* const> inputs, std::span<void* const> outputs, const RunOptions& options) = 0;
  // The same on tensors, each argument of exactly the input's type (InternalError).
  virtual RunResult run(std::span<const Tensor> arguments, const RunOptions& options) = 0;

  virtual Costs costs() const { return {}; }
  // One for each step, if they are timed.
  virtual std::vector<StepReport> profile() const { return {}; }

 protected:
  void require_fitting(std::span<const Tensor> arguments) const;
  void require_donated(std::span<const void* const> inputs, std::span<void* const> outputs) const;

 private:
  Signature signature_;
};

// One that works on tensors: what it gives is copied to where the caller wants it.
class TensorExecutable : public Executable {
 public:
  using Executable::Executable;
  std::optional<Failure> call(std::span<const void* const> inputs, std::span<void* const> outputs, const RunOptions& options) final;
};

}  // namespace bpc::runtime
