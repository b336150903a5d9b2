// The trainer where several processes share the rows of each step (processes.h): each computes the gradients of its own, and all of them do
// the same update.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>

#include "ir/part.h"
#include "ir/pipeline.h"
#include "ir/row_shares.h"
#include "ir/shared_draws.h"
#include "tools/bpc/guard.h"
#include "tools/bpc/train/trainer.h"

namespace bpc::tool {

using runtime::Tensor;

bool Trainer::compile_shares() {
  if (settings_.rows.empty()) {
    session_.diagnostics
        .error(Code::E0514, {},
               fmt::format("{} processes cannot share what has no rows: no input has a first axis that counts them", processes_->count()))
        .with_help("declare `dim N`, and inputs as `input x : [N, …]`; or train with one process");
    return false;
  }
  if (!compile_update()) return false;
  for (std::int64_t rows : {batch_, this->rows() % batch_})
    if (rows > 0 && !shares_.contains(rows) && !compile_share(rows)) return false;
  return true;
}

bool Trainer::compile_update() {
  std::optional<ir::Module> module = lower_written(session_, script_, of_step(batch_, frontend::Entry::update), all_given());
  if (!module) return false;
  // Nothing of the rows: they are not those that the gradients are of, and what they make of the loss has been checked.
  std::set<std::string> of_rows = row_inputs_;
  of_rows.insert({frontend::kOrder, frontend::kAt});
  module->main = ir::without_parameters(ir::part(module->main, [](const ir::Output& output) { return !output.donor.empty(); }), of_rows);
  if (!expand_gradients(session_, *module) || !optimize(session_, *module)) return false;
  begin_state(*module);
  for (const std::string& path : learned_) gradients_.emplace(frontend::kGradient + path, Tensor::zeros(state_.at(path).type()));
  update_ = CompiledEntry::make(session_, std::move(*module));
  return true;
}

bool Trainer::compile_share(std::int64_t rows) {
  Share& share = shares_[rows];
  share.rows = my_share(rows);
  share.weights.assign(measured_.size(), 0);
  if (share.rows.count == 0) return true;
  auto part = lower_written(session_, script_, of_step(share.rows.count, frontend::Entry::gradient), all_given());
  auto all = lower_written(session_, script_, of_step(rows, frontend::Entry::gradient), all_given());
  if (!part || !all) return false;
  for (ir::Module* module : {&*part, &*all}) {
    constexpr std::string_view kPasses[] = {"vectorise"};
    ir::run_passes(*module, kPasses, session_.diagnostics, false);
  }
  const ir::RowShares shares(part->main, all->main, share.rows.count, rows, frontend::kOrder);
  for (std::size_t i = 0; i < measured_.size(); ++i) {
    const ir::ValueId value = part->main.outputs[i].value;
    if (const auto weight = shares.weight(value)) {
      share.weights[i] = *weight;
      continue;
    }
    const ir::RowShares::Problem problem = shares.problem(value);
    session_.diagnostics
        .error(Code::E0514, problem.span,
               fmt::format("{} processes cannot share {}: this {}", processes_->count(),
                           i == 0 ? fmt::format("the loss `{}`", part->main.loss) : fmt::format("the metric `{}`", measured_[i]),
                           problem.what))
        .with_help(i == 0 ? "a loss that is shared is a sum or a mean of what each row gives by itself, and by what is `fitted` before, as "
                            "by `standardise(x)`; "
                            "or train with one process"
                          : "leave it out of `metrics`, and let `bpc eval` compute it; or train with one process");
    return false;
  }
  part->main = ir::with_shared_draws(part->main, shares.draws(), frontend::kFirst);
  if (!expand_gradients(session_, *part) || !optimize(session_, *part)) return false;
  share.entry = CompiledEntry::make(session_, std::move(*part));
  return true;
}

bool Trainer::share_state() {
  if (!processes_) return true;
  std::vector<double> told{static_cast<double>(step_)};
  told.insert(told.end(), sums_.begin(), sums_.end());
  if (!processes_->broadcast(told.data(), told.size() * sizeof(double))) return false;
  step_ = static_cast<std::int64_t>(told[0]);
  sums_.assign(told.begin() + 1, told.end());
  for (auto& [name, tensor] : state_)
    if (!processes_->broadcast(tensor.raw(), tensor.bytes())) return false;
  bind();
  return true;
}

// Each process has its share of the rows; what they find is weighed and added up, and all of them do the same step.
std::optional<Trainer::End> Trainer::step_together() {
  start_epoch_sums();
  const std::int64_t count = place_step();
  Share& share = shares_.at(count);
  *place_.at(frontend::kAt).data<std::int64_t>() += share.rows.first;
  *place_.at(frontend::kFirst).data<std::int64_t>() = share.rows.first;
  std::vector<double> told(measured_.size() + 2);  // the last two: how many have failed, and how many want to end
  const std::size_t failures = measured_.size(), ends = failures + 1;
  if (share.entry) {
    if (!succeeded(session_, share.entry->run(run_options(session_.options, {})))) told[failures] = 1;
    for (std::size_t i = 0; i < measured_.size() && told[failures] == 0; ++i) told[i] = share.weights[i] * measured_by(*share.entry, i);
  }
  told[ends] = wants_end_ || stop_requested() ? 1 : 0;
  if (!processes_->sum(std::span(told))) return End::lost;
  if (told[failures] > 0) return End::failed;
  if (!add_up_gradients(share)) return End::lost;
  if (!succeeded(session_, update_->run(run_options(session_.options, {})))) return End::failed;
  is_ending_ = told[ends] > 0;
  return note(told, count);
}

// All of one element type at once.
bool Trainer::add_up_gradients(const Share& share) {
  const auto add_up = [&]<class T>(T, Element element) {
    std::vector<T>& numbers = std::get<std::vector<T>>(added_);
    numbers.clear();
    const auto each_gradient = [&](const auto& visit) {
      for (auto& [name, tensor] : gradients_)
        if (tensor.type().element == element) visit(name, tensor);
    };
    each_gradient([&](const std::string& name, const Tensor& tensor) {
      const auto count = static_cast<std::size_t>(tensor.count());
      if (!share.entry) return numbers.resize(numbers.size() + count);
      const T* mine = share.entry->output(name).data<T>();
      std::transform(mine, mine + count, std::back_inserter(numbers), [&](T number) { return static_cast<T>(share.weights[0]) * number; });
    });
    if (numbers.empty()) return true;
    if (!processes_->sum(std::span(numbers))) return false;
    const T* from = numbers.data();
    each_gradient([&](const std::string&, Tensor& tensor) {
      std::memcpy(tensor.raw(), from, tensor.bytes());
      from += tensor.count();
    });
    return true;
  };
  return add_up(float{}, Element::f32) && add_up(double{}, Element::f64);
}

}  // namespace bpc::tool
