// Metrics: figures about outputs and targets that people watch while a network learns.
#pragma once

#include <functional>
#include <string>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

/// A figure that is a mean over examples. `sum` gives the sum over the examples of one batch; any function of
/// an output and a target will do:
///
///   MetricFunction{"miss", [](const Tensor& y, const Tensor& t) { return sum(abs(y - t)).item<double>(); }}
struct MetricFunction {
  std::string name;
  std::function<double(const Tensor& output, const Tensor& target)> sum;
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

}  // namespace metrics
}  // namespace splot
