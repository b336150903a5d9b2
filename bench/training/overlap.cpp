// Whether it pays to add up a part of the gradients while the rest is computed: a step of so many microseconds and the sum of P numbers,
// one after the other; and the sum of a half of them under way during the last third of the step.
//
//    mpicxx -O2 bench/training/overlap.cpp -o /tmp/overlap && mpirun -n 2 /tmp/overlap
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace {

volatile double kept;

void work(long turns) {
  double x = 1;
  for (long i = 0; i < turns; ++i) x = x * 1.0000001 + 1e-9;
  kept = x;
}

template <class Step>
double seconds_of(Step step) {
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = MPI_Wtime();
  step();
  return MPI_Wtime() - start;
}

double median(std::vector<double> seconds) {
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

void sum(float* numbers, int count) {
  MPI_Allreduce(MPI_IN_PLACE, numbers, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

}  // namespace

int main(int count, char** words) {
  MPI_Init(&count, &words);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  constexpr long kTurns = 20'000'000;
  const double of_turn = seconds_of([] { work(kTurns); }) / kTurns;
  if (rank == 0) std::printf("params   step alone   sum behind it   half of it beside it   (microseconds, medians)\n");
  const struct {
    int params;
    double seconds;
  } cases[] = {{1'898, 200e-6}, {9'610, 20e-6}, {100'000, 200e-6}, {1'000'000, 2e-3}};
  for (const auto& [params, seconds] : cases) {
    const long turns = static_cast<long>(seconds / of_turn), most = 2 * turns / 3;
    std::vector<float> numbers(static_cast<std::size_t>(params));
    std::vector<double> alone, behind, beside;
    for (int step = 0; step < (params < 50'000 ? 2001 : 101); ++step) {
      std::fill(numbers.begin(), numbers.end(), 1.0F);
      alone.push_back(seconds_of([&] { work(turns); }));
      behind.push_back(seconds_of([&] {
        work(turns);
        sum(numbers.data(), params);
      }));
      beside.push_back(seconds_of([&] {
        MPI_Request request;
        work(most);
        MPI_Iallreduce(MPI_IN_PLACE, numbers.data(), params / 2, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &request);
        work(turns - most);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        sum(numbers.data() + params / 2, params - params / 2);
      }));
    }
    if (rank == 0) std::printf("%7d %11.1f %13.1f %18.1f\n", params, 1e6 * median(alone), 1e6 * median(behind), 1e6 * median(beside));
  }
  MPI_Finalize();
}
