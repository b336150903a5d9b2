#include "tools/bpc/profile.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/peak.h"
#include "runtime/pool.h"
#include "tools/bpc/table.h"

namespace bpc::tool {

namespace {

using Json = nlohmann::ordered_json;
using runtime::StepReport;

constexpr double kBusy = 0.5;       // of what a copy moves: memory bounds it
constexpr double kIdle = 0.1;       // of either limit: it waits
constexpr double kShortest = 2e-6;  // seconds, of which starting is a good part

double share(const Limits& limits, double operations, double bytes, double seconds) {
  return std::max(operations / limits.operations, bytes / limits.bytes) / seconds;
}

// memory: it moves at least half of what a copy does in that time. latency: it is too short for what starting takes, or reaches a tenth of
// neither limit, since each turn waits for the one before or for a gather. compute: anything else. The library counts no operations.
const char* bound(const StepReport& step, const Limits& limits) {
  const double seconds = step.seconds / static_cast<double>(step.runs);
  if (seconds < kShortest) return "latency";
  if (step.bytes / seconds >= kBusy * limits.bytes) return "memory";
  return step.operations > 0 && share(limits, step.operations, step.bytes, seconds) < kIdle ? "latency" : "compute";
}

// The author's lines, "3, 7"; with the name of the file for those of another one than the first.
std::vector<std::string> lines_of(const StepReport& step, const SourceMap& sources) {
  std::set<std::pair<FileId, std::uint32_t>> lines;
  for (const std::vector<Span>& place : step.places) {
    const Span own = sources.authors_place(place.front(), std::span(place).subspan(1));
    if (own.valid()) lines.emplace(own.file, own.line);
  }
  std::vector<std::string> texts;
  for (const auto& [file, line] : lines)
    texts.push_back(file == 0 ? std::to_string(line) : fmt::format("{}:{}", sources.file(file).path, line));
  return texts;
}

std::vector<StepReport> by_time(std::vector<StepReport> steps) {
  std::erase_if(steps, [](const StepReport& step) { return step.runs == 0; });
  std::stable_sort(steps.begin(), steps.end(), [](const StepReport& a, const StepReport& b) { return a.seconds > b.seconds; });
  return steps;
}

}  // namespace

Limits limits(Element element) {
  const runtime::Peak& peak = runtime::peak();
  return {runtime::threads() * (element == Element::f64 ? peak.operations_f64 : peak.operations_f32), peak.bytes};
}

Element real_of(const ir::Function& main) {
  const bool is_f64 = !main.outputs.empty() && main.type(main.outputs[0].value).element == Element::f64;
  return is_f64 ? Element::f64 : Element::f32;
}

std::string time_text(double seconds) {
  for (const auto& [unit, name] : {std::pair{1.0, "s"}, {1e-3, "ms"}, {1e-6, "µs"}})
    if (seconds >= unit) return fmt::format("{:.3g} {}", seconds / unit, name);
  return fmt::format("{:.3g} ns", seconds * 1e9);
}

std::string rate_text(double amount, double seconds) {
  return amount > 0 ? fmt::format("{:.3g}", amount / seconds * 1e-9) : "-";
}

std::string share_text(const Limits& limits, double operations, double bytes, double seconds) {
  return operations > 0 || bytes > 0 ? fmt::format("{:.0f} %", 100 * share(limits, operations, bytes, seconds)) : "-";
}

void print_profile(const Profile& profile, const Limits& limits, const SourceMap& sources, bool json) {
  const std::vector<StepReport> steps = by_time(profile.steps);
  const auto repeats = static_cast<double>(profile.repeats);
  if (json) {
    Json all = Json::array();
    for (const StepReport& step : steps)
      all.push_back({{"what", step.what},
                     {"lines", lines_of(step, sources)},
                     {"runs", static_cast<double>(step.runs) / repeats},
                     {"seconds", step.seconds / repeats},
                     {"operations", step.operations},
                     {"bytes", step.bytes},
                     {"bound", bound(step, limits)}});
    return print("{}\n", Json{{"run", profile.run}, {"steps", std::move(all)}}.dump());
  }
  std::vector<std::vector<std::string>> table{{"", "time", "runs", "each", "GF/s", "GB/s", "of peak", "bound by", "lines, step"}};
  double rest = profile.run;
  for (const StepReport& step : steps) {
    const double each = step.seconds / static_cast<double>(step.runs), time = step.seconds / repeats;
    rest -= time;
    table.push_back({fmt::format("{:.0f} %", 100 * time / profile.run), time_text(time),
                     fmt::format("{:.4g}", static_cast<double>(step.runs) / repeats), time_text(each), rate_text(step.operations, each),
                     rate_text(step.bytes, each), share_text(limits, step.operations, step.bytes, each), bound(step, limits),
                     fmt::format("{}{}{}", fmt::join(lines_of(step, sources), ", "), step.places.empty() ? "" : ": ", step.what)});
  }
  rest = std::max(rest, 0.0);
  table.push_back({fmt::format("{:.0f} %", 100 * rest / profile.run), time_text(rest), "", "", "", "", "", "",
                   "between these: scalars, loops, copies"});
  print_table(table, LastColumn::words);
}

}  // namespace bpc::tool
