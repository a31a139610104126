// Trainer: epochs, batches, validation, and the best weights kept.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"
#include "splot/optim/averaged_weights.h"
#include "splot/optim/optimizer.h"
#include "splot/train/callback.h"
#include "splot/train/checkpoint.h"
#include "splot/train/metrics.h"
#include "splot/train/profile.h"
#include "splot/train/progress.h"
#include "splot/train/records.h"

namespace splot {

using LossFunction = std::function<Tensor(const Tensor& output, const Tensor& target)>;

struct TrainerOptions {
  Index epochs = 1;
  Index batch_size = 32;
  /// Batches that make one step. Their gradients are added up, each weighted by its share of the examples:
  /// with a loss that is a mean, the step is that of one batch of accumulate * batch_size.
  Index accumulate = 1;
  bool shuffle = true;
  std::uint64_t seed = 1;  ///< of shuffling and dropout
  /// Ends with the weights of the best epoch instead of the last one's. Which is best, the second data set
  /// says: the highest accuracy, then the lowest loss; or `monitor`. Without both there is no best epoch.
  bool keep_best = true;
  /// One metric to choose by instead: "val_loss", or one that a callback adds. What has "loss", "error",
  /// "mse", "rmse" or "mae" in its name should be low, anything else high.
  std::string monitor = {};
  /// Early stopping: ends after so many epochs in which that metric (without monitor, the accuracy, or the
  /// loss where there is none) has not improved on its best by more than min_delta. 0: never.
  Index patience = 0;
  double min_delta = 0.0;
  /// Before each update gradients are held to this norm over all parameters, and between these values; see
  /// clip_grad_norm() and clip_grad_value(). 0: they are not.
  double clip_norm = 0.0;
  double clip_value = 0.0;
  /// Steps are traced and run as plans (docs/compiled.md), to the same bits: weights, state and draws are
  /// what they would be call by call. The first step is made call by call, and so is what cannot be traced,
  /// which a warning says once. Off: every step is.
  bool compiled = true;
  /// Where the time of the plans goes; filled when the training ends. Steps made call by call are not in it.
  std::shared_ptr<TrainingProfile> profile = {};
  /// Averages of the weights, taken beside the training from epoch average_start on: exponential ones after
  /// every step, equal ones at the end of every epoch. They change nothing about the steps. Once there are
  /// any, the second data set is answered with them, and theirs are the weights of the best epoch and those
  /// that the model ends with; figures of the training data and what callbacks see are the training's own.
  std::optional<AveragedWeightsOptions> average = {};
  Index average_start = 1;
  std::vector<MetricFunction> metrics = {};
  /// What figures of the second data set are called: "val" gives val_loss. With "test" every figure that was
  /// picked on a test set says so by its name.
  std::string watch = "val";
  /// What the optimiser's learning rates are multiplied by at a step, counted from 0 over all epochs.
  std::function<double(Index step)> schedule = {};
  CheckpointOptions checkpoint = {};
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  ProgressSink progress = {};
  /// Told of every finished epoch, after the callbacks; by resume() first of those before the checkpoint.
  std::function<void(const EpochRecord&)> on_epoch = {};
  /// Told of every warning as it comes up.
  std::function<void(const TrainingWarning&)> on_warning = {};
  /// Asked after every step; true ends the training there, in good order.
  std::function<bool()> stop = {};
};

/// Teaches a network. The result is a function of data, options and first weights alone, whatever the number
/// of threads, and whether the training went through at once or was resumed. Not safe to use from several
/// threads at once.
///
///   SGD optimizer(named_parameters(net), {.lr = 0.1});
///   Trainer trainer(net, cross_entropy_loss, optimizer, {.epochs = 3, .metrics = {metrics::accuracy()}});
///   TrainingResult result = trainer.fit(data.train, &data.validation);
///
/// Threads: one at a time.
class SPLOT_API Trainer {
 public:
  /// Everything is held by reference and must outlive the trainer. Throws ValueError for options outside
  /// their range.
  Trainer(Layer& model, LossFunction loss, Optimizer& optimizer, TrainerOptions options = {});

  /// Runs all epochs. Throws DivergenceError in the step in which NaN or infinity appears - in inputs,
  /// weights, loss, gradients or by the update - naming epoch, step and the layer where it is seen first;
  /// gradients are looked at before they reach the weights. The model then has the best epoch's weights, if
  /// there is one.
  TrainingResult fit(const Dataset& train, const Dataset* validation = nullptr);

  /// Goes on from a checkpoint that a trainer with the same options has written: what follows, and the
  /// result, are bit for bit those of a training that was never interrupted, seconds apart. More epochs than
  /// before may be asked for. On another instruction set the figures differ in the last bits: that is warned
  /// of. Throws IoError and FormatError for the file, ValueError when it does not fit model, optimiser,
  /// options or data, and what fit() throws.
  ///
  ///   trainer.resume("runs/first/checkpoint.safetensors", data.train, &data.validation);
  TrainingResult resume(const std::string& checkpoint, const Dataset& train,
                        const Dataset* validation = nullptr);

  /// What the last fit() or resume() came to, also when it threw.
  const TrainingResult& result() const { return result_; }

 private:
  class Run;

  TrainingResult run(const std::string& checkpoint, const Dataset& train, const Dataset* validation);

  Layer& model_;
  LossFunction loss_;
  Optimizer& optimizer_;
  TrainerOptions options_;
  TrainingResult result_;
};

/// The mean loss and metrics over a data set, as in use: no dropout, no history. Means over batches, which
/// are those of visit_outputs() (outputs.h), are weighted by their size.
///
///   metric(evaluate(net, loss, data.test, {metrics::accuracy()}), "accuracy")
SPLOT_API std::vector<Metric> evaluate(Layer& model, const LossFunction& loss, const Dataset& data,
                                       const std::vector<MetricFunction>& metrics = {}, Index batch_size = 0);

}  // namespace splot
