// AveragedWeights: a second set of weights, the average of those that training passes through.
#pragma once

#include <span>

#include "splot/core/export.h"
#include "splot/core/parameter.h"

namespace splot {

enum class Averaging {
  exponential,  ///< EMA: average = decay average + (1 - decay) weights
  equal,        ///< SWA (Izmailov et al. 2018): the mean of all that was seen
};

struct AveragedWeightsOptions {
  Averaging averaging = Averaging::exponential;
  double decay = 0.999;  ///< exponential, in [0, 1)
};

/// The first update() copies the weights, later ones average; as PyTorch's AveragedModel. Frozen parameters
/// are averaged too, which changes nothing. Not safe to use from several threads at once.
///
///   AveragedWeights average(named_parameters(net), {.decay = 0.99});
///   for (...) {
///     ...
///     optimizer.step();
///     average.update();
///   }
///   average.swap();   // the network has the averages, the average holds the weights
///   evaluate(net, ...);
///   average.swap();   // as before
///
/// Threads: one at a time.
class SPLOT_API AveragedWeights {
 public:
  /// Throws ValueError for a decay outside its range.
  explicit AveragedWeights(const NamedParameters& parameters, const AveragedWeightsOptions& options = {});

  void update();
  /// Exchanges averages and weights. Throws ValueError before the first update().
  void swap();
  /// How many updates there were.
  Index count() const { return count_; }

  /// "average.count" and, after the first update, "average.0.weight" for each parameter.
  NamedTensors state_dict() const;
  /// Continues from state_dict(). Throws ValueError, and changes nothing, for names or shapes that do not
  /// fit.
  void load_state_dict(std::span<const NamedTensor> state);

 private:
  NamedParameters parameters_;
  AveragedWeightsOptions options_;
  std::vector<Tensor> averages_;  // empty before the first update
  Index count_ = 0;
};

}  // namespace splot
