// How much work a run is, in scalar operations, whatever machine or backend would do it.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/function.h"

namespace bpc::backend {

// Moving data (slice, gather, reshape, transpose, broadcast, concat, window) and making it (constants, iota, random draws) counts nothing,
// and so does the control of loops and branches; the arithmetic of their indices and conditions counts like any other.
struct OperationCount {
  std::uint64_t elementwise = 0;  // elements of results
  std::uint64_t reduced = 0;      // elements that are reduced or scanned
  std::uint64_t multiplied = 0;   // multiply-adds of contractions
  std::uint64_t taped = 0;        // elements pushed or popped
  std::uint64_t accumulated = 0;  // elements that update, scatter_add and window_add write

  OperationCount& operator+=(const OperationCount& other);
  std::uint64_t total() const { return elementwise + reduced + multiplied + taped + accumulated; }
};

// What one op takes when it runs so many times; its regions count for themselves.
OperationCount operations_of(const ir::Function& function, ir::OpId op, std::uint64_t times);

// Counts how often each op runs.
class Counter {
 public:
  // `function`, which is the one that is interpreted, must outlive the counter.
  explicit Counter(const ir::Function& function) : function_(function), times_(function.op_count(), 0) {}

  void ran(ir::OpId op) { ++times_[op.index]; }
  std::uint64_t times(ir::OpId op) const { return times_[op.index]; }
  // Over all runs so far.
  OperationCount operations() const;

 private:
  const ir::Function& function_;
  std::vector<std::uint64_t> times_;  // by op
};

}  // namespace bpc::backend
