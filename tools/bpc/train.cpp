// `bpc train`: learns the params of a script from data, and keeps them.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "runtime/io/write_file.h"
#include "runtime/pool.h"
#include "tools/bpc/guard.h"
#include "tools/bpc/train/advice.h"
#include "tools/bpc/train/checkpoint.h"
#include "tools/bpc/train/plot.h"
#include "tools/bpc/train/png.h"
#include "tools/bpc/train/progress.h"
#include "tools/bpc/train/tensorboard.h"

namespace bpc::tool {

namespace {

using Clock = std::chrono::steady_clock;

// What is learned is kept this often, and in the end: writing takes longer than a small epoch.
constexpr double kSecondsBetweenKeeps = 2;
constexpr std::size_t kMostEpochs = 10'000;  // of the history

// What judges epochs.
struct Watch {
  std::size_t column = 0;  // of Trainer::measured()
  bool validation = false, more_is_better = false;

  Watch(const Trainer& trainer, const std::optional<frontend::Patience>& patience) {
    constexpr std::string_view kValidation = "validation ";
    std::string_view name = patience ? std::string_view(patience->on) : "loss";
    validation = patience ? name.starts_with(kValidation) : trainer.validation_rows() > 0;
    if (name.starts_with(kValidation)) name.remove_prefix(kValidation.size());
    column = static_cast<std::size_t>(std::ranges::find(trainer.measured(), name) - trainer.measured().begin());
    more_is_better = name == "accuracy" || name == "r2";
  }
  double of(const Epoch& epoch) const { return (validation ? epoch.validation : epoch.training)[column]; }
  bool is_better(const Epoch& epoch, const std::optional<Epoch>& best) const {
    const double mine = of(epoch);
    if (std::isnan(mine)) return false;
    return !best || (more_is_better ? mine > of(*best) : mine < of(*best));
  }
  std::string text(const Trainer& trainer) const {
    return fmt::format("{}{}", validation ? "validation " : "", trainer.measured()[column]);
  }
};

bool is_log(const std::string& path) {
  return path.ends_with(".csv") || path.ends_with(".jsonl");
}

class Training {
 public:
  Training(Session& session, Trainer& trainer, Processes* processes)
      : session_(session),
        trainer_(trainer),
        processes_(processes),
        folder_(session, trainer, session.options.save),
        progress_(trainer),
        watch_(trainer, trainer.settings().stop) {}

  int run() {
    const bool is_ready = !is_first() || prepare();
    if (processes_ && processes_->first_to_fail(is_ready) >= 0) return leave(true);
    if (!is_ready) return session_.finish();
    if (!trainer_.share_state()) return leave(false);
    if (is_first()) progress_.begin(folder_.path(), trainer_.step());
    session_.report();
    good_.state = trainer_.state();
    kept_ = Clock::now();
    const Trainer::End end = trainer_.run([&](const Epoch& epoch) { return epoch_is_over(epoch); }, [&] { return step_is_over(); });
    if (is_first()) {
      progress_.end();
      if (end == Trainer::End::done || end == Trainer::End::stopped) advise(session_, trainer_);
      const bool is_whole = end != Trainer::End::diverged && end != Trainer::End::failed;
      if (is_whole && !cannot_keep_) keep();
      conclude(end);
    }
    const bool is_interrupted = end == Trainer::End::interrupted && !cannot_keep_;
    // All know of an end that a step has told them of; a process that is gone, and a validation that failed in one, they do not.
    const int code = leave(end != Trainer::End::lost && !(end == Trainer::End::failed && session_.diagnostics.has_errors()));
    return is_interrupted ? kInterrupted : code;
  }

 private:
  bool is_first() const { return !processes_ || processes_->is_first(); }

  bool prepare() {
    if (session_.options.resume && !resume()) return false;
    return folder_.prepare() && prepare_events() && write_log();
  }

  int leave(bool is_agreed) {
    const int code = session_.finish();
    return processes_ ? processes_->leave(code, is_agreed) : code;
  }

  void conclude(Trainer::End end) {
    switch (end) {
      case Trainer::End::diverged:
        return diverged();
      case Trainer::End::interrupted:
        flush_results();
        say(fmt::format("interrupted after step {}; `--resume` goes on from {}\n", trainer_.step(), folder_.path()));
        return;
      case Trainer::End::lost:
        session_.diagnostics
            .error(Code::E0514, {},
                   fmt::format("a process is gone; what was learned until step {} is in {}", trainer_.step(), folder_.path()))
            .with_help("`--resume` goes on from there, with any number of processes");
        return;
      case Trainer::End::stopped:
      case Trainer::End::done:
        if (!cannot_keep_) say_what_is_kept(end == Trainer::End::stopped);
        return;
      case Trainer::End::failed:
        return;
    }
  }

  bool resume() {
    auto saved = folder_.read_last();
    if (!saved) return false;
    trainer_.restore(saved->state);
    good_ = std::move(*saved);
    if (trainer_.step() >= trainer_.steps()) say(fmt::format("all {} steps are done; more `epochs` would go on\n", trainer_.steps()));
    return true;
  }

  // All that shows the history.
  bool write_log() {
    const Options& options = session_.options;
    const auto write = [&](const std::string& file, const std::string& text) {
      return runtime::write_file(file, text, session_.diagnostics);
    };
    return (options.log.empty() || write(options.log, log_text(options.log, trainer_, good_.history))) &&
           (options.plot.empty() || write(options.plot, picture())) &&
           (events_.empty() || write(events_, event_file(trainer_.measured(), good_.history, start_)));
  }

  std::string picture() const {
    const std::string svg = plot_svg(trainer_.measured(), good_.history);
    return session_.options.plot.ends_with(".png") ? png_of(svg) : svg;
  }

  // The event file of this training, named as TensorBoard expects, in a folder that is there. False: E0507.
  bool prepare_events() {
    const std::string& folder = session_.options.tensorboard;
    if (folder.empty()) return true;
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    events_ = fmt::format("{}/events.out.tfevents.{}.bpc.{}", folder, static_cast<std::int64_t>(start_), getpid());
    if (!problem) return true;
    session_.diagnostics.error(Code::E0507, {}, fmt::format("cannot make the folder {}: {}", folder, problem.message()));
    return false;
  }

  // An epoch that was cut off and went on is one. Of very many, every second one is dropped whenever there are too many to keep.
  void record(const Epoch& epoch) {
    std::vector<Epoch>& history = good_.history;
    if (!history.empty() && history.back().number == epoch.number) history.pop_back();
    const std::int64_t stride = history.size() > 1 ? history[1].number - history[0].number : 1;
    const bool is_last = trainer_.step() == trainer_.steps();
    if (epoch.number % stride == 0 || is_last) history.push_back(epoch);
    if (history.size() > kMostEpochs) std::erase_if(history, [&](const Epoch& old) { return old.number % (2 * stride) != 0; });
  }

  bool epoch_is_over(const Epoch& epoch) {
    record(epoch);
    const bool is_better = watch_.is_better(epoch, good_.best);
    if (is_better) {
      good_.best = epoch;
      best_is_new_ = true;
      if (watch_.validation) best_params_ = own_copy(trainer_.params());
    }
    const auto& stop = trainer_.settings().stop;
    const bool is_over = stop && good_.best && epoch.number - good_.best->number >= stop->epochs;
    progress_.epoch(epoch, is_over || trainer_.step() == trainer_.steps());
    if (is_first_epoch_) advise_now();
    is_first_epoch_ = false;
    return !is_over && keep_if_due();
  }

  // What there is to say is said at once: a long training need not be waited for.
  void advise_now() {
    const std::size_t before = session_.diagnostics.all().size();
    advise(session_, trainer_);
    if (session_.diagnostics.all().size() == before) return;
    progress_.end();
    session_.report();
  }

  bool step_is_over() { return !stop_requested() && (trainer_.step() % trainer_.steps_per_epoch() == 0 || keep_if_due()); }

  bool keep_if_due() {
    if (std::chrono::duration<double>(Clock::now() - kept_).count() < kSecondsBetweenKeeps) return true;
    return keep();
  }

  bool keep() {
    good_.state = trainer_.state();
    kept_ = Clock::now();
    bool ok = folder_.keep_last(good_);
    if (ok && best_is_new_ && watch_.validation) ok = folder_.keep_best(best_params_, *good_.best);
    ok = ok && write_log();
    best_is_new_ &= !ok;
    cannot_keep_ |= !ok;
    return ok;
  }

  static Tensors own_copy(Tensors tensors) {
    for (auto& [name, tensor] : tensors) tensor.raw();  // no longer shared with what a step writes to
    return tensors;
  }

  void diverged() {
    const bool is_kept = good_.state.step > 0;
    trainer_.explain_divergence(
        good_.state, fmt::format("a smaller rate `lr`, or `clip = 1`, keeps steps short{}",
                                 is_kept ? fmt::format("; the params of step {} are in {}", good_.state.step, folder_.path()) : ""));
  }

  void say_what_is_kept(bool early) {
    if (early)
      print("stopped: for {} epochs, no {} was better than {} of epoch {}\n", trainer_.settings().stop->epochs, watch_.text(trainer_),
            short_number(watch_.of(*good_.best)), good_.best->number);
    if (watch_.validation && good_.best)
      print("kept in {}: best.safetensors, of epoch {} ({} {}), and last.safetensors\n", folder_.path(), good_.best->number,
            watch_.text(trainer_), short_number(watch_.of(*good_.best)));
    else
      print("kept in {}: last.safetensors\n", folder_.path());
  }

  Session& session_;
  Trainer& trainer_;
  Processes* processes_;
  Folder folder_;
  Progress progress_;
  Watch watch_;
  SavedTraining good_;  // as it was kept last, but for the history and the best, which are of now
  Tensors best_params_;
  bool best_is_new_ = false, cannot_keep_ = false, is_first_epoch_ = true;
  std::string events_;  // the file for TensorBoard, or empty
  double start_ = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  Clock::time_point kept_;
};

// Each of several processes has its part of the processors, and the first one speaks for all.
Options of_process(Options options, const Processes& processes) {
  if (options.threads == 0) runtime::set_threads(std::max(1, runtime::threads() / processes.here()));
  options.quiet |= !processes.is_first();
  return options;
}

int train(const Options& options, Processes* processes) {
  Session session(options);
  if (!options.log.empty() && !is_log(options.log))
    session.diagnostics.error(Code::E0510, {}, fmt::format("`--log {}` names no .csv or .jsonl file", options.log));
  if (!options.plot.empty() && !options.plot.ends_with(".svg") && !options.plot.ends_with(".png"))
    session.diagnostics.error(Code::E0510, {}, fmt::format("`--plot {}` names no .svg or .png file", options.plot));
  std::unique_ptr<Trainer> trainer;
  if (!session.diagnostics.has_errors()) trainer = Trainer::make(session, options.files.front(), processes);
  if (processes) {
    const int failed = processes->first_to_fail(trainer != nullptr);
    if (failed >= 0) return processes->leave(failed == processes->rank() ? session.finish() : exit_code(session.diagnostics), true);
  }
  if (!trainer) return session.finish();
  finish_step_on_interrupt();
  return Training(session, *trainer, processes).run();
}

}  // namespace

int train_command(const Options& options) {
  const std::unique_ptr<Processes> processes = Processes::join();
  return processes ? train(of_process(options, *processes), processes.get()) : train(options, nullptr);
}

}  // namespace bpc::tool
