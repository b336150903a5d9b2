// How the programs of this folder time what they do by hand, in CPU time.
#pragma once

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

namespace bench {

inline double cpu_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

// The compiler must assume that `value` is read and written.
template <class T>
void touch(T& value) {
  asm volatile("" : "+m"(value) : : "memory");
}

// The median of many runs.
template <class Run>
double seconds(const Run& run, double budget = 0.4) {
  double start = cpu_seconds();
  run();
  const double each = std::max(cpu_seconds() - start, 1e-9);
  const int at_once = std::max(1, static_cast<int>(50e-6 / each));
  std::vector<double> times;
  start = cpu_seconds();
  while (times.size() < 5 || cpu_seconds() - start < budget) {
    const double before = cpu_seconds();
    for (int i = 0; i < at_once; ++i) run();
    times.push_back((cpu_seconds() - before) / at_once);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace bench
