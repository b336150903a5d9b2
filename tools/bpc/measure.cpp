#include "tools/bpc/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "backend/interpreter/interpreter.h"
#include "ir/part.h"
#include "ir/rewrite.h"

namespace bpc::tool {

namespace {

using runtime::Tensor;

constexpr double kWarmUp = 0.1, kBudget = 1;       // seconds, of all subjects together
constexpr double kShortest = 50e-6;                // seconds; quicker runs are timed several at a time
constexpr std::size_t kFewest = 5, kMost = 10000;  // repeats that suit the budget

bool has_gradient(const ir::Function& main) {
  return std::any_of(main.outputs.begin(), main.outputs.end(),
                     [](const ir::Output& output) { return output.kind == ir::Output::Kind::gradient; });
}

std::optional<Subject> find_subject(Session& session, const Script& script, bool gradients) {
  Subject subject{script.module, {}};
  const std::string& loss = script.module.main.loss;
  const ir::Function shown = ir::part(script.module.main, [&](const ir::Output& output) {
    return output.kind == ir::Output::Kind::gradient ? gradients : loss.empty() || output.path == loss;
  });
  subject.module.main = ir::Rewriter(shown).finish([](const ir::Op& op) { return op.code == ir::Opcode::print; });
  if (!expand_gradients(session, subject.module) || !optimize(session, subject.module)) return std::nullopt;
  auto arguments = make_arguments(session, script, subject.main());
  if (!arguments) return std::nullopt;
  subject.arguments = std::move(*arguments);
  return subject;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What all threads of the process have computed, whatever else the machine did meanwhile.
double cpu_now() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

// Sorts. The quantile of share q, between two of the numbers where it falls there.
double quantile(std::vector<double>& numbers, double q) {
  std::sort(numbers.begin(), numbers.end());
  const double place = q * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, numbers.size() - 1);
  return numbers[below] + (numbers[above] - numbers[below]) * (place - static_cast<double>(below));
}

// One subject being timed.
class Stopwatch {
 public:
  Stopwatch(Session& session, const Subject& subject, bool times = false)
      : session_(session), arguments_(subject.arguments), options_(run_options(session.options, {})) {
    const double start = now();
    executable_ = make_executable(session, subject.main(), times);
    compiling_ = now() - start;
    // Results go to the same memory each time, as those of a training step do: what is timed has no pages to wait for.
    for (const Tensor& argument : arguments_) inputs_.push_back(argument.raw());
    for (const runtime::Port& port : executable_->signature().outputs) {
      results_.push_back(port.donor ? arguments_[*port.donor] : Tensor(port.type));
      outputs_.push_back(results_.back().raw());
      if (port.donor) inputs_[*port.donor] = outputs_.back();
    }
  }

  // Seconds of one run, the mean of as many as warm_up found; nullopt when it failed.
  std::optional<double> run() {
    const double start = now();
    for (std::size_t i = 0; i < runs_; ++i)
      if (!succeeded(session_, executable_->call(inputs_, outputs_, options_))) return std::nullopt;
    return (now() - start) / static_cast<double>(runs_);
  }

  bool measure() {
    const double start = cpu_now();
    const std::optional<double> taken = run();
    if (!taken) return false;
    cpu_.push_back((cpu_now() - start) / static_cast<double>(runs_));
    seconds_.push_back(*taken);
    return true;
  }

  Timing timing() {
    const double median = quantile(seconds_, 0.5);
    const double spread = (quantile(seconds_, 0.75) - quantile(seconds_, 0.25)) / median;
    return {seconds_.size(), median, seconds_.front(), spread, quantile(cpu_, 0.5), compiling_, executable_->costs()};
  }

  const runtime::Executable& executable() const { return *executable_; }
  std::size_t runs() const { return runs_; }  // of one measurement

  // Runs for some time, and decides how many runs to time at once. Gives what a measurement will take, in seconds.
  std::optional<double> warm_up(double seconds) {
    double fastest = std::numeric_limits<double>::infinity();
    for (double spent = 0; spent < seconds;) {
      const std::optional<double> taken = run();
      if (!taken) return std::nullopt;
      fastest = std::min(fastest, *taken);
      spent += *taken;
    }
    runs_ = fastest < kShortest ? static_cast<std::size_t>(std::ceil(kShortest / std::max(fastest, 1e-9))) : 1;
    return fastest * static_cast<double>(runs_);
  }

 private:
  Session& session_;
  const std::vector<Tensor>& arguments_;
  runtime::RunOptions options_;
  std::unique_ptr<runtime::Executable> executable_;
  std::vector<Tensor> results_;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
  double compiling_ = 0;
  std::vector<double> seconds_, cpu_;  // of each measurement
  std::size_t runs_ = 1;
};

}  // namespace

std::optional<Subjects> find_subjects(Session& session, const Script& script) {
  std::optional<Subject> value = find_subject(session, script, false);
  if (!value) return std::nullopt;
  if (!has_gradient(script.module.main)) return Subjects{std::move(*value), std::nullopt};
  std::optional<Subject> gradient = find_subject(session, script, true);
  if (!gradient) return std::nullopt;
  return Subjects{std::move(*value), std::move(*gradient)};
}

std::optional<std::vector<Timing>> measure_time(Session& session, const std::vector<const Subject*>& subjects) {
  session.begin("compile");
  std::vector<Stopwatch> watches;
  for (const Subject* subject : subjects) watches.emplace_back(session, *subject);
  session.begin("run");
  double each = 0;
  for (Stopwatch& watch : watches) {
    const std::optional<double> seconds = watch.warm_up(kWarmUp / static_cast<double>(watches.size()));
    if (!seconds) return std::nullopt;
    each += *seconds;
  }
  const auto fitting = static_cast<std::size_t>(std::min(kBudget / each, static_cast<double>(kMost)));
  const std::size_t repeats = session.options.repeats > 0 ? static_cast<std::size_t>(session.options.repeats) : std::max(fitting, kFewest);
  for (std::size_t repeat = 0; repeat < repeats; ++repeat)
    for (Stopwatch& watch : watches)
      if (!watch.measure()) return std::nullopt;
  std::vector<Timing> timings;
  for (Stopwatch& watch : watches) timings.push_back(watch.timing());
  return timings;
}

std::optional<Profile> measure_profile(Session& session, const Subject& subject) {
  session.begin("compile");
  Stopwatch watch(session, subject, true);
  session.begin("run");
  const std::optional<double> each = watch.warm_up(kWarmUp);
  if (!each) return std::nullopt;
  const std::vector<runtime::StepReport> before = watch.executable().profile();
  const auto fitting = static_cast<std::size_t>(std::clamp(kBudget / *each, static_cast<double>(kFewest), static_cast<double>(kMost)));
  const std::size_t repeats = session.options.repeats > 0 ? static_cast<std::size_t>(session.options.repeats) : fitting;
  for (std::size_t repeat = 0; repeat < repeats; ++repeat)
    if (!watch.measure()) return std::nullopt;
  Profile profile{watch.timing().median, repeats * watch.runs(), watch.executable().profile()};
  for (std::size_t i = 0; i < before.size(); ++i) {
    profile.steps[i].runs -= before[i].runs;
    profile.steps[i].seconds -= before[i].seconds;
  }
  return profile;
}

std::optional<Work> measure_work(Session& session, const Subject& subject) {
  backend::Counter counter(subject.main());
  const auto executable = backend::interpret(subject.main(), {}, &counter);
  Tensor::reset_peak();
  const std::size_t before = Tensor::live_bytes();
  if (!execute(session, *executable, subject.arguments, run_options(session.options, {}))) return std::nullopt;
  return Work{counter.operations(), Tensor::peak_bytes() - before};
}

}  // namespace bpc::tool
