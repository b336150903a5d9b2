// The processes that train together, each by its share of the rows of every step: `mpirun -n 4 bpc train FILE`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tools/bpc/mpi/mpi.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

// Of so many rows those of one process; at most one more than those of another.
struct RowRange {
  std::int64_t first = 0, count = 0;
};
RowRange share_of(std::int64_t rows, int rank, int count);

class Processes {
 public:
  // Null where no mpirun has started this process together with others. Ends the process with E0514 where they cannot be joined.
  static std::unique_ptr<Processes> join();

  int rank() const { return rank_; }
  int count() const { return count_; }
  int here() const { return here_; }  // on this machine
  bool is_first() const { return rank_ == 0; }

  // As Mpi says. False: another one has ended, or this one was told to, and the others do not come to this call any more.
  bool sum(std::span<double> numbers);
  bool sum(std::span<float> numbers);
  bool broadcast(void* bytes, std::size_t count);
  // The lowest rank whose process says no; -1 where all say yes, `count` where another one has ended.
  int first_to_fail(bool is_well);

  // Ends the membership of all, or, where they do not all know that this is the end, all processes.
  int leave(int code, bool is_agreed);

 private:
  explicit Processes(const Mpi& mpi) : mpi_(mpi) {}
  const Mpi& mpi_;
  int rank_ = 0, count_ = 1, here_ = 1;
};

}  // namespace bpc::tool
