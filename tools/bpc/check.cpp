// `bpc check`: names, types and shapes; with --grad, every gradient against central differences.
#include "runtime/number_text.h"
#include "tools/bpc/gradient_check.h"
#include "tools/bpc/table.h"

namespace bpc::tool {

namespace {

std::string verdict_text(const GradientRow& row) {
  switch (row.verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::kink:
      return "kink";
    case Verdict::uncertain:
      if (!std::isfinite(row.numeric)) return "uncertain: not finite near here";
      return fmt::format("uncertain: numeric is good to {:.1e}", row.uncertainty);
    case Verdict::custom:
      return fmt::format("custom, differs by {:.1e}", std::abs(row.backprop - row.numeric));
    case Verdict::wrong:
      return "WRONG";
  }
  return {};
}

std::string short_number(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.9g}", value);
}

void print_report(const GradientReport& report) {
  std::vector<std::vector<std::string>> table{{"param", "value", "backprop", "numeric", "relative error", "verdict"}};
  for (const GradientRow& row : report.rows) {
    std::string verdict = verdict_text(row);
    if (row.elements > 1) verdict += fmt::format(" ({} elements, the worst shown)", row.elements);
    table.push_back({row.name, short_number(row.value), short_number(row.backprop), short_number(row.numeric),
                     std::isnan(row.error) ? "nan" : fmt::format("{:.1e}", row.error), verdict});
  }
  if (report.rows.empty()) print("there is no gradient to compare\n");
  if (!report.rows.empty()) print_table(table, LastColumn::words);
  put("\n");
  if (report.compared < report.elements) print("compared {} of {} elements\n", report.compared, report.elements);
  if (report.skipped > 0) print("{} derivatives not compared: they did not run, or read a tape that a loop carries\n", report.skipped);
  print("backprop:            {} evaluation, {:.3f} ms\n", report.backprop_runs, 1e3 * report.backprop_seconds);
  print("central differences: {} evaluations, {:.3f} ms\n", report.difference_runs, 1e3 * report.difference_seconds);
}

// `species: 0 setosa, 1 versicolor, 2 virginica`; of several columns, `species[1]: …` for the second.
void print_categories(const std::string& name, const std::vector<runtime::Categories>& columns) {
  constexpr std::size_t kMostShown = 100;
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const runtime::Categories& categories = columns[column];
    if (categories.empty()) continue;
    print("{}:", columns.size() == 1 ? name : fmt::format("{}[:, {}]", name, column));
    for (std::size_t code = 0; code < std::min(categories.size(), kMostShown); ++code)
      print("{} {} {}", code == 0 ? "" : ",", code, categories[code]);
    print("{}\n", categories.size() > kMostShown ? fmt::format(", … ({} in all)", categories.size()) : "");
  }
}

int check_gradients_of(const std::string& path, Options options) {
  options.real = Element::f64;
  options.verbose = false;
  Session session(options);
  std::optional<Script> script = lower_script(session, path, DataNeed::values);
  std::optional<GradientReport> report = script ? check_gradients(session, *script) : std::nullopt;
  if (!report) return session.finish();
  print_report(*report);
  bool wrong = false;
  for (const GradientRow& row : report->rows) {
    wrong |= row.verdict == Verdict::wrong;
    if (row.verdict == Verdict::kink)
      session.diagnostics.warning(Code::W0302, {}, fmt::format("`{}` is at a point where its derivative does not exist", row.name));
  }
  int code = session.finish();
  return code == kOk && wrong ? kWrong : code;
}

int check_script(const std::string& path, const Options& options) {
  Session session(options);
  std::optional<Script> script = lower_script(session, path, DataNeed::available);
  if (script && expand_gradients(session, script->module)) {
    print("{}: ok\n", session.sources.file(0).path);
    for (const auto& [name, columns] : script->bindings.categories) print_categories(name, columns);
  }
  return session.finish();
}

}  // namespace

int check_command(const Options& options) {
  int worst = kOk;
  for (const std::string& path : options.files) {
    if (options.grad && options.files.size() > 1) print("---- {} ----\n", path);
    worst = std::max(worst, options.grad ? check_gradients_of(path, options) : check_script(path, options));
    if (runtime::interrupt_requested) return kInterrupted;
  }
  return worst;
}

}  // namespace bpc::tool
