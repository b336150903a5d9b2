// The threads of the process: every part runs once, whoever asks, and however often.
#include "runtime/pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "tests/support/threads.h"

namespace bpc::runtime {

using test::Threads;

namespace {

// How often each part ran.
struct Counts {
  explicit Counts(std::int64_t parts) : of(static_cast<std::size_t>(parts)) {}
  static void count(void* counts, std::int64_t part, std::int64_t) { ++static_cast<Counts*>(counts)->of[static_cast<std::size_t>(part)]; }
  bool is_all(int times) const {
    return std::all_of(of.begin(), of.end(), [&](const std::atomic<int>& each) { return each == times; });
  }
  std::vector<std::atomic<int>> of;
};

}  // namespace

TEST_CASE("every part runs once, for any number of threads and parts") {
  for (int threads : {1, 2, 3, 4, 8}) {
    const Threads set(threads);
    for (std::int64_t parts : {0, 1, 2, 3, 7, 64, 1000, 70000}) {
      CAPTURE(threads, parts);
      Counts counts(parts);
      run_parts(parts, parts, Counts::count, &counts);
      CHECK(counts.is_all(1));
    }
  }
}

TEST_CASE("what parts have written is there when all are done, step after step") {
  const Threads set(4);
  constexpr int kParts = 8, kSteps = 20000;
  struct Sums {
    std::int64_t before[kParts] = {}, after[kParts] = {};
  } sums;
  for (int step = 0; step < kSteps; ++step) {
    run_parts(
        kParts, kParts,
        [](void* given, std::int64_t part, std::int64_t) {
          auto& sums = *static_cast<Sums*>(given);
          sums.after[part] = sums.before[(part + 1) % kParts] + 1;
        },
        &sums);
    std::swap(sums.before, sums.after);
  }
  for (std::int64_t sum : sums.before) CHECK(sum == kSteps);
}

TEST_CASE("threads that sleep are woken, and those that are late harm nobody") {
  const Threads set(3);
  for (int turn = 0; turn < 50; ++turn) {
    Counts counts(5);
    run_parts(5, 5, Counts::count, &counts);
    if (turn % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(20 * turn));
    CHECK(counts.is_all(1));
  }
}

TEST_CASE("no two threads that share parts have the same number, and there are no more of them than were asked for") {
  const Threads set(8);
  struct Rooms {
    std::atomic<int> inside[3] = {};
    std::atomic<int> crowded{0}, strange{0};
  } rooms;
  for (int turn = 0; turn < 2000; ++turn)
    run_parts(
        16, 3,
        [](void* given, std::int64_t, std::int64_t thread) {
          auto& rooms = *static_cast<Rooms*>(given);
          if (thread < 0 || thread >= 3) {
            ++rooms.strange;
            return;
          }
          rooms.crowded += rooms.inside[thread].fetch_add(1) != 0;
          rooms.inside[thread].fetch_sub(1);
        },
        &rooms);
  CHECK(rooms.strange == 0);
  CHECK(rooms.crowded == 0);
}

TEST_CASE("a part that asks for parts runs them itself") {
  const Threads set(4);
  struct Outer {
    Counts counts{16};
    std::atomic<int> strangers{0};
    std::thread::id own;
  } outer;
  run_parts(
      6, 6,
      [](void* given, std::int64_t, std::int64_t) {
        struct Inner {
          Outer* outer;
          std::thread::id own;
        } inner{static_cast<Outer*>(given), std::this_thread::get_id()};
        run_parts(
            16, 16,
            [](void* given, std::int64_t part, std::int64_t thread) {
              auto& inner = *static_cast<Inner*>(given);
              Counts::count(&inner.outer->counts, part, thread);
              inner.outer->strangers += inner.own != std::this_thread::get_id();
            },
            &inner);
      },
      &outer);
  CHECK(outer.counts.is_all(6));
  CHECK(outer.strangers == 0);
}

TEST_CASE("several callers at once each have their parts run") {
  const Threads set(3);
  Counts counts(32);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      for (int turn = 0; turn < 500; ++turn) run_parts(32, 32, Counts::count, &counts);
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(counts.is_all(2000));
}

TEST_CASE("a child of fork has threads of its own") {
  const Threads set(3);
  Counts counts(32);
  run_parts(32, 32, Counts::count, &counts);
  const pid_t child = fork();
  if (child == 0) {
    Counts own(32);
    run_parts(32, 32, Counts::count, &own);
    _exit(own.is_all(1) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  run_parts(32, 32, Counts::count, &counts);
  CHECK(counts.is_all(2));
}

TEST_CASE("by itself it takes the processors that the process may use") {
  CHECK(threads() >= 1);
  const Threads set(5);
  CHECK(threads() == 5);
}

}  // namespace bpc::runtime
