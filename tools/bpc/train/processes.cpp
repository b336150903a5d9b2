#include "tools/bpc/train/processes.h"

#include <chrono>
#include <cstdlib>
#include <vector>

#include "tools/bpc/guard.h"
#include "tools/bpc/library.h"

namespace bpc::tool {

namespace {

// How long the others have to come to a call that this process waits in, after it was told to end: a step, if it is not a long one.
constexpr double kPatience = 0.3;

// How many processes were started together: by Open MPI, or by what starts those of MPICH and its kin.
int started_together() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE"})
    if (const char* value = std::getenv(name)) return std::atoi(value);
  return 1;
}

bool gives_up() {
  using Clock = std::chrono::steady_clock;
  static Clock::time_point told;
  if (!stop_requested()) return false;
  if (told == Clock::time_point()) told = Clock::now();
  return std::chrono::duration<double>(Clock::now() - told).count() > kPatience;
}

}  // namespace

RowRange share_of(std::int64_t rows, int rank, int count) {
  const auto begin = [&](int of) { return (rows * of + count - 1) / count; };
  return {begin(rank), begin(rank + 1) - begin(rank)};
}

std::unique_ptr<Processes> Processes::join() {
  const int together = started_together();
  if (together <= 1) return nullptr;
  const auto table = reinterpret_cast<decltype(&bpc_mpi)>(
      function_of_library("bpc_mpi.so", "bpc_mpi", "joins processes",
                          "this `bpc` was built without MPI: build it where Open MPI or MPICH is, or train with one process"));
  std::unique_ptr<Processes> all(new Processes(*table()));
  const bool has_joined = all->mpi_.join(all->rank_, all->count_, all->here_);
  if (!has_joined || all->count_ != together)
    end_with_error(Code::E0514, fmt::format("{} processes were started, and this one finds {}", together, has_joined ? all->count_ : 0),
                   "start them by the `mpirun` of the MPI that this `bpc` was built with");
  return all;
}

bool Processes::sum(std::span<double> numbers) {
  return mpi_.sum(numbers.data(), numbers.size(), Element::f64, gives_up);
}
bool Processes::sum(std::span<float> numbers) {
  return mpi_.sum(numbers.data(), numbers.size(), Element::f32, gives_up);
}
bool Processes::broadcast(void* bytes, std::size_t count) {
  return mpi_.broadcast(bytes, count, gives_up);
}

int Processes::first_to_fail(bool is_well) {
  std::vector<double> fail(static_cast<std::size_t>(count_));
  fail[static_cast<std::size_t>(rank_)] = is_well ? 0 : 1;
  if (!sum(std::span(fail))) return count_;
  for (int rank = 0; rank < count_; ++rank)
    if (fail[static_cast<std::size_t>(rank)] != 0) return rank;
  return -1;
}

int Processes::leave(int code, bool is_agreed) {
  flush_results();
  if (is_agreed)
    mpi_.leave();
  else
    mpi_.abort(code);
  return code;
}

}  // namespace bpc::tool
