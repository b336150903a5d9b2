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

class Executable {
 public:
  virtual ~Executable() = default;
  // `arguments` in the order of the function's parameters, each of exactly the parameter's type. May be called again.
  virtual RunResult run(std::span<const Tensor> arguments, const RunOptions& options) = 0;
};

}  // namespace bpc::runtime
