#include "tools/bpc/train/checkpoint.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "runtime/io/read_file.h"
#include "runtime/io/safetensors.h"
#include "runtime/io/write_file.h"

namespace bpc::tool {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kTrained = "trained";

// JSON has no NaN: a number that is none is null there.
Json numbers_json(const std::vector<double>& numbers) {
  Json list = Json::array();
  for (double number : numbers) list.push_back(std::isfinite(number) ? Json(number) : Json());
  return list;
}
std::vector<double> numbers_from(const Json& list) {
  std::vector<double> numbers;
  for (const Json& number : list) numbers.push_back(number.is_number() ? number.get<double>() : std::nan(""));
  return numbers;
}

Json epoch_json(const Epoch& epoch) {
  return {{"epoch", epoch.number},
          {"step", epoch.step},
          {"training", numbers_json(epoch.training)},
          {"validation", numbers_json(epoch.validation)},
          {"seconds", epoch.seconds}};
}
Epoch epoch_from(const Json& json) {
  return {json.at("epoch"), json.at("step"), numbers_from(json.at("training")), numbers_from(json.at("validation")), json.at("seconds")};
}

// What must be the same for a training to go on.
Json identity(const Trainer& trainer) {
  return {{"optimizer", trainer.settings().optimizer},
          {"rows", trainer.rows()},
          {"validation rows", trainer.validation_rows()},
          {"batch", trainer.batch()},
          {"shuffle", trainer.settings().shuffle},
          {"seed", trainer.seed()},
          {"measured", trainer.measured()}};
}

}  // namespace

Folder::Folder(Session& session, const Trainer& trainer, std::string path)
    : session_(session), trainer_(trainer), path_(path.empty() ? training_folder(session.options.files.front()) : std::move(path)) {}

bool Folder::prepare() {
  std::error_code problem;
  fs::create_directories(path_, problem);
  const std::string why = problem ? problem.message() : ::access(path_.c_str(), W_OK | X_OK) ? std::strerror(errno) : "";
  if (why.empty()) return true;
  session_.diagnostics.error(Code::E0507, {}, fmt::format("cannot keep anything in the folder {}: {}", path_, why))
      .with_help("`--save FOLDER` names another one");
  return false;
}

bool Folder::write(const std::string& name, const Tensors& tensors, const std::string& remarks) {
  const SourceMap& sources = session_.sources;
  const std::string text = sources.file(trainer_.script().program.asts[0]->file).text;
  const fs::path file = fs::path(path_) / name;
  std::error_code ignored;
  if (written_.insert(name).second) fs::rename(file, fs::path(path_) / ("previous_" + name), ignored);
  return runtime::write_file(file.string(), runtime::safetensors_text(tensors, {{"bpc", remarks}, {"script", text}}), session_.diagnostics);
}

std::string Folder::remarks(const std::vector<Epoch>& history, const std::optional<Epoch>& best, const Trainer::State* state) const {
  Json json{{"version", 1}, {"training", identity(trainer_)}};
  if (state) {
    json["step"] = state->step;
    json["sums"] = numbers_json(state->sums);
  }
  for (const Epoch& epoch : history) json["history"].push_back(epoch_json(epoch));
  if (best) json["best"] = epoch_json(*best);
  Json categories;
  for (const auto& [name, columns] : trainer_.script().bindings.categories) categories[name] = columns;
  if (!categories.empty()) json["categories"] = categories;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Folder::find_earlier() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path_, ignored)) {
    std::int64_t step = 0;
    int end = 0;
    const std::string name = entry.path().filename().string();
    if (std::sscanf(name.c_str(), "step_%" SCNd64 ".safetensors%n", &step, &end) == 1 && end == static_cast<int>(name.size()))
      earlier_.push_back(step);
  }
  std::ranges::sort(earlier_);
}

void Folder::shift_earlier() {
  const int keep = session_.options.keep;
  if (keep == 1 || kept_step_ < 0) return;
  std::error_code ignored;
  const fs::path folder(path_);
  const auto name_of = [](std::int64_t step) { return fmt::format("step_{}.safetensors", step); };
  fs::copy_file(folder / kLastParams, folder / name_of(kept_step_), fs::copy_options::overwrite_existing, ignored);
  if (earlier_.empty() || earlier_.back() != kept_step_) earlier_.push_back(kept_step_);
  for (; earlier_.size() >= static_cast<std::size_t>(keep); earlier_.erase(earlier_.begin()))
    fs::remove(folder / name_of(earlier_.front()), ignored);
}

bool Folder::keep_last(const SavedTraining& saved) {
  if (kept_step_ != saved.state.step) shift_earlier();
  Tensors tensors = saved.state.tensors;
  for (auto& [path, tensor] : trainer_.params()) {
    if (auto average = tensors.extract(path + "/" + frontend::kAverage)) {
      tensors.emplace(path + "/" + kTrained, tensors.at(path));
      tensors.insert_or_assign(path, std::move(average.mapped()));
    } else {
      tensors.emplace(path, tensor);  // one that is not learned
    }
  }
  if (!write(kLastParams, tensors, remarks(saved.history, saved.best, &saved.state))) return false;
  kept_step_ = saved.state.step;
  return true;
}

bool Folder::keep_best(const Tensors& params, const Epoch& epoch) {
  return write(kBestParams, params, remarks({}, epoch, nullptr));
}

std::optional<SavedTraining> Folder::read_last() {
  const std::string path = (fs::path(path_) / kLastParams).string();
  const std::optional<std::string> file = runtime::read_file(path, session_.diagnostics);
  if (!file) return std::nullopt;
  auto tensors = runtime::read_safetensors(*file, path, session_.diagnostics);
  if (!tensors) return std::nullopt;
  const runtime::Remarks said = runtime::read_remarks(*file);
  auto refuse = [&](const std::string& why) {
    session_.diagnostics.error(Code::E0512, {}, fmt::format("{} is not of this training: {}", path, why))
        .with_help("train without `--resume`, or `--save` into another folder");
    return std::nullopt;
  };
  const auto bpc = said.find("bpc"), script = said.find("script");
  const Json json = bpc == said.end() ? Json() : Json::parse(bpc->second, nullptr, false);
  SavedTraining saved;
  try {
    const Json mine = identity(trainer_);
    for (const auto& [name, value] : mine.items())
      if (json.at("training").at(name) != value)
        return refuse(fmt::format("its {} is {}, not {}", name, json["training"][name].dump(), value.dump()));
    saved.state.step = json.at("step");
    saved.state.sums = numbers_from(json.at("sums"));
    if (json.contains("history"))
      for (const Json& epoch : json["history"]) saved.history.push_back(epoch_from(epoch));
    if (json.contains("best")) saved.best = epoch_from(json["best"]);
  } catch (const Json::exception&) {
    return refuse("it does not say how far it came");
  }
  for (const auto& [name, tensor] : trainer_.state().tensors) {
    const std::string param = name.substr(0, name.find('/'));
    const bool is_param = param == name, has_average = tensors->contains(param + "/" + kTrained);
    const std::string stored = is_param && has_average ? name + "/" + kTrained : name == param + "/" + frontend::kAverage ? param : name;
    const auto found = tensors->find(stored);
    if (found == tensors->end()) return refuse(fmt::format("it has no `{}`", stored));
    if (!same_type(found->second.type(), tensor.type()))
      return refuse(fmt::format("its `{}` is {}, not {}", stored, type_text(found->second.type()), type_text(tensor.type())));
    saved.state.tensors.emplace(name, found->second);
  }
  if (saved.state.sums.size() != trainer_.measured().size()) return refuse("it measured something else");
  if (script == said.end() || script->second != session_.sources.file(trainer_.script().program.asts[0]->file).text)
    session_.diagnostics.warning(Code::W0504, {}, "the script has changed since the training that goes on began");
  written_ = {kLastParams, kBestParams};
  kept_step_ = saved.state.step;
  find_earlier();
  return saved;
}

}  // namespace bpc::tool
