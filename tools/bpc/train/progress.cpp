#include "tools/bpc/train/progress.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/number_text.h"
#include "tools/bpc/terminal.h"

namespace bpc::tool {

namespace {

constexpr std::int64_t kLinesThatStay = 20, kLinesOfFile = 100;
constexpr double kSecondsBetweenDraws = 0.1, kSecondsBetweenLines = 10;
constexpr std::size_t kCurve = 16;  // blocks

// "loss", "accuracy", "validation loss": the columns of an epoch.
std::vector<std::pair<std::string, double>> columns(const Trainer& trainer, const Epoch& epoch) {
  std::vector<std::pair<std::string, double>> found;
  for (std::size_t i = 0; i < epoch.training.size(); ++i) found.emplace_back(trainer.measured()[i], epoch.training[i]);
  for (std::size_t i = 0; i < epoch.validation.size(); ++i) found.emplace_back("validation " + trainer.measured()[i], epoch.validation[i]);
  return found;
}

std::string counted(std::int64_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

std::string short_number(double value) {
  return fmt::format("{:.5g}", value);
}

std::string curve_text(const std::vector<double>& numbers, std::size_t most) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<double> means;
  const std::size_t count = std::min(most, numbers.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = i * numbers.size() / count, to = (i + 1) * numbers.size() / count;
    double sum = 0;
    for (std::size_t k = from; k < to; ++k) sum += numbers[k];
    if (const double mean = sum / static_cast<double>(to - from); std::isfinite(mean)) means.push_back(mean);
  }
  if (means.empty()) return {};
  const auto [least, largest] = std::ranges::minmax(means);
  std::string text;
  for (const double mean : means) {
    const double part = largest > least ? (mean - least) / (largest - least) : 0;
    text += kBlocks[static_cast<std::size_t>(part * (std::size(kBlocks) - 1) + 0.5)];
  }
  return text;
}

std::string duration_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", 1000 * seconds);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  return whole < 3600 ? fmt::format("{} min {} s", whole / 60, whole % 60) : fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(const Trainer& trainer)
    : trainer_(trainer), is_terminal_(trainer.processes() == 1 && terminal_width() > 0) {  // what mpirun hands on looks like one
  epochs_ = (trainer.steps() + trainer.steps_per_epoch() - 1) / trainer.steps_per_epoch();
  shown_every_ = std::max<std::int64_t>(1, is_terminal_ ? epochs_ / kLinesThatStay : (epochs_ + kLinesOfFile - 1) / kLinesOfFile);
}

void Progress::begin(const std::string& folder, std::int64_t done_steps) {
  const frontend::Training& settings = trainer_.settings();
  print("{} ({}) by {}", counted(static_cast<std::int64_t>(trainer_.learned_params()), "param"),
        counted(trainer_.learned_numbers(), "number"), settings.optimizer);
  if (settings.schedule != "constant") print(", {}", settings.schedule);
  if (!settings.rows.empty()) {
    print("; {} in batches of {}", counted(trainer_.rows(), "row"), trainer_.batch());
    if (trainer_.validation_rows() > 0) print(", {} to validate", trainer_.validation_rows());
    if (trainer_.validation_rows() == 0 && settings.validation.is_any()) put(", none to validate");
  }
  print("; {}", counted(epochs_, "epoch"));
  if (trainer_.processes() > 1) print("; {} processes", trainer_.processes());
  put("\n");
  std::vector<std::string> unsaid;
  if (!settings.given.contains(frontend::Setting::optimizer)) unsaid.push_back("optimizer");
  if (!settings.rows.empty() && !settings.given.contains(frontend::Setting::batch)) unsaid.push_back("batch");
  if (!settings.given.contains(frontend::Setting::epochs) && !settings.given.contains(frontend::Setting::steps)) unsaid.push_back("epochs");
  if (!unsaid.empty()) put(fmt::format("(not set, so chosen: {})\n", fmt::join(unsaid, ", ")));
  if (done_steps > 0) print("going on after step {} from {}\n", done_steps, folder);
}

std::string Progress::line(const Epoch& epoch) const {
  const int width = static_cast<int>(std::to_string(epochs_).size());
  std::string text = fmt::format("epoch {:>{}}/{}", epoch.number, width, epochs_);
  for (const auto& [name, value] : columns(trainer_, epoch)) text += fmt::format("  {} {:<9}", name, short_number(value));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

void Progress::epoch(const Epoch& epoch, bool is_last) {
  const bool stays = is_last || epoch.number % shown_every_ == 0 || epoch.number == 1;
  const auto now = std::chrono::steady_clock::now();
  losses_.push_back(epoch.validation.empty() ? epoch.training[0] : epoch.validation[0]);
  if (!is_terminal_) {
    unsaid_.clear();
    if (!stays && std::chrono::duration<double>(now - drawn_).count() < kSecondsBetweenLines) {
      unsaid_ = line(epoch) + "\n";
      return;
    }
    drawn_ = now;
    print("{}\n", line(epoch));
    return;
  }
  if (!stays && std::chrono::duration<double>(now - drawn_).count() < kSecondsBetweenDraws) return;
  drawn_ = now;
  const std::string text = line(epoch);
  print("\r\x1b[K{}", text);
  const std::size_t width = terminal_width();
  if (!stays && epoch.seconds > 1 && text.size() < width) put(outlook(epoch, width - text.size()));
  is_open_ = !stays;
  if (stays) put("\n");
  flush_results();
}

std::string Progress::outlook(const Epoch& epoch, std::size_t room) const {
  const double of_each = epoch.seconds / static_cast<double>(losses_.size());
  std::string text = fmt::format("  {} left", duration_text(of_each * static_cast<double>(epochs_ - epoch.number)));
  if (!trainer_.settings().rows.empty()) text += fmt::format(", {:.3g} rows/s", static_cast<double>(trainer_.rows()) / of_each);
  if (text.size() >= room) return {};
  return room > text.size() + kCurve + 2 ? "  " + curve_text(losses_, kCurve) + text : text;
}

void Progress::end() {
  if (is_open_) put("\n");
  is_open_ = false;
  put(std::exchange(unsaid_, {}));
}

std::string log_text(const std::string& path, const Trainer& trainer, const std::vector<Epoch>& history) {
  const bool is_csv = path.ends_with(".csv");
  std::string text;
  for (const Epoch& epoch : history) {
    nlohmann::ordered_json row{{"epoch", epoch.number}, {"step", epoch.step}};
    for (const auto& [name, value] : columns(trainer, epoch))
      row[name] = std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(runtime::number_text(value));
    row["seconds"] = std::round(epoch.seconds * 1e6) / 1e6;
    if (!is_csv) {
      text += row.dump() + "\n";
      continue;
    }
    std::string names, cells;
    for (const auto& [name, value] : row.items()) {
      names += fmt::format("{}{}", names.empty() ? "" : ",", name);
      cells += fmt::format("{}{}", cells.empty() ? "" : ",", value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (text.empty()) text = names + "\n";
    text += cells + "\n";
  }
  return text;
}

}  // namespace bpc::tool
