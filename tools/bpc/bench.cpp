// `bpc bench`: what a script's value takes, and its value with gradients: time, or scalar operations and memory.
#include <nlohmann/json.hpp>

#include "tools/bpc/measure.h"
#include "tools/bpc/profile.h"
#include "tools/bpc/table.h"

namespace bpc::tool {

namespace {

using Json = nlohmann::ordered_json;

std::string memory_text(std::size_t bytes) {
  for (const auto& [unit, name] : {std::pair{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}})
    if (static_cast<double>(bytes) >= unit) return fmt::format("{:.3g} {}", static_cast<double>(bytes) / unit, name);
  return fmt::format("{} B", bytes);
}

std::string ratio_text(double more, double less) {
  return less == 0 ? "-" : fmt::format("{:.2f}", more / less);
}
Json ratio_json(double more, double less) {
  return less == 0 ? Json() : Json(more / less);
}

void print_timings(const std::vector<Timing>& timings, const Limits& limits) {
  std::vector<std::vector<std::string>> table{
      {"", "median", "spread", "fastest", "CPU", "repeats", "compiling", "GF/s", "GB/s", "of peak", "arena"}};
  for (const Timing& timing : timings) {
    const double operations = timing.costs.operations.value_or(0);
    table.push_back({table.size() == 1 ? "value" : "value + gradient", time_text(timing.median),
                     fmt::format("{:.0f} %", 100 * timing.spread), time_text(timing.fastest), time_text(timing.cpu),
                     std::to_string(timing.repeats), time_text(timing.compiling), rate_text(operations, timing.median),
                     rate_text(timing.costs.bytes, timing.median), share_text(limits, operations, timing.costs.bytes, timing.median),
                     memory_text(timing.costs.arena_bytes)});
  }
  if (timings.size() > 1)
    table.push_back({"ratio", ratio_text(timings[1].median, timings[0].median), "", ratio_text(timings[1].fastest, timings[0].fastest),
                     ratio_text(timings[1].cpu, timings[0].cpu), "", "", "", "", "", ""});
  print_table(table, LastColumn::numbers);
}

Json timings_json(const std::vector<Timing>& timings, const Limits& limits, const Options& options) {
  Json json{{"backend", options.backend == Backend::jit ? "jit" : "interp"}, {"optimization", options.optimization}};
  json["peak"] = {{"operations", limits.operations}, {"bytes", limits.bytes}};
  for (const Timing& timing : timings)
    json[json.contains("value") ? "gradient" : "value"] = {
        {"median", timing.median},
        {"spread", timing.spread},
        {"fastest", timing.fastest},
        {"cpu", timing.cpu},
        {"repeats", timing.repeats},
        {"compiling", timing.compiling},
        {"operations", timing.costs.operations ? Json(*timing.costs.operations) : Json()},
        {"bytes", timing.costs.bytes},
        {"arena_bytes", timing.costs.arena_bytes}};
  if (timings.size() > 1) json["ratio"] = ratio_json(timings[1].median, timings[0].median);
  return json;
}

// The rows of --count.
struct Row {
  const char *name, *key;
  std::uint64_t (*of)(const Work& work);
};
constexpr Row kRows[] = {
    {"elementwise", "elementwise", [](const Work& work) { return work.operations.elementwise; }},
    {"reduced", "reduced", [](const Work& work) { return work.operations.reduced; }},
    {"multiply-adds", "multiply_adds", [](const Work& work) { return work.operations.multiplied; }},
    {"pushed, popped", "taped", [](const Work& work) { return work.operations.taped; }},
    {"accumulated", "accumulated", [](const Work& work) { return work.operations.accumulated; }},
    {"operations", "operations", [](const Work& work) { return work.operations.total(); }},
    {"peak bytes", "peak_bytes", [](const Work& work) -> std::uint64_t { return work.peak_bytes; }},
};

void print_work(const std::vector<Work>& works) {
  std::vector<std::vector<std::string>> table{{"", "value"}};
  if (works.size() > 1) table[0].insert(table[0].end(), {"value + gradient", "ratio"});
  for (const Row& row : kRows) {
    std::vector<std::string>& cells = table.emplace_back(1, row.name);
    for (const Work& work : works) cells.push_back(std::to_string(row.of(work)));
    if (works.size() > 1) cells.push_back(ratio_text(static_cast<double>(row.of(works[1])), static_cast<double>(row.of(works[0]))));
  }
  print_table(table, LastColumn::numbers);
}

Json work_json(const std::vector<Work>& works) {
  Json json;
  for (const Work& work : works) {
    Json counts;
    for (const Row& row : kRows) counts[row.key] = row.of(work);
    json[json.contains("value") ? "gradient" : "value"] = std::move(counts);
  }
  if (works.size() > 1)
    json["ratio"] = ratio_json(static_cast<double>(works[1].operations.total()), static_cast<double>(works[0].operations.total()));
  return json;
}

// Prints, or says why not in the session.
void bench(Session& session, const std::vector<const Subject*>& subjects) {
  const Options& options = session.options;
  if (options.profile && options.backend == Backend::interp) {
    session.diagnostics.error(Code::E0510, {}, "`--profile` times the steps of compiled code, and `--backend=interp` makes none")
        .with_help("leave out one of the two");
    return;
  }
  if (options.profile) {
    const std::optional<Profile> profile = measure_profile(session, *subjects.back());
    if (profile) print_profile(*profile, limits(real_of(subjects.back()->main())), session.sources, options.json);
    return;
  }
  if (!options.count) {
    const std::optional<std::vector<Timing>> timings = measure_time(session, subjects);
    const Limits limits = tool::limits(real_of(subjects.front()->main()));
    if (timings && options.json) print("{}\n", timings_json(*timings, limits, options).dump());
    if (timings && !options.json) print_timings(*timings, limits);
    return;
  }
  std::vector<Work> works;
  for (const Subject* subject : subjects) {
    const std::optional<Work> work = measure_work(session, *subject);
    if (!work) return;
    works.push_back(*work);
  }
  if (options.json) print("{}\n", work_json(works).dump());
  if (!options.json) print_work(works);
}

}  // namespace

int bench_command(const Options& options) {
  Session session(options);
  const std::optional<Script> script = lower_script(session, options.files.front(), DataNeed::values);
  const std::optional<Subjects> subjects = script ? find_subjects(session, *script) : std::nullopt;
  if (!subjects) return session.finish();
  session.report();  // warnings come before what is measured
  std::vector<const Subject*> both{&subjects->value};
  if (subjects->gradient) both.push_back(&*subjects->gradient);
  bench(session, both);
  return session.finish();
}

}  // namespace bpc::tool
