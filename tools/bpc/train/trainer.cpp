#include "tools/bpc/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>

#include "backend/interpreter/interpreter.h"
#include "ir/part.h"
#include "ir/pipeline.h"
#include "ir/rewrite.h"
#include "support/internal_error.h"
#include "tools/bpc/guard.h"
#include "tools/bpc/nan_check.h"

namespace bpc::tool {

namespace {

using runtime::Tensor;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kUsualBatch = 32, kUsualSteps = 1000, kUsualEpochs = 10;

void set_integer(Tensor& tensor, std::int64_t value) {
  *tensor.data<std::int64_t>() = value;
}

Tensor order_tensor(const std::vector<std::int32_t>& rows) {
  Tensor tensor(Type(Element::i32, {{static_cast<std::int64_t>(rows.size()), {}}}));
  std::memcpy(tensor.raw(), rows.data(), tensor.bytes());
  return tensor;
}

// Of its own memory, whoever shares it.
Tensor copied(const Tensor& tensor) {
  Tensor copy(tensor.type());
  std::memcpy(copy.raw(), tensor.raw(), tensor.bytes());
  return copy;
}
Tensors copied(const Tensors& tensors) {
  Tensors copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, copied(tensor));
  return copies;
}

}  // namespace

std::unique_ptr<Trainer> Trainer::make(Session& session, const std::string& path, Processes* processes) {
  std::unique_ptr<Trainer> trainer(new Trainer(session, processes));
  return trainer->prepare(path) && trainer->compile() ? std::move(trainer) : nullptr;
}

bool Trainer::prepare(const std::string& path) {
  std::optional<Script> script = lower_script(session_, path, DataNeed::values, &settings_);
  if (!script) return false;
  script_ = std::move(*script);
  const ir::Function& main = script_.module.main;
  auto arguments = make_arguments(session_, script_, main);
  if (!arguments) return false;
  std::int64_t rows = 1;
  for (std::size_t i = 0; i < arguments->size(); ++i) {
    const Type& type = main.type(main.parameters[i].value);
    if (main.parameters[i].kind == ir::Parameter::Kind::input && settings_.counts_rows(type)) {
      rows = type.size(0);
      row_inputs_.insert(main.parameters[i].path);
    }
    data_.emplace(main.parameters[i].path, std::move((*arguments)[i]));
  }
  if (rows == 0) {
    session_.diagnostics.error(Code::E0504, {}, fmt::format("there are no rows to learn from: {} is 0", settings_.rows));
    return false;
  }
  measured_ = {"loss"};
  measured_.insert(measured_.end(), settings_.metrics.begin(), settings_.metrics.end());
  return choose_split(rows) && read_validation_file() && choose_lengths() && fit();
}

bool Trainer::choose_split(std::int64_t rows) {
  const frontend::Validation& validation = settings_.validation;
  split_ = split_rows(rows, validation.share, seed());
  if (!validation.input.empty() && !split_by_input(rows)) return false;
  validation_rows_ = static_cast<std::int64_t>(split_.validation.size());
  return true;
}

bool Trainer::split_by_input(std::int64_t rows) {
  const frontend::Validation& validation = settings_.validation;
  auto refuse = [&](const std::string& what, const std::string& help = {}) {
    session_.diagnostics.error(Code::E0113, {}, fmt::format("`validation` looks at the input `{}`, {}", validation.input, what))
        .with_help(help);
    return false;
  };
  const Tensor& column = data_.at(validation.input);
  if (!row_inputs_.contains(validation.input) || column.type().rank() != 1 || is_real(column.type().element))
    return refuse(fmt::format("which is {}, not an integer or a bool for each row", type_text(column.type())));
  std::optional<std::int64_t> code;
  if (validation.value) {
    const auto* text = std::get_if<std::string>(&*validation.value);
    const auto* number = std::get_if<std::int64_t>(&*validation.value);
    const auto named = script_.bindings.categories.find(validation.input);
    const runtime::Categories names =
        named == script_.bindings.categories.end() || named->second.empty() ? runtime::Categories{} : named->second[0];
    const std::string wanted = text ? *text : std::to_string(*number);
    const auto found = std::ranges::find(names, wanted);
    if (found == names.end() && (text || !names.empty()))
      return refuse(fmt::format("which is nowhere `{}`", wanted),
                    names.empty() ? "its column holds numbers" : fmt::format("it is {}", fmt::join(names, ", ")));
    code = number && names.empty() ? *number : found - names.begin();
  }
  split_ = {};
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t value = column.int_at(row);
    ((code ? value == *code : value != 0) ? split_.validation : split_.training).push_back(static_cast<std::int32_t>(row));
  }
  if (split_.validation.empty()) return refuse("which keeps no row apart");
  return !split_.training.empty() || refuse("which keeps all rows apart, so that none is left to learn from");
}

bool Trainer::read_validation_file() {
  const std::string& file = settings_.validation.file;
  if (file.empty() || settings_.rows.empty()) return true;
  session_.begin("bind data");
  Bindings read = bind_rows(session_, script_.program, file, row_inputs_, script_.bindings);
  if (session_.diagnostics.has_errors()) return false;
  auto refuse = [&](const std::string& what) {
    session_.diagnostics.error(Code::E0504, {}, what);
    return false;
  };
  std::string first;
  for (auto& [name, tensor] : read.tensors) {
    const Type& type = data_.at(name).type();
    Type wanted = type;
    if (tensor.type().rank() > 0) wanted.dims[0].size = tensor.type().size(0);
    std::optional<Tensor> fitting = bpc::tool::fit(session_, tensor, wanted, name);
    if (!fitting) return false;
    if (!first.empty() && wanted.size(0) != validation_rows_)
      return refuse(fmt::format("{} has {} rows for `{}` and {} for `{}`", file, validation_rows_, first, wanted.size(0), name));
    if (first.empty()) first = name;
    validation_rows_ = wanted.size(0);
    validation_data_.emplace(name, std::move(*fitting));
  }
  validation_lacks_ = std::move(read.why_missing);
  if (validation_rows_ > 0) return true;
  for (const auto& [name, why] : validation_lacks_)
    for (const Diagnostic& each : why.all()) session_.diagnostics.add(each);
  return session_.diagnostics.has_errors() ? false : refuse(fmt::format("there are no rows to validate: {} has none", file));
}

bool Trainer::fit() {
  std::set<std::string> fitted;
  for (const ir::Parameter& parameter : script_.module.main.parameters)
    if (parameter.kind == ir::Parameter::Kind::fitted && !script_.bindings.tensors.contains(parameter.path)) fitted.insert(parameter.path);
  if (fitted.empty() || split_.validation.empty()) return true;  // fitted from all rows, when the script was lowered
  Tensors given = data_;
  for (const std::string& path : fitted) given.erase(path);
  frontend::LowerOptions how;
  how.rows = {settings_.rows, rows(), rows()};
  const std::optional<ir::Module> module = lower_written(session_, script_, how, given);
  if (!module) return false;
  given.emplace(frontend::kOrder, order_tensor(split_.training));
  given.emplace(frontend::kAt, Tensor::zeros(Type(Element::i64)));
  const ir::Function& initial = module->initial;
  std::vector<Tensor> arguments;
  for (const ir::Parameter& parameter : initial.parameters) arguments.push_back(given.at(parameter.path));
  auto outputs = execute(session_, *backend::interpret(initial), arguments, run_options(session_.options, {}));
  if (!outputs) return false;
  for (std::size_t i = 0; i < outputs->size(); ++i)
    if (fitted.contains(initial.outputs[i].path)) data_.insert_or_assign(initial.outputs[i].path, std::move((*outputs)[i]));
  return true;
}

bool Trainer::choose_lengths() {
  const char* unmet = settings_.batch ? "batch" : "validation";
  if (const std::string& other = settings_.rows_elsewhere; !other.empty() && (settings_.batch || settings_.validation.is_any())) {
    session_.diagnostics
        .error(Code::E0113, {}, fmt::format("`{}` cuts inputs along their first axis, whose size `{}` has elsewhere", unmet, other))
        .with_help("without it, each step uses all rows");
    return false;
  }
  if (settings_.rows.empty() && (settings_.batch || settings_.validation.is_any())) {
    session_.diagnostics.error(Code::E0113, {}, fmt::format("`{}` is of rows, and no input has a first axis that counts them", unmet))
        .with_help("declare `dim N`, and inputs as `input x : [N, …]`");
    return false;
  }
  if (settings_.stop && settings_.stop->on.starts_with("validation ") && validation_rows_ == 0) {
    session_.diagnostics
        .error(Code::E0113, {}, fmt::format("`stop` looks at \"{}\", and no rows are kept apart to validate", settings_.stop->on))
        .with_help(rows() < 2 ? "there is one row alone" : "set `validation = 0.2`, or look at \"loss\"");
    return false;
  }
  batch_ = std::min(rows(), settings_.batch.value_or(kUsualBatch));
  steps_per_epoch_ = (rows() + batch_ - 1) / batch_;
  const std::int64_t usual = std::max(kUsualEpochs, (kUsualSteps + steps_per_epoch_ - 1) / steps_per_epoch_);
  steps_ = settings_.steps.value_or(0);
  if (!settings_.steps && __builtin_mul_overflow(settings_.epochs.value_or(usual), steps_per_epoch_, &steps_)) {
    session_.diagnostics.error(Code::E0210, {},
                               fmt::format("{} epochs of {} steps are more than can be counted", *settings_.epochs, steps_per_epoch_));
    return false;
  }
  return true;
}

// ---- what runs ----

frontend::LowerOptions Trainer::of_step(std::int64_t rows, frontend::Entry entry) const {
  frontend::LowerOptions how;
  how.entry = entry;
  how.steps = steps_;
  if (!settings_.rows.empty()) how.rows = {settings_.rows, rows, this->rows()};
  return how;
}

Tensors Trainer::all_given() const {
  Tensors given = data_;
  for (const std::string& path : learned_) given.emplace(path, state_.at(path));
  return given;
}

void Trainer::begin_state(const ir::Module& step) {
  for (const ir::Output& output : step.main.outputs) {
    if (output.donor.empty()) continue;
    if (auto param = data_.extract(output.path)) {
      learned_.push_back(output.path);
      state_.emplace(output.path, copied(param.mapped()));
    } else {
      state_.emplace(output.path, Tensor::zeros(step.main.type(output.value)));
    }
  }
  for (const std::string& path : learned_)
    if (auto average = state_.find(path + "/" + frontend::kAverage); average != state_.end()) average->second = copied(state_.at(path));
}

bool Trainer::compile_steps() {
  std::optional<ir::Module> whole = lower_entry(session_, script_, of_step(batch_), all_given());
  if (!whole) return false;
  begin_state(*whole);
  whole_ = CompiledEntry::make(session_, std::move(*whole));
  if (rows() % batch_ == 0) return true;
  std::optional<ir::Module> rest = lower_entry(session_, script_, of_step(rows() % batch_), all_given());
  if (rest) rest_ = CompiledEntry::make(session_, std::move(*rest));
  return rest.has_value();
}

std::optional<ir::Module> Trainer::lower_evaluation() {
  frontend::LowerOptions how;
  how.entry = frontend::Entry::evaluate;
  how.rows = {settings_.rows, validation_rows_, validation_rows_};
  Tensors given = all_given();
  for (const auto& [name, why] : validation_lacks_) given.erase(name);
  for (const auto& [name, tensor] : validation_data_) given.insert_or_assign(name, tensor);
  std::optional<ir::Module> module = lower_written(session_, script_, how, given);
  if (!module) return std::nullopt;
  // Of inputs that the file has no values for, none may be needed.
  std::set<std::string> absent;
  for (const ir::Parameter& parameter : module->main.parameters) {
    const auto why = validation_lacks_.find(parameter.path);
    if (why == validation_lacks_.end()) continue;
    absent.insert(parameter.path);
    const std::vector<bool> reached = ir::computed_from(module->main, std::span(&parameter.value, 1));
    const auto needs_it = [&](const ir::Output& output) { return reached[output.value.index]; };
    if (std::ranges::none_of(module->main.outputs, needs_it)) continue;
    for (const Diagnostic& each : why->second.all()) session_.diagnostics.add(each);
    return std::nullopt;
  }
  module->main = ir::without_parameters(module->main, absent);
  if (!expand_gradients(session_, *module) || !optimize(session_, *module)) return std::nullopt;
  return module;
}

std::vector<std::int32_t> Trainer::validation_order() const {
  if (validation_data_.empty()) return split_.validation;
  std::vector<std::int32_t> order(static_cast<std::size_t>(validation_rows_));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

bool Trainer::compile() {
  if (!(processes_ ? compile_shares() : compile_steps())) return false;
  if (validation_rows_ > 0 && (!processes_ || processes_->is_first())) {
    std::optional<ir::Module> module = lower_evaluation();
    if (!module) return false;
    evaluate_ = CompiledEntry::make(session_, std::move(*module));
  }
  for (const char* name : {frontend::kAt, frontend::kStep, frontend::kFirst}) place_.emplace(name, Tensor::zeros(Type(Element::i64)));
  place_.emplace(frontend::kOrder, order_tensor(split_.training));
  validation_place_.emplace(frontend::kAt, Tensor::zeros(Type(Element::i64)));
  validation_place_.emplace(frontend::kOrder, order_tensor(validation_order()));
  sums_.assign(measured_.size(), 0);
  bind();
  return true;
}

void Trainer::bind() {
  for (CompiledEntry* entry : {whole_.get(), rest_.get()})
    if (entry) entry->bind({&place_, &state_, &data_});
  for (auto& [rows, share] : shares_)
    if (share.entry) share.entry->bind({&place_, &state_, &data_});
  if (update_) update_->bind({&place_, &state_, &gradients_, &data_});
}

std::int64_t Trainer::learned_numbers() const {
  std::int64_t count = 0;
  for (const std::string& path : learned_) count += state_.at(path).count();
  return count;
}

// ---- the state ----

Trainer::State Trainer::state() const {
  return {copied(state_), step_, sums_};
}

void Trainer::restore(const State& state) {
  for (auto& [name, tensor] : state_) tensor = copied(state.tensors.at(name));
  step_ = state.step;
  sums_ = state.sums;
  bind();
}

Tensors Trainer::params() const {
  Tensors params;
  for (const ir::Parameter& parameter : script_.module.main.parameters) {
    if (parameter.kind == ir::Parameter::Kind::input) continue;
    const auto average = state_.find(parameter.path + "/" + frontend::kAverage), learned = state_.find(parameter.path);
    params.emplace(parameter.path, average != state_.end()   ? average->second
                                   : learned != state_.end() ? learned->second
                                                             : data_.at(parameter.path));
  }
  return params;
}

// ---- steps ----

std::int64_t Trainer::place_step() {
  const std::int64_t epoch = step_ / steps_per_epoch_, at = step_ % steps_per_epoch_ * batch_;
  if (ordered_epoch_ != epoch) {
    const std::vector<std::int32_t> order = order_of_epoch(split_.training, settings_.shuffle, epoch, seed());
    std::memcpy(place_.at(frontend::kOrder).raw(), order.data(), order.size() * sizeof order[0]);
    ordered_epoch_ = epoch;
  }
  set_integer(place_.at(frontend::kAt), at);
  set_integer(place_.at(frontend::kStep), step_ + 1);
  return std::min(batch_, rows() - at);
}

void Trainer::start_epoch_sums() {
  if (step_ % steps_per_epoch_ == 0) std::ranges::fill(sums_, 0);
}

std::optional<Trainer::End> Trainer::note(const std::vector<double>& measured, std::int64_t rows) {
  ++step_;
  if (!std::isfinite(measured[0])) return End::diverged;
  for (std::size_t i = 0; i < measured_.size(); ++i) sums_[i] += measured[i] * static_cast<double>(rows);
  return std::nullopt;
}

std::optional<Trainer::End> Trainer::step_once() {
  if (processes_) return step_together();
  start_epoch_sums();
  const std::int64_t count = place_step();
  CompiledEntry& entry = count == batch_ ? *whole_ : *rest_;
  if (!succeeded(session_, entry.run(run_options(session_.options, {})))) return End::failed;
  std::vector<double> measured;
  for (std::size_t i = 0; i < measured_.size(); ++i) measured.push_back(measured_by(entry, i));
  return note(measured, count);
}

double Trainer::measured_by(const CompiledEntry& entry, std::size_t i) const {
  return entry.output(i == 0 ? entry.function().loss : measured_[i]).real_at(0);
}

Trainer::End Trainer::run(const std::function<bool(const Epoch&)>& epoch_is_over, const std::function<bool()>& step_is_over) {
  const auto start = Clock::now();
  while (step_ < steps_) {
    if (auto end = step_once()) return *end;
    if (step_ % steps_per_epoch_ == 0 || step_ == steps_) {
      auto over = end_epoch();
      if (!over) return End::failed;
      over->seconds = std::chrono::duration<double>(Clock::now() - start).count();
      bool goes_on = !is_first() || epoch_is_over(*over);
      if (processes_ && !processes_->broadcast(&goes_on, sizeof goes_on)) return End::lost;
      if (!goes_on) return End::stopped;
    }
    const bool goes_on = !is_first() || step_is_over();
    if (is_ending_ || (!goes_on && !processes_)) return End::interrupted;
    wants_end_ = !goes_on;
  }
  return End::done;
}

std::optional<Probe> Trainer::probe(std::int64_t most_rows) const {
  Probe probe;
  frontend::LowerOptions how;
  if (!settings_.rows.empty()) {
    probe.rows = std::min(most_rows, rows());
    how.rows = {settings_.rows, probe.rows, rows()};
  }
  std::optional<ir::Module> module = lower_written(session_, script_, how, all_given());
  if (!module) return std::nullopt;
  const ir::Function wanted = ir::part(module->main, [](const ir::Output& output) { return output.kind == ir::Output::Kind::gradient; });
  module->main = ir::Rewriter(wanted).finish([](const ir::Op& op) { return op.code == ir::Opcode::print; });
  if (module->main.outputs.empty() || !expand_gradients(session_, *module)) return std::nullopt;
  const Tensors place{{frontend::kOrder, order_tensor(split_.training)}, {frontend::kAt, Tensor::zeros(Type(Element::i64))}};
  for (const ir::Parameter& parameter : module->main.parameters)
    for (const Tensors* tensors : {&place, &state_, &data_})
      if (auto found = tensors->find(parameter.path); found != tensors->end()) probe.arguments.push_back(found->second);
  probe.module = std::move(*module);
  return probe;
}

void Trainer::explain_divergence(const State& good, const std::string& help) {
  const std::int64_t bad = step_;  // the step that gave the loss, from 1
  session_.diagnostics.error(Code::E0413, {}, fmt::format("the loss of step {} is not a finite number", bad))
      .with_help(processes_ ? help + "; with one process, `--resume` says which operation made it so" : help);
  if (processes_) return;
  restore(good);
  while (step_ + 1 < bad)
    if (step_once()) return;
  const std::int64_t count = place_step();
  const std::optional<ir::Module> module = lower_written(session_, script_, of_step(count), all_given());
  if (!module) return;
  const ir::Function forward = ir::part(module->main, [](const ir::Output& output) { return output.donor.empty(); });
  std::vector<Tensor> arguments;
  for (const ir::Parameter& parameter : forward.parameters)
    for (const Tensors* tensors : {&place_, &state_, &data_})
      if (auto found = tensors->find(parameter.path); found != tensors->end()) arguments.push_back(found->second);
  execute(session_, *interpret_checking_nan(forward, session_.sources), arguments, run_options(session_.options, {}));
}

std::optional<Epoch> Trainer::end_epoch() {
  Epoch epoch;
  epoch.number = (step_ - 1) / steps_per_epoch_ + 1;
  epoch.step = step_;
  const std::int64_t places = (step_ - 1) % steps_per_epoch_ + 1;
  const double count = static_cast<double>(std::min(places * batch_, rows()));
  for (double sum : sums_) epoch.training.push_back(sum / count);
  if (validation_rows_ == 0) return epoch;
  auto judged = judge();
  if (!judged) return std::nullopt;
  epoch.validation = std::move(*judged);
  return epoch;
}

std::optional<std::vector<double>> Trainer::judge() {
  std::vector<double> found(measured_.size() + 1, 0);  // the last one: whether there are any
  if (evaluate_) {
    validation_params_ = params();
    evaluate_->bind({&validation_place_, &validation_params_, &validation_data_, &data_});
    if (succeeded(session_, evaluate_->run(run_options(session_.options, {})))) {
      for (std::size_t i = 0; i < measured_.size(); ++i) found[i] = measured_by(*evaluate_, i);
      found.back() = 1;
    }
    validation_params_.clear();
  }
  if (processes_ && !processes_->broadcast(found.data(), found.size() * sizeof(double))) return std::nullopt;
  if (found.back() == 0) return std::nullopt;
  found.pop_back();
  return found;
}

}  // namespace bpc::tool
