// Trainer: epochs, batches, validation, and the best weights kept.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"
#include "splot/optim/optimizer.h"
#include "splot/train/callback.h"
#include "splot/train/metrics.h"
#include "splot/train/progress.h"
#include "splot/train/records.h"

namespace splot {

using LossFunction = std::function<Tensor(const Tensor& output, const Tensor& target)>;

struct TrainerOptions {
  Index epochs = 1;
  Index batch_size = 32;
  bool shuffle = true;
  std::uint64_t seed = 1;  ///< of shuffling and dropout
  /// Ends with the weights of the best epoch by validation - the highest accuracy, then the lowest loss -
  /// instead of the last one's. Without validation data there is no best epoch.
  bool keep_best = true;
  std::vector<MetricFunction> metrics = {};
  /// What figures of the second data set are called: "val" gives val_loss. With "test" every figure that was
  /// picked on a test set says so by its name.
  std::string watch = "val";
  /// What the optimiser's learning rate is multiplied by at a step, counted from 0 over all epochs.
  std::function<double(Index step)> schedule = {};
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  ProgressSink progress = {};
  /// Told of every finished epoch, after the callbacks.
  std::function<void(const EpochRecord&)> on_epoch = {};
  /// Asked after every step; true ends the training there, in good order.
  std::function<bool()> stop = {};
};

/// Teaches a network. The result is a function of data, options and first weights alone, whatever the number
/// of threads. Not safe to use from several threads at once.
///
///   SGD optimizer(named_parameters(net), {.lr = 0.1});
///   Trainer trainer(net, cross_entropy_loss, optimizer, {.epochs = 3, .metrics = {metrics::accuracy()}});
///   TrainingResult result = trainer.fit(data.train, &data.validation);
class SPLOT_API Trainer {
 public:
  /// Everything is held by reference and must outlive the trainer. Throws ValueError for options outside
  /// their range.
  Trainer(Layer& model, LossFunction loss, Optimizer& optimizer, TrainerOptions options = {});

  /// Runs all epochs. Throws DivergenceError when the loss becomes NaN or infinite, naming epoch, step and
  /// the layer where that is seen first; the model then has the best epoch's weights, if there is one.
  TrainingResult fit(const Dataset& train, const Dataset* validation = nullptr);

 private:
  struct Run;

  Layer& model_;
  LossFunction loss_;
  Optimizer& optimizer_;
  TrainerOptions options_;
};

/// The mean loss and metrics over a data set, as in use: no dropout, no history. Means over batches are
/// weighted by their size.
///
///   metric(evaluate(net, loss, data.test, {metrics::accuracy()}), "accuracy")
SPLOT_API std::vector<Metric> evaluate(Layer& model, const LossFunction& loss, const Dataset& data,
                                       const std::vector<MetricFunction>& metrics = {},
                                       Index batch_size = 1000);

}  // namespace splot
