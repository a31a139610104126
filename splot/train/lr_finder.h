// find_lr: which learning rates a training can take, from one short sweep over them.
#pragma once

#include <cstdint>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"
#include "splot/optim/optimizer.h"
#include "splot/train/trainer.h"

namespace splot {

struct LrFinderOptions {
  double first = 1e-6;  ///< the rates grow by a constant factor from this
  double last = 10.0;   ///< to this
  Index steps = 100;    ///< at least 10
  Index batch_size = 32;
  std::uint64_t seed = 1;    ///< of shuffling and dropout
  double smoothing = 0.9;    ///< what a step keeps of the running mean of the losses, in [0, 1)
  double stop_factor = 4.0;  ///< ends when the smoothed loss is so many times the lowest one; above 1
};

struct LrFinderPoint {
  double lr = 0.0;
  double loss = 0.0;      ///< of the batch, before the step with this rate
  double smoothed = 0.0;  ///< the running mean, its start corrected as Adam's is
};

struct LrFinderResult {
  std::vector<LrFinderPoint> points;  ///< in the order of the rates
  double steepest = 0.0;              ///< where the smoothed loss falls fastest per factor of the rate
  double minimum_tenth = 0.0;         ///< a tenth of the rate at which the smoothed loss is lowest
  double suggestion = 0.0;            ///< steepest
  bool diverged = false;  ///< the sweep ended before the last rate: the loss had grown or was not finite
};

/// Trains for a few steps while the rate grows exponentially, and looks where the loss falls fastest: Smith
/// 2017, "Cyclical learning rates for training neural networks", section 3.3. All groups of the optimiser get
/// the same rate. Afterwards weights, buffers, rates and the optimiser's state are what they were, also when
/// an error is thrown. The first tenth of the steps, when the running mean has seen little, and what comes
/// after the lowest loss are left out of the suggestions.
///
/// Throws ValueError for options outside their range, for a data set without examples, and for an optimiser
/// that needs a closure: its steps have no rate of their own.
///
///   SGD optimizer(named_parameters(net));
///   optimizer.set_lr(find_lr(net, loss, optimizer, data.train).suggestion);
SPLOT_API LrFinderResult find_lr(Layer& model, const LossFunction& loss, Optimizer& optimizer,
                                 const Dataset& train, const LrFinderOptions& options = {});

}  // namespace splot
