// Training: the steps of a script over its data. A run is a function of the script, its data and the seed; what is interrupted and goes on
// ends with the same bits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "frontend/training.h"
#include "tools/bpc/train/entry.h"
#include "tools/bpc/train/processes.h"
#include "tools/bpc/train/rows.h"

namespace bpc::tool {

// What is known of an epoch when it is over. The loss and the metrics of the training rows are means over its steps, while the params
// change; those of the validation rows are of the params at its end, of all rows at once.
struct Epoch {
  std::int64_t number = 0, step = 0;         // from 1
  std::vector<double> training, validation;  // as Trainer::measured(); validation: empty where no rows are kept apart
  double seconds = 0;                        // since the training began
};

// The loss and its gradients as the script has them, expanded but not optimised, and what they are computed from.
struct Probe {
  ir::Module module;
  std::vector<runtime::Tensor> arguments;
  std::int64_t rows = 0;  // that they are of; 0 where there are none
};

class Trainer {
 public:
  // The script with data and flags; nullptr when there were errors, which are in the session. With `processes`, which must outlive it, each
  // of these makes one, and what they call below they call together.
  static std::unique_ptr<Trainer> make(Session& session, const std::string& path, Processes* processes = nullptr);

  const Script& script() const { return script_; }
  const frontend::Training& settings() const { return settings_; }
  // "loss" and the metrics.
  const std::vector<std::string>& measured() const { return measured_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(split_.training.size()); }
  std::int64_t validation_rows() const { return validation_rows_; }
  std::int64_t batch() const { return batch_; }
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  std::int64_t steps() const { return steps_; }
  std::uint64_t seed() const { return script_.module.seed; }
  int processes() const { return processes_ ? processes_->count() : 1; }
  std::size_t learned_params() const { return learned_.size(); }
  std::int64_t learned_numbers() const;

  // ---- the state, which is all that a step changes ----

  struct State {
    Tensors tensors;           // the params that are learned, and what the rule keeps of each: "W", "W/m"
    std::int64_t step = 0;     // done so far
    std::vector<double> sums;  // of the epoch under way, over its rows: as measured()
  };
  State state() const;
  std::int64_t step() const { return step_; }
  // Goes on from another state, whose tensors have the names and types of this one.
  void restore(const State& state);
  // All processes go on from the state of the first one. False where one of them is gone.
  bool share_state();
  // The params to use, by path, those that are not learned and what is fitted as well: their running means, where the script asks for them.
  Tensors params() const;

  // To look at the params as they are now, by at most so many of the training rows. nullopt where it cannot be had.
  std::optional<Probe> probe(std::int64_t most_rows) const;

  // Why training ended before its last step. `lost`: a process is gone; the state is that of the last step that all have done.
  enum class End : std::uint8_t { done, stopped, failed, interrupted, diverged, lost };

  // Steps on until the end, an error (in the session, of the process that it is of), a loss that is not finite, or what `epoch_is_over` and
  // `step_is_over` say: false ends it there. Of several processes, the first one alone is asked, and all of them end.
  End run(const std::function<bool(const Epoch&)>& epoch_is_over, const std::function<bool()>& step_is_over);

  // After a loss that is not finite: E0413, with what the first operation is that made it so, found by repeating the steps since `good`.
  void explain_divergence(const State& good, const std::string& help);

 private:
  Trainer(Session& session, Processes* processes) : session_(session), processes_(processes) {}
  bool prepare(const std::string& path);
  // Which rows are learned from; E0113 for a column that keeps all of them apart, or none.
  bool choose_split(std::int64_t rows);
  bool split_by_input(std::int64_t rows);
  bool choose_lengths();
  // What the script fits, from the rows that are learned from alone.
  bool fit();
  // The rows of another file, for the inputs that have rows. E0504 where they are of different numbers.
  bool read_validation_file();
  frontend::LowerOptions of_step(std::int64_t rows, frontend::Entry entry = frontend::Entry::step) const;
  Tensors all_given() const;
  // The state has what a step gives anew; it starts with the params as they are, and what the rule keeps is zero.
  void begin_state(const ir::Module& step);
  bool compile_steps();
  // Of several processes (together.cpp): the gradient of this one's share of so many rows, and the rest of the step, which is the same for
  // all.
  bool compile_shares();
  bool compile_share(std::int64_t rows);
  bool compile_update();
  RowRange my_share(std::int64_t rows) const { return share_of(rows, processes_->rank(), processes_->count()); }
  std::optional<ir::Module> lower_evaluation();
  std::vector<std::int32_t> validation_order() const;
  bool compile();
  void bind();
  // Says which rows the next step uses; returns how many.
  std::int64_t place_step();
  std::optional<End> step_once();
  std::optional<End> step_together();
  // The loss (0) or a metric, after a run.
  double measured_by(const CompiledEntry& entry, std::size_t i) const;
  void start_epoch_sums();
  // The step is done, with this loss and these metrics of so many rows.
  std::optional<End> note(const std::vector<double>& measured, std::int64_t rows);
  std::optional<Epoch> end_epoch();
  std::optional<std::vector<double>> judge();

  Session& session_;
  Processes* processes_;
  Script script_;
  frontend::Training settings_;
  std::vector<std::string> measured_;
  Split split_;
  std::int64_t batch_ = 1, steps_per_epoch_ = 1, steps_ = 1;

  Tensors data_;  // inputs, and params that are not learned
  Tensors state_;
  std::vector<std::string> learned_;
  Tensors place_;  // kOrder, kAt, kStep, kFirst
  std::int64_t validation_rows_ = 0;
  std::set<std::string> row_inputs_;  // whose first axis counts rows
  Tensors validation_place_, validation_params_;
  Tensors validation_data_;                                 // of another file, in place of those of `data_`
  std::map<std::string, Diagnostics> validation_lacks_;     // why it has no values for these inputs
  std::unique_ptr<CompiledEntry> whole_, rest_, evaluate_;  // a step of a whole batch, one of what is left, the validation rows

  // Where several processes train: what each computes of its share of a batch, by the rows of the batch.
  struct Share {
    RowRange rows;
    std::unique_ptr<CompiledEntry> entry;  // none for no rows
    std::vector<double> weights;           // of what is measured; the first is that of the gradients, too
  };
  bool add_up_gradients(const Share& share);
  bool is_first() const { return !processes_ || processes_->is_first(); }
  std::map<std::int64_t, Share> shares_;
  std::unique_ptr<CompiledEntry> update_;
  Tensors gradients_;                                          // added up
  std::tuple<std::vector<float>, std::vector<double>> added_;  // all of them as one message
  bool wants_end_ = false;                                     // which the others will know with the next step
  bool is_ending_ = false;                                     // all processes know that this was the last step

  std::int64_t step_ = 0;
  std::vector<double> sums_;
  std::int64_t ordered_epoch_ = -1;  // whose order is in place_
};

}  // namespace bpc::tool
