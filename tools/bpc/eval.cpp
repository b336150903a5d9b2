// `bpc eval`: the loss and the metrics of data, by params that were learned; for classes also which are taken for which, and whether
// probabilities are as often right as they say.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/bpc/table.h"
#include "tools/bpc/train/judgement.h"
#include "tools/bpc/train/progress.h"
#include "tools/bpc/train/trained.h"

namespace bpc::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostClasses = 20;     // of a whole matrix
constexpr std::size_t kMostConfusions = 10;  // that are listed of a larger one

struct Measured {
  std::string name;
  double value;
};

void print_matrix(const Judgement& judged) {
  const std::size_t classes = judged.classes.size();
  std::vector<std::vector<std::string>> table(1, std::vector<std::string>{"is \\ taken for"});
  table[0].insert(table[0].end(), judged.classes.begin(), judged.classes.end());
  table[0].insert(table[0].end(), {"rows", "right"});
  for (std::size_t is = 0; is < classes; ++is) {
    std::vector<std::string>& row = table.emplace_back(1, judged.classes[is]);
    for (std::size_t taken = 0; taken < classes; ++taken) row.push_back(std::to_string(judged.count(is, taken)));
    const std::int64_t rows = judged.rows_of(is);
    row.push_back(std::to_string(rows));
    row.push_back(rows == 0 ? "-" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(judged.count(is, is)) / static_cast<double>(rows)));
  }
  put("\n");
  print_table(table, LastColumn::numbers);
}

// Of many classes, the mistakes that are made most often.
void print_confusions(const Judgement& judged) {
  struct Pair {
    std::size_t is, taken;
    std::int64_t count;
  };
  std::vector<Pair> pairs;
  for (std::size_t is = 0; is < judged.classes.size(); ++is)
    for (std::size_t taken = 0; taken < judged.classes.size(); ++taken)
      if (is != taken && judged.count(is, taken) > 0) pairs.push_back({is, taken, judged.count(is, taken)});
  std::ranges::stable_sort(pairs, std::greater{}, &Pair::count);
  if (pairs.size() > kMostConfusions) pairs.resize(kMostConfusions);
  if (pairs.empty()) return;
  std::vector<std::vector<std::string>> table{{"is", "taken for", "rows", "of"}};
  for (const Pair& pair : pairs)
    table.push_back(
        {judged.classes[pair.is], judged.classes[pair.taken], std::to_string(pair.count), std::to_string(judged.rows_of(pair.is))});
  put("\n");
  print_table(table, LastColumn::numbers);
}

void print_calibration(const Judgement& judged) {
  std::vector<std::vector<std::string>> table{{"probability", "rows", "mean", "right"}};
  for (std::size_t bin = 0; bin < judged.bins.size(); ++bin) {
    const Judgement::Bin& each = judged.bins[bin];
    if (each.rows == 0) continue;
    const double rows = static_cast<double>(each.rows);
    table.push_back({fmt::format("{:.1f} to {:.1f}", 0.1 * static_cast<double>(bin), 0.1 * static_cast<double>(bin + 1)),
                     std::to_string(each.rows), fmt::format("{:.3f}", each.probability / rows),
                     fmt::format("{:.3f}", static_cast<double>(each.right) / rows)});
  }
  put("\n");
  print_table(table, LastColumn::numbers);
  print("probabilities are off by {} in the mean\n", short_number(judged.calibration_error()));
}

Json number_json(double value) {
  return std::isfinite(value) ? Json(value) : Json(short_number(value));
}

Json judgement_json(const Judgement& judged) {
  Json matrix = Json::array(), bins = Json::array();
  for (std::size_t is = 0; is < judged.classes.size(); ++is) {
    Json row = Json::array();
    for (std::size_t taken = 0; taken < judged.classes.size(); ++taken) row.push_back(judged.count(is, taken));
    matrix.push_back(std::move(row));
  }
  for (std::size_t bin = 0; bin < judged.bins.size(); ++bin)
    bins.push_back(
        {{"from", 0.1 * static_cast<double>(bin)},
         {"rows", judged.bins[bin].rows},
         {"probability", judged.bins[bin].rows ? Json(judged.bins[bin].probability / static_cast<double>(judged.bins[bin].rows)) : Json()},
         {"right", judged.bins[bin].right}});
  return {{"classes", judged.classes},
          {"confusion", std::move(matrix)},
          {"calibration", std::move(bins)},
          {"calibration_error", number_json(judged.calibration_error())}};
}

std::string rows_text(const Trained& trained) {
  const ir::Function& main = trained.script.module.main;
  for (const ir::Parameter& parameter : main.parameters) {
    const Type& type = main.type(parameter.value);
    if (parameter.kind == ir::Parameter::Kind::input && trained.training.counts_rows(type))
      return fmt::format("{} row{}", type.size(0), type.size(0) == 1 ? "" : "s");
  }
  return "all data";
}

void print_judgement(const std::string& rows, const std::string& params, const std::vector<Measured>& measured,
                     const std::optional<Judgement>& judged) {
  print("{} by {}\n", rows, params.empty() ? "no params" : params);
  std::vector<std::vector<std::string>> table;
  for (const Measured& each : measured) table.push_back({each.name, short_number(each.value)});
  print_table(table, LastColumn::words);
  if (!judged) return;
  judged->classes.size() <= kMostClasses ? print_matrix(*judged) : print_confusions(*judged);
  print_calibration(*judged);
}

}  // namespace

int eval_command(const Options& given) {
  const Options options = with_params(given);
  Session session(options);
  auto trained = lower_trained(session, frontend::Entry::evaluate, [](const Sketch& sketch) {
    std::vector<std::string> all;
    for (const ir::Output& output : sketch.module.main.outputs) all.push_back(output.path);
    return std::optional(all);
  });
  if (!trained) return session.finish();
  const std::string rows = rows_text(*trained);
  std::vector<std::string> names;
  for (const ir::Output& output : trained->script.module.main.outputs) names.push_back(output.path);
  auto outputs = run_trained(session, *trained);
  if (!outputs) return session.finish();
  std::vector<Measured> measured;
  const runtime::Tensor *scores = nullptr, *labels = nullptr;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == kScores)
      scores = &(*outputs)[i];
    else if (names[i] == kLabels)
      labels = &(*outputs)[i];
    else
      measured.push_back({i == 0 ? "loss" : names[i], (*outputs)[i].real_at(0)});
  }
  std::optional<Judgement> judged;
  if (scores && labels && labels->count() > 0) {
    judged = judge(*scores, *labels, trained->names.at(kLabels).codes);
    if (std::ranges::find(measured, "accuracy", &Measured::name) == measured.end()) measured.push_back({"accuracy", judged->accuracy()});
  }
  if (options.json) {
    Json json;
    for (const Measured& each : measured) json[each.name] = number_json(each.value);
    if (judged) json.update(judgement_json(*judged));
    print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    print_judgement(rows, options.params, measured, judged);
  }
  return session.finish();
}

}  // namespace bpc::tool
