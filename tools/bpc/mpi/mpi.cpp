#include "tools/bpc/mpi/mpi.h"

#include <dlfcn.h>
#include <mpi.h>
#include <sched.h>

#include <algorithm>

namespace bpc::tool {

namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // MPI counts by int

bool join(int& rank, int& count, int& here) {
  // Open MPI loads parts of itself, which look for it among what is global.
  Dl_info about;
  if (dladdr(reinterpret_cast<void*>(&MPI_Init), &about)) dlopen(about.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
  if (MPI_Init(nullptr, nullptr) != MPI_SUCCESS) return false;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm machine;
  const bool is_known = MPI_Comm_rank(MPI_COMM_WORLD, &rank) == MPI_SUCCESS && MPI_Comm_size(MPI_COMM_WORLD, &count) == MPI_SUCCESS &&
                        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine) == MPI_SUCCESS;
  return is_known && MPI_Comm_size(machine, &here) == MPI_SUCCESS && MPI_Comm_free(&machine) == MPI_SUCCESS;
}

// Waits without keeping a processor from processes that have more to do.
bool wait(MPI_Request request, bool (*gives_up)()) {
  while (true) {
    int is_done = 0;
    if (MPI_Test(&request, &is_done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (is_done) return true;
    if (gives_up()) return false;
    sched_yield();
  }
}

bool sum(void* numbers, std::size_t count, Element element, bool (*gives_up)()) {
  const bool is_double = element == Element::f64;
  for (std::size_t at = 0; at < count; at += kMostAtOnce) {
    void* from = static_cast<char*>(numbers) + at * (is_double ? sizeof(double) : sizeof(float));
    MPI_Request request;
    if (MPI_Iallreduce(MPI_IN_PLACE, from, static_cast<int>(std::min(count - at, kMostAtOnce)), is_double ? MPI_DOUBLE : MPI_FLOAT, MPI_SUM,
                       MPI_COMM_WORLD, &request) != MPI_SUCCESS ||
        !wait(request, gives_up))
      return false;
  }
  return true;
}

bool broadcast(void* bytes, std::size_t count, bool (*gives_up)()) {
  for (std::size_t at = 0; at < count; at += kMostAtOnce) {
    MPI_Request request;
    if (MPI_Ibcast(static_cast<char*>(bytes) + at, static_cast<int>(std::min(count - at, kMostAtOnce)), MPI_BYTE, 0, MPI_COMM_WORLD,
                   &request) != MPI_SUCCESS ||
        !wait(request, gives_up))
      return false;
  }
  return true;
}

void leave() {
  MPI_Finalize();
}

void abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
}

constexpr Mpi kMpi{join, sum, broadcast, leave, abort};

}  // namespace

extern "C" const Mpi* bpc_mpi() {
  return &kMpi;
}

}  // namespace bpc::tool
