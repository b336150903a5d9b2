#include "runtime/pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <system_error>
#include <thread>

namespace bpc::runtime {

namespace {

constexpr std::int64_t kMostThreads = 1024;
constexpr std::chrono::microseconds kPatience{50};  // before a thread sleeps: about what it takes to wake it

// The processors that the process may run on, and the share of them that its group is given.
int processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  std::ifstream limits("/sys/fs/cgroup/cpu.max");  // "200000 100000": so many microseconds in each period
  double quota = 0, period = 0;
  if (limits >> quota >> period && period > 0) return std::clamp(static_cast<int>(quota / period + 0.5), 1, std::max(allowed, 1));
  return std::max(allowed, 1);
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Looks for some time whether `holds`.
template <class Holds>
bool is_soon(const Holds& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do
    for (int i = 0; i < 16; ++i) {
      if (holds()) return true;
      pause();
    }
  while (std::chrono::steady_clock::now() < end);
  return holds();
}

// Which parts of a job are left to one thread: the job's number (32 bits), the next part and the end (16 bits each). Whoever takes one
// compares and exchanges all of it, so that a thread which is late cannot take a part of a later job for one of its own.
struct Share {
  std::uint64_t job, next, end;
  static Share of(std::uint64_t word) { return {word >> 32, word >> 16 & 0xffff, word & 0xffff}; }
  std::uint64_t word() const { return job << 32 | next << 16 | end; }
};
constexpr std::int64_t kMostParts = 0xffff;

thread_local bool is_in_part = false;

class Pool {
 public:
  void run(std::int64_t count, std::int64_t wanted, Part part, void* argument) {
    if (is_busy_.exchange(true, std::memory_order_acquire)) return run_alone(count, part, argument);
    const std::int64_t threads = std::min(wanted, grow(wanted - 1) + 1);
    if (threads > 1)
      share(count, threads, part, argument);
    else
      run_alone(count, part, argument);
    is_busy_.store(false, std::memory_order_release);
  }

  static void run_alone(std::int64_t count, Part part, void* argument) {
    for (std::int64_t i = 0; i < count; ++i) part(argument, i, 0);
  }

 private:
  // Gives the number of threads beside the caller.
  std::int64_t grow(std::int64_t wanted) {
    if (workers_ >= wanted) return workers_;
    sigset_t all, before;  // signals are for the threads that were there
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; workers_ < wanted; ++workers_)
        std::thread([this, own = workers_ + 1, seen = job_.load()]() mutable { work(own, seen); }).detach();
    } catch (const std::system_error&) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return workers_;
  }

  void share(std::int64_t count, std::int64_t threads, Part part, void* argument) {
    const std::uint32_t job = job_.load(std::memory_order_relaxed) + 1;
    part_.store(part, std::memory_order_relaxed);
    argument_.store(argument, std::memory_order_relaxed);
    threads_.store(threads, std::memory_order_relaxed);
    left_.store(count, std::memory_order_relaxed);
    for (std::int64_t i = 0; i < threads; ++i) {
      const Share share{job, static_cast<std::uint64_t>(i * count / threads), static_cast<std::uint64_t>((i + 1) * count / threads)};
      shares_[static_cast<std::size_t>(i)].word.store(share.word(), std::memory_order_release);
    }
    job_.store(job);
    if (sleepers_.load() > 0) {
      const std::lock_guard lock(mutex_);
      wake_.notify_all();
    }
    is_in_part = true;
    take_parts(job, 0);
    is_in_part = false;
    const auto is_done = [&] { return left_.load(std::memory_order_acquire) == 0; };
    if (is_soon(is_done)) return;
    std::unique_lock lock(mutex_);
    waits_.store(true);
    done_.wait(lock, [&] { return left_.load() == 0; });
    waits_.store(false);
  }

  // Those of its own, then what others have not begun, from the last of the threads on, which is the last to be woken.
  void take_parts(std::uint32_t job, std::int64_t own) {
    const auto part = part_.load(std::memory_order_relaxed);
    void* const argument = argument_.load(std::memory_order_relaxed);
    const std::int64_t threads = threads_.load(std::memory_order_relaxed);
    if (own >= threads) return;
    std::int64_t taken = 0;
    for (std::int64_t i = 0; i < threads; ++i) {
      std::atomic<std::uint64_t>& word = shares_[static_cast<std::size_t>((own + threads - i) % threads)].word;
      for (std::uint64_t seen = word.load(std::memory_order_acquire);;) {
        Share share = Share::of(seen);
        if (share.job != job || share.next == share.end) break;
        const std::uint64_t index = share.next++;
        if (!word.compare_exchange_weak(seen, share.word(), std::memory_order_acq_rel, std::memory_order_acquire)) continue;
        part(argument, static_cast<std::int64_t>(index), own);
        ++taken;
        seen = word.load(std::memory_order_acquire);
      }
    }
    if (taken == 0 || left_.fetch_sub(taken) != taken || !waits_.load()) return;
    const std::lock_guard lock(mutex_);
    done_.notify_one();
  }

  void work(std::int64_t own, std::uint32_t seen) {
    is_in_part = true;
    for (;;) {
      if (!is_soon([&] { return job_.load(std::memory_order_acquire) != seen; })) {
        std::unique_lock lock(mutex_);
        ++sleepers_;
        wake_.wait(lock, [&] { return job_.load() != seen; });
        --sleepers_;
      }
      seen = job_.load(std::memory_order_acquire);
      take_parts(seen, own);
    }
  }

  struct alignas(64) Word {
    std::atomic<std::uint64_t> word{0};
  };
  // The job at hand. A thread that is late may read what belongs to a later one, but then it finds no part to take.
  std::atomic<Part> part_{nullptr};
  std::atomic<void*> argument_{nullptr};
  std::atomic<std::int64_t> threads_{0};
  alignas(64) std::atomic<std::uint32_t> job_{0};
  alignas(64) std::atomic<std::int64_t> left_{0};  // parts that are not done
  std::array<Word, kMostThreads> shares_;

  std::atomic<bool> is_busy_{false};
  std::int64_t workers_ = 0;  // threads that were made; only who made it busy looks
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<int> sleepers_{0};
  std::atomic<bool> waits_{false};  // the caller sleeps
};

std::atomic<int> wanted_threads{0};
std::atomic<Pool*> the_pool{nullptr};

// Lives as long as the process: its threads may sleep in it to the end. A child of `fork` has none of them, and begins anew.
Pool& pool() {
  static const bool made = [] {
    the_pool = new Pool;
    pthread_atfork(nullptr, nullptr, [] { the_pool = new Pool; });
    return true;
  }();
  (void)made;
  return *the_pool.load(std::memory_order_relaxed);
}

}  // namespace

void set_threads(int count) {
  wanted_threads = std::min(count, static_cast<int>(kMostThreads));
}

int threads() {
  static const int all = processors();
  const int wanted = wanted_threads.load(std::memory_order_relaxed);
  return wanted > 0 ? wanted : all;
}

void run_parts(std::int64_t count, std::int64_t most, Part part, void* argument) {
  const std::int64_t wanted = std::min({static_cast<std::int64_t>(threads()), count, most});
  if (wanted <= 1 || is_in_part || count > kMostParts) return Pool::run_alone(count, part, argument);
  pool().run(count, wanted, part, argument);
}

}  // namespace bpc::runtime
