// Callback: what is told of a training while it runs, and may end it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/parameter.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"
#include "splot/optim/optimizer.h"
#include "splot/train/records.h"

namespace splot {

/// Where a training is, and what it works with. Epochs and steps count from 1; both are 0 before the first.
struct SPLOT_API TrainingView {
  Layer& model;
  Optimizer& optimizer;
  const Dataset& train;
  const Dataset* validation;  ///< the second data set; null when there is none
  const std::string& watch;   ///< what its figures are called by: "val" or "test"
  const std::vector<EpochRecord>& history;
  Index epoch = 0;
  Index epochs = 0;
  Index step = 0;         ///< within the epoch
  Index steps = 0;        ///< in an epoch
  Index total_steps = 0;  ///< taken so far, over all epochs

  /// Ends the training after the step, or before the first, that runs now. The first reason counts.
  void request_stop(std::string reason);
  /// Adds a warning to the epoch that runs now and to the result.
  void warn(TrainingWarning warning);

  // Where the Trainer reads both.
  std::string stop_reason = {};
  std::vector<TrainingWarning> warnings = {};
};

/// Something that watches a training. Nothing has to be overridden; callbacks are called in the order in
/// which they were given, all from the thread that called fit().
///
///   class Biases final : public Callback {
///     void on_epoch_end(TrainingView& view, EpochRecord& record) override {
///       const Parameter bias = named_parameters(view.model)[1].parameter;
///       record.metrics.push_back({"bias", mean(bias.value()).item<double>()});
///     }
///   };
///
///   TrainerOptions options{.epochs = 3, .callbacks = {std::make_shared<Biases>()}};
///
/// Threads: called by the thread that trains.
class SPLOT_API Callback {
 public:
  virtual ~Callback() = default;

  /// Also when a training is resumed, after load_state_dict(); view.history then has the epochs before.
  virtual void on_train_begin(TrainingView& view);
  /// Asked before every step: whether it looks at gradients in on_update_begin() or on_step_end(), at weights
  /// in on_update_begin(), or changes any of them in a step. A step that no callback needs as it happens runs
  /// as one plan, update included: then there are no gradients, and on_update_begin() comes when the weights
  /// have changed. Answers have to be the same in a training that is resumed.
  ///
  ///   bool needs_gradients(const TrainingView&) const override { return false; }  // only looks at epochs
  virtual bool needs_gradients(const TrainingView& view) const;
  /// Not for an epoch that is resumed in the middle.
  virtual void on_epoch_begin(TrainingView& view);
  /// Gradients are computed, but not clipped; weights have not changed yet. See needs_gradients().
  virtual void on_update_begin(TrainingView& view, const StepRecord& record);
  /// Weights have changed; the gradients they were changed by are still there. See needs_gradients().
  virtual void on_step_end(TrainingView& view, const StepRecord& record);
  /// May add metrics, norms and warnings: what it adds is shown, written and kept like the rest.
  virtual void on_epoch_end(TrainingView& view, EpochRecord& record);
  /// The model has the weights it ends with.
  virtual void on_train_end(TrainingView& view, TrainingResult& result);

  /// What it has to remember so that a training resumed from a checkpoint goes on exactly as it would have.
  virtual NamedTensors state_dict() const;
  /// Continues from state_dict() of a callback of the same kind. Throws ValueError when it does not fit.
  virtual void load_state_dict(std::span<const NamedTensor> state);
};

}  // namespace splot
