// Metrics: figures about outputs and targets that people watch while a network learns.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

/// A figure that is a mean over examples. `sum` gives the sum over the examples of one batch; any function of
/// an output and a target will do:
///
///   MetricFunction{"miss", [](const Tensor& y, const Tensor& t) { return sum(abs(y - t)).item<double>(); }}
///
/// A figure that is no mean has `add` and `figure` instead: add() takes a batch into the numbers it keeps,
/// which are none at first, and figure() says what they come to. They travel in checkpoints.
struct MetricFunction {
  std::string name;
  std::function<double(const Tensor& output, const Tensor& target)> sum = {};
  std::function<void(std::vector<double>& state, const Tensor& output, const Tensor& target)> add = {};
  std::function<double(const std::vector<double>& state)> figure = {};
};

namespace metrics {

/// The share of examples whose largest output is that of the right class: output and target as
/// ConfusionMatrix::add() takes them. The first of several largest counts.
SPLOT_API MetricFunction accuracy();
/// The share of examples whose class is among the k largest outputs; named "top_5_accuracy".
SPLOT_API MetricFunction top_k_accuracy(Index k);
/// The share of examples whose outputs are all on the side of the threshold that the targets (0 or 1) ask
/// for: output and target [n, ...]. The threshold is 0 for logits and 0.5 for probabilities.
SPLOT_API MetricFunction binary_accuracy(double threshold);
/// The mean over examples of the mean squared difference.
SPLOT_API MetricFunction mse();
/// The mean over examples of the mean absolute difference.
SPLOT_API MetricFunction mae();
/// The root of the mean squared difference over all examples, in the targets' unit.
SPLOT_API MetricFunction rmse();
/// The coefficient of determination over all examples (RegressionScores::r2): 1 is perfect, 0 no better than
/// always answering the mean.
SPLOT_API MetricFunction r2();

}  // namespace metrics
}  // namespace splot
