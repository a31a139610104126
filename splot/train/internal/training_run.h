// Trainer::Run: one call of fit() or resume().
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "splot/data/prefetch.h"
#include "splot/train/internal/divergence.h"
#include "splot/train/internal/kept_state.h"
#include "splot/train/internal/selection.h"
#include "splot/train/internal/step_plans.h"
#include "splot/train/internal/tally.h"
#include "splot/train/internal/training_state.h"
#include "splot/train/internal/weight_average.h"
#include "splot/train/trainer.h"

namespace splot {

class Trainer::Run {
 public:
  Run(Trainer& trainer, const Dataset& train, const Dataset* validation);

  /// Continues from a checkpoint.
  void load(const std::string& path);
  TrainingResult go();

 private:
  using Clock = std::chrono::steady_clock;

  const TrainerOptions& options() const { return trainer_.options_; }
  Optimizer& optimizer() { return trainer_.optimizer_; }
  train_detail::StepParts parts() {
    return {trainer_.model_, trainer_.loss_,      optimizer(),
            options().seed,  options().clip_norm, options().clip_value};
  }
  double seconds() const;
  double epoch_seconds() const;
  bool ends() const { return result_.stopped || !view_.stop_reason.empty(); }
  /// What a checkpoint says the figures were calculated with.
  const char* mode() const { return options().compiled ? "plan" : "eager"; }

  // Calls one function of every callback.
  template <typename Function, typename... Record>
  void tell(Function function, Record&... record) {
    for (const std::shared_ptr<Callback>& callback : options().callbacks) {
      ((*callback).*function)(view_, record...);
    }
  }

  // --- a step (training_step.cpp)

  // How a step is made.
  enum class Way {
    eager,        // call by call
    derivatives,  // answer and derivatives as a plan, the update call by call
    whole,        // one plan
  };
  // A step that is one plan, to be made again should a later one go wrong.
  struct Replay {
    Index batch;
    std::uint64_t counter;
    std::vector<double> rates;
  };

  void set_rates(double factor);
  double examples_in(Index first, Index last) const;
  std::uint64_t counter_of(Index batch, Index first) const;
  void run_step(const Loader::Epoch& batches, BatchStream& ahead);
  Way way_of_step(Index batches) const;
  Way possible(Way way, const train_detail::StepBatch& batch, bool shared);
  void tell_of_no_plan(Message message, const std::string& reason);
  train_detail::StepOutcome learn(Way way, const train_detail::StepBatch& batch, const Tensor& share,
                                  const train_detail::Pass& pass);
  std::optional<train_detail::StepOutcome> whole_step(const train_detail::StepBatch& batch,
                                                      const Loader::Epoch& batches, Index number);
  void go_back(const Loader::Epoch& batches);
  void update(Way way, const Loader::Epoch& batches, Index first, Index last, double loss);
  void collect_profile();
  void complain(const std::string& found);

  // --- epochs

  void report(double since, std::vector<Metric> metrics, bool over) const;
  void run_epoch();
  void end_epoch();
  void stop_early();

  // --- warnings

  void tell_each(const std::vector<TrainingWarning>& warnings, std::size_t first) const;
  void tell_pending();
  void collect(std::vector<TrainingWarning>& list, std::size_t told);

  // --- best weights and checkpoints

  void finish();
  train_detail::TrainingSetup setup() const;
  void save();
  bool is_save_due() const;

  Trainer& trainer_;
  TrainingResult& result_;
  const Loader loader_;
  const Dataset* validation_;
  const DType dtype_;
  const bool inputs_may_be_nan_;  // whole numbers, and what is made of them, cannot
  std::vector<double> base_lrs_;  // of the groups, before the schedule
  train_detail::Watch watch_;
  train_detail::Selection selection_;
  train_detail::WeightAverage average_;
  train_detail::Tally tally_;
  const Index steps_;  // in an epoch
  TrainingView view_;

  Index epoch_ = 1;  // the one that runs
  Index step_ = 0;   // how many steps of it are done
  NamedTensors best_weights_;
  bool stopped_early_ = false;
  std::size_t told_ = 0;  // how many of view_.warnings on_warning has heard of

  std::unique_ptr<train_detail::StepPlans> plans_;  // null before the first step that may use them
  // The state some whole steps ago, and those steps; without a value, nothing is kept.
  train_detail::KeptState kept_;
  std::optional<std::vector<Replay>> since_kept_;

  const Clock::time_point begin_ = Clock::now();
  Clock::time_point epoch_begin_;
  double seconds_before_ = 0.0;  // before the checkpoint this run went on from
  double epoch_seconds_before_ = 0.0;

  Index saved_at_ = -1;  // the number of steps in the last checkpoint; -1: there is none
  Clock::time_point saved_when_;
  double save_seconds_ = 0.0;
};

}  // namespace splot
