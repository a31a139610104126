// What a training leaves to read: a record for each step and epoch, norms, warnings, and the result.
#pragma once

#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"
#include "splot/core/tensor.h"
#include "splot/train/progress.h"

namespace splot {

/// Euclidean norms of one parameter in one epoch: whether the network learns evenly, or its gradients vanish
/// or explode. `gradient` and `update` (the change a step makes) are means over the epoch's steps, `weight`
/// is that at its end.
struct ParameterNorms {
  std::string name;  ///< its path: "0.weight"
  double weight = 0.0;
  double gradient = 0.0;
  double update = 0.0;
};

/// A classic mistake, seen while training.
struct TrainingWarning {
  std::string code;   ///< for programs: "dead-relu"
  std::string where;  ///< path of the layer or parameter; empty: the training as a whole
  Index epoch = 0;    ///< 0: before the first
  std::string text;   ///< for people
};

/// What one epoch came to.
struct EpochRecord {
  Index epoch = 0;              ///< from 1
  std::vector<Metric> metrics;  ///< loss and metrics while learning; with "val_" in front, after it
  double lr = 0.0;              ///< of the last step
  double seconds = 0.0;
  std::vector<ParameterNorms> norms = {};
  std::vector<TrainingWarning> warnings = {};
};

/// One step: the batch it learned from, as the network saw it, and what came of it; of several batches
/// (TrainerOptions::accumulate) the last. Holds references: it is over when the callback returns.
struct StepRecord {
  double loss = 0.0;      ///< before the update; the mean over the examples of all batches
  const Tensor& inputs;   ///< [n, ...]
  const Tensor& targets;  ///< [n, ...]
  const Tensor& output;   ///< the network's, without history
};

struct TrainingResult {
  std::vector<EpochRecord> history;  ///< finished epochs
  /// By the figures of the second data set, or the monitor; 0: there was nothing to choose by. The model ends
  /// with its weights unless TrainerOptions::keep_best is off.
  Index best_epoch = 0;
  Index steps = 0;
  bool stopped = false;     ///< by TrainerOptions::stop
  std::string stop_reason;  ///< why a callback or early stopping ended it; empty when none did
  double seconds = 0.0;
  /// Of these, how many went by waiting for batches (BatchStream::waited), since it began or was resumed.
  double data_seconds = 0.0;
  std::vector<TrainingWarning> warnings;  ///< all of them, in order
};

}  // namespace splot
