#include "tools/bpc/guard.h"

#include "tools/bpc/output.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <new>
#include <thread>

#include "runtime/executable.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

namespace {

constexpr double kGraceSeconds = 0.2;        // for what heeds the flag to come to its end
constexpr std::size_t kReserve = 256 << 10;  // bytes, given back so that there is memory to say that there is none

std::atomic<const char*> stage{"start"};
sem_t wake;  // posted by Ctrl-C
const Options* talk = nullptr;
std::unique_ptr<char[]> reserve;

std::atomic<bool> is_gentle{false}, is_stop_requested{false};

void on_interrupt(int) {
  if (is_gentle) {
    is_stop_requested = true;
    return;
  }
  runtime::interrupt_requested = true;
  sem_post(&wake);
}

// Of a file that is mapped.
void on_missing_page(int) {
  end_with_error(Code::E0502, "a data file became shorter while it was read", "write to another file, and rename that");
}

// Ends the process under the feet of all its threads. Whoever is printing right now is waiting for a reader, and loses no more than that.
[[noreturn]] void end(int code) {
  flush_what_is_free();
  _exit(code);
}

[[noreturn]] void end_with(int exit_code, Code code, const std::string& message, const std::string& help) {
  Diagnostics diagnostics;
  diagnostics.error(code, {}, message).with_help(help);
  flush_what_is_free();  // keep the order on a terminal
  say(diagnostic_text(diagnostics.all().front(), {}, talk ? *talk : Options{}));
  end(exit_code);
}

void on_exhausted() {
  if (runtime::MemoryMayRunOut::is_handled()) throw std::bad_alloc();
  end_without_memory();
}

// Sleeps until Ctrl-C; false when `seconds` (0: for ever) are over before.
bool is_woken(double seconds) {
  timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  const double whole = std::floor(seconds);
  until.tv_sec += static_cast<time_t>(whole);
  until.tv_nsec += static_cast<long>((seconds - whole) * 1e9);
  if (until.tv_nsec >= 1'000'000'000) ++until.tv_sec, until.tv_nsec -= 1'000'000'000;
  int result = 0;
  do result = seconds == 0 ? sem_wait(&wake) : sem_clockwait(&wake, CLOCK_MONOTONIC, &until);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

void watch(double max_seconds) {
  if (is_woken(max_seconds)) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kGraceSeconds));
    end(kInterrupted);
  }
  end_with(kWrong, Code::E0410, fmt::format("{} s are over, and the stage `{}` is not done", max_seconds, stage.load()),
           "`--max-seconds` sets the limit");
}

}  // namespace

void finish_step_on_interrupt() {
  is_gentle = true;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);  // what ends jobs of a cluster, and mpirun its processes
}

bool stop_requested() {
  return is_stop_requested.load(std::memory_order_relaxed);
}

void set_stage(const char* name) {
  stage = name;
}

void end_with_error(Code code, const std::string& message, const std::string& help) {
  end_with(kUsage, code, message, help);
}

void end_without_memory() {
  reserve.reset();
  end_with(kWrong, Code::E0406, fmt::format("there is not enough memory: it ran out in the stage `{}`", stage.load()), {});
}

void guard(const Options& options) {
  talk = new Options(options);  // to the end of the process, whose threads do not wait for each other
  reserve = std::make_unique<char[]>(kReserve);
  std::set_new_handler(on_exhausted);
  sem_init(&wake, 0, 0);
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = on_missing_page;
  sigaction(SIGBUS, &action, nullptr);
  std::thread(watch, options.max_seconds).detach();
}

}  // namespace bpc::tool
